"""Logged predictions as Arrow tables with a typed column per column of a baseline."""

from __future__ import annotations

import math
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeAlias

from modelport._extras import require
from modelport.drift._values import to_label, to_number
from modelport.drift.serving._rows import RowReader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from modelport.drift import Baseline
    from modelport.drift.serving._rows import Row
    from modelport.predictions import Prediction

_Read: TypeAlias = "tuple[list[Row], list[object], list[Prediction], list[object], list[dict[str, float]]]"

__all__ = ["LABEL", "OUTPUT", "TIME", "LoggedColumns", "segment_name"]

OUTPUT, LABEL, TIME, VERSION = "output", "label", "timestamp_ns", "model_version"
# What every prediction carries is a segment too, where it has none of that name.
_OWN = frozenset({"endpoint", VERSION})


def segment_name(name: str) -> str:
    """The column of a segment."""
    return f"segment_{name}"


class LoggedColumns:
    """Reads values exactly as `LiveCounts` does, so that counts made of the tables are its counts.

    Attributes:
        places: The name of each baseline column's column.
        flags: The name of the column that tells where its value was of the wrong kind.
        uncounted: Predictions so far that were no row of the baseline's features.
        absent_segments: Segments that no prediction so far carries.
    """

    def __init__(self, baseline: Baseline, segments: Sequence[str], *, as_labels: bool) -> None:
        """`as_labels`: outputs are classes and not numbers, and so is the truth."""
        self._columns = baseline.columns
        self._width = len(baseline.features)
        self._segments = segments
        self._of_version = baseline.model_version is not None
        self._as_labels = as_labels
        self._rows = RowReader(baseline.names, pair_outputs=baseline.output is not None)
        self.places = tuple(
            OUTPUT if column.role == "output" else f"c{place}" for place, column in enumerate(self._columns)
        )
        self.flags = tuple(f"u{place}" for place in range(len(self._columns)))
        self.uncounted = 0
        self.absent_segments = dict.fromkeys(segments)

    def tables(self, predictions: Iterable[Prediction], size: int) -> Iterator[Any]:
        """A ``pyarrow.Table`` for each `size` predictions."""
        # What has no features is ground truth, which a reader has joined already.
        records = (record for record in predictions if hasattr(record, "features"))
        while batch := list(islice(records, size)):
            yield self._table(batch)

    def _table(self, batch: list[Prediction]) -> Any:
        pa: Any = require("pyarrow", "offline")
        rows, outputs, records, labels, attributions = self._read(batch)
        made: dict[str, Any] = {}
        for place, column in enumerate(self._columns):
            values = self._values(place, rows, outputs, attributions)
            convert = _numbers if column.kind == "numeric" else _labels
            made[self.places[place]], made[self.flags[place]] = convert(values)
        compare = _labels if self._as_labels else _numbers
        if OUTPUT not in made:
            made[OUTPUT], _ = compare(outputs)
        made[LABEL], _ = compare(labels)
        made[TIME] = pa.array([record.timestamp_ns for record in records], pa.int64())
        if self._of_version:
            made[VERSION] = pa.array([record.model_version for record in records], pa.string())
        for name in self._segments:
            made[segment_name(name)] = labels = pa.array([_segment(record, name) for record in records], pa.string())
            if labels.null_count < len(labels):
                self.absent_segments.pop(name, None)
        return pa.table(made)

    def _read(self, batch: list[Prediction]) -> _Read:
        """A row per counted row: a batch that was logged as one prediction has as many as it has rows."""
        rows: list[Row] = []
        outputs: list[object] = []
        records: list[Prediction] = []
        labels: list[object] = []
        attributions: list[dict[str, float]] = []
        for record in batch:
            found = self._rows.read([record.features], [record.output])
            count = len(found.rows)
            self.uncounted += found.uncounted
            rows += found.rows
            outputs += found.outputs
            records += [record] * count
            # Counted once, as they came once.
            attributions += [record.attributions or {}, *[{}] * (count - 1)][:count]
            label = record.label
            labels += label if isinstance(label, list) and len(label) == count > 1 else [label] * count
        return rows, outputs, records, labels, attributions

    def _values(
        self, place: int, rows: list[Row], outputs: list[object], attributions: list[dict[str, float]]
    ) -> Sequence[object]:
        column = self._columns[place]
        if column.role == "feature":
            return [row[place] for row in rows]
        if column.role == "output":
            return outputs
        return [given.get(column.name) for given in attributions]


def _segment(record: Prediction, name: str) -> str | None:
    label = (record.segments or {}).get(name)
    return getattr(record, name) if label is None and name in _OWN else label


def _numbers(values: Sequence[object]) -> tuple[Any, Any]:
    pa: Any = require("pyarrow", "offline")
    # bool is a type of its own here: Arrow refuses it among floats.
    if {float, type(None)}.issuperset(map(type, values)):
        return pa.array(values, pa.float64()), _flags(values, set())
    made, bad = _converted(values, to_number)
    return pa.array([None if value is None or math.isnan(value) else value for value in made], pa.float64()), bad


def _labels(values: Sequence[object]) -> tuple[Any, Any]:
    pa: Any = require("pyarrow", "offline")
    made, bad = _converted(values, to_label)
    return pa.array(made, pa.string()), bad


def _converted(values: Sequence[object], convert: Callable[[object], Any]) -> tuple[list[Any], Any]:
    made: list[Any] = []
    bad: set[int] = set()
    for place, value in enumerate(values):
        try:
            made.append(convert(value))
        except (TypeError, ValueError):
            made.append(None)
            bad.add(place)
    return made, _flags(values, bad)


def _flags(values: Sequence[object], bad: set[int]) -> Any:
    pa: Any = require("pyarrow", "offline")
    if not bad:
        return pa.repeat(pa.scalar(value=False), len(values))
    return pa.array([place in bad for place in range(len(values))], pa.bool_())
