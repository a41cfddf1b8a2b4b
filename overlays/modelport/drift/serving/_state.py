"""Counts of a process as arrays: cheap to add up, to replace as a whole, and to put into a file that others read."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from modelport.drift._baseline import Baseline
    from modelport.drift._kernel import Floats, Ints

__all__ = ["CountsState", "zero_state"]


class CountsState(NamedTuple):
    """One moment's counts. Never changed, only replaced, so that a reader sees buckets, sums and counts that agree.

    Attributes:
        bins: Values per bin, int64 of shape (columns of the baseline, bins of the widest column).
        missing: Missing values, int64 of shape (columns,).
        unseen: Values unknown to the baseline, int64 of shape (columns,).
        sums: Sums of finite values, float64 of shape (columns,); finite themselves.
        records: Rows counted.
        uncounted: Predictions that were no row of the baseline's features.
    """

    bins: Ints
    missing: Ints
    unseen: Ints
    sums: Floats
    records: int
    uncounted: int

    def plus(self, other: CountsState) -> CountsState:
        """Both counted together; `other` is of the same baseline."""
        # Here, because numpy is an extra.
        import numpy as np

        with np.errstate(over="ignore"):
            sums = np.nan_to_num(self.sums + other.sums)
        return CountsState(
            self.bins + other.bins,
            self.missing + other.missing,
            self.unseen + other.unseen,
            sums,
            self.records + other.records,
            self.uncounted + other.uncounted,
        )

    def part(self, start: int, stop: int) -> CountsState:
        """A view of some of the columns, to be filled in while the state is being made."""
        arrays = (self.bins, self.missing, self.unseen)
        bins, missing, unseen = (array[start:stop] for array in arrays)
        return CountsState(bins, missing, unseen, self.sums[start:stop], 0, 0)


def zero_state(baseline: Baseline) -> CountsState:
    """Nothing counted yet."""
    # Here, because numpy is an extra.
    import numpy as np

    columns = baseline.columns
    count, width = len(columns), max((len(column.counts) for column in columns), default=1)
    return CountsState(
        bins=np.zeros((count, width), np.int64),
        missing=np.zeros(count, np.int64),
        unseen=np.zeros(count, np.int64),
        sums=np.zeros(count, np.float64),
        records=0,
        uncounted=0,
    )
