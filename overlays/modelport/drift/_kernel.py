"""The numpy part: columns to arrays, edges from quantiles, counts per bin. Import it only where numpy is present."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from modelport.drift._values import OTHER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = [
    "LANES",
    "Floats",
    "Ints",
    "count_cumulative",
    "count_numbers",
    "finite_sum",
    "quantile_edges",
    "top_categories",
]

Floats: TypeAlias = "NDArray[np.float64]"
Ints: TypeAlias = "NDArray[np.int64]"

LANES = 8
# So many values at once that no lane, which is a byte, runs over.
_LANES_VALUES = 255 * LANES
# Comparisons made at once: about what stays in a processor's cache.
_FLAGS = 1 << 19

_TAILS = (0.001, 0.01, 0.99, 0.999)
# An end of the data that holds this share of it is a value of its own (such as 0), not just the end of a tail.
_ATOM_SHARE = 0.05
_CHUNK_VALUES = 1 << 16
_LARGEST = float(np.finfo(np.float64).max)
# Not the denormal next to 0: a library built with -ffast-math makes the processor take those for 0.
_SMALLEST = float(np.finfo(np.float64).tiny)


def quantile_edges(numbers: Floats, bins: int) -> tuple[float, ...]:
    """Upper edges (``le``) of all bins but the last: `bins` quantiles plus the 0.1, 1, 99 and 99.9 % tails.

    Edges are values of the data, so no arithmetic can overflow and outliers carry no more than their rank. Equal
    edges become one. The two outer bins are open; at an end that is a value of its own (5 % of the data, such as
    many zeros) an extra bin beyond it shows what was never seen in training.
    """
    finite = numbers[np.isfinite(numbers)]
    count = len(finite)
    if not count:
        return ()
    levels = sorted({*_TAILS, *(step / bins for step in range(1, bins))})
    ranks = sorted({min(max(math.ceil(level * count) - 1, 0), count - 1) for level in levels})
    finite.partition([0, *ranks, count - 1])
    edges = sorted({float(finite[rank]) + 0.0 for rank in ranks})
    low, high = float(finite[0]), float(finite[-1])
    if edges[0] == low and _share(finite, low) >= _ATOM_SHARE and low > -_LARGEST:
        edges.insert(0, min(math.nextafter(low, -math.inf), low - _SMALLEST))
    if edges[-1] == high and _share(finite, high) < _ATOM_SHARE and len(edges) > 1:
        edges.pop()
    return tuple(edges)


def _share(numbers: Floats, value: float) -> float:
    return int(np.count_nonzero(numbers == value)) / len(numbers)


def count_cumulative(matrix: Floats, edges: Floats) -> Ints:
    """Count values at or below each edge.

    A dozen compares cost a tenth of `numpy.searchsorted` on random data, and those of all columns and edges at once
    half of a dozen calls, where rows are few. A comparison gives a byte of 0 or 1 per value; eight of them are added at
    once, as the lanes of one 64-bit number.

    Args:
        matrix: Shape (features, values), values in a multiple of `LANES`: pad it with NaN, which is at or below
            nothing.
        edges: Shape (features, edges), rows padded with +inf, which counts all values but NaN.

    Returns:
        Of the shape of `edges`.
    """
    cumulative = np.zeros(edges.shape, np.int64)
    for start in range(0, matrix.shape[1], _LANES_VALUES):
        part = matrix[:, start : start + _LANES_VALUES]
        group = max(1, _FLAGS // (edges.shape[1] * part.shape[1]))
        for first in range(0, len(part), group):
            some = slice(first, first + group)
            flags = part[some, np.newaxis] <= edges[some, :, np.newaxis]
            lanes = flags.view(np.uint64).sum(axis=2, dtype=np.uint64)
            cumulative[some] += lanes.view(np.uint8).reshape(*lanes.shape, LANES).sum(axis=2, dtype=np.int64)
    return cumulative


def count_numbers(numbers: Floats, edges: Sequence[float]) -> tuple[int, ...]:
    """Count one column per bin; in steps, so that a long column neither holds the lock nor doubles the memory."""
    cumulative = np.zeros(len(edges) + 1, np.int64)
    for start in range(0, len(numbers), _CHUNK_VALUES):
        chunk = numbers[start : start + _CHUNK_VALUES]
        below = [np.count_nonzero(chunk <= edge) for edge in edges]
        cumulative += (*below, np.count_nonzero(chunk == chunk))  # noqa: PLR0124 - NaN equals nothing
    return tuple(int(count) for count in np.diff(cumulative, prepend=0))


def top_categories(counts: dict[str, int], limit: int) -> tuple[str, ...]:
    """The `limit` most frequent labels (ties by label), in a stable order: numbers by size, then text."""
    kept = sorted((label for label in counts if label != OTHER), key=lambda label: (-counts[label], label))[:limit]
    return tuple(sorted(kept, key=_label_order))


def finite_sum(numbers: Floats) -> float:
    """Sum of the finite values; infinite only if the sum itself leaves a float's range."""
    with np.errstate(over="ignore"):
        return float(numbers[np.isfinite(numbers)].sum())


def _label_order(label: str) -> tuple[int, float, str]:
    try:
        number = float(label)
    except ValueError:
        return 1, 0.0, label
    return (0, number, label) if math.isfinite(number) else (1, 0.0, label)
