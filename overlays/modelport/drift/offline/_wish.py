"""What a report is to hold, and the scan that this makes of a given table."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from modelport._extras import require
from modelport.drift.offline._batches import Codes, arrow_table, keep_most_frequent
from modelport.drift.offline._columns import (
    ENDPOINT,
    VERSION,
    Column,
    Layout,
    Table,
    find_column,
    is_of_sink,
    segment_column,
)
from modelport.drift.offline._engines import open_table
from modelport.drift.offline._errors import OfflineError
from modelport.drift.offline._scan import Found, Scan, check_windows, count_windows, groupings
from modelport.drift.offline._slicing import Window, check_labels, top_values
from modelport.drift.offline._sources import ArrowSource
from modelport.drift.offline._truth import comparison_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from modelport.drift._baseline import Baseline
    from modelport.drift.offline._scan import Dimension
    from modelport.drift.offline._slicing import Span
    from modelport.drift.offline._truth import Comparison, Task

__all__ = ["Wish", "nanoseconds", "refuse_spark", "scan_batches", "segment_names"]

_TIMES = ("timestamp_ns", "timestamp", "time")
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """What to look for; the fields are the arguments of `offline_drift_report`.

    Attributes:
        places: The column of each of the baseline's columns, where names need not be looked for.
        flags: Likewise a boolean column, true where a value was of the wrong kind.
    """

    baseline: Baseline
    columns: Mapping[str, str] | None = None
    output: str = "output"
    label: str | None = None
    task: Task | None = None
    time: str | None = None
    span: Span = (None, None)
    window: int | None = None
    segments: tuple[str, ...] = ()
    max_segments: int = 20
    endpoint: str | None = None
    model_version: str | None = None
    places: tuple[str | None, ...] | None = None
    flags: tuple[str | None, ...] = ()

    def at(self, places: tuple[str | None, ...], flags: tuple[str | None, ...]) -> Wish:
        """The same, of tables whose columns are known."""
        return replace(self, places=places, flags=flags)

    def scan(self, table: Table) -> Scan:
        """The scan of a table that can be read more than once."""
        scan = self._rows(table)
        dimensions: list[Dimension] = []
        windows = 1
        if self.window is not None and scan.time is not None:
            dimensions.append(Window(scan.time, self.window))
            windows = count_windows(table, scan, Window(scan.time, self.window))
        for name in self.segments:
            column = segment_column(table.columns, name)
            dimensions.append(top_values(table, name, column, self.max_segments, scan))
        return replace(
            scan,
            dimensions=tuple(dimensions),
            groupings=groupings(dimensions, windows),
            comparison=self._comparison(table, scan),
        )

    def batch_scan(self, table: Table, codes: list[Codes], comparison: Comparison | None) -> Scan:
        """The scan of one batch of many."""
        scan = self._rows(table)
        windows = [] if self.window is None or scan.time is None else [Window(scan.time, self.window)]
        dimensions: tuple[Dimension, ...] = (*windows, *(code.segment() for code in codes))
        by_each = tuple((place,) for place in range(len(dimensions)))
        comparison = comparison or self._comparison(table, scan)
        return replace(scan, dimensions=dimensions, groupings=by_each or ((),), comparison=comparison)

    def _rows(self, table: Table) -> Scan:
        """Which rows count, and where the baseline's columns lie."""
        layout = self._layout(table)
        return Scan(
            self.baseline,
            layout,
            time=self.time_column(table.columns),
            span=self.span,
            only=tuple(self._only(table.columns)),
            version=self._version(table.columns),
        )

    def _only(self, columns: Sequence[Column]) -> Iterator[tuple[Column, str]]:
        for name, value in ((ENDPOINT, self.endpoint), (VERSION, self.model_version)):
            if value is None:
                continue
            column = find_column(columns, name)
            if column is None:
                raise OfflineError(f"there is no column {name!r} to find {value!r} in")
            yield column, value

    def _version(self, columns: Sequence[Column]) -> Column | None:
        """Where the version lies that a row's model had, if it can be held against the baseline's."""
        if self.baseline.model_version is None or (VERSION in self.baseline.names and not is_of_sink(columns)):
            return None
        return find_column(columns, VERSION)

    def _layout(self, table: Table) -> Layout:
        if self.places is None:
            return Layout.find(self.baseline, table.columns, self.columns, self.output)
        known = {column.name: column for column in table.columns}
        columns, flags = ([known.get(name or "") for name in names] for names in (self.places, self.flags))
        return Layout(tuple(columns), tuple(flags))

    def time_column(self, columns: Sequence[Column]) -> Column | None:
        """The column of time, if it is needed.

        Raises:
            OfflineError: There is none.
        """
        if self.time is None and self.window is None and self.span == (None, None):
            return None
        names = _TIMES if self.time is None else (self.time,)
        found = next((column for name in names if (column := find_column(columns, name))), None)
        if found is None:
            raise OfflineError(f"there is no column of time ({', '.join(names)})")
        return found

    def compared_columns(self, columns: Sequence[Column]) -> tuple[Column, Column] | None:
        """Output and truth, if performance is to be measured.

        Raises:
            OfflineError: One of them is not there.
        """
        if self.label is None:
            return None
        output, truth = (find_column(columns, name) for name in (self.output, self.label))
        if output is None or truth is None:
            absent = self.label if truth is None else self.output
            raise OfflineError(f"performance needs output and truth, and there is no column {absent!r}")
        return output, truth

    @property
    def compares_labels(self) -> bool | None:
        """Whether output and truth are labels and not numbers; None where only the data can tell."""
        if self.task == "regression":
            return False
        return None if self.baseline.output is None else self.baseline.output.kind == "categorical"

    def _comparison(self, table: Table, scan: Scan) -> Comparison | None:
        found = self.compared_columns(table.columns)
        if found is None:
            return None
        return comparison_of(table, *found, labels=bool(self.compares_labels), conditions=scan.conditions)


def scan_batches(
    wish: Wish, batches: Iterable[Any], engine: object, on_scan: Callable[[int], None] | None = None
) -> tuple[Found, tuple[Dimension, ...]]:
    """Scan batches one after the other and add their counts; memory is that of one batch and of the counts."""
    if engine == "duckdb":
        # One database for all of them, not one for each.
        engine = require("duckdb", "offline").connect()
    codes = [Codes(name, place) for place, name in enumerate(wish.segments)]
    found, comparison = Found(), None
    dimensions: tuple[Dimension, ...] = ()
    for batch in batches:
        arrow = arrow_table(batch)
        if not arrow.num_rows:
            continue
        arrow = _with_codes(arrow, codes)
        table = open_table(ArrowSource(arrow), engine)
        scan = wish.batch_scan(table, codes, comparison)
        comparison, dimensions = scan.comparison, scan.dimensions
        found.add(scan.run(table))
        check_windows(found, dimensions)
        if on_scan is not None:
            on_scan(arrow.num_rows)
    return keep_most_frequent(found, dimensions, wish.max_segments)


def refuse_spark(engine: object) -> None:
    """Batches of a log pass through this process, which is no use of a cluster.

    Raises:
        OfflineError: The engine is Spark.
    """
    if isinstance(engine, str) and engine.startswith("spark"):
        raise OfflineError(
            "Spark reads files and frames, not batches that pass through this process: log with ParquetSink and hand "
            "the folder of an endpoint (log/models/predictions/ENDPOINT) to offline_drift_report or --logs"
        )


def segment_names(segments: Sequence[str]) -> tuple[str, ...]:
    """The names of segments as a tuple.

    Raises:
        TypeError: They are one text, of which each letter would be a name.
    """
    if isinstance(segments, str):
        message = f"segments is a list of names: [{segments!r}]"
        raise TypeError(message)
    return tuple(segments)


def nanoseconds(moment: dt.datetime | None) -> int | None:
    """Nanoseconds since 1970 (UTC).

    Raises:
        OfflineError: It has no time zone.
    """
    if moment is None:
        return None
    if moment.tzinfo is None:
        raise OfflineError(f"{moment} needs a time zone: datetime.now(timezone.utc)")
    return (moment - _EPOCH) // dt.timedelta(microseconds=1) * 1000


def _with_codes(arrow: Any, codes: list[Codes]) -> Any:
    from modelport.drift.offline._arrow import columns_of

    for code in codes:
        column = segment_column(columns_of(arrow), code.name)
        check_labels(code.name, column)
        arrow = code.append(arrow, column)
    return arrow
