"""Telling once that predictions do not fit the baseline: a number in the metrics is easily passed over."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modelport.drift import LiveCounts

__all__ = ["Misfits"]

_SHOWN_NAMES = 5

_logger = logging.getLogger("modelport.monitor")


class Misfits:
    """Looks at what has been counted after each step, and logs one line once a prediction was no row."""

    def __init__(self, live: LiveCounts) -> None:
        self._live = live
        self._told = False

    def __call__(self) -> None:
        """Look."""
        if self._told or not (count := self._live.state().uncounted):
            return
        self._told = True
        names = self._live.baseline.names
        shown = ", ".join(names[:_SHOWN_NAMES]) + (", ..." if len(names) > _SHOWN_NAMES else "")
        _logger.warning(
            "predictions do not fit the baseline (%d so far): features are no row of its %d (%s), or a batch has"
            " another number of outputs; they are shipped, and watched by modelport_predictions_uncounted_total alone",
            count,
            len(names),
            shown,
        )
