"""Parts of the traffic: windows of time and segments, as expressions to group by."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, cast

from modelport.drift.offline import _literals
from modelport.drift.offline._columns import Column, ColumnKind, Table, View
from modelport.drift.offline._errors import OfflineError
from modelport.drift.offline._literals import INFINITY
from modelport.drift.offline._query import Query

__all__ = [
    "NO_VALUE",
    "OTHERS",
    "Segment",
    "Span",
    "Window",
    "check_labels",
    "parse_window",
    "time_filter",
    "time_kind",
    "top_values",
]

NO_VALUE = "(none)"
"""The value of a segment where a prediction carries no such label."""
OTHERS = "__other__"
"""The value of a segment for all labels beyond the most frequent ones."""

Span: TypeAlias = "tuple[int | None, int | None]"
"""First nanosecond (since 1970, UTC), and the first one after the end; None where it is open."""

_WINDOW = re.compile(r"(\d+)(s|m|min|h|d|w)")
_UNITS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400, "w": 604_800}
_NANOSECONDS = 1_000_000_000
# 1970 began on a Thursday; weeks are cut at Mondays.
_MONDAY_SECONDS = 4 * 86_400


class Conditions(Protocol):
    """What says which rows count."""

    def conditions(self, view: View) -> list[str]:
        """Conditions over the view."""
        ...


@dataclass(frozen=True, slots=True)
class Window:
    """Stretches of equal length, aligned to UTC (weeks to Mondays)."""

    column: Column
    nanoseconds: int

    def expression(self, view: View) -> str:
        """The start of a row's window, in nanoseconds since 1970."""
        time = view.add(self.column, time_kind(self.column))
        width, shift = self.nanoseconds, self.offset
        # Engines differ in the sign of a negative remainder (before 1970); taken twice it is the same.
        return f"{time} - ((({time} - {shift}) % {width}) + {width}) % {width}"

    @property
    def offset(self) -> int:
        """Where one of the windows begins."""
        week = _UNITS["w"] * _NANOSECONDS
        return _MONDAY_SECONDS * _NANOSECONDS if self.nanoseconds % week == 0 else 0


@dataclass(frozen=True, slots=True)
class Segment:
    """One column of labels, of which some have a slice of their own.

    Attributes:
        name: How the report calls it.
        column: Where the labels lie.
        values: The labels that have a slice of their own, by the number that stands for them in SQL.
        coded: The column holds those numbers already.
    """

    name: str
    column: Column
    values: tuple[object, ...]
    coded: bool = False

    def expression(self, view: View) -> str:
        """The number of a row's value: its place in `values`, one more for all others, null for none."""
        if self.coded:
            return view.add(self.column, "integer")
        escaped = any(isinstance(value, str) and _literals.needs_escape(value) for value in self.values)
        label = _label(self.column, view, escaped=escaped)
        tests = " ".join(
            f"WHEN {label} = {_literal(value, escaped=escaped)} THEN {n}" for n, value in enumerate(self.values)
        )
        return f"CASE WHEN {label} IS NULL THEN NULL {tests} ELSE {len(self.values)} END"


def parse_window(window: str | dt.timedelta) -> int:
    """The length of a window in nanoseconds: ``"15m"``, ``"1h"``, ``"1d"``, ``"1w"`` or a timedelta.

    Raises:
        OfflineError: Neither, or not above zero.
    """
    if isinstance(window, dt.timedelta):
        length = window // dt.timedelta(microseconds=1) * 1000
    else:
        match = _WINDOW.fullmatch(window.strip().lower())
        length = int(match[1]) * _UNITS[match[2]] * _NANOSECONDS if match else 0
    if length <= 0:
        raise OfflineError(f"a window is a number and a unit (30m, 1h, 1d, 1w) or a timedelta above 0, not {window!r}")
    return length


def time_kind(column: Column) -> ColumnKind:
    """How a column of time is shown: it holds timestamps, or nanoseconds since 1970 already.

    Raises:
        OfflineError: It holds neither.
    """
    if column.kind not in {"time", "integer"}:
        raise OfflineError(f"the column {column.name!r} holds neither timestamps nor whole nanoseconds since 1970")
    return column.kind


def time_filter(column: Column, span: Span, view: View) -> list[str]:
    """The conditions that a row lies in `span`; none if that is all of time."""
    if span == (None, None):
        return []
    time = view.add(column, time_kind(column))
    return [f"{time} {sign} {bound}" for sign, bound in zip((">=", "<"), span, strict=True) if bound is not None]


def top_values(table: Table, name: str, column: Column, limit: int, scan: Conditions) -> Segment:
    """The segment with the `limit` most frequent labels (ties by label); one scan of that column.

    Raises:
        OfflineError: The column holds neither text nor numbers.
    """
    check_labels(name, column)
    view = View()
    label = _label(column, view)
    query = Query(view, inner={"v": label}, where=[f"{label} IS NOT NULL", *scan.conditions(view)])
    sql = f"SELECT v, COUNT(*) AS n FROM ({query.source()}) AS t GROUP BY v ORDER BY n DESC, v LIMIT {limit}"
    return Segment(name, column, tuple(row[0] for row in table.query(sql, view.columns)))


def check_labels(name: str, column: Column) -> None:
    """Refuse a column that cannot be a segment.

    Raises:
        OfflineError: The column holds neither text nor numbers.
    """
    if column.kind in {"time", "other"}:
        raise OfflineError(f"segment {name!r}: the column {column.name!r} holds neither text nor numbers")


def _label(column: Column, view: View, *, escaped: bool = False) -> str:
    """The value of a row as text or as a number, null where it has none."""
    shown = view.add(column, column.kind, escaped=escaped)
    if column.kind == "float":
        # Decimals too; and NaN, which is no label, is at or below nothing.
        number = f"CAST({shown} AS DOUBLE)"
        return f"CASE WHEN {number} <= {INFINITY} THEN {number} END"
    return f"CAST({shown} AS INT)" if column.kind == "boolean" else shown


def _literal(value: object, *, escaped: bool) -> str:
    if isinstance(value, str):
        return _literals.text(value, escaped=escaped)
    if isinstance(value, float):
        return _literals.number(value)
    return str(int(cast("Any", value)))
