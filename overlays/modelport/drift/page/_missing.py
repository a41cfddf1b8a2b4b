"""Columns whose values are missing or unknown more often, or less, than in training."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec

from modelport.drift._noise import differs

if TYPE_CHECKING:
    from modelport.drift._results import DriftReport, FeatureDrift

__all__ = ["Absence", "absences"]


class Absence(msgspec.Struct, frozen=True, kw_only=True):
    """A column with missing or unseen values.

    Attributes:
        row: The column.
        change: Missing rate of serving less that of training; NaN where nothing was served.
        beyond_noise: The change is more than two samples of one rate differ by at the report's level.
    """

    row: FeatureDrift
    change: float
    beyond_noise: bool


def absences(report: DriftReport) -> list[Absence]:
    """Columns with a value missing or unseen on either side, those that changed most first."""
    rows = [row for row in report.features if row.missing or row.unseen or row.baseline_missing_rate > 0]
    found = [_absence(row, report) for row in rows]
    return sorted(
        found, key=lambda item: (not item.beyond_noise, -abs(_known(item.change)), -_known(item.row.unseen_share))
    )


def _absence(row: FeatureDrift, report: DriftReport) -> Absence:
    # What is no number is in no bin, but it is there.
    serving = row.n + row.missing + (row.unseen if row.kind == "numeric" else 0)
    change = row.missing_rate - _known(row.baseline_missing_rate)
    enough = serving >= report.min_values
    return Absence(
        row=row,
        change=change,
        beyond_noise=enough
        and differs(_known(row.baseline_missing_rate), report.baseline_rows, row.missing_rate, serving, report.level),
    )


def _known(value: float) -> float:
    return 0.0 if math.isnan(value) else value
