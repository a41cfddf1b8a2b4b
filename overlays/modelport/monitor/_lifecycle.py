"""What must happen to monitors when a process forks or ends."""

from __future__ import annotations

import atexit
import os
import weakref
from typing import Protocol

__all__ = ["Managed", "manage", "release"]


class Managed(Protocol):
    """Something that owns threads and queued records."""

    def close(self) -> object:
        """Ship what is queued and stop."""

    def after_fork_in_child(self) -> None:
        """Forget what the parent owns."""


# One table and one pair of hooks for all monitors: a hook at fork can never be taken back.
_managed: weakref.WeakSet[Managed] = weakref.WeakSet()


def manage(item: Managed) -> None:
    """See to `item` at exit and in forked children, for as long as it lives."""
    _managed.add(item)


def release(item: Managed) -> None:
    """Stop seeing to `item`."""
    _managed.discard(item)


def _at_exit() -> None:
    for item in list(_managed):
        item.close()


def _after_fork_in_child() -> None:
    for item in list(_managed):
        item.after_fork_in_child()


atexit.register(_at_exit)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
