"""One column of the training data, collected piece by piece: its numbers, or how often each label occurs."""

from __future__ import annotations

import math
from decimal import Decimal
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from modelport._plain import is_absent
from modelport.drift._values import to_label, to_number
from modelport.drift.training._columns import is_categories, pieces

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from modelport.drift._baseline import Kind
    from modelport.drift.training._columns import Counted

__all__ = ["ColumnData"]

_MAX_DISTINCT = 10
_MIN_VALUES_PER_DISTINCT = 20
_FLAG = 2
# Enough to see that a column has too many distinct numbers for categories, without sorting all of it.
_HEAD = 1000
_EXACT_INT = 2**53


class ColumnData:
    """What is needed to make bins of a column, whatever the pieces it comes in.

    Numbers are kept as floats, 8 bytes each; of categories, the count of each distinct label.

    The rule for a column whose kind is not given looks at all of it, so the answer never varies: text, booleans and
    what the column's library has as categories are categorical. So are numbers, if they are whole and either at most
    two are distinct, or at most 10 are and each stands for 20 values on average. Everything else is numeric, and so
    are decimals.
    """

    def __init__(self, kind: Kind | None) -> None:
        self.missing = 0
        self.bad = 0
        self._kind: Kind | None = kind
        self._parts: list[NDArray[np.float64]] = []
        self._labels: dict[str, int] = {}
        # Labels of the numbers so far, while they may still turn out to be categories.
        self._few: dict[str, int] | None = {}
        self._beyond_exact = False

    def add(self, column: Iterable[object]) -> int:
        """Take in a piece of the column; returns how many values it had.

        Raises:
            ValueError: Not a column, or times whose kind is not given as categorical.
        """
        if self._kind is None and is_categories(column):
            self._become_categorical()
        before = self.size
        for values, nulls in pieces(column, categorical=self._kind == "categorical"):
            self.missing += nulls
            if isinstance(values, np.ndarray):
                self._add_array(values)
            else:
                self._add_counted(values)
        return self.size - before

    def add_missing(self, count: int) -> None:
        """Take in rows that lack the column."""
        self.missing += count

    @property
    def size(self) -> int:
        """Values taken in."""
        return self.missing + self.bad + sum(map(len, self._parts)) + sum(self._labels.values())

    @property
    def kind(self) -> Kind:
        """The column's kind, as given or by the rule."""
        if self._kind is not None:
            return self._kind
        if self._few is None:
            return "numeric"
        enough = len(self._few) * _MIN_VALUES_PER_DISTINCT <= sum(self._few.values())
        return "categorical" if len(self._few) <= _FLAG or enough else "numeric"

    @property
    def numbers(self) -> NDArray[np.float64]:
        """All numbers of a numeric column."""
        return self._parts[0] if len(self._parts) == 1 else np.concatenate([np.empty(0), *self._parts])

    @property
    def labels(self) -> dict[str, int]:
        """The labels of a categorical column."""
        return self._labels if self._kind == "categorical" else (self._few or {})

    def _add_array(self, array: NDArray[Any]) -> None:
        if array.dtype.kind == "f" and (nan := np.isnan(array)).any():
            self.missing += int(np.count_nonzero(nan))
            array = array[~nan]
        if self._kind == "categorical":
            _count_array(self._labels, array)
            return
        if self._kind is None:
            self._watch_array(array)
        self._parts.append(array.astype(np.float64, copy=False))

    def _watch_array(self, array: NDArray[Any]) -> None:
        if array.dtype.kind in "iu" and len(array):
            self._beyond_exact |= max(-int(array.min()), int(array.max())) > _EXACT_INT
        if self._few is None:
            return
        if len(np.unique(array[:_HEAD])) > _MAX_DISTINCT or not _all_whole(array):
            self._few = None
            return
        distinct = np.unique(array)
        if len(distinct) <= _MAX_DISTINCT:
            _count_array(self._few, array)
        if max(len(distinct), len(self._few)) > _MAX_DISTINCT:
            self._few = None

    def _add_counted(self, values: Counted) -> None:
        if self._kind is None and not all(map(_is_number, (value for value, _ in values))):
            self._become_categorical()
        if self._kind == "categorical":
            self._count_labels(values)
        else:
            self._add_numbers(values)

    def _count_labels(self, values: Counted) -> None:
        for value, count in values:
            try:
                label = to_label(value)
            except TypeError:
                self.bad += count
                continue
            if label is None:
                self.missing += count
            else:
                self._labels[label] = self._labels.get(label, 0) + count

    def _add_numbers(self, values: Counted) -> None:
        numbers, counts = np.empty(len(values)), np.empty(len(values), np.int64)
        for place, (value, count) in enumerate(values):
            counts[place] = count
            try:
                numbers[place] = to_number(value)
            except (TypeError, ValueError):
                numbers[place] = math.nan
                self.bad += count
                self.missing -= count
        absent = np.isnan(numbers)
        self.missing += int(counts[absent].sum())
        if self._kind is None:
            self._watch_numbers(values)
        self._parts.append(np.repeat(numbers[~absent], counts[~absent]))

    def _watch_numbers(self, values: Counted) -> None:
        for value, count in values:
            label = to_label(value)
            if label is None:
                continue
            number = to_number(value)
            self._beyond_exact |= abs(number) > _EXACT_INT
            if isinstance(value, Decimal) or not number.is_integer():
                self._few = None
            if self._few is not None:
                self._few[label] = self._few.get(label, 0) + count
        if self._few is not None and len(self._few) > _MAX_DISTINCT:
            self._few = None

    def _become_categorical(self) -> None:
        if self._few is not None:
            self._labels = self._few
        elif self._beyond_exact:
            message = "text after whole numbers beyond 2**53: say which kind it is"
            raise ValueError(message)
        else:
            for part in self._parts:
                _count_array(self._labels, part)
        self._kind, self._parts, self._few = "categorical", [], None


def _is_number(value: object) -> bool:
    if isinstance(value, (bool, np.bool_)):
        return False
    return value is None or is_absent(value) or isinstance(value, (Real, Decimal))


def _all_whole(array: NDArray[Any]) -> bool:
    if array.dtype.kind in "iu":
        return True
    return bool(np.isfinite(array).all() and (array == np.floor(array)).all())


def _count_array(labels: dict[str, int], array: NDArray[Any]) -> None:
    distinct, counts = np.unique(array, return_counts=True)
    for value, count in zip(distinct.tolist(), counts.tolist(), strict=True):
        label = str(to_label(value))
        labels[label] = labels.get(label, 0) + count
