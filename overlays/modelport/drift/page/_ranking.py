"""What of a report comes first: its worst segments, its columns over time."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelport.drift._results import DriftReport, DriftSlice, FeatureDrift

__all__ = ["Series", "WorstSegment", "ranked", "series_of", "worst_segments"]

DRIFTED = frozenset({"major", "moderate"})


class WorstSegment(msgspec.Struct, frozen=True, kw_only=True):
    """A segment with its most drifted column.

    Attributes:
        segment: The segment.
        worst: Its most drifted column that may be judged; where none may, of all; None where nothing was served.
        judged: Some column has enough values.
        drifted: Columns judged ``major`` or ``moderate``.
    """

    segment: DriftSlice
    worst: FeatureDrift | None
    judged: bool
    drifted: int


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """One column over the windows: a row for each, None where the window lacks the column.

    Attributes:
        name: The column's name.
        role: As in `FeatureDrift`.
        rows: One for each window, in order.
        peak: Highest PSI of the windows that may be judged; where none may, of all; NaN without values.
    """

    name: str
    role: str
    rows: tuple[FeatureDrift | None, ...]
    peak: float


def ranked(report: DriftReport) -> list[FeatureDrift]:
    """The rows, those that drifted first, then by PSI; rows without values last."""
    return [*report.drifted, *(row for row in report.by_psi if row.verdict not in DRIFTED)]


def worst_segments(report: DriftReport) -> list[WorstSegment]:
    """Segments by the PSI of their most drifted column; those too small to judge come last."""
    return sorted(map(_worst_of, report.segments), key=_segment_order)


def series_of(report: DriftReport) -> list[Series]:
    """Each column of the report over its windows, the highest peak first; nothing without windows."""
    if not report.windows:
        return []
    columns = [{(row.role, row.name): row for row in window.features} for window in report.windows]
    found = [_series(row, [window.get((row.role, row.name)) for window in columns]) for row in report.features]
    return sorted(found, key=lambda series: (math.isnan(series.peak), -series.peak))


def _series(row: FeatureDrift, rows: Sequence[FeatureDrift | None]) -> Series:
    worst = _worst_row([found for found in rows if found is not None])
    return Series(name=row.name, role=row.role, rows=tuple(rows), peak=math.nan if worst is None else worst.psi)


def _worst_of(segment: DriftSlice) -> WorstSegment:
    worst = _worst_row(segment.features)
    return WorstSegment(
        segment=segment,
        worst=worst,
        judged=any(row.verdict != "too few values" for row in segment.features),
        drifted=sum(row.verdict in DRIFTED for row in segment.features),
    )


def _worst_row(rows: Sequence[FeatureDrift]) -> FeatureDrift | None:
    # A column whose values are all missing has no PSI, and drifted nonetheless.
    known = [row for row in rows if row.psi == row.psi or row.verdict in DRIFTED]
    judged = [row for row in known if row.verdict != "too few values"]
    return max(judged or known, key=_severity, default=None)


def _severity(row: FeatureDrift) -> tuple[bool, float]:
    return row.verdict in DRIFTED, -math.inf if math.isnan(row.psi) else row.psi


def _segment_order(found: WorstSegment) -> tuple[bool, bool, float, str, str]:
    psi = math.nan if found.worst is None else found.worst.psi
    drifted = found.worst is not None and found.worst.verdict in DRIFTED
    return (
        not found.judged,
        not drifted,
        math.inf if math.isnan(psi) else -psi,
        found.segment.name,
        found.segment.value,
    )
