"""Imports in the midst of a program's work, which a fork must not cut in two.

What another thread is importing at a fork stays half imported in the child, and whoever needs it there waits for ever.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["importing"]

# Longer than any import. Only where whoever forks is itself within an import that this one needs is the wait in vain.
_PATIENCE_SECONDS = 10.0


class _Importing:
    """To be held while importing: forks wait for it. Not within the body of a module, which others may wait for."""

    def __init__(self) -> None:
        # Reentrant: what is imported may fork too.
        self._lock = threading.RLock()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lock.release()

    def before_fork(self) -> None:
        self._lock.acquire(timeout=_PATIENCE_SECONDS)

    def after_fork_in_parent(self) -> None:
        self._released()

    def after_fork_in_child(self) -> None:
        if not self._released():
            self._lock = threading.RLock()

    def _released(self) -> bool:
        try:
            self._lock.release()
        except RuntimeError:
            # Another thread's still.
            return False
        return True


importing = _Importing()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=importing.before_fork,
        after_in_parent=importing.after_fork_in_parent,
        after_in_child=importing.after_fork_in_child,
    )
