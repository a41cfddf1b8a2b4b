"""Counts of serving values at one moment: immutable, and what every reader works on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CountsSnapshot", "FeatureCounts"]


class FeatureCounts(msgspec.Struct, frozen=True):
    """What one feature's values were.

    Attributes:
        counts: Values per bin of the baseline.
        missing: Values that were null, NaN or absent.
        unseen: Values the baseline does not know: a category without a bin of its own (also counted in the last
            bin), or something that is not a number where numbers are expected (in no bin).
        sum: Sum of the finite values of a numeric feature.
    """

    counts: tuple[int, ...]
    missing: int = 0
    unseen: int = 0
    sum: float = 0.0

    @property
    def total(self) -> int:
        """Values in bins."""
        return sum(self.counts)

    def __sub__(self, earlier: FeatureCounts) -> FeatureCounts:
        return FeatureCounts(
            tuple(now - before for now, before in zip(self.counts, earlier.counts, strict=True)),
            self.missing - earlier.missing,
            self.unseen - earlier.unseen,
            self.sum - earlier.sum,
        )


class CountsSnapshot(msgspec.Struct, frozen=True):
    """All features at one moment.

    Attributes:
        features: Counts by feature name, in the baseline's order.
        output: Counts of the model's output, if the baseline has one.
        records: Predictions counted.
        uncounted: Predictions that were no row of the baseline's features, and so in no count.
    """

    features: Mapping[str, FeatureCounts]
    output: FeatureCounts | None = None
    records: int = 0
    uncounted: int = 0

    @property
    def columns(self) -> tuple[FeatureCounts, ...]:
        """The features, then the output, as in `Baseline.columns`."""
        features = tuple(self.features.values())
        return features if self.output is None else (*features, self.output)

    def __sub__(self, earlier: CountsSnapshot) -> CountsSnapshot:
        """What was counted between `earlier` and this snapshot of the same counts."""
        pairs = zip(self.features.items(), earlier.features.values(), strict=True)
        output = None if self.output is None or earlier.output is None else self.output - earlier.output
        return CountsSnapshot(
            {name: now - before for (name, now), before in pairs},
            output,
            self.records - earlier.records,
            self.uncounted - earlier.uncounted,
        )
