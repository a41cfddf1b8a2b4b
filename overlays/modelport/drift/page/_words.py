"""Numbers, bins and moments as people read them; shared by the page, its charts and the terminal."""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING

from modelport.drift._values import OTHER
from modelport.drift._verdict import overall

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelport.drift._results import DriftReport, DriftSlice, FeatureDrift

__all__ = [
    "NOTHING",
    "bin_name",
    "category",
    "change",
    "edge",
    "headline",
    "moment",
    "number",
    "percent",
    "plural",
    "reasons",
    "short",
    "span",
]

NOTHING = "\N{EN DASH}"
"""What stands where there is no number."""

_SUFFIXES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
_NANOSECONDS = 1_000_000_000
_DAY_SECONDS = 86_400


def percent(share: float) -> str:
    """A share for people: ``12.3 %``, ``<0.1 %``, a dash where there is none."""
    if math.isnan(share):
        return NOTHING
    if 0 < share < 0.001:  # noqa: PLR2004 - a tenth of a percent, the last digit shown
        return "<0.1 %"
    return f"{100 * share:.1f} %"


def short(value: float | None) -> str:
    """A number for people: three significant digits, ``∞``, a dash where there is none."""
    if value is None or math.isnan(value):
        return NOTHING
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    if value != 0 and abs(value) < 0.001:  # noqa: PLR2004 - below what three digits show
        return "<0.001" if value > 0 else f"{value:.2g}"
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.4g}"  # noqa: PLR2004 - four digits in either case


def change(part: float | None) -> str:
    """By what part something has grown, for people: ``+20 %``, ``-50 %``, from ten times on ``12 times``."""
    if part is None or math.isnan(part):
        return NOTHING
    if part >= 9:  # noqa: PLR2004 - ten times as large: percents no longer help
        return f"{short(part + 1)} times"
    return f"{part:+.0%}".replace("%", " %")


def number(value: float) -> float:
    """The value, or 0 where there is none: what a drawing takes."""
    return 0.0 if math.isnan(value) else value


def plural(count: int, noun: str) -> str:
    """``1 feature``, ``2,000 features``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def moment(nanoseconds: int) -> str:
    """A moment in UTC, no finer than a second: ``2025-03-01``, ``2025-03-01 14:30``."""
    at = dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=nanoseconds // 1000)
    if nanoseconds % (_DAY_SECONDS * _NANOSECONDS) == 0:
        return at.strftime("%Y-%m-%d")
    return at.strftime("%Y-%m-%d %H:%M" if at.second == 0 else "%Y-%m-%d %H:%M:%S")


def span(windows: Sequence[DriftSlice]) -> str:
    """From the first window's start to the last one's end; ``""`` where the times are not known."""
    starts = [window.start_ns for window in windows if window.start_ns is not None]
    ends = [window.end_ns for window in windows if window.end_ns is not None]
    return f"{moment(min(starts))} to {moment(max(ends))} UTC" if starts and ends else ""


def headline(report: DriftReport) -> str:
    """The verdict on the features in one sentence, and one on the predictions that do not fit, if they are many."""
    if not report.records + report.uncounted:
        return "Nothing has been served yet, so there is nothing to compare."
    if overall((), report.records, report.uncounted) not in {"major", "moderate"}:
        return _of_features(report)
    fit = f"{report.uncounted:,} of {plural(report.records + report.uncounted, 'prediction')}"
    misfits = f"{fit} {'does' if report.uncounted == 1 else 'do'} not fit the baseline's features."
    return f"{_of_features(report)} {misfits}" if report.records else f"Nothing to compare: {misfits}"


def _of_features(report: DriftReport) -> str:
    rows = [row for row in report.features if row.role == "feature"]
    drifted = [row for row in rows if row.verdict in {"major", "moderate"}]
    if rows and all(row.verdict == "too few values" for row in rows):
        return f"Too few values to judge: a feature needs {report.min_values:,}."
    if not drifted:
        return "No feature has drifted from training beyond what noise explains."
    major = sum(row.verdict == "major" for row in drifted)
    kinds = [f"{count:,} {kind}" for kind, count in (("major", major), ("moderate", len(drifted) - major)) if count]
    verb = "has" if len(drifted) == 1 else "have"
    because = [
        f"{count:,} by {reason} values"
        for reason in ("missing", "unseen")
        if (count := sum(reason in row.reasons for row in drifted))
    ]
    told = "; ".join([", ".join(kinds), *([", ".join(because)] if because else [])])
    return f"{len(drifted):,} of {plural(len(rows), 'feature')} {verb} drifted from training: {told}."


def reasons(row: FeatureDrift) -> str:
    """Why a column has drifted, where its distribution is not the only reason: ``missing values``."""
    named = [reason for reason in row.reasons if reason != "distribution"]
    return f"{' and '.join(named)} values" if named else ""


def bin_name(row: FeatureDrift, index: int) -> str:
    """A bin in words: ``2.5 < x ≤ 3.1``, or its category."""
    if row.kind != "numeric":
        return category(row.bins[index], 60)
    if len(row.bins) == 1:
        return "any number"
    if index == 0:
        return f"x ≤ {edge(row.bins[0])}"
    if index == len(row.bins) - 1:
        return f"x > {edge(row.bins[index - 1])}"
    return f"{edge(row.bins[index - 1])} < x ≤ {edge(row.bins[index])}"


def edge(text: str) -> str:
    """The text of an edge with at most four digits."""
    value = float(text)
    # Years and the like stay whole.
    for size, suffix in _SUFFIXES if abs(value) >= 10_000 else ():  # noqa: PLR2004
        if size <= abs(value) < 1000 * size:
            return f"{value / size:.3g}{suffix}"
    # The edge just below 0 is a float of no size; people read it as 0.
    return "0" if abs(value) < 1e-300 else f"{value:.4g}"  # noqa: PLR2004


def category(label: str, longest: int) -> str:
    """A category's label, cut to `longest` characters."""
    if label == OTHER:
        return "(other)"
    if label == "":
        return "(empty)"
    return label if len(label) <= longest else label[: longest - 1] + "…"
