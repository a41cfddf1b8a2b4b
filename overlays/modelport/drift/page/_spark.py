"""Geometry of a column's miniature: the serving shares as bars, the training shares as an outline over them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec

from modelport.drift.page._words import bin_name, number, percent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelport.drift._results import FeatureDrift

__all__ = ["SPARK_HEIGHT", "SPARK_WIDTH", "Spark", "spark_of"]

SPARK_WIDTH, SPARK_HEIGHT = 96, 24
_MOST = 16


class Spark(msgspec.Struct, frozen=True):
    """Two paths in pixels, and the largest change in words."""

    serving: str
    training: str
    description: str


def spark_of(row: FeatureDrift) -> Spark:
    """The miniature of one column; its many categories are summed to sixteen."""
    before, now = _few(row.baseline_shares), _few(row.shares)
    highest = max((*before, *now), default=0.0) or 1.0
    slot = SPARK_WIDTH / max(len(before), 1)
    tall = SPARK_HEIGHT - 1
    bars = [
        f"M{slot * index + 0.5:.1f},{SPARK_HEIGHT}h{slot - 1:.1f}v-{tall * share / highest:.1f}h-{slot - 1:.1f}z"
        for index, share in enumerate(now)
        if share
    ]
    steps = [f"V{SPARK_HEIGHT - tall * share / highest:.1f}h{slot:.1f}" for share in before]
    return Spark("".join(bars), f"M0,{SPARK_HEIGHT}{''.join(steps)}V{SPARK_HEIGHT}" if steps else "", _largest(row))


def _few(shares: Sequence[float]) -> list[float]:
    size = max(1, math.ceil(len(shares) / _MOST))
    return [math.fsum(map(number, shares[at : at + size])) for at in range(0, len(shares), size)]


def _largest(row: FeatureDrift) -> str:
    if not row.n:
        return "nothing served"
    pairs = list(zip(row.baseline_shares, row.shares, strict=True))
    index = max(range(len(pairs)), key=lambda place: abs(number(pairs[place][1]) - number(pairs[place][0])))
    before, now = pairs[index]
    return f"{bin_name(row, index)}: {percent(before)} → {percent(now)}"
