"""Counting what is lost."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter

__all__ = ["Drops"]

_LOG_EVERY_SECONDS = 60.0

_logger = logging.getLogger("modelport.predictions")


class Drops:
    """Exact counts of lost records per reason, and one log line a minute about each."""

    def __init__(self, *reasons: str) -> None:
        # Reentrant: a signal handler may log a prediction while this thread is counting one.
        self._lock = threading.RLock()
        self._counts: Counter[str] = Counter(dict.fromkeys(reasons, 0))
        self._told: dict[str, float] = {}

    def add(self, reason: str, count: int = 1, error: BaseException | None = None) -> None:
        """Count `count` lost records."""
        with self._lock:
            self._counts[reason] += count
            total = self._counts[reason]
            now = time.monotonic()
            tell = now - self._told.get(reason, -_LOG_EVERY_SECONDS) >= _LOG_EVERY_SECONDS
            if tell:
                self._told[reason] = now
        if tell:
            # The kind only: an error's text may quote the value, and the value may be confidential.
            cause = "" if error is None else f", last: {type(error).__name__}"
            _logger.warning("predictions dropped (%s): %d so far%s", reason, total, cause)

    def expect(self, *reasons: str) -> None:
        """Show these reasons even before anything is lost for them."""
        with self._lock:
            for reason in reasons:
                self._counts.setdefault(reason, 0)

    def counts(self) -> dict[str, int]:
        """Lost records by reason."""
        with self._lock:
            return dict(self._counts)
