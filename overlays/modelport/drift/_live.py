"""Counts of what a model is asked and answers, kept in the bins of its baseline."""

from __future__ import annotations

import struct
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, cast

from modelport._extras import require
from modelport._plain import plain
from modelport.drift._snapshot import CountsSnapshot, FeatureCounts
from modelport.drift._values import to_label, to_number

if TYPE_CHECKING:
    from modelport.drift._baseline import Baseline, FeatureBaseline
    from modelport.drift._kernel import Floats, Ints

__all__ = ["LiveCounts"]

_STEP = 1000
_Row: TypeAlias = "Sequence[object]"


class _State(NamedTuple):
    """One moment's counts. Never changed, only replaced, so that a reader sees buckets, sums and counts that agree."""

    bins: Ints
    missing: Ints
    unseen: Ints
    sums: Floats
    records: int
    uncounted: int


class LiveCounts:
    """Exact counts per bin of a `Baseline`, fed in batches and read as immutable snapshots.

    Threads may call any method at any time; batches are added one after the other.
    """

    def __init__(self, baseline: Baseline) -> None:
        """Begin at zero.

        Raises:
            MissingExtraError: numpy is not installed.
        """
        require("numpy", "drift")
        # Here, because numpy is an extra.
        import numpy as np

        from modelport.drift import _kernel

        self.baseline = baseline
        self._np = np
        self._kernel = _kernel
        self._columns = _Columns(baseline)
        self._lock = threading.Lock()
        self._edges = self._padded_edges()
        self._state = self._zero()

    def update(self, features: Sequence[object], outputs: Sequence[object]) -> None:
        """Count a batch of predictions.

        Args:
            features: One entry each: a mapping by name, or a sequence or array in the baseline's order.
            outputs: As many outputs.

        A prediction that is no row of the baseline's features counts as uncounted; no value makes this raise.
        """
        for start in range(0, len(features), _STEP):
            rows, answers, uncounted = self._columns.rows(
                features[start : start + _STEP], outputs[start : start + _STEP]
            )
            added = self._count(rows, answers)
            with self._lock:
                self._state = self._add(self._state, added, uncounted)

    def update_from(self, predictions: Iterable[object]) -> None:
        """Count `modelport.predictions.Prediction` records, such as `read_predictions` yields."""
        batch: list[Any] = []
        for prediction in predictions:
            batch.append(prediction)
            if len(batch) == _STEP:
                self._update_batch(batch)
                batch = []
        self._update_batch(batch)

    def snapshot(self) -> CountsSnapshot:
        """The counts of this moment."""
        state = self._state
        columns = self.baseline.columns
        counts = [self._feature(state, index, column) for index, column in enumerate(columns)]
        width = len(self.baseline.features)
        return CountsSnapshot(
            dict(zip(self.baseline.names, counts, strict=False)),
            counts[width] if self.baseline.output is not None else None,
            state.records,
            state.uncounted,
        )

    def reset(self) -> None:
        """Begin again at zero, as a forked child has to; not while another thread is counting."""
        self._lock = threading.Lock()
        self._state = self._zero()

    def _update_batch(self, batch: list[Any]) -> None:
        self.update([prediction.features for prediction in batch], [prediction.output for prediction in batch])

    def _padded_edges(self) -> Floats:
        numeric = [self.baseline.columns[index].edges for index in self._columns.numeric]
        edges = self._np.full((len(numeric), max(map(len, numeric), default=0)), self._np.inf)
        for row, values in zip(edges, numeric, strict=True):
            row[: len(values)] = values
        return edges

    def _zero(self) -> _State:
        np, columns = self._np, self.baseline.columns
        width = max([self._edges.shape[1] + 1, *(len(column.counts) for column in columns)])

        count = len(columns)
        return _State(
            bins=np.zeros((count, width), np.int64),
            missing=np.zeros(count, np.int64),
            unseen=np.zeros(count, np.int64),
            sums=np.zeros(count, np.float64),
            records=0,
            uncounted=0,
        )

    def _count(self, rows: list[_Row], answers: list[object]) -> _State:
        made = self._zero()
        if not rows:
            return made
        self._count_numeric(made, rows, answers)
        for index in self._columns.categorical:
            column = self.baseline.columns[index]
            values = self._columns.values(index, rows, answers)
            counts, made.missing[index], made.unseen[index] = _count_labels(values, self._columns.labels[index])
            made.bins[index, : len(column.counts)] = counts
        return made._replace(records=len(rows))

    def _count_numeric(self, made: _State, rows: list[_Row], answers: list[object]) -> None:
        np, numeric = self._np, self._columns.numeric
        if not numeric:
            return
        matrix, bad = self._matrix(rows, answers)
        cumulative = self._kernel.count_cumulative(matrix, self._edges)
        made.bins[numeric, : cumulative.shape[1]] = np.diff(cumulative, axis=1, prepend=0)
        made.unseen[numeric] = bad
        made.missing[numeric] = len(rows) - cumulative[:, -1] - bad
        with np.errstate(over="ignore", invalid="ignore"):
            sums = matrix.sum(axis=1)
            if not np.isfinite(sums).all():
                sums = np.where(np.isfinite(matrix), matrix, 0.0).sum(axis=1)
        made.sums[numeric] = sums

    def _matrix(self, rows: list[_Row], answers: list[object]) -> tuple[Floats, Ints]:
        """Numeric values of shape (columns, rows), and how many of each column's were not numbers."""
        np, columns = self._np, self._columns
        bad = np.zeros(len(columns.numeric), np.int64)
        packed = [columns.pack(row, bad) for row in rows]
        matrix = np.frombuffer(b"".join(packed)).reshape(len(rows), -1).T
        if columns.output_is_numeric:
            output = np.frombuffer(_pack_column(answers, bad))
            matrix = np.vstack([matrix, output])
        return np.ascontiguousarray(matrix), bad

    def _add(self, state: _State, added: _State, uncounted: int) -> _State:
        with self._np.errstate(over="ignore", invalid="ignore"):
            sums = state.sums + added.sums
        return _State(
            state.bins + added.bins,
            state.missing + added.missing,
            state.unseen + added.unseen,
            sums,
            state.records + added.records,
            state.uncounted + uncounted,
        )

    @staticmethod
    def _feature(state: _State, index: int, column: FeatureBaseline) -> FeatureCounts:
        counts = tuple(state.bins[index, : len(column.counts)].tolist())
        return FeatureCounts(counts, int(state.missing[index]), int(state.unseen[index]), float(state.sums[index]))


class _Columns:
    """How to get at a baseline's columns in what callers log."""

    def __init__(self, baseline: Baseline) -> None:
        columns = baseline.columns
        self._names = baseline.names
        self._width = len(self._names)
        self._by_name = _getter(self._names)
        self.numeric = [index for index, column in enumerate(columns) if column.kind == "numeric"]
        self.categorical = [index for index, column in enumerate(columns) if column.kind == "categorical"]
        self.labels = {index: _bins_by_label(columns[index]) for index in self.categorical}
        self.output_is_numeric = baseline.output is not None and baseline.output.kind == "numeric"
        self._positions = [index for index in self.numeric if index < self._width]
        self._all_numeric = len(self._positions) == self._width
        self._pick = _getter(self._positions)
        self._pack = struct.Struct(f"{len(self._positions)}d").pack

    def rows(self, features: Sequence[object], outputs: Sequence[object]) -> tuple[list[_Row], list[object], int]:
        """The predictions that are rows, as sequences in the baseline's order, their outputs, and how many are not."""
        rows: list[_Row] = []
        answers: list[object] = []
        for given, answer in zip(features, outputs, strict=True):
            row = self._row(given)
            if row is not None:
                rows.append(row)
                answers.append(answer)
        return rows, answers, len(features) - len(rows)

    def values(self, index: int, rows: list[_Row], answers: list[object]) -> list[object]:
        return answers if index == self._width else [row[index] for row in rows]

    def pack(self, row: _Row, bad: Ints) -> bytes:
        """The row's numeric features as doubles."""
        try:
            return self._pack(*(row if self._all_numeric else self._pick(row)))
        except Exception:  # noqa: BLE001 - any value may refuse; each is then looked at by itself
            return self._pack(*[_number(row[index], bad, place) for place, index in enumerate(self._positions)])

    def _row(self, given: object) -> _Row | None:
        kind = type(given)
        if kind is dict:
            try:
                return self._by_name(cast("dict[str, object]", given))
            except KeyError:
                return self._from_mapping(cast("dict[str, object]", given))
        if (kind is list or kind is tuple) and len(cast("_Row", given)) == self._width:
            row = cast("_Row", given)
            if self._width > 1 or not isinstance(row[0], (list, tuple, Mapping)):
                return row
        try:
            return self._unusual(given)
        except Exception:  # noqa: BLE001 - whatever it is, it is no row
            return None

    def _unusual(self, given: object) -> _Row | None:
        if isinstance(given, Mapping):
            return self._from_mapping(cast("Mapping[str, object]", given))
        if getattr(given, "ndim", 0) == 1 and not hasattr(given, "to_dict"):
            value = cast("Any", given).tolist()
            return cast("_Row", value) if len(value) == self._width else None
        value = plain(given)
        if isinstance(value, list) and len(value) == 1 and isinstance(value[0], (list, dict)):
            value = value[0]
        if isinstance(value, dict):
            return self._from_mapping(value)
        return value if isinstance(value, list) and len(value) == self._width else None

    def _from_mapping(self, given: Mapping[str, object]) -> _Row | None:
        row = tuple([given.get(name) for name in self._names])
        # A mapping that shares no name with the baseline is something else, not a row of missing values.
        return row if any(name in given for name in self._names) else None


def _getter(keys: Sequence[Any]) -> Callable[[Any], _Row]:
    if len(keys) > 1:
        return cast("Callable[[Any], _Row]", itemgetter(*keys))
    return lambda container: tuple([container[key] for key in keys])


def _bins_by_label(column: FeatureBaseline) -> dict[str, int]:
    return {label: index for index, label in enumerate(column.categories)}


def _number(value: object, bad: Ints, place: int) -> float:
    if type(value) is float:
        return value
    try:
        return to_number(value)
    except Exception:  # noqa: BLE001 - a value of any type may refuse in any way
        bad[place] += 1
        return float("nan")


def _pack_column(values: list[object], bad: Ints) -> bytes:
    pack = struct.Struct(f"{len(values)}d").pack
    try:
        return pack(*values)
    except Exception:  # noqa: BLE001 - as for rows
        return pack(*[_number(value, bad, -1) for value in values])


def _count_labels(values: list[object], bins: dict[str, int]) -> tuple[list[int], int, int]:
    """Counts per bin (the last for labels without one), missing values, and values without a bin."""
    counts = [0] * (len(bins) + 1)
    missing = unseen = 0
    for value, number in _distinct(values):
        try:
            label = to_label(value)
        except Exception:  # noqa: BLE001 - as for rows
            unseen += number
            continue
        if label is None:
            missing += number
            continue
        place = bins.get(label, -1)
        counts[place] += number
        if place < 0:
            unseen += number
    return counts, missing, unseen


def _distinct(values: list[object]) -> Iterable[tuple[object, int]]:
    try:
        return Counter(values).items()
    except Exception:  # noqa: BLE001 - hashing runs the values' own code
        return [(value, 1) for value in values]
