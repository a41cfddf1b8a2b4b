"""What the page shows of a report: how much of it is drawn, and in which order."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import msgspec

from modelport.drift.page._chart import chart_of
from modelport.drift.page._line import metric_line, psi_line
from modelport.drift.page._missing import absences
from modelport.drift.page._places import TOP_PSI, places_of
from modelport.drift.page._ranking import DRIFTED, ranked, series_of, worst_segments
from modelport.drift.page._spark import spark_of
from modelport.drift.page._strip import strip_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelport.drift._results import DriftReport, FeatureDrift
    from modelport.drift.page._chart import Chart
    from modelport.drift.page._line import Line
    from modelport.drift.page._ranking import Series
    from modelport.drift.page._spark import Spark
    from modelport.drift.page._strip import Strip

__all__ = ["gauge_percent", "view_of"]

# What is drawn; the data in the page holds the rest.
MOST_CHARTS = 60
FEWEST_CHARTS = 24
MOST_ABSENCES = 50
MOST_SEGMENTS = 50
MOST_STRIPS = 40
MOST_LINES = 4
MOST_METRICS = 6
STRIP_BARS = 120
LINE_POINTS = 240


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the overview; `anchor` is the id of its chart, None where it has none."""

    row: FeatureDrift
    spark: Spark
    anchor: str | None
    gauge: float
    noise: float | None


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """A column drawn large."""

    row: FeatureDrift
    chart: Chart
    anchor: str


class Course(msgspec.Struct, frozen=True, kw_only=True):
    """A column over time."""

    series: Series
    strip: Strip
    drifted: int
    last: float


def view_of(report: DriftReport) -> dict[str, Any]:
    """Everything the page's template asks for."""
    rows = ranked(report)
    columns = [row for row in rows if row.role != "attribution"]
    attributions = [row for row in rows if row.role == "attribution"]
    drawn = _drawn(columns)
    anchors = {id(row): f"column-{place}" for place, row in enumerate(drawn)}
    return {
        "report": report,
        "columns": [_column(row, anchors) for row in columns],
        "cards": [Card(row=row, chart=chart_of(row), anchor=anchors[id(row)]) for row in drawn],
        "anchor_of": {(row.role, row.name): anchors[id(row)] for row in drawn},
        "outputs": [row for row in columns if row.role == "output"],
        "attributions": [_column(row, {}) for row in attributions],
        "absences": absences(report),
        "most_absences": MOST_ABSENCES,
        "segments": worst_segments(report),
        "most_segments": MOST_SEGMENTS,
        "drifted_count": sum(row.verdict in DRIFTED for row in columns),
        **_over_time(report),
        **_performance(report),
    }


def _drawn(columns: Sequence[FeatureDrift]) -> list[FeatureDrift]:
    """The drifted, then the others: few enough to look at."""
    drifted = [row for row in columns if row.verdict in DRIFTED]
    others = [row for row in columns if row.verdict not in DRIFTED]
    # Whatever became of it, people look for the output.
    others.sort(key=lambda row: row.role != "output")
    kept = drifted[:MOST_CHARTS]
    return kept + others[: max(0, FEWEST_CHARTS - len(kept))]


def _column(row: FeatureDrift, anchors: dict[int, str]) -> Column:
    return Column(
        row=row,
        spark=spark_of(row),
        anchor=anchors.get(id(row)),
        gauge=gauge_percent(row.psi),
        noise=gauge_percent(row.psi_threshold) if row.psi_threshold < TOP_PSI else None,
    )


def gauge_percent(psi: float) -> float:
    """PSI as a percentage of the gauge's length."""
    return 0.0 if math.isnan(psi) else 100 * min(psi / TOP_PSI, 1.0)


def _over_time(report: DriftReport) -> dict[str, Any]:
    series = series_of(report)
    bars, points = places_of(report.windows, STRIP_BARS), places_of(report.windows, LINE_POINTS)
    return {
        "series_count": len(series),
        "lines": [psi_line(found, points) for found in series[:MOST_LINES] if found.peak == found.peak],
        "courses": [_course(found, strip_of(found, bars)) for found in series[:MOST_STRIPS]],
        "windows_in_bar": math.ceil(len(report.windows) / max(len(bars), 1)),
        "windows_in_point": math.ceil(len(report.windows) / max(len(points), 1)),
        "bars": bars,
    }


def _course(series: Series, strip: Strip) -> Course:
    known = [row for row in series.rows if row is not None]
    last = series.rows[-1]
    return Course(
        series=series,
        strip=strip,
        drifted=sum(row.verdict in DRIFTED for row in known),
        last=math.nan if last is None else last.psi,
    )


def _performance(report: DriftReport) -> dict[str, Any]:
    """Measures over time; a run of windows shows its last measured one."""
    points = places_of(report.windows, LINE_POINTS)
    measured = [window.performance for window in report.windows]
    names = list(dict.fromkeys(name for found in measured if found is not None for name in found.metrics))
    lines: list[Line] = []
    for name in names[:MOST_METRICS]:
        known = [math.nan if found is None else found.metrics.get(name, math.nan) for found in measured]
        runs = [[value for value in known[place.first : place.last + 1] if not math.isnan(value)] for place in points]
        lines.append(metric_line(name, [run[-1] if run else math.nan for run in runs], points))
    return {"metric_lines": lines, "labelled_windows": sum(found is not None for found in measured)}
