"""SQL that counts one column of a baseline, and how to read what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from modelport.drift._values import to_label
from modelport.drift.offline import _literals
from modelport.drift.offline._literals import INFINITY
from modelport.drift.serving._snapshot import FeatureCounts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from modelport.drift._baseline import FeatureBaseline
    from modelport.drift.offline._columns import Column, ColumnKind, View

__all__ = ["Counted", "Counter", "add", "all_missing", "counter", "how_many", "number", "to_feature_counts"]

Counted: TypeAlias = "tuple[float | int, ...]"
"""One column's counts, which add up: per bin, then missing, unseen, the sum, and the sum without signs."""

_LARGEST = _literals.double(1.7976931348623157e308)
_INTEGERS = range(-(2**63), 2**64)
_WORDS = {
    "Infinity": ("inf", "+inf", "infinity", "+infinity"),
    "-Infinity": ("-inf", "-infinity"),
    "NaN": ("nan", "+nan", "-nan"),
}
# DuckDB reads 1_000 and +-1 as numbers, Spark 1d, 1f and 0x1p3; no engine may know more numbers than another.
_IN_A_NUMBER = "0123456789+-.e"
_NEVER_IN_A_NUMBER = "+-"


@dataclass(frozen=True, slots=True)
class Counter:
    """How to count one column.

    Attributes:
        baseline: The column's bins.
        inner: Expressions over the view, by the name that `outer` calls them.
        outer: Aggregates: one per bin but the last, then values in bins, values of the wrong kind, and two sums.
    """

    baseline: FeatureBaseline
    inner: dict[str, str]
    outer: tuple[str, ...]

    def counts(self, row: Sequence[Any], records: int) -> Counted:
        """What the aggregates said of `records` rows."""
        *bounds, values, unseen, total, absolute = row
        # Engines answer with integers, decimals, or null for no row at all.
        bins = [int(value or 0) for value in bounds]
        known, bad = int(values or 0), int(unseen or 0)
        missing = records - known - bad
        if self.baseline.kind == "numeric":
            steps = [high - low for low, high in zip((0, *bins), (*bins, known), strict=True)]
            return (*steps, missing, bad, float(total or 0), float(absolute or 0))
        other = known - sum(bins)
        return (*bins, other, missing, other + bad, 0.0, 0.0)


def counter(  # noqa: PLR0917 - what a column is counted by
    baseline: FeatureBaseline,
    place: int,
    view: View,
    column: Column,
    flag: Column | None = None,
    long: Mapping[str, Any] | None = None,
) -> Counter:
    """How to count `column` in the bins of `baseline`.

    Args:
        baseline: The bins.
        place: The column's place.
        view: Takes what is read.
        column: What to count.
        flag: True where a value was of the wrong kind.
        long: The values in the column that are too long to be labels, by the label that stands for them.
    """
    value = f"c{place}"
    if column.kind in {"time", "other"}:
        # A moment is neither a number nor a category: like a list, it is in no bin.
        presence = view.add(column, "other")
        bounds = ["0"] * (len(baseline.counts) - 1)
        return Counter(baseline, {value: presence}, (*bounds, "0", how_many(value), "0", "0"))
    if baseline.kind == "numeric":
        inner, outer = _numeric(baseline, value, view, column)
    else:
        inner, outer = _categorical(baseline, value, view, column, long or {})
    if flag is not None:
        inner[f"u{place}"] = view.add(flag, "boolean")
        outer[-3] = how_many(f"u{place}")
    return Counter(baseline, inner, tuple(outer))


def all_missing(baseline: FeatureBaseline, records: int) -> Counted:
    """The counts of a column that the data has not."""
    return (*(0 for _ in baseline.counts), records, 0, 0.0, 0.0)


def add(one: Counted, other: Counted) -> Counted:
    """The counts of both."""
    return tuple(a + b for a, b in zip(one, other, strict=True))


def to_feature_counts(counted: Counted) -> FeatureCounts:
    """The counts in the form that all of drift reads."""
    *bins, missing, unseen, total, _ = counted
    return FeatureCounts(tuple(map(int, bins)), int(missing), int(unseen), float(total))


def how_many(condition: str) -> str:
    """An aggregate: the rows for which `condition` is true."""
    return f"SUM(CASE WHEN {condition} THEN 1 ELSE 0 END)"


def number(kind: ColumnKind, column: str) -> str:
    """An expression for a column as a double: null where it is missing or no number."""
    return _number_in_text(column) if kind == "text" else f"CAST({column} AS DOUBLE)"


def _numeric(baseline: FeatureBaseline, value: str, view: View, column: Column) -> tuple[dict[str, str], list[str]]:
    shown = view.add(column, column.kind)
    inner, unseen = {value: number(column.kind, shown)}, "0"
    if column.kind == "text":
        inner[f"t{value}"] = shown
        unseen = how_many(f"t{value} IS NOT NULL AND {value} IS NULL")
    at_edges = [how_many(f"{value} <= {_literals.double(edge)}") for edge in baseline.edges]
    # NaN is at or below nothing in DuckDB, Spark and Polars, so this leaves it out without any engine's own test.
    values = how_many(f"{value} <= {INFINITY}")
    # Only of attributions is a mean asked for; of twenty features the sums would cost a third of the scan.
    sums = ["0", "0"]
    if baseline.role == "attribution":
        finite = f"ABS({value}) <= {_LARGEST}"
        sums = [f"SUM(CASE WHEN {finite} THEN {what} ELSE 0e0 END)" for what in (value, f"ABS({value})")]
    return inner, [*at_edges, values, unseen, *sums]


def _categorical(
    baseline: FeatureBaseline, value: str, view: View, column: Column, long: Mapping[str, Any]
) -> tuple[dict[str, str], list[str]]:
    kind = column.kind
    escaped = kind == "text" and any(map(_literals.needs_escape, (*baseline.categories, *long.values())))
    shown = view.add(column, kind, escaped=escaped)
    inner = {"boolean": f"CAST({shown} AS INT)", "float": f"CAST({shown} AS DOUBLE)"}.get(kind, shown)
    counts: list[str] = []
    for label in baseline.categories:
        literals = [_literal(label, kind, escaped=escaped)]
        if label in long:
            literals.append(_exactly(long[label], escaped=escaped))
        tests = [f"{value} = {literal}" for literal in literals if literal is not None]
        counts.append(how_many(" OR ".join(tests)) if tests else "0")
    values = how_many(f"{value} <= {INFINITY}") if kind == "float" else f"COUNT({value})"
    return {value: inner}, [*counts, values, "0", "0", "0"]


def _literal(label: str, kind: ColumnKind, *, escaped: bool) -> str | None:
    """The one value of the kind that has this label; None if none has it."""
    if kind == "text":
        return _text(label, escaped=escaped)
    try:
        wanted = cast("float", float(label) if kind == "float" else int(label))
        if to_label(wanted) != label or (kind != "float" and wanted not in _INTEGERS):
            return None
    except (ValueError, OverflowError):
        return None
    return _literals.number(wanted) if kind == "float" else str(wanted)


def _exactly(value: object, *, escaped: bool) -> str | None:
    return _text(value, escaped=escaped) if isinstance(value, str) else _literals.number(cast("float", value))


def _text(value: str, *, escaped: bool) -> str | None:
    try:
        value.encode()
    except UnicodeEncodeError:
        # A lone surrogate, which no table can hold.
        return None
    return _literals.text(value, escaped=escaped)


def _number_in_text(column: str) -> str:
    trimmed = f"TRIM(BOTH ' ' FROM {column})"
    word = f"LOWER({trimmed})"
    words = " ".join(
        f"WHEN {word} IN ({', '.join(map(repr, spellings))}) THEN CAST('{value}' AS DOUBLE)"
        for value, spellings in _WORDS.items()
    )
    bad = f"TRIM(BOTH '{_IN_A_NUMBER}' FROM {word}) <> '' OR REPLACE({word}, '{_NEVER_IN_A_NUMBER}', '') <> {word}"
    return f"CASE {words} WHEN {bad} THEN NULL ELSE TRY_CAST({trimmed} AS DOUBLE) END"
