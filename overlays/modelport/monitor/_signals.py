"""Shipping what is queued when a signal ends the process."""

from __future__ import annotations

import logging
import os
import signal
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import FrameType

__all__ = ["install_handlers"]

_logger = logging.getLogger("modelport.monitor")


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
                _tried(monitor.flush, timeout)
                previous(received, frame)
            elif previous == signal.SIG_DFL:
                _tried(monitor.close, timeout)
                signal.signal(received, signal.SIG_DFL)
                os.kill(os.getpid(), received)
            else:
                _tried(monitor.flush, timeout)

        signal.signal(number, handle)


def _tried(ship: Callable[[float], bool], timeout: float) -> None:
    try:
        ship(timeout)
    except Exception as error:  # noqa: BLE001 - whatever goes wrong here, the process has been told to end
        _logger.warning("shipping at a signal failed: %r", error)
