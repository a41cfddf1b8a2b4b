"""The formulas once more, in exact fractions with 60-digit logarithms, and as scipy has them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from decimal import Decimal, localcontext
from fractions import Fraction
from itertools import accumulate
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial import distance

from modelport.drift._chi2 import chi2_quantile, chi2_tail
from modelport.drift.divergence import (
    CLAMP_SHARE,
    Rule,
    chi_square,
    js_divergence,
    kl_divergence,
    ks_distance,
    psi,
    shares,
    total_variation,
    wasserstein_distance,
)

Counts = list[int]
Pair = tuple[Counts, Counts]

one_count = st.integers(0, 50) | st.integers(0, 2**60) | st.sampled_from([0, 1, 2**53 + 1, 2**60])


def sides(count: st.SearchStrategy[int], *, least: int = 1) -> st.SearchStrategy[Pair]:
    return st.integers(least, 12).flatmap(
        lambda size: st.tuples(*[st.lists(count, min_size=size, max_size=size).filter(any)] * 2)
    )


pairs = sides(one_count)
small_pairs = sides(st.integers(0, 200), least=2)


def exact(counts: Iterable[int], rule: Rule = "raw") -> list[Fraction]:
    counts = list(counts)
    total = sum(counts)
    least = Fraction(CLAMP_SHARE) if rule == "clamp" else Fraction(0)
    return [max(Fraction(count, total), least) for count in counts]


def dec(value: Fraction) -> Decimal:
    return Decimal(value.numerator) / Decimal(value.denominator)


def exact_kl(p: list[Fraction], q: list[Fraction]) -> float:
    """KL(q || p)."""
    if any(b and not a for a, b in zip(p, q, strict=True)):
        return math.inf
    with localcontext() as context:
        context.prec = 60
        terms = [dec(b) * (dec(b) / dec(a)).ln() for a, b in zip(p, q, strict=True) if b]
        return float(sum(terms, Decimal(0)))


def exact_psi(p: list[Fraction], q: list[Fraction]) -> float:
    if any((a == 0) != (b == 0) for a, b in zip(p, q, strict=True)):
        return math.inf
    with localcontext() as context:
        context.prec = 60
        terms = [(dec(b) - dec(a)) * (dec(b) / dec(a)).ln() for a, b in zip(p, q, strict=True) if a]
        return float(sum(terms, Decimal(0)))


def same(value: float) -> object:
    return pytest.approx(value, rel=1e-12, abs=4e-14)


@pytest.mark.parametrize("rule", ["raw", "clamp"])
@given(pairs)
@example(([2**60, 0, 3], [0, 2**60, 3]))
@example(([2**53 + 1, 1], [2**53, 2]))
def test_psi_and_both_kl_divergences_are_those_of_exact_arithmetic(rule: Rule, pair: Pair) -> None:
    p, q = (exact(side, rule) for side in pair)

    assert psi(*pair, rule=rule) == same(exact_psi(p, q))
    assert kl_divergence(*pair, rule=rule) == same(exact_kl(p, q))
    assert kl_divergence(*pair, reverse=True, rule=rule) == same(exact_kl(q, p))


@given(pairs)
def test_the_bounded_divergences_are_those_of_exact_arithmetic(pair: Pair) -> None:
    p, q = map(exact, pair)
    middle = [(a + b) / 2 for a, b in zip(p, q, strict=True)]
    gaps = [abs(b - a) for a, b in zip(accumulate(p), accumulate(q), strict=True)]

    assert js_divergence(*pair) == same((exact_kl(middle, p) + exact_kl(middle, q)) / 2)
    assert ks_distance(*pair) == same(float(max(gaps)))
    assert total_variation(*pair) == same(float(sum(abs(a - b) for a, b in zip(p, q, strict=True)) / 2))


@given(pairs, st.randoms(use_true_random=False))
def test_the_order_of_categories_changes_no_digit(pair: Pair, random: object) -> None:
    bins = list(zip(*pair, strict=True))
    random.shuffle(bins)  # type: ignore[attr-defined]
    p, q = (list(side) for side in zip(*bins, strict=True))

    assert psi(p, q, rule="clamp") == psi(*pair, rule="clamp")
    assert js_divergence(p, q) == js_divergence(*pair)
    assert total_variation(p, q) == total_variation(*pair)


@given(pairs, st.floats(1e-300, 1e280))
def test_shares_and_counts_of_any_scale_are_the_same_to_every_divergence(pair: Pair, scale: float) -> None:
    p, q = pair
    scaled = [count * scale for count in p], [share * 0.5 for share in shares(q)]

    for function in (js_divergence, ks_distance, total_variation):
        assert function(*scaled) == same(function(p, q))
    assert psi(*scaled, rule="clamp") == pytest.approx(psi(p, q, rule="clamp"), rel=1e-9, abs=1e-12)


def test_counts_whose_sum_leaves_the_range_of_a_float_have_shares() -> None:
    assert shares([1.7e308, 1.7e308]) == (0.5, 0.5)
    assert shares([5e-324, 5e-324]) == (0.5, 0.5)


@given(pairs)
def test_clamping_bounds_what_raw_leaves_infinite(pair: Pair) -> None:
    bound = len(pair[0]) * math.log(1 / CLAMP_SHARE)

    assert 0 <= psi(*pair, rule="clamp") <= bound
    if min(*map(min, map(shares, pair)), 1.0) >= CLAMP_SHARE:
        assert psi(*pair, rule="clamp") == psi(*pair, rule="raw")


@given(small_pairs)
def test_js_is_the_square_of_scipys_distance(pair: Pair) -> None:
    assert js_divergence(*pair) == pytest.approx(float(distance.jensenshannon(*pair)) ** 2, rel=1e-9, abs=1e-12)


@given(small_pairs, st.lists(st.floats(-1e6, 1e6), min_size=12, max_size=12, unique=True))
def test_wasserstein_is_scipys_of_samples_on_the_edges(pair: Pair, drawn: list[float]) -> None:
    edges = sorted(drawn)[: len(pair[0]) - 1]
    places = [*edges, edges[-1]]
    expected = float(stats.wasserstein_distance(places, places, *pair))

    value = wasserstein_distance(*pair, edges)

    assert value == pytest.approx(expected, rel=1e-9, abs=1e-9)
    assert value == pytest.approx(wasserstein_distance(pair[1], pair[0], edges), rel=1e-12, abs=1e-12)


def test_wasserstein_keeps_its_digits_between_close_and_between_far_edges() -> None:
    near = [1e15, 1e15 + 0.125, 1e15 + 0.25]

    assert wasserstein_distance([1, 0, 0, 0], [0, 0, 1, 0], near) == 0.25
    assert wasserstein_distance([3, 1], [1, 3], [7.0]) == 0
    assert wasserstein_distance([3, 1, 0], [1, 3, 0], [-1.7e308, 1.7e308]) == pytest.approx(1.7e308)
    assert wasserstein_distance([1, 0, 0], [0, 1, 0], [-1.7e308, 1.7e308]) == math.inf


@pytest.mark.parametrize("edges", [[2.0, 1.0], [1.0, 1.0], [1.0, math.inf], [math.nan, 1.0], [1.0], [1.0, 2.0, 3.0]])
def test_edges_that_make_no_bins_are_refused(edges: list[float]) -> None:
    with pytest.raises(ValueError, match="edges"):
        wasserstein_distance([1, 2, 3], [1, 2, 3], edges)


@given(small_pairs)
def test_chi_square_is_that_of_scipys_table(pair: Pair) -> None:
    used = [(a, b) for a, b in zip(*pair, strict=True) if a or b]
    statistic, chance = chi_square(*pair)

    if len(used) == 1:
        assert (statistic, chance) == (pytest.approx(0, abs=1e-20), 1.0)
        return
    table = [list(side) for side in zip(*used, strict=True)]
    expected: Any = stats.chi2_contingency(table, correction=False)
    assert statistic == pytest.approx(float(expected.statistic), rel=1e-9, abs=1e-12)
    assert chance == pytest.approx(float(expected.pvalue), rel=1e-9, abs=1e-300)


@pytest.mark.parametrize("factor", [1, 2, 3, 2**20])
def test_chi_square_of_multiples_is_nothing(factor: int) -> None:
    counts = [2**39, 1, 2**33 + 1, 7]

    statistic, chance = chi_square(counts, [count * factor for count in counts])

    assert statistic == pytest.approx(0, abs=1e-15)
    assert chance == pytest.approx(1)


def exact_tail(value: float, degrees: int) -> Decimal:
    """For even degrees, in 60 digits."""
    half = Decimal(value) / 2
    total, term = Decimal(0), (-half).exp()
    for step in range(degrees // 2):
        total += term
        term = term * half / (step + 1)
    return total


@pytest.mark.parametrize("degrees", [2, 4, 16, 30, 34, 100, 500, 1000, 1498, 2000])
@pytest.mark.parametrize("ratio", [0.01, 0.3, 0.9, 0.999, 1.0, 1.001, 1.1, 1.5, 1.8])
def test_the_tail_is_exact_to_twelve_digits(degrees: int, ratio: float) -> None:
    with localcontext() as context:
        context.prec = 60
        expected = float(exact_tail(ratio * degrees, degrees))

    assert chi2_tail(ratio * degrees, degrees) == pytest.approx(expected, rel=1e-12, abs=1e-300)


@given(st.integers(1, 2000), st.floats(0.5, 1.4))
def test_the_tail_agrees_with_scipy(degrees: int, ratio: float) -> None:
    expected = float(stats.chi2.sf(ratio * degrees, degrees))

    # The tests above say that the distance beyond 1e-12 is not ours.
    assert chi2_tail(ratio * degrees, degrees) == pytest.approx(expected, rel=4e-12, abs=1e-300)


@pytest.mark.parametrize("value", [0.0, -1.0, 5e-324])
def test_everything_is_above_nothing(value: float) -> None:
    assert chi2_tail(value, 3) == 1


def test_nothing_is_above_infinity() -> None:
    assert chi2_tail(math.inf, 3) == 0
    assert chi2_tail(1e9, 2000) == 0


@pytest.mark.parametrize("degrees", [1, 2, 7, 50, 399, 1000, 1999])
@pytest.mark.parametrize("level", [1e-6, 0.5, 0.95, 0.99, 0.9999])
def test_the_quantile_agrees_with_scipy(degrees: int, level: float) -> None:
    assert chi2_quantile(level, degrees) == pytest.approx(float(stats.chi2.ppf(level, degrees)), rel=1e-9)
