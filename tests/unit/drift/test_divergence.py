from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from modelport.drift import divergence
from modelport.drift.divergence import (
    chi_square,
    js_divergence,
    kl_divergence,
    ks_distance,
    psi,
    psi_noise_threshold,
    shares,
    total_variation,
    wasserstein_distance,
)

counts = st.lists(st.integers(0, 10**9), min_size=1, max_size=30)
positive = st.lists(st.integers(1, 10**9), min_size=1, max_size=30)
pairs = st.integers(1, 30).flatmap(
    lambda size: st.tuples(*[st.lists(st.integers(0, 10**9), min_size=size, max_size=size)] * 2)
)
full_pairs = pairs.map(lambda pair: tuple([count + 1 for count in side] for side in pair))
RULES = ["raw", "clamp"]


def close(value: float) -> object:
    return pytest.approx(value, rel=1e-12, abs=1e-13)


def plus_one(values: list[int]) -> list[int]:
    return [value + 1 for value in values]


def test_vectors_of_the_reference_sheet() -> None:
    p, q = [50, 30, 20], [20, 30, 50]

    assert kl_divergence(p, q) == close(0.27488721956224654)
    assert psi(p, q) == close(0.549774439124493)
    assert kl_divergence(plus_one(p), plus_one(q)) == close(0.2584378237866708)
    assert kl_divergence(plus_one(p), plus_one(q), reverse=True) == close(0.2584378237866708)
    assert psi(plus_one(p), plus_one(q)) == close(0.5168756475733416)
    assert ks_distance([10, 30, 40, 20], [30, 40, 25, 5]) == close(0.3)


@given(pairs)
def test_psi_is_symmetric_under_both_rules(pair: tuple[list[int], list[int]]) -> None:
    p, q = pair
    assume(sum(p) and sum(q))

    for rule in RULES:
        assert psi(p, q, rule=rule) == close(psi(q, p, rule=rule))  # type: ignore[arg-type]


@given(full_pairs)
def test_psi_is_the_sum_of_both_kl_divergences(pair: tuple[list[int], list[int]]) -> None:
    p, q = pair

    assert psi(p, q) == pytest.approx(kl_divergence(p, q) + kl_divergence(p, q, reverse=True), rel=1e-9, abs=1e-12)


@given(pairs)
def test_every_divergence_stays_in_its_range(pair: tuple[list[int], list[int]]) -> None:
    p, q = pair
    assume(sum(p) and sum(q))

    assert psi(p, q) >= 0
    assert kl_divergence(p, q) >= -1e-12
    assert 0 <= js_divergence(p, q) <= math.log(2)
    assert 0 <= ks_distance(p, q) <= total_variation(p, q) + 1e-12
    assert total_variation(p, q) <= 1 + 1e-12
    assert math.isfinite(psi(p, q, rule="clamp"))
    assert math.isfinite(kl_divergence(p, q, rule="clamp"))


@given(counts, st.integers(1, 1000))
def test_nothing_differs_from_itself_or_a_multiple_of_itself(p: list[int], factor: int) -> None:
    assume(sum(p))
    q = [count * factor for count in p]

    for value in (psi(p, q), psi(p, q, rule="clamp"), kl_divergence(p, q), js_divergence(p, q), ks_distance(p, q)):
        assert value == pytest.approx(0, abs=1e-12)


@given(full_pairs)
def test_the_formulas_agree_with_scipy(pair: tuple[list[int], list[int]]) -> None:
    p, q = (np.array(side) / sum(side) for side in pair)

    assert kl_divergence(*pair) == pytest.approx(float(stats.entropy(q, p)), rel=1e-9, abs=1e-12)
    expected = 0.5 * stats.entropy(p, (p + q) / 2) + 0.5 * stats.entropy(q, (p + q) / 2)
    assert js_divergence(*pair) == pytest.approx(float(expected), rel=1e-9, abs=1e-12)


def test_raw_is_infinite_where_one_side_is_empty_and_zero_where_both_are() -> None:
    assert psi([1, 1, 0], [1, 0, 0]) == math.inf
    assert kl_divergence([1, 0], [1, 1]) == math.inf
    assert kl_divergence([1, 1], [1, 0]) == close(math.log(2))
    assert psi([1, 0, 1], [2, 0, 2]) == 0


def test_clamp_sets_small_shares_and_does_not_add_up_to_one() -> None:
    assert shares([10**6, 1, 0], rule="clamp") == close_all((10**6 / (10**6 + 1), 1e-4, 1e-4))
    assert psi([1, 1], [2, 0], rule="clamp") == close((1 - 0.5) * math.log(2) + (1e-4 - 0.5) * math.log(1e-4 / 0.5))


def close_all(values: tuple[float, ...]) -> object:
    return pytest.approx(values, rel=1e-12)


def test_an_empty_side_gives_nan() -> None:
    for function in (psi, kl_divergence, js_divergence, ks_distance, total_variation):
        assert math.isnan(function([1, 2], [0, 0]))
        assert math.isnan(function([0, 0], [1, 2]))
        assert math.isnan(function([], []))
    for rule in RULES:
        assert math.isnan(psi([0, 0], [0, 0], rule=rule))  # type: ignore[arg-type]
        assert math.isnan(kl_divergence([0, 0], [0, 1], reverse=True, rule=rule))  # type: ignore[arg-type]
    assert math.isnan(wasserstein_distance([0, 0], [1, 2], [1.0]))
    assert all(map(math.isnan, chi_square([0, 0], [1, 2])))


@pytest.mark.parametrize("bad", [[-1, 2], [math.nan, 1], [math.inf, 1], [10**400, 1]])
def test_counts_that_are_none_are_refused(bad: list[float]) -> None:
    with pytest.raises(ValueError, match="finite and not negative"):
        psi(bad, [1, 1])


def test_different_bins_are_refused() -> None:
    with pytest.raises(ValueError, match="same bins"):
        ks_distance([1, 2], [1, 2, 3])


def test_an_unknown_rule_is_refused() -> None:
    with pytest.raises(ValueError, match="rule"):
        psi([1], [1], rule="smooth")  # type: ignore[arg-type]


def test_shares_of_unseen_and_missing() -> None:
    assert divergence.unseen_share(60, 120) == 0.5
    assert divergence.missing_rate(1, 4) == 0.25
    assert math.isnan(divergence.missing_rate(0, 0))


@pytest.mark.parametrize("bins", [2, 3, 4, 10, 14, 25, 51, 200])
@pytest.mark.parametrize("level", [0.5, 0.95, 0.99, 0.999])
def test_the_noise_threshold_is_the_chi_square_quantile(bins: int, level: float) -> None:
    expected = float(stats.chi2.ppf(level, bins - 1)) * (1 / 500 + 1 / 300)

    assert psi_noise_threshold(bins, 500, 300, level=level) == pytest.approx(expected, rel=1e-9)


def test_the_threshold_of_one_bin_is_zero_and_of_no_values_infinite() -> None:
    assert psi_noise_threshold(1, 10, 10) == 0
    assert psi_noise_threshold(5, 10, 0) == math.inf


def test_noise_alone_passes_the_threshold_as_often_as_the_level_says() -> None:
    random = np.random.default_rng(3)
    share = np.full(10, 0.1)
    threshold = psi_noise_threshold(10, 2000, 1000)

    above = sum(
        psi(random.multinomial(2000, share).tolist(), random.multinomial(1000, share).tolist()) > threshold
        for _ in range(2000)
    )

    assert 5 <= above <= 45


@pytest.mark.parametrize("level", [0, 1, -0.5, math.nan])
def test_a_level_that_is_none_is_refused(level: float) -> None:
    with pytest.raises(ValueError, match="level"):
        psi_noise_threshold(10, 100, 100, level=level)
