"""The chi-square distribution for whole degrees of freedom, in plain Python: serving needs no scipy for a threshold."""

from __future__ import annotations

import math
from functools import lru_cache

__all__ = ["chi2_quantile", "chi2_tail"]

# Below this the series for what Stirling's formula lacks has not converged, and lgamma is exact enough.
_STIRLING_FROM = 16.0
_STIRLING = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360)


def chi2_tail(value: float, degrees: int) -> float:
    r"""The probability above `value`, to 1e-12 of itself for up to some thousand degrees of freedom.

    With :math:`x` half of `value` it is the sum of :math:`x^s e^{-x} / \Gamma(s + 1)` over :math:`s` in steps of 1 up
    to ``degrees / 2 - 1``, and :math:`erfc(\sqrt x)` for odd degrees (Abramowitz and Stegun 26.4.4, 26.4.5). It is
    summed from its largest term outwards, so that nothing overflows, and nothing that matters underflows.
    """
    if degrees < 1:
        message = f"at least one degree of freedom, not {degrees}"
        raise ValueError(message)
    if 0.5 * value <= 0:  # also of the smallest float
        return 1.0
    if math.isinf(value):
        return 0.0
    half, first, last = 0.5 * value, 0.5 * (degrees % 2), 0.5 * degrees - 1
    beside = math.erfc(math.sqrt(half)) if degrees % 2 else 0.0
    if last < first:
        return beside
    peak = first + min(max(math.floor(half - first), 0), math.floor(last - first))
    return min(math.fsum([beside, *_terms(half, first, peak, last)]), 1.0)


@lru_cache(maxsize=1024)
def chi2_quantile(level: float, degrees: int) -> float:
    """The value that is exceeded with probability ``1 - level``."""
    low, high = 0.0, 1.0
    while chi2_tail(high, degrees) > 1 - level:
        low, high = high, 2 * high
    while (middle := 0.5 * (low + high)) not in {low, high}:
        low, high = (middle, high) if chi2_tail(middle, degrees) > 1 - level else (low, middle)
    return high


def _terms(half: float, first: float, peak: float, last: float) -> list[float]:
    largest = _poisson(peak, half)
    terms, term, step = [largest], largest, peak
    while step > first and term:
        term *= step / half
        step -= 1
        terms.append(term)
    term, step = largest, peak
    while step < last and term:
        step += 1
        term *= half / step
        terms.append(term)
    return terms


def _poisson(count: float, mean: float) -> float:
    r"""The term :math:`mean^{count} e^{-mean} / \Gamma(count + 1)`, without ever subtracting large logarithms.

    After C. Loader, "Fast and Accurate Computation of Binomial Probabilities", 2000.
    """
    if count == 0:
        return math.exp(-mean)
    return math.exp(-_stirling_error(count) - _deviance(count, mean)) / math.sqrt(2 * math.pi * count)


def _stirling_error(count: float) -> float:
    """What the logarithm of the gamma function of ``count + 1`` is more than Stirling's formula."""
    if count < _STIRLING_FROM:
        return math.lgamma(count + 1) - (count + 0.5) * math.log(count) + count - 0.5 * math.log(2 * math.pi)
    return math.fsum(factor / count ** (2 * power + 1) for power, factor in enumerate(_STIRLING))


def _deviance(count: float, mean: float) -> float:
    r"""The term :math:`count \ln(count / mean) + mean - count`, by its series where they are close."""
    gap = count - mean
    ratio = gap / (count + mean)
    if abs(ratio) > 0.1:  # noqa: PLR2004 - beyond, the plain formula loses no more than a digit
        return count * math.log(count / mean) - gap
    total, term, power = gap * ratio, 2 * count * ratio, 1
    while True:
        term *= ratio * ratio
        power += 2
        following = total + term / power
        if following == total:
            return total
        total = following
