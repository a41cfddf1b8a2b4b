"""Counting one column of data in the bins of a baseline, piece by piece."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelport.drift import _kernel
from modelport.drift.serving._snapshot import FeatureCounts, bounded
from modelport.drift.training._collect import ColumnData

if TYPE_CHECKING:
    from collections.abc import Iterable

    from modelport.drift._baseline import FeatureBaseline

__all__ = ["ColumnTally"]


class ColumnTally:
    """Counts of a column, which may be larger than memory; they are those that `LiveCounts` makes of the values.

    Attributes:
        column: Whose bins they are.
        counts: The counts so far.
        size: The values so far, with those in no bin.
    """

    def __init__(self, column: FeatureBaseline) -> None:
        self.column = column
        self.counts = FeatureCounts((0,) * len(column.counts))
        self.size = 0
        self._known = frozenset(column.categories)

    def add(self, values: Iterable[object]) -> None:
        """Count a piece of the column, of any kind that `Baseline.from_data` takes.

        Raises:
            ValueError: Not a column.
        """
        data = ColumnData(self.column.kind)
        self.size += data.add(values)
        self.counts += self._numbers(data) if self.column.kind == "numeric" else self._labels(data)

    def add_missing(self, count: int) -> None:
        """Count rows that lack the column."""
        self.size += count
        self.counts += FeatureCounts((0,) * len(self.column.counts), missing=count)

    def _numbers(self, data: ColumnData) -> FeatureCounts:
        numbers = data.numbers
        counts = _kernel.count_numbers(numbers, self.column.edges)
        return FeatureCounts(counts, data.missing, data.bad, bounded(_kernel.finite_sum(numbers)))

    def _labels(self, data: ColumnData) -> FeatureCounts:
        counts = [data.labels.get(label, 0) for label in self.column.categories]
        other = sum(count for label, count in data.labels.items() if label not in self._known)
        return FeatureCounts((*counts, other), data.missing, other + data.bad)
