"""SQL that counts one column of a baseline, and how to read what it answers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from modelport.drift._values import KEPT_LABEL_CHARACTERS, MAX_LABEL_CHARACTERS, to_label
from modelport.drift.offline import _literals
from modelport.drift.serving._snapshot import FeatureCounts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelport.drift._baseline import FeatureBaseline
    from modelport.drift.offline._columns import Column, ColumnKind, View

__all__ = ["INFINITY", "Counted", "Counter", "add", "all_missing", "counter", "how_many", "number", "to_feature_counts"]

Counted: TypeAlias = "tuple[float | int, ...]"
"""One column's counts, which add up: per bin, then missing, unseen, the sum, and the sum without signs."""

INFINITY = "CAST('Infinity' AS DOUBLE)"
_MINUS_INFINITY = "CAST('-Infinity' AS DOUBLE)"
_LARGEST = _literals.double(1.7976931348623157e308)
_INT64 = 2**63
_WORDS = {
    "Infinity": ("inf", "+inf", "infinity", "+infinity"),
    "-Infinity": ("-inf", "-infinity"),
    "NaN": ("nan", "+nan", "-nan"),
}
# DuckDB reads 1_000 and +-1 as numbers, Spark 1d, 1f and 0x1p3; no engine may know more numbers than another.
_NEVER_IN_A_NUMBER = ("d", "f", "x", "_", "+-")


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


def counter(baseline: FeatureBaseline, place: int, view: View, column: Column, flag: Column | None = None) -> Counter:
    """How to count `column` in the bins of `baseline`; `flag` is true where a value was of the wrong kind."""
    value = f"c{place}"
    if column.kind in {"time", "other"}:
        # A moment is neither a number nor a category: like a list, it is in no bin.
        presence = view.add(column, "other")
        bounds = ["0"] * (len(baseline.counts) - 1)
        return Counter(baseline, {value: presence}, (*bounds, "0", how_many(value), "0", "0"))
    made = _numeric if baseline.kind == "numeric" else _categorical
    inner, outer = made(baseline, value, view, column)
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


def _categorical(baseline: FeatureBaseline, value: str, view: View, column: Column) -> tuple[dict[str, str], list[str]]:
    kind = column.kind
    escaped = kind == "text" and any(map(_literals.needs_escape, baseline.categories))
    shown = view.add(column, kind, escaped=escaped)
    inner = {"boolean": f"CAST({shown} AS INT)", "float": f"CAST({shown} AS DOUBLE)"}.get(kind, shown)
    tests = [_equals(value, label, kind, escaped=escaped) for label in baseline.categories]
    values = how_many(f"{value} <= {INFINITY}") if kind == "float" else f"COUNT({value})"
    return {value: inner}, [*(how_many(test) if test else "0" for test in tests), values, "0", "0", "0"]


def _equals(value: str, label: str, kind: ColumnKind, *, escaped: bool) -> str | None:
    """The condition under which `value` has this label; None if no value of the kind has it."""
    if kind == "text":
        return _text_equals(value, label, escaped=escaped)
    try:
        wanted = cast("float", float(label) if kind == "float" else int(label))
        if to_label(wanted) != label or (kind != "float" and not -_INT64 < wanted < _INT64):
            return None
    except (ValueError, OverflowError):
        return None
    if math.isinf(wanted):
        return f"{value} = {INFINITY if wanted > 0 else _MINUS_INFINITY}"
    return f"{value} = {_literals.double(wanted) if kind == 'float' else wanted}"


def _text_equals(value: str, label: str, *, escaped: bool) -> str | None:
    try:
        label.encode()
    except UnicodeEncodeError:
        # A lone surrogate, which no table can hold.
        return None
    if len(label) == MAX_LABEL_CHARACTERS and label[KEPT_LABEL_CHARACTERS] == "~":
        start = _literals.text(label[:KEPT_LABEL_CHARACTERS], escaped=escaped)
        return f"SUBSTR({value}, 1, {len(start) - 2}) = {start} AND LENGTH({value}) > {MAX_LABEL_CHARACTERS}"
    return f"{value} = {_literals.text(label, escaped=escaped)}"


def _number_in_text(column: str) -> str:
    word = f"LOWER(TRIM({column}))"
    words = " ".join(
        f"WHEN {word} IN ({', '.join(map(repr, spellings))}) THEN CAST('{value}' AS DOUBLE)"
        for value, spellings in _WORDS.items()
    )
    bad = " OR ".join(f"REPLACE({word}, '{letter}', '') <> {word}" for letter in _NEVER_IN_A_NUMBER)
    return f"CASE {words} WHEN {bad} THEN NULL ELSE TRY_CAST(TRIM({column}) AS DOUBLE) END"
