"""Counting what is lost."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter, deque

__all__ = ["Drops"]

_LOG_EVERY_SECONDS = 60.0
_PATIENCE_SECONDS = 0.05

_logger = logging.getLogger("modelport.predictions")


class Drops:
    """Exact counts of lost records per reason, and one log line a minute about each.

    Counting never waits. The thread that is adding up may have been interrupted by a signal handler which waits for
    another thread to ship what is queued; if that one then had to wait for the first, neither would go on.
    """

    def __init__(self, *reasons: str, what: str = "predictions dropped") -> None:
        self._what = what
        self._noted: deque[tuple[str, int]] = deque()
        self._adding = threading.Lock()
        self._counts: Counter[str] = Counter(dict.fromkeys(reasons, 0))
        self._told: dict[str, float] = {}

    def add(self, reason: str, count: int = 1, error: BaseException | None = None) -> None:
        """Count `count` lost records."""
        self._noted.append((reason, count))
        self._add_up()
        now = time.monotonic()
        if now - self._told.get(reason, -_LOG_EVERY_SECONDS) >= _LOG_EVERY_SECONDS:
            self._told[reason] = now
            # The kind only: an error's text may quote the value, and the value may be confidential.
            cause = "" if error is None else f", last: {type(error).__name__}"
            _logger.warning("%s (%s): %d so far%s", self._what, reason, self._counts[reason], cause)

    def expect(self, *reasons: str) -> None:
        """Show these reasons even before anything is lost for them."""
        for reason in reasons:
            self._noted.append((reason, 0))
        self._add_up()

    def counts(self) -> dict[str, int]:
        """Lost records by reason; short of what is being added up at this moment if that should take long."""
        self._add_up()
        held = self._adding.acquire(timeout=_PATIENCE_SECONDS)
        try:
            return dict(self._counts)
        finally:
            if held:
                self._adding.release()

    def _add_up(self) -> None:
        # Whoever comes while another is at it leaves its note to that one, which looks again when it is done.
        while self._noted and self._adding.acquire(blocking=False):
            try:
                while self._noted:
                    reason, count = self._noted.popleft()
                    self._counts[reason] += count
            finally:
                self._adding.release()
