"""How far two samples of one column differ by chance alone: in their bins, and in a share of their values."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING, NamedTuple

from modelport.drift import divergence
from modelport.drift._chi2 import chi2_quantile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelport.drift._baseline import FeatureBaseline

__all__ = ["JudgedBins", "differs", "expected_unseen", "judged_bins", "psi_noise"]

RARE_COUNT = 10
"""A label that training had less often is judged together with those that have no bin of their own."""


class JudgedBins(NamedTuple):
    """The bins of a column as chance is judged by.

    Where training had more labels than bins, those that got a bin are those that happened to be frequent: by luck
    their counts are too high, and the others' too low. A label near the least frequent of them may owe its place to
    about a standard deviation, the root of its count; rare ones owe it all, and are counted with the others.

    Attributes:
        own: Places of the bins that stand for themselves; all of them where training had a bin for each label.
        rest: Training values in the other bins.
        luck: Values that `own` may have too many of, and the rest too few.
    """

    own: tuple[int, ...]
    rest: int
    luck: float

    def training_rest(self, serving_rest: float, training: float, serving: float) -> float:
        """Training values of the rest, with as much of the luck undone as brings both sides together."""
        return min(max(serving_rest / serving * training, self.rest), self.rest + self.luck)


def judged_bins(column: FeatureBaseline) -> JudgedBins:
    """The bins of `column` by which a difference is told from chance."""
    if not _is_truncated(column):
        return JudgedBins(tuple(range(len(column.counts))), 0, 0.0)
    own = tuple(place for place, count in enumerate(column.counts[:-1]) if count >= RARE_COUNT)
    kept = [column.counts[place] for place in own]
    return JudgedBins(own, column.total - sum(kept), _luck(kept, min(column.counts[:-1])))


def expected_unseen(column: FeatureBaseline) -> float:
    """The share of unseen values that serving may have without drift."""
    luck = _luck(column.counts[:-1], min(column.counts[:-1])) if _is_truncated(column) else 0.0
    return divergence.unseen_share(column.strangers + luck, column.total + column.unseen)


def psi_noise(column: FeatureBaseline, serving: Sequence[int], psi: float, *, level: float) -> float:
    r"""The PSI that chance stays below with probability `level`: significant is a `psi` above it.

    It is :math:`\chi^2_{level, B-1} (1/n + 1/m)`, which holds where bins are well filled. Where they are not, the
    logarithms of PSI make more of an empty bin than there is to it; so what is above is also held against Pearson's
    statistic :math:`X^2` of the judged bins, which has no logarithms, and must exceed
    :math:`\chi^2_{level}` itself: the bound is then at least :math:`\text{psi} \cdot \chi^2_{level} / X^2`.

    Args:
        column: The training side.
        serving: Serving counts of its bins.
        psi: Their PSI under the rule ``clamp``.
        level: Between 0 and 1, both excluded.
    """
    training, total = column.total, sum(serving)
    used = sum(1 for before, now in zip(column.counts, serving, strict=True) if before or now)
    bound = divergence.psi_noise_threshold(used, training, total, level=level)
    if not psi > bound:
        return bound
    judged = judged_bins(column)
    now = [serving[place] for place in judged.own]
    before: list[float] = [column.counts[place] for place in judged.own]
    rest = total - sum(now)
    now.append(rest)
    before.append(judged.training_rest(rest, training, total))
    statistic, _ = divergence.chi_square(before, now)
    degrees = sum(1 for a, b in zip(before, now, strict=True) if a or b) - 1
    if degrees < 1 or statistic <= 0:
        return math.inf
    return max(bound, psi * (chi2_quantile(level, degrees) / statistic))


def differs(one: float, one_size: int, two: float, two_size: int, level: float) -> bool:
    """Whether two shares of samples differ by more than chance: z sqrt(p (1 - p) (1/n + 1/m)) with the pooled p."""
    if not one_size or not two_size:
        return False
    pooled = min((one * one_size + two * two_size) / (one_size + two_size), 1.0)
    z = NormalDist().inv_cdf(0.5 + level / 2)
    return abs(one - two) > z * math.sqrt(pooled * (1 - pooled) * (1 / one_size + 1 / two_size))


def _is_truncated(column: FeatureBaseline) -> bool:
    """Whether training had labels without a bin of their own."""
    return column.kind == "categorical" and column.counts[-1] > 0 and len(column.counts) > 1


def _luck(counts: Sequence[int], least: int) -> float:
    limit = least + 2 * math.sqrt(2 * least)
    return math.fsum(math.sqrt(count) for count in counts if count < limit)
