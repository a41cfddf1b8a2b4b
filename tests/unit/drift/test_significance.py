"""Of samples that come from one distribution about one in a hundred is called drifted, however its bins are filled."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from modelport.drift import FeatureBaseline, FeatureCounts
from modelport.drift._report import feature_drift

MOST_LABELS = 50
DRAWS = 400
# Of 400 draws that are each called drifted with a chance of 1.2 %, more than this are in one test of a thousand.
MOST_CALLED = 12
RARE, EVEN = "one in rank", "all alike"

Weights = Any


def weights(labels: int, shape: str) -> Weights:
    raw = 1 / np.arange(1, labels + 1) if shape == RARE else np.ones(labels)
    return raw / raw.sum()


def drifted(before: Weights, now: Weights, trained: int, served: int, random: np.random.Generator) -> bool:
    """Draw both sides, give the 50 most frequent labels of training a bin each, compare."""
    training, serving = random.multinomial(trained, before), random.multinomial(served, now)
    kept = np.argsort(-training, kind="stable")[:MOST_LABELS]
    kept = kept[training[kept] > 0]
    counts = [(*map(int, side[kept]), int(side.sum() - side[kept].sum())) for side in (training, serving)]
    column = FeatureBaseline(
        name="c", kind="categorical", categories=tuple(str(place) for place in kept), counts=counts[0]
    )
    return bool(feature_drift(column, FeatureCounts(counts[1], unseen=counts[1][-1])).reasons)


@pytest.mark.parametrize(
    ("labels", "shape", "trained", "served"),
    [
        (20, RARE, 2000, 200),
        (50, EVEN, 100_000, 200),
        (60, RARE, 5000, 500),
        (100, EVEN, 1000, 1000),
        (100, EVEN, 1000, 10_000),
        (2000, RARE, 1000, 1000),
        (2000, RARE, 100_000, 1000),
    ],
)
def test_stable_traffic_is_rarely_called_drifted(labels: int, shape: str, trained: int, served: int) -> None:
    random = np.random.default_rng(1)
    same = weights(labels, shape)

    assert sum(drifted(same, same, trained, served, random) for _ in range(DRAWS)) <= MOST_CALLED


@pytest.mark.parametrize(
    ("labels", "shape", "trained", "served"),
    [(20, RARE, 2000, 200), (50, EVEN, 100_000, 200), (60, RARE, 5000, 500), (100, EVEN, 1000, 1000),
     (2000, RARE, 1000, 1000)],
)  # fmt: skip
@pytest.mark.parametrize("place", [0.1, 0.9])
def test_a_label_that_takes_a_third_of_the_traffic_is_seen(
    labels: int, shape: str, trained: int, served: int, place: float
) -> None:
    random = np.random.default_rng(2)
    before = weights(labels, shape)
    now = 2 / 3 * before
    now[int(place * labels)] += 1 / 3

    assert sum(drifted(before, now, trained, served, random) for _ in range(50)) >= 48
