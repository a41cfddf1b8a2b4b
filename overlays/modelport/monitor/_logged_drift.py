"""Drift over logged predictions."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, cast

from modelport.drift.offline._assemble import Assembly
from modelport.drift.offline._slicing import parse_window
from modelport.drift.offline._wish import Wish, nanoseconds, scan_batches
from modelport.monitor._logged_columns import LABEL, OUTPUT, TIME, LoggedColumns

if TYPE_CHECKING:
    import datetime as dt
    import os
    from collections.abc import Callable, Iterable, Sequence

    from modelport.drift import Baseline, DriftReport
    from modelport.drift.divergence import Rule
    from modelport.predictions import Prediction

    Task = str

__all__ = ["logged_drift_report"]

_BATCH_ROWS = 65_536
