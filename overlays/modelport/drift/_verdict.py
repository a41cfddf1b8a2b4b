"""What the comparison of one column amounts to."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from modelport.drift._noise import differs, expected_unseen
from modelport.drift.divergence import missing_rate

if TYPE_CHECKING:
    from collections.abc import Collection

    from modelport.drift._baseline import FeatureBaseline
    from modelport.drift._results import Reason, Verdict
    from modelport.drift.serving._snapshot import FeatureCounts

__all__ = ["MAJOR_PSI", "MODERATE_PSI", "judged", "overall"]

MODERATE_PSI = 0.1
"""The customary PSI from which a shift deserves a look (if it is more than noise)."""
MAJOR_PSI = 0.25
"""The customary PSI from which a shift is called major (if it is more than noise)."""
MODERATE_MISSING = 0.1
"""So much above that of training the rate of missing values deserves a look, as the alerts on it have it."""
MODERATE_UNSEEN = 0.05
"""Likewise the share of unseen values."""
MAJOR_SHARE = 0.25
"""From here on either of them is called major."""


def judged(
    baseline: FeatureBaseline,
    current: FeatureCounts,
    psi: float,
    *,
    significant: bool,
    present: int,
    level: float,
    min_values: int,
) -> tuple[Verdict, tuple[Reason, ...]]:
    """The worst of what the bins, the missing and the unseen values say, and which of them say it.

    Args:
        baseline: The training side.
        current: The serving side.
        psi: Their PSI.
        significant: PSI is more than noise, and there are enough values.
        present: Serving values that are not missing.
        level: Confidence that a share differs by more than chance.
        min_values: Serving values below which nothing is judged.
    """
    trained = baseline.total + baseline.unseen
    rows = trained + baseline.missing
    found: dict[Reason, bool] = {}
    if significant and psi >= MODERATE_PSI:
        found["distribution"] = psi >= MAJOR_PSI
    # Attributions are missing wherever nobody asked for them.
    if baseline.role != "attribution":
        rate = missing_rate(baseline.missing, rows)
        for share in (
            _Share("missing", MODERATE_MISSING, current.missing, present + current.missing, rate, rows),
            _Share("unseen", MODERATE_UNSEEN, current.unseen, present, expected_unseen(baseline), trained),
        ):
            if share.values >= min_values and share.excess > share.limit and share.is_real(level):
                found[share.reason] = share.excess > MAJOR_SHARE
    if found:
        return "major" if any(found.values()) else "moderate", tuple(found)
    return "too few values" if current.total < min_values else "stable", ()


def overall(verdicts: Collection[Verdict], records: int, uncounted: int) -> Verdict:
    """The worst of `verdicts`; predictions that fit no baseline count as unseen values do."""
    misfits = uncounted / (records + uncounted) if uncounted else 0.0
    if misfits > MAJOR_SHARE or "major" in verdicts:
        return "major"
    if misfits > MODERATE_UNSEEN or "moderate" in verdicts:
        return "moderate"
    return "stable" if "stable" in verdicts else "too few values"


class _Share(NamedTuple):
    """So many of the serving values, and the share of the training values to hold them against."""

    reason: Reason
    limit: float
    number: int
    values: int
    expected: float
    trained: int

    @property
    def excess(self) -> float:
        # Without values on either side NaN, which is above nothing.
        return self.number / self.values - self.expected if self.values else math.nan

    def is_real(self, level: float) -> bool:
        return differs(self.expected, self.trained, self.number / self.values, self.values, level)
