"""Threads of sinks and queues, whose end may be waited for from anywhere."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["BackgroundThread"]

_LOOK_SECONDS = 0.005


class BackgroundThread(threading.Thread):
    """A daemon thread that says itself when it has come to its end.

    ``Thread.join`` cannot be used where a signal handler may have interrupted another ``join``: that one may hold the
    lock which tells the end, and is not released before the handler returns.

    Attributes:
        ended: Whether the work is done.
    """

    def __init__(self, work: Callable[[], None], name: str) -> None:
        super().__init__(target=work, name=name, daemon=True)
        self.ended = False

    def run(self) -> None:
        """Do the work."""
        try:
            super().run()
        finally:
            self.ended = True

    def wait(self, deadline: float) -> bool:
        """Wait for the end until `deadline` (monotonic seconds), except in the thread itself.

        Returns:
            Whether it has come.
        """
        if threading.current_thread() is not self:
            while not self.ended and (left := deadline - time.monotonic()) > 0:
                time.sleep(min(left, _LOOK_SECONDS))
        return self.ended
