"""Shipping what is queued when a signal ends the process."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any

from modelport.monitor._lifecycle import close_all, flush_all

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import FrameType

__all__ = ["install_handlers"]


def install_handlers(signals: Iterable[signal.Signals], timeout: float) -> None:
    """See `ModelMonitor.install_signal_handlers`.

    Raises:
        ValueError: Not called from the main thread.
    """
    for number in signals:
        previous = signal.getsignal(number)
        if isinstance(previous, _Handler):
            # One of them ships for all monitors; a chain of two would end the process after the first.
            previous.timeout = max(previous.timeout, timeout)
        else:
            signal.signal(number, _Handler(previous, timeout))


class _Handler:
    def __init__(self, previous: Any, timeout: float) -> None:
        self._previous = previous
        self.timeout = timeout

    def __call__(self, received: int, frame: FrameType | None) -> None:
        if self._previous == signal.SIG_DFL:
            close_all(self.timeout)
            signal.signal(received, signal.SIG_DFL)
            os.kill(os.getpid(), received)
            return
        flush_all(self.timeout)
        if callable(self._previous):
            self._previous(received, frame)
