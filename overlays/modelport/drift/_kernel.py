"""The numpy part: columns to arrays, edges from quantiles, counts per bin. Import it only where numpy is present."""

from __future__ import annotations

import contextlib
import math
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np

from modelport.drift._values import OTHER, to_label, to_number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

__all__ = [
    "Floats",
    "Ints",
    "category_counts",
    "count_cumulative",
    "count_numbers",
    "looks_categorical",
    "number_column",
    "quantile_edges",
    "top_categories",
]

Floats: TypeAlias = "NDArray[np.float64]"
Ints: TypeAlias = "NDArray[np.int64]"

_TAILS = (0.001, 0.01, 0.99, 0.999)
# An end of the data that holds this share of it is a value of its own (such as 0), not just the end of a tail.
_ATOM_SHARE = 0.05
_MAX_DISTINCT = 10
_MIN_VALUES_PER_DISTINCT = 20
_CHUNK_VALUES = 1 << 16
_LARGEST = float(np.finfo(np.float64).max)
# Not the denormal next to 0: a library built with -ffast-math makes the processor take those for 0.
_SMALLEST = float(np.finfo(np.float64).tiny)


def number_column(column: Iterable[object]) -> tuple[Floats, int]:
    """A column as floats, NaN where missing, and how many of its items are not numbers (NaN as well)."""
    array = _as_array(column)
    if array.dtype.kind in "fiub":
        return array.astype(np.float64), 0
    return _convert(cast("list[object]", array.tolist()))


def _convert(items: Sequence[object]) -> tuple[Floats, int]:
    numbers = np.empty(len(items), np.float64)
    bad = 0
    for index, item in enumerate(items):
        try:
            numbers[index] = to_number(item)
        except (TypeError, ValueError):
            numbers[index] = math.nan
            bad += 1
    return numbers, bad


def looks_categorical(column: Iterable[object]) -> bool:
    """The rule for columns whose kind is not given; the whole column is looked at, so the answer never varies.

    Text, booleans and pandas categories are categorical. So are numbers, if they are whole and either at most two
    are distinct, or at most 10 are and each stands for 20 values on average. Everything else is numeric.
    """
    if str(getattr(column, "dtype", "")) in {"category", "boolean", "string", "str"}:
        return True
    array = _as_array(column)
    if array.dtype.kind not in "fiu":
        present = [item for item in cast("list[object]", array.tolist()) if not _missing(item)]
        if not all(isinstance(item, (int, float)) and not isinstance(item, bool) for item in present):
            return True
        array, _ = _convert(present)
    numbers = array.astype(np.float64)
    numbers = numbers[~np.isnan(numbers)]
    distinct = np.unique(numbers)
    if not np.isfinite(distinct).all() or (distinct != np.floor(distinct)).any():
        return False
    few = len(distinct) <= _MAX_DISTINCT and len(distinct) * _MIN_VALUES_PER_DISTINCT <= len(numbers)
    return len(distinct) <= 2 or few  # noqa: PLR2004 - a flag


def quantile_edges(numbers: Floats, bins: int) -> tuple[float, ...]:
    """Upper edges (``le``) of all bins but the last: `bins` quantiles plus the 0.1, 1, 99 and 99.9 % tails.

    Edges are values of the data, so no arithmetic can overflow and outliers carry no more than their rank. Equal
    edges become one. The two outer bins are open; at an end that is a value of its own (5 % of the data, such as
    many zeros) an extra bin beyond it shows what was never seen in training.
    """
    ordered = np.sort(numbers[np.isfinite(numbers)])
    count = len(ordered)
    if not count:
        return ()
    levels = sorted({*_TAILS, *(step / bins for step in range(1, bins))})
    ranks = [min(max(math.ceil(level * count) - 1, 0), count - 1) for level in levels]
    edges = sorted({float(ordered[rank]) + 0.0 for rank in ranks})
    low, high = float(ordered[0]), float(ordered[-1])
    if edges[0] == low and _share(ordered, low) >= _ATOM_SHARE and low > -_LARGEST:
        edges.insert(0, min(math.nextafter(low, -math.inf), low - _SMALLEST))
    if edges[-1] == high and _share(ordered, high) < _ATOM_SHARE and len(edges) > 1:
        edges.pop()
    return tuple(edges)


def _share(ordered: Floats, value: float) -> float:
    first, last = np.searchsorted(ordered, value, "left"), np.searchsorted(ordered, value, "right")
    return float(last - first) / len(ordered)


def count_cumulative(matrix: Floats, edges: Floats) -> Ints:
    """Count values at or below each edge.

    Nine compares over a contiguous row cost a tenth of `numpy.searchsorted` on random data.

    Args:
        matrix: Shape (features, values). NaN is at or below nothing.
        edges: Shape (features, edges), rows padded with +inf.

    Returns:
        Shape (features, edges + 1); the last column counts all values but NaN.
    """
    cumulative = np.empty((matrix.shape[0], edges.shape[1] + 1), np.int64)
    for index in range(edges.shape[1]):
        cumulative[:, index] = np.count_nonzero(matrix <= edges[:, index : index + 1], axis=1)
    cumulative[:, -1] = np.count_nonzero(matrix == matrix, axis=1)  # noqa: PLR0124 - NaN equals nothing
    return cumulative


def count_numbers(numbers: Floats, edges: Sequence[float]) -> tuple[int, ...]:
    """Count one column per bin; in steps, so that a long column neither holds the lock nor doubles the memory."""
    padded = np.array([edges], np.float64).reshape(1, -1)
    total = np.zeros((1, len(edges) + 1), np.int64)
    for start in range(0, len(numbers), _CHUNK_VALUES):
        total += count_cumulative(numbers[np.newaxis, start : start + _CHUNK_VALUES], padded)
    return tuple(int(count) for count in np.diff(total[0], prepend=0))


def category_counts(column: Iterable[object]) -> tuple[dict[str, int], int, int]:
    """Count a column's labels; also how many items are missing, and how many cannot be a category."""
    counts: dict[str, int] = {}
    missing = bad = 0
    for item in _items(column):
        try:
            label = to_label(item)
        except TypeError:
            bad += 1
            continue
        if label is None:
            missing += 1
        else:
            counts[label] = counts.get(label, 0) + 1
    return counts, missing, bad


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


def _missing(item: object) -> bool:
    # pandas' NA comes first: it refuses to be compared.
    return item is None or type(item).__name__ in {"NAType", "NaTType"} or item != item  # noqa: PLR0124


def _items(column: Iterable[object]) -> Iterable[object]:
    """A column's items one by one; whole numbers stay exact, which as floats they would not."""
    if hasattr(column, "to_numpy") or hasattr(column, "tolist"):
        return cast("list[object]", _as_array(column).tolist())
    return column


def _as_array(column: Iterable[object]) -> NDArray[Any]:
    if isinstance(column, np.ma.MaskedArray):
        return np.array(cast("Any", column).tolist(), dtype=object)
    if isinstance(column, np.ndarray):
        array = cast("NDArray[Any]", column)
    elif (convert := cast("Callable[[], NDArray[Any]] | None", getattr(column, "to_numpy", None))) is not None:
        array = convert()
    else:
        items = list(column)
        array = np.fromiter(items, object, len(items))
        if items and {int, float}.issuperset(map(type, items)):
            with contextlib.suppress(OverflowError):
                array = np.array(items, np.float64)
    if array.ndim != 1:
        array = array.reshape(len(array), -1)
        if array.shape[1] != 1:
            message = f"a column has one dimension, not the shape {array.shape}"
            raise ValueError(message)
        array = array[:, 0]
    return array
