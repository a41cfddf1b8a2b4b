"""One column of any library, in pieces: numpy arrays of numbers, or values with how often each occurs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, cast

import numpy as np

from modelport._extras import require
from modelport._plain import is_absent
from modelport.drift._values import distinct

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

__all__ = ["Counted", "Piece", "is_categories", "pieces"]

Counted: TypeAlias = "list[tuple[object, int]]"
"""Values, and how often each occurs; a value may be there more than once."""

_ITEMS_AT_ONCE = 1 << 16
# Up to here every whole number is a float.
_EXACT_INT = 2**53
_TIMES = (dt.date, dt.time, dt.timedelta)


class Piece(NamedTuple):
    """Some of a column's values, and how many beside them are null.

    Attributes:
        values: An array of kind f, i or u, or any values with their counts.
        nulls: Values that the column's library calls null.
    """

    values: NDArray[Any] | Counted
    nulls: int = 0


def pieces(column: Iterable[object], *, categorical: bool = False) -> Iterator[Piece]:
    """All values of the column; read once.

    Args:
        column: Of pandas, polars or pyarrow, a numpy array, or any iterable.
        categorical: Times are wanted, as the text that is logged for them.

    Raises:
        ValueError: More than one dimension, or times without `categorical`.
    """
    library = type(column).__module__.partition(".")[0]
    loose = cast("Any", column)
    if library == "pyarrow":
        for chunk in getattr(loose, "chunks", [loose]):
            yield _arrow(chunk, categorical=categorical)
    elif library == "pandas":
        absent = np.asarray(loose.isna())
        yield _objects_or_array(loose[~absent], int(absent.sum()), categorical=categorical)
    elif library == "polars":
        yield _polars(loose, categorical=categorical)
    elif hasattr(column, "__array__") or hasattr(column, "__len__"):
        yield _objects_or_array(loose, 0, categorical=categorical)
    else:
        items = iter(column)
        while chunk := list(islice(items, _ITEMS_AT_ONCE)):
            yield _listed(chunk, 0, categorical=categorical)


def is_categories(column: object) -> bool:
    """Whether its library has the column as categories, which may be numbers."""
    kind = str(getattr(column, "type", "")) + str(getattr(column, "dtype", ""))
    return kind.startswith(("category", "dictionary", "Categorical", "Enum"))


def _arrow(array: Any, *, categorical: bool) -> Piece:
    pa: Any = require("pyarrow", "parquet")
    types = pa.types
    if types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if types.is_string_view(array.type):
        # Arrow cannot leave the nulls of these out.
        array = array.cast(pa.string())
    nulls = int(array.null_count)
    present = array.drop_null() if nulls else array
    if types.is_integer(array.type) or types.is_floating(array.type):
        return Piece(present.to_numpy(zero_copy_only=False), nulls)
    if types.is_boolean(array.type) or types.is_string(array.type) or types.is_large_string(array.type):
        counted = present.value_counts()
        found = zip(counted.field("values").to_pylist(), counted.field("counts").to_pylist(), strict=True)
        return Piece(list(found), nulls)
    return _listed(present.to_pylist(), nulls, categorical=categorical)


def _polars(series: Any, *, categorical: bool) -> Piece:
    nulls = int(series.null_count())
    present = series.drop_nulls() if nulls else series
    # Numpy has no number of 128 bits.
    if series.dtype.is_numeric() and not series.dtype.is_decimal() and not str(series.dtype).endswith("128"):
        return Piece(present.to_numpy(), nulls)
    return _listed(present.to_list(), nulls, categorical=categorical)


def _objects_or_array(column: Any, nulls: int, *, categorical: bool) -> Piece:
    if isinstance(column, np.ma.MaskedArray):
        return _listed(cast("Any", column).tolist(), nulls, categorical=categorical)
    if isinstance(column, (list, tuple, range)) or not hasattr(column, "__array__"):
        return _listed(list(cast("Iterable[object]", column)), nulls, categorical=categorical)
    array = _one_dimension(np.asarray(column))
    if array.dtype.kind in "fiu":
        return Piece(array, nulls)
    if array.dtype.kind in "Mm":
        # Not in nanoseconds, which numpy hands out as whole numbers.
        array = array.astype(f"{array.dtype.kind}8[us]")
    return _listed(array.tolist(), nulls, categorical=categorical)


def _one_dimension(array: NDArray[Any]) -> NDArray[Any]:
    if array.ndim == 1:
        return array
    if array.ndim == 2 and array.shape[1] == 1:  # noqa: PLR2004 - rows and columns
        return array[:, 0]
    message = f"a column has one dimension, not the shape {array.shape}"
    raise ValueError(message)


def _listed(items: Sequence[object], nulls: int, *, categorical: bool) -> Piece:
    """Python's objects: an array where they are numbers that it holds exactly."""
    kinds = set(map(type, items))
    if type(None) in kinds:
        kinds.remove(type(None))
        present = [item for item in items if item is not None]
        items, nulls = present, nulls + len(items) - len(present)
    if kinds and kinds <= {int, float}:
        array = _number_array(items, kinds)
        if array is not None:
            return Piece(array, nulls)
    counted = list(distinct(items))
    if not categorical and any(isinstance(value, _TIMES) and not is_absent(value) for value, _ in counted):
        message = "dates and times have no bins: give a number (such as days since an event), or say it is categorical"
        raise ValueError(message)
    return Piece(counted, nulls)


def _number_array(items: Sequence[object], kinds: set[type]) -> NDArray[Any] | None:
    try:
        if float not in kinds:
            return np.array(items, np.int64)
        array = np.array(items, np.float64)
    except OverflowError:
        return None
    # A whole number among floats must not lose digits, which a category's label would show.
    beyond = int in kinds and bool((np.abs(array) >= _EXACT_INT).any())
    return None if beyond else array
