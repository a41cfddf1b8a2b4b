"""Data in any form, as batches of named columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, cast

from modelport._extras import require
from modelport.drift._errors import BaselineError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["RECORD_OUTPUT", "Batches", "Pairs", "batches"]

Pairs: TypeAlias = "Iterable[tuple[str, Iterable[object]]]"
"""Name and column, of some rows or of all."""

RECORD_OUTPUT = "\0output"
"""Stands for the output among the columns of logged predictions; no feature can have this name by accident."""

_ROWS_AT_ONCE = 8192
_FORMS = (
    "data is a frame, an Arrow table or stream, a mapping, an array with names, pairs of name and column, rows as "
    "mappings, or rows as sequences with names"
)


class Batches(NamedTuple):
    """Columns that come batch by batch, each batch with all of them."""

    items: Iterable[Pairs]


class _Peeked(NamedTuple):
    first: object
    items: Iterator[object]


def batches(data: object, names: Sequence[str] | None = None) -> Iterator[Pairs]:
    """The data's columns, once for data that is whole, else batch after batch.

    Args:
        data: A pandas or polars frame, an Arrow table, batch or reader of batches (or any object with the Arrow C
            stream interface), a mapping of name to column, a numpy array with named fields or of shape (rows,
            features) with `names`, pairs of name and column, or an iterable of rows: mappings, logged predictions,
            or sequences with `names`.
        names: The columns' names where the data has none; of rows as mappings, those to take.

    Raises:
        BaselineError: Another form, or rows that do not fit the names.
    """
    if isinstance(data, Batches):
        return iter(data.items)
    if hasattr(data, "read_next_batch"):
        return (zip(batch.schema.names, batch.columns, strict=True) for batch in cast("Iterable[Any]", data))
    whole = _whole(cast("Any", data), names)
    if whole is not None:
        return iter([whole])
    if isinstance(data, (str, bytes)) or not isinstance(data, Iterable):
        raise BaselineError(_FORMS)
    items = iter(cast("Iterable[object]", data))
    first = next(items, None)
    if first is None:
        raise BaselineError("data has no columns: it is empty")
    return _from_items(_Peeked(first, chain([first], items)), names)


def _whole(data: Any, names: Sequence[str] | None) -> Pairs | None:
    """All columns of a form that holds them all; None if it is another form."""
    if hasattr(data, "collect_schema") and hasattr(data, "collect"):  # a lazy frame of polars
        data = data.collect()
    if hasattr(data, "get_columns"):  # polars
        return ((str(column.name), column) for column in data.get_columns())
    if hasattr(data, "items"):  # pandas, or a mapping
        return ((str(name), column) for name, column in data.items())
    if hasattr(data, "ndim"):
        return _array(data, names)
    return _arrow(data)


def _arrow(data: Any) -> Pairs | None:
    if not (hasattr(data, "column_names") and hasattr(data, "schema")):  # neither a table nor a batch of pyarrow
        if not hasattr(data, "__arrow_c_stream__"):
            return None
        # DuckDB, Ibis and others.
        data = require("pyarrow", "parquet").RecordBatchReader.from_stream(data).read_all()
    return zip(map(str, data.column_names), data.columns, strict=True)


def _array(array: Any, names: Sequence[str] | None) -> Pairs:
    if array.dtype.names:
        return ((name, array[name]) for name in array.dtype.names)
    if names is None or array.ndim != 2 or array.shape[1] != len(names):  # noqa: PLR2004 - rows and columns
        message = f"an array needs the shape (rows, features) and as many names; it has {tuple(array.shape)}"
        raise BaselineError(message)
    return zip(names, array.T, strict=True)


def _from_items(peeked: _Peeked, names: Sequence[str] | None) -> Iterator[Pairs]:
    first, items = peeked
    if isinstance(first, Mapping):
        return _mappings(cast("Iterator[Mapping[object, object]]", items), names)
    if hasattr(first, "features"):
        return _records(items, names)
    if names is not None:
        return _sequences(cast("Iterator[Sequence[object]]", items), list(names))
    return iter([_pairs(items)])


def _pairs(items: Iterable[object]) -> Pairs:
    for item in items:
        try:
            name, column = cast("tuple[object, object]", item)
        except (TypeError, ValueError) as error:
            raise BaselineError(_FORMS) from error
        if not isinstance(column, Iterable) or isinstance(column, (str, bytes)):
            raise BaselineError(_FORMS)
        yield str(name), cast("Iterable[object]", column)


def _mappings(rows: Iterator[Mapping[object, object]], names: Sequence[str] | None) -> Iterator[Pairs]:
    known: dict[object, None] = dict.fromkeys(names or ())
    while chunk := list(islice(rows, _ROWS_AT_ONCE)):
        if names is None:
            for row in chunk:
                known.update(dict.fromkeys(row))
        yield [(str(name), [row.get(name) for row in chunk]) for name in known]


def _sequences(rows: Iterator[Sequence[object]], names: list[str]) -> Iterator[Pairs]:
    before = 0
    while chunk := list(islice(rows, _ROWS_AT_ONCE)):
        for number, row in enumerate(chunk, before + 1):
            if not hasattr(row, "__len__") or len(row) != len(names) or isinstance(row, (str, bytes)):
                message = f"row {number} is not a sequence of {len(names)} values, as many as names"
                raise BaselineError(message)
        before += len(chunk)
        yield zip(names, map(list, zip(*chunk, strict=True)), strict=True)


def _records(records: Iterator[Any], names: Sequence[str] | None) -> Iterator[Pairs]:
    """Features and output of logged predictions."""
    while chunk := list(islice(records, _ROWS_AT_ONCE)):
        rows = [record.features for record in chunk if hasattr(record, "features")]
        peeked = _Peeked(rows[0], iter(rows)) if rows else _Peeked({}, iter(()))
        outputs = [record.output for record in chunk if hasattr(record, "features")]
        for batch in _from_items(peeked, names):
            yield [*batch, (RECORD_OUTPUT, outputs)]
