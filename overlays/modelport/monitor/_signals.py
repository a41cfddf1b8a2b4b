"""Shipping what is queued when a signal ends the process."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import FrameType

__all__ = ["install_handlers"]


class _Shipping(Protocol):
    def flush(self, timeout: float) -> bool: ...

    def close(self, timeout: float) -> bool: ...


def install_handlers(monitor: _Shipping, signals: Iterable[signal.Signals], timeout: float) -> None:
    """See `ModelMonitor.install_signal_handlers`.

    Raises:
        ValueError: Not called from the main thread.
    """
    for number in signals:
        previous = signal.getsignal(number)

        def handle(received: int, frame: FrameType | None, *, previous: Any = previous) -> None:
            if callable(previous):
                monitor.flush(timeout)
                previous(received, frame)
            elif previous == signal.SIG_DFL:
                monitor.close(timeout)
                signal.signal(received, signal.SIG_DFL)
                os.kill(os.getpid(), received)
            else:
                monitor.flush(timeout)

        signal.signal(number, handle)
