"""An Arrow table's columns: their kinds, and such as every engine reads."""

from __future__ import annotations

from typing import Any

from modelport._extras import require
from modelport.drift.offline._columns import Column, ColumnKind

__all__ = ["columns_of", "plain_columns"]


def columns_of(table: Any) -> list[Column]:
    """The columns of a ``pyarrow.Table``."""
    return [Column(field.name, _kind(field.type)) for field in table.schema]


def plain_columns(table: Any) -> Any:
    """The table, with types that every engine reads: wider ones in the place of those that one of them does not."""
    pa: Any = require("pyarrow", "parquet")
    for place, field in enumerate(table.schema):
        kind = _plain_type(pa, field.type)
        if kind is not field.type:
            column = table.column(place)
            if isinstance(field.type, pa.BaseExtensionType):
                # Such as a period of pandas, whose number is no value of its own.
                column = pa.chunked_array([pa.array([None if gone else b"" for gone in column.is_null().to_pylist()])])
            table = table.set_column(place, field.name, column.cast(kind))
    return table


def _plain_type(pa: Any, kind: Any) -> Any:
    types = pa.types
    if isinstance(kind, pa.BaseExtensionType):
        return pa.binary() if types.is_integer(kind.storage_type) else kind
    if types.is_float16(kind):
        return pa.float32()
    if types.is_decimal256(kind):
        return pa.float64()
    return pa.string() if types.is_string_view(kind) else kind


def _kind(kind: Any) -> ColumnKind:
    types: Any = require("pyarrow.types", "parquet")
    if types.is_dictionary(kind):
        kind = kind.value_type
    if types.is_boolean(kind):
        return "boolean"
    if types.is_integer(kind):
        return "integer"
    if types.is_floating(kind) or types.is_decimal(kind):
        return "float"
    if types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind):
        return "text"
    return "time" if types.is_timestamp(kind) or types.is_date(kind) else "other"
