"""Counting rows into the bins of a group of columns. Import it only where numpy is present."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import numpy as np

from modelport.drift._kernel import LANES, count_cumulative
from modelport.drift._values import distinct, to_label, to_number
from modelport.drift.serving._packed import matrix_of, unpack_rows
from modelport.drift.serving._rows import RowReader, getter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelport.drift._baseline import FeatureBaseline
    from modelport.drift._kernel import Floats, Ints
    from modelport.drift.serving._rows import Row
    from modelport.drift.serving._state import CountsState

__all__ = ["Tally"]


class Tally:
    """Counts predictions into neighbouring columns of a baseline: features with the output, or attributions."""

    def __init__(self, features: tuple[FeatureBaseline, ...], output: FeatureBaseline | None) -> None:
        self._columns = features if output is None else (*features, output)
        self._width = len(features)
        self._reader = RowReader(tuple(column.name for column in features), pair_outputs=output is not None)
        self._numeric = [index for index, column in enumerate(self._columns) if column.kind == "numeric"]
        self._categorical = [index for index, column in enumerate(self._columns) if column.kind == "categorical"]
        side_by_side = self._numeric == list(range(len(self._numeric)))
        # Numpy writes to neighbours several times as fast as to a list of places.
        self._places = slice(len(self._numeric)) if side_by_side else self._numeric
        self._labels = {index: _bins_by_label(self._columns[index]) for index in self._categorical}
        self._output_is_numeric = output is not None and output.kind == "numeric"
        self._positions = [index for index in self._numeric if index < self._width]
        self._all_numeric = len(self._positions) == self._width
        self._pick = getter(self._positions)
        self._pack = struct.Struct(f"{len(self._positions)}d").pack
        self._edges = self._padded_edges()

    def count(self, features: Sequence[object], outputs: Sequence[object], made: CountsState) -> tuple[int, int]:
        """Count into the arrays of `made`; the rows that were counted, and the predictions that were none."""
        rows, answers, uncounted = self._reader.read(features, outputs)
        if rows:
            bad = np.zeros(len(self._numeric), np.int64)
            self._count_numeric(made, self._matrix(rows, bad), answers, bad)
            self._count_categorical(made, rows, answers)
        return len(rows), uncounted

    def count_packed(self, packed: Sequence[bytes], outputs: Sequence[object], made: CountsState) -> tuple[int, int]:
        """As `count`, for features that are msgpack."""
        matrix = matrix_of(packed, self._width) if self._all_numeric else None
        if matrix is None:
            return self.count(unpack_rows(packed), outputs, made)
        bad = np.zeros(len(self._numeric), np.int64)
        self._count_numeric(made, matrix, outputs, bad)
        self._count_categorical(made, (), outputs)
        return len(packed), 0

    def _padded_edges(self) -> Floats:
        numeric = [self._columns[index].edges for index in self._numeric]
        # The last bin ends at +inf, for each of them.
        edges = np.full((len(numeric), max(map(len, numeric), default=0) + 1), np.inf)
        for row, values in zip(edges, numeric, strict=True):
            row[: len(values)] = values
        return edges

    def _count_categorical(self, made: CountsState, rows: Sequence[Row], answers: Sequence[object]) -> None:
        for index in self._categorical:
            values = answers if index == self._width else [row[index] for row in rows]
            counts, made.missing[index], made.unseen[index] = _count_labels(values, self._labels[index])
            made.bins[index, : len(counts)] = counts

    def _count_numeric(self, made: CountsState, matrix: Floats, answers: Sequence[object], bad: Ints) -> None:
        if not self._numeric:
            return
        places, rows = self._places, matrix.shape[1]
        # A multiple of eight values to a row; NaN is at or below nothing.
        table = np.full((len(self._numeric), -(-rows // LANES) * LANES), np.nan)
        table[: matrix.shape[0], :rows] = matrix
        if self._output_is_numeric:
            table[-1, :rows] = np.frombuffer(_pack_column(answers, bad))
        cumulative = count_cumulative(table, self._edges)
        counts = cumulative.copy()
        counts[:, 1:] -= cumulative[:, :-1]
        made.bins[places, : cumulative.shape[1]] = counts
        made.unseen[places] = bad
        made.missing[places] = rows - cumulative[:, -1] - bad
        matrix = table[:, :rows]
        with np.errstate(over="ignore", invalid="ignore"):
            sums = matrix.sum(axis=1)
            if not np.isfinite(sums).all():
                sums = np.nan_to_num(np.where(np.isfinite(matrix), matrix, 0.0).sum(axis=1))
        made.sums[places] = sums

    def _matrix(self, rows: Sequence[Row], bad: Ints) -> Floats:
        """Numeric features of shape (columns, rows)."""
        packed = [self._pack_row(row, bad) for row in rows]
        return np.frombuffer(b"".join(packed)).reshape(len(rows), -1).T

    def _pack_row(self, row: Row, bad: Ints) -> bytes:
        try:
            return self._pack(*(row if self._all_numeric else self._pick(row)))
        except Exception:  # noqa: BLE001 - any value may refuse; each is then looked at by itself
            return self._pack(*[_number(row[index], bad, place) for place, index in enumerate(self._positions)])


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


def _pack_column(values: Sequence[object], bad: Ints) -> bytes:
    pack = struct.Struct(f"{len(values)}d").pack
    try:
        return pack(*values)
    except Exception:  # noqa: BLE001 - as for rows
        return pack(*[_number(value, bad, -1) for value in values])


def _count_labels(values: Sequence[object], bins: dict[str, int]) -> tuple[list[int], int, int]:
    """Counts per bin (the last for labels without one), missing values, and values without a bin."""
    counts = [0] * (len(bins) + 1)
    missing = unseen = 0
    for value, number in distinct(values):
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
