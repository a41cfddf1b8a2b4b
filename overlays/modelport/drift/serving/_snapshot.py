"""Counts of serving values at one moment: immutable, and what every reader works on."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelport.drift._baseline import FeatureBaseline

__all__ = ["CountsSnapshot", "FeatureCounts", "bounded"]


class FeatureCounts(msgspec.Struct, frozen=True):
    """What one feature's values were.

    Attributes:
        counts: Values per bin of the baseline.
        missing: Values that were null, NaN or absent.
        unseen: Values the baseline does not know: a category without a bin of its own (also counted in the last
            bin), or something that is not a number where numbers are expected (in no bin).
        sum: Sum of the finite values of a numeric feature; the largest float where it would be beyond.
    """

    counts: tuple[int, ...]
    missing: int = 0
    unseen: int = 0
    sum: float = 0.0

    @property
    def total(self) -> int:
        """Values in bins."""
        return sum(self.counts)

    def __add__(self, other: FeatureCounts) -> FeatureCounts:
        """Both counted together, as of two processes."""
        return FeatureCounts(
            tuple(one + two for one, two in zip(self.counts, other.counts, strict=True)),
            self.missing + other.missing,
            self.unseen + other.unseen,
            bounded(self.sum + other.sum),
        )

    def __sub__(self, earlier: FeatureCounts) -> FeatureCounts:
        """What was counted since `earlier`."""
        return FeatureCounts(
            tuple(now - before for now, before in zip(self.counts, earlier.counts, strict=True)),
            self.missing - earlier.missing,
            self.unseen - earlier.unseen,
            bounded(self.sum - earlier.sum),
        )


class CountsSnapshot(msgspec.Struct, frozen=True):
    """All features at one moment. Snapshots of one baseline can be added and subtracted.

    Attributes:
        features: Counts by feature name, in the baseline's order.
        output: Counts of the model's output, if the baseline has one.
        records: Rows counted: a prediction, or each row of a batch that was logged as one.
        uncounted: Predictions that were no row of the baseline's features, and so in no count.
        attributions: Counts of what each feature added to the output, if the baseline has them. They are fewer than
            `records` where not every prediction came with attributions.
    """

    features: Mapping[str, FeatureCounts]
    output: FeatureCounts | None = None
    records: int = 0
    uncounted: int = 0
    attributions: Mapping[str, FeatureCounts] = msgspec.field(default_factory=dict[str, FeatureCounts])

    def of(self, column: FeatureBaseline) -> FeatureCounts | None:
        """Those of one column of the baseline; None if they are not among these."""
        if column.role == "output":
            return self.output
        return (self.features if column.role == "feature" else self.attributions).get(column.name)

    @property
    def columns(self) -> tuple[FeatureCounts, ...]:
        """The features, then the output, then the attributions, as in `Baseline.columns`."""
        output = () if self.output is None else (self.output,)
        return (*self.features.values(), *output, *self.attributions.values())

    def __add__(self, other: CountsSnapshot) -> CountsSnapshot:
        """What both counted, as of two processes that serve one model.

        Raises:
            ValueError: They are not of the same baseline.
        """
        return self._merged(other, 1)

    def __sub__(self, earlier: CountsSnapshot) -> CountsSnapshot:
        """What was counted between `earlier` and this snapshot of the same counts.

        Raises:
            ValueError: They are not of the same baseline.
        """
        return self._merged(earlier, -1)

    def _merged(self, other: CountsSnapshot, sign: int) -> CountsSnapshot:
        output = None if self.output is None or other.output is None else _merged(self.output, other.output, sign)
        return CountsSnapshot(
            _merged_all(self.features, other.features, sign),
            output,
            self.records + sign * other.records,
            self.uncounted + sign * other.uncounted,
            _merged_all(self.attributions, other.attributions, sign),
        )


def bounded(total: float) -> float:
    """A sum of finite values: where it leaves a float's range, the largest one, with which the next can be added."""
    largest = sys.float_info.max
    return 0.0 if math.isnan(total) else min(max(total, -largest), largest)


def _merged(one: FeatureCounts, two: FeatureCounts, sign: int) -> FeatureCounts:
    return one + two if sign > 0 else one - two


def _merged_all(
    one: Mapping[str, FeatureCounts], two: Mapping[str, FeatureCounts], sign: int
) -> dict[str, FeatureCounts]:
    if tuple(one) != tuple(two):
        message = "these counts are of different baselines: their features differ"
        raise ValueError(message)
    return {name: _merged(counts, two[name], sign) for name, counts in one.items()}
