"""Counting a table: which scans are made, and what they give."""

from __future__ import annotations

import math
from collections import Counter as Tally
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from modelport.drift._values import to_label
from modelport.drift.offline._columns import View, is_of_sink
from modelport.drift.offline._counting import all_missing, counter, how_many
from modelport.drift.offline._errors import OfflineError
from modelport.drift.offline._literals import needs_escape, text
from modelport.drift.offline._long_labels import long_values
from modelport.drift.offline._parts import Part, Parts, merge
from modelport.drift.offline._query import Query
from modelport.drift.offline._slicing import Segment, Window, time_filter, time_kind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from modelport.drift._baseline import Baseline
    from modelport.drift.offline._columns import Column, Layout, Table
    from modelport.drift.offline._counting import Counter
    from modelport.drift.offline._slicing import Span
    from modelport.drift.offline._truth import Comparison

__all__ = ["Dimension", "Found", "Scan", "check_windows", "count_windows", "counts_query", "groupings"]

# Each costs some kilobytes.
_MAX_WINDOWS = 10_000
_MAX_JOINT_GROUPS = 4096
_MAX_VERSIONS = 1000
_OTHER = "other_json"

Dimension: TypeAlias = "Window | Segment"


@dataclass(slots=True)
class Found:
    """What scans gave.

    Attributes:
        parts: For each grouping (places in the list of dimensions) the parts of the traffic.
        untold: Rows of which a part lies beside the columns, in ``other_json``.
        versions: Rows by the version of the model, where that was asked.
    """

    parts: dict[tuple[int, ...], Parts] = field(default_factory=dict["tuple[int, ...]", "Parts"])
    untold: int = 0
    versions: Tally[str] = field(default_factory=Tally[str])

    def add(self, other: Found) -> None:
        """Take `other` in."""
        self.untold += other.untold
        self.versions.update(other.versions)
        for grouping, parts in other.parts.items():
            merge(self.parts.setdefault(grouping, {}), parts)


@dataclass(frozen=True, slots=True)
class Scan:
    """What to count, of one table or of each of many batches.

    Attributes:
        baseline: The bins.
        layout: Where its columns lie.
        dimensions: What to compare apart: windows first.
        groupings: Which dimensions each scan groups by: see `groupings`.
        time: The column of time, if any.
        span: The stretch of time that counts.
        only: Columns, and the one text in each that counts.
        version: The column of the model's version, if it is to be counted.
        comparison: Output and truth, if there is any.
    """

    baseline: Baseline
    layout: Layout
    dimensions: tuple[Dimension, ...] = ()
    groupings: tuple[tuple[int, ...], ...] = ((),)
    time: Column | None = None
    span: Span = (None, None)
    only: tuple[tuple[Column, str], ...] = ()
    version: Column | None = None
    comparison: Comparison | None = None

    def run(self, table: Table, on_scan: Callable[[int], None] | None = None) -> Found:
        """Scan `table`; `on_scan` is called with the rows of each scan when it is done."""
        found = Found(untold=self._untold(table), versions=self._versions(table))
        long = long_values(table, self.baseline, self.layout, self.conditions)
        for grouping in self.groupings:
            parts = self._count(table, grouping, long)
            if self.comparison is not None:
                view = View()
                groups, where = self._groups(grouping, view), self.conditions(view)
                self.comparison.add_to(parts, table, groups, view, where)
            found.parts[grouping] = parts
            if on_scan is not None:
                on_scan(sum(part.records for part in parts.values()))
        return found

    def _count(self, table: Table, grouping: tuple[int, ...], long: Sequence[Mapping[str, Any]]) -> Parts:
        view = View()
        query, counters = counts_query(self.baseline, self.layout, view, long)
        query.groups = self._groups(grouping, view)
        query.where = self.conditions(view)
        parts: Parts = {}
        for key, records, values in query.run(table):
            merge(parts, {key: Part(records, tuple(_columns(self.baseline, counters, values, records)))})
        return parts

    def _untold(self, table: Table) -> int:
        """Rows of `ParquetSink` and of the readers that did not fit their columns."""
        if not is_of_sink(table.columns):
            return 0
        view = View()
        [other] = [column for column in table.columns if column.name == _OTHER]
        presence = view.add(other, "other")
        query = Query(view, inner={"o": presence}, outer=[how_many("o")], where=self.conditions(view))
        return sum(int(value or 0) for _, _, [value] in query.run(table))

    def _versions(self, table: Table) -> Tally[str]:
        if self.version is None or self.version.kind in {"time", "other"}:
            return Tally()
        view = View()
        version = view.add(self.version, self.version.kind)
        query = Query(view, inner={"v": version}, where=[f"{version} IS NOT NULL", *self.conditions(view)])
        sql = f"SELECT v, COUNT(*) AS n FROM ({query.source()}) AS t GROUP BY v LIMIT {_MAX_VERSIONS}"
        found: Tally[str] = Tally()
        for value, count in table.query(sql, view.columns):
            found[to_label(value) or ""] += int(count)
        return found

    def _groups(self, grouping: tuple[int, ...], view: View) -> tuple[str, ...]:
        return tuple(self.dimensions[place].expression(view) for place in grouping)

    def conditions(self, view: View) -> list[str]:
        """Which rows count."""
        made = [] if self.time is None else time_filter(self.time, self.span, view)
        for column, value in self.only:
            escaped = needs_escape(value)
            made.append(f"{view.add(column, 'text', escaped=escaped)} = {text(value, escaped=escaped)}")
        return made


def counts_query(
    baseline: Baseline, layout: Layout, view: View, long: Sequence[Mapping[str, Any]] = ()
) -> tuple[Query, list[Counter | None]]:
    """The query that counts all columns at once, and how to read its answer; `long` as `long_values` found them."""
    query = Query(view)
    counters: list[Counter | None] = []
    flags = layout.flags or (None,) * len(layout.columns)
    places = zip(baseline.columns, layout.columns, flags, strict=True)
    for place, (known, column, flag) in enumerate(places):
        made = None if column is None else counter(known, place, view, column, flag, long[place] if long else None)
        counters.append(made)
        if made is not None:
            query.inner |= made.inner
            query.outer += made.outer
    query.outer.append(_attributed(baseline, counters))
    return query, counters


def _attributed(baseline: Baseline, counters: list[Counter | None]) -> str:
    """How many rows have attributions at all: those that came without are not missing values, but no rows of them."""
    pairs = zip(baseline.columns, counters, strict=True)
    names = [next(iter(made.inner)) for known, made in pairs if known.role == "attribution" and made is not None]
    return how_many(" OR ".join(f"{name} IS NOT NULL" for name in names)) if names else "0"


def groupings(dimensions: Sequence[Dimension], windows: int) -> tuple[tuple[int, ...], ...]:
    """By which dimensions each scan groups.

    All in one scan while that makes few enough groups (each holds some hundred sums), because reading the columns
    again costs more than grouping does. Else one scan for the windows and one for each segment.
    """
    sizes = [windows if isinstance(dimension, Window) else len(dimension.values) + 2 for dimension in dimensions]
    if math.prod(sizes) <= _MAX_JOINT_GROUPS:
        return (tuple(range(len(dimensions))),)
    return tuple((place,) for place in range(len(dimensions)))


def count_windows(table: Table, scan: Scan, window: Window) -> int:
    """The windows between the first and the last row; scans the column of time.

    Raises:
        OfflineError: Too many of them.
    """
    view = View()
    time = view.add(window.column, time_kind(window.column))
    query = Query(view, inner={"t": time}, outer=["MIN(t)", "MAX(t)"], where=scan.conditions(view))
    [(_, _, (low, high))] = query.run(table)
    number = 0 if low is None else (int(high) - int(low)) // window.nanoseconds + 2
    if number > _MAX_WINDOWS:
        raise _too_many(f"about {number}")
    return number


def check_windows(found: Found, dimensions: Sequence[Dimension]) -> None:
    """The same of batches, which are counted as they come.

    Raises:
        OfflineError: Too many of them.
    """
    if dimensions and isinstance(dimensions[0], Window) and len(found.parts[0,]) > _MAX_WINDOWS:
        raise _too_many(f"more than {_MAX_WINDOWS}")


def _too_many(windows: str) -> OfflineError:
    return OfflineError(f"{windows} windows; a report holds {_MAX_WINDOWS}: choose a longer window or less time")


def _columns(
    baseline: Baseline, counters: list[Counter | None], values: list[Any], records: int
) -> list[tuple[float | int, ...]]:
    left = iter(values)
    attributed = int(values[-1] or 0)
    made: list[tuple[float | int, ...]] = []
    for known, reader in zip(baseline.columns, counters, strict=True):
        rows = attributed if known.role == "attribution" else records
        if reader is None:
            made.append(all_missing(known, rows))
        else:
            made.append(reader.counts([next(left) for _ in reader.outer], rows))
    return made
