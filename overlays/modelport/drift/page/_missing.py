"""Columns whose values are missing or unknown more often, or less, than in training."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from modelport.drift._results import DriftReport, FeatureDrift

__all__ = ["Absence", "absences"]


class Absence(msgspec.Struct, frozen=True, kw_only=True):
    """A column with missing or unseen values.

    Attributes:
        row: The column.
        change: Missing rate of serving less that of training.
        beyond_noise: The change is more than two samples of one rate differ by at the report's level.
    """

    row: FeatureDrift
    change: float
    beyond_noise: bool


def absences(report: DriftReport) -> list[Absence]:
    """Columns with a value missing or unseen on either side, those that changed most first."""
    rows = [row for row in report.features if row.missing or row.unseen or row.baseline_missing_rate > 0]
    found = [_absence(row, report) for row in rows]
    return sorted(found, key=lambda item: (not item.beyond_noise, -abs(item.change), -_known(item.row.unseen_share)))


def _absence(row: FeatureDrift, report: DriftReport) -> Absence:
    # What is no number is in no bin, but it is there.
    serving = row.n + row.missing + (row.unseen if row.kind == "numeric" else 0)
    change = _known(row.missing_rate) - _known(row.baseline_missing_rate)
    enough = serving >= report.min_values and report.baseline_rows > 0
    return Absence(
        row=row,
        change=change,
        beyond_noise=enough and abs(change) > _noise(row, report.baseline_rows, serving, report.level),
    )


def _noise(row: FeatureDrift, training: int, serving: int, level: float) -> float:
    """The normal approximation of two proportions: z sqrt(p (1 - p) (1/n + 1/m)) with the pooled rate p."""
    pooled = (_known(row.baseline_missing_rate) * training + row.missing) / (training + serving)
    z = NormalDist().inv_cdf(0.5 + level / 2)
    return z * math.sqrt(pooled * (1 - pooled) * (1 / training + 1 / serving))


def _known(value: float) -> float:
    return 0.0 if math.isnan(value) else value
