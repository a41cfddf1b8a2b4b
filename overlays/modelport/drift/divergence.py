r"""Distances between two histograms over the same bins.

Every function takes the training side first. Both sides are counts, or shares, of the same bins in the same order;
each is divided by its own sum, giving the shares :math:`p` (training) and :math:`q` (serving). Logarithms are natural.

``rule`` says what becomes of empty bins where a logarithm meets zero:

* ``"raw"``: the plain formula. A bin empty on both sides counts 0; one empty on one side may make the result infinite.
* ``"clamp"``: shares below 1e-4 are set to 1e-4, on both sides, without dividing by the sum again. Always finite.

A side that holds nothing at all has no shares: the result is NaN.

Results are sums of exactly rounded products (`math.fsum`): the order of the bins changes no digit. Counts are exact up
to 2**53 and rounded as floats are beyond.

Sources: S. Kullback and R. A. Leibler, "On Information and Sufficiency", 1951; J. Lin, "Divergence Measures Based on
the Shannon Entropy", 1991; B. Yurdakul and J. Naranjo, "Statistical properties of the population stability index",
2020 (the noise of PSI without drift).
"""

from __future__ import annotations

import math
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Literal, TypeAlias

from modelport.drift._chi2 import chi2_quantile, chi2_tail

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "CLAMP_SHARE",
    "Rule",
    "chi_square",
    "js_divergence",
    "kl_divergence",
    "ks_distance",
    "missing_rate",
    "psi",
    "psi_noise_threshold",
    "shares",
    "total_variation",
    "unseen_share",
    "wasserstein_distance",
]

Rule: TypeAlias = Literal["raw", "clamp"]
"""What becomes of empty bins: see the module's text."""

CLAMP_SHARE = 1e-4
"""The least share under the rule ``clamp``."""

# A sum of counts above this may leave a float's range; a list has fewer than 2**63 items.
_SUM_OVERFLOWS_FROM = 2.0**960


def shares(counts: Sequence[float], *, rule: Rule = "raw") -> tuple[float, ...]:
    """Counts divided by their sum, and clamped if `rule` says so; NaN throughout if the sum is 0.

    Raises:
        ValueError: A negative or non-finite count, or an unknown rule.
    """
    if rule not in {"raw", "clamp"}:
        message = f"rule is 'raw' or 'clamp', not {rule!r}"
        raise ValueError(message)
    values = _floats(counts)
    largest = max(values, default=0.0)
    if largest == 0:
        return (math.nan,) * len(values)
    if largest > _SUM_OVERFLOWS_FROM:
        values = [value / largest for value in values]
    total = math.fsum(values)
    parts = [value / total for value in values]
    return tuple(max(part, CLAMP_SHARE) for part in parts) if rule == "clamp" else tuple(parts)


def psi(training: Sequence[float], serving: Sequence[float], *, rule: Rule = "raw") -> float:
    r"""Population stability index :math:`\sum_i (q_i - p_i) \ln(q_i / p_i)`, the symmetric sum of both KL divergences.

    Raises:
        ValueError: As `shares`, or sides of different length.
    """
    p, q = _both(training, serving, rule)
    if _is_empty(p, q):
        return math.nan
    return math.fsum((b - a) * _log_ratio(b, a) for a, b in zip(p, q, strict=True) if a != b)


def kl_divergence(
    training: Sequence[float], serving: Sequence[float], *, reverse: bool = False, rule: Rule = "raw"
) -> float:
    r"""Kullback-Leibler divergence :math:`KL(q\|p) = \sum_i q_i \ln(q_i / p_i)` of serving from training.

    Args:
        training: Counts or shares the model was trained on.
        serving: Counts or shares seen in service.
        reverse: Give :math:`KL(p\|q)` instead.
        rule: See the module's text. Clamped shares do not add up to 1, so the result may then be slightly negative.

    Raises:
        ValueError: As `shares`, or sides of different length.
    """
    p, q = _both(training, serving, rule)
    if _is_empty(p, q):
        return math.nan
    if reverse:
        p, q = q, p
    return math.fsum(b * _log_ratio(b, a) for a, b in zip(p, q, strict=True) if b != 0)


def js_divergence(training: Sequence[float], serving: Sequence[float]) -> float:
    r"""Jensen-Shannon divergence :math:`\tfrac12 KL(p\|m) + \tfrac12 KL(q\|m)` with :math:`m = (p + q) / 2`.

    In nats, between 0 and :math:`\ln 2`; always finite. (The square root, a metric, is not taken.)

    Raises:
        ValueError: As `shares`, or sides of different length.
    """
    p, q = _both(training, serving, "raw")
    if _is_empty(p, q):
        return math.nan
    terms = [
        0.5 * share * math.log(share / middle)
        for a, b in zip(p, q, strict=True)
        if (middle := 0.5 * (a + b)) > 0
        for share in (a, b)
        if share > 0
    ]
    return min(max(math.fsum(terms), 0.0), math.log(2))


def ks_distance(training: Sequence[float], serving: Sequence[float]) -> float:
    r"""Kolmogorov-Smirnov distance on the bins' edges: the largest gap :math:`|\sum_{j \le i} q_j - p_j|`.

    Only for bins that have an order; at most the distance of the unbinned samples.

    Raises:
        ValueError: As `shares`, or sides of different length.
    """
    p, q = _both(training, serving, "raw")
    if _is_empty(p, q):
        return math.nan
    gaps = [abs(b - a) for a, b in zip(accumulate(p), accumulate(q), strict=True)]
    return min(max(gaps, default=0.0), 1.0)


def wasserstein_distance(training: Sequence[float], serving: Sequence[float], edges: Sequence[float]) -> float:
    r"""Wasserstein distance on the edges: :math:`\sum_i |Q(e_i) - P(e_i)| (e_{i+1} - e_i)`, in the unit of the values.

    It is that of two samples whose values lie on the upper edge of their bin, those above the last edge on it.

    Args:
        training: Counts or shares the model was trained on.
        serving: Counts or shares seen in service.
        edges: Upper edges of all bins but the last, rising.

    Raises:
        ValueError: As `shares`, sides of different length, edges that are not one fewer than bins, not finite, or
            that do not rise.
    """
    p, q = _both(training, serving, "raw")
    if len(edges) + 1 != len(p):
        message = f"{len(p)} bins have {len(p) - 1} edges, not {len(edges)}"
        raise ValueError(message)
    if not all(map(math.isfinite, edges)) or any(low >= high for low, high in pairwise(edges)):
        message = "edges must be finite and rise"
        raise ValueError(message)
    if _is_empty(p, q):
        return math.nan
    gaps = [abs(b - a) for a, b in zip(accumulate(p), accumulate(q), strict=True)]
    # Halves, because the distance of two edges may leave a float's range where its part of the result does not.
    halves = math.fsum(gap * (0.5 * high - 0.5 * low) for gap, (low, high) in zip(gaps, pairwise(edges), strict=False))
    return 2 * halves


def chi_square(training: Sequence[float], serving: Sequence[float]) -> tuple[float, float]:
    r"""Pearson's statistic of two samples in the same bins, and the chance of one as large without drift.

    :math:`\sum_i (s n_i - m_i / s)^2 / (n_i + m_i)` with :math:`s = \sqrt{m / n}` over the bins that are not empty on
    both sides, with one degree of freedom fewer than those (Press et al., "Numerical Recipes", 14.3). Counts, not
    shares.

    Raises:
        ValueError: As `shares`, or sides of different length.
    """
    if _is_empty(*_both(training, serving, "raw")):
        return math.nan, math.nan
    scale = math.sqrt(math.fsum(serving) / math.fsum(training))
    used = [(a, b) for a, b in zip(training, serving, strict=True) if a or b]
    statistic = math.fsum((scale * a - b / scale) ** 2 / (a + b) for a, b in used)
    return statistic, chi2_tail(statistic, len(used) - 1) if len(used) > 1 else 1.0


def total_variation(training: Sequence[float], serving: Sequence[float]) -> float:
    r"""Total variation distance :math:`\tfrac12 \sum_i |q_i - p_i|`: the share of traffic that changed bins.

    Raises:
        ValueError: As `shares`, or sides of different length.
    """
    p, q = _both(training, serving, "raw")
    if _is_empty(p, q):
        return math.nan
    return 0.5 * math.fsum(abs(b - a) for a, b in zip(p, q, strict=True))


def unseen_share(unseen: float, values: int) -> float:
    """Share of `values` (those not missing) that the baseline has no bin for; NaN without values."""
    return unseen / values if values else math.nan


def missing_rate(missing: int, records: int) -> float:
    """Share of `records` whose value is missing (null or NaN); NaN without records."""
    return missing / records if records else math.nan


def psi_noise_threshold(bins: int, training: int, serving: int, *, level: float = 0.99) -> float:
    r"""The PSI that two samples of one distribution exceed only with probability ``1 - level``.

    :math:`\chi^2_{level, B-1} \, (1/n + 1/m)`, after Yurdakul and Naranjo. With one bin it is 0, without values
    infinite.

    Args:
        bins: Number of bins `B` that are not empty on both sides.
        training: Number of training values `n`.
        serving: Number of serving values `m`.
        level: Between 0 and 1, both excluded.

    Raises:
        ValueError: A level that is none.
    """
    if not 0 < level < 1:
        message = f"level is between 0 and 1, not {level}"
        raise ValueError(message)
    if training <= 0 or serving <= 0:
        return math.inf
    return chi2_quantile(level, bins - 1) * (1 / training + 1 / serving) if bins > 1 else 0.0


def _both(training: Sequence[float], serving: Sequence[float], rule: Rule) -> tuple[tuple[float, ...], ...]:
    if len(training) != len(serving):
        message = f"both sides need the same bins: {len(training)} and {len(serving)}"
        raise ValueError(message)
    return shares(training, rule=rule), shares(serving, rule=rule)


def _is_empty(p: Sequence[float], q: Sequence[float]) -> bool:
    return not p or math.isnan(p[0] + q[0])


def _floats(counts: Sequence[float]) -> list[float]:
    message = "counts must be finite and not negative"
    try:
        values = list(map(float, counts))
    except OverflowError:
        raise ValueError(message) from None
    if not all(math.isfinite(value) and value >= 0 for value in values):
        raise ValueError(message)
    return values


def _log_ratio(numerator: float, denominator: float) -> float:
    if denominator == 0:
        return math.inf
    # A difference of logarithms: the ratio of a tiny and a large share may leave the range of a float.
    return math.log(numerator) - math.log(denominator) if numerator > 0 else -math.inf
