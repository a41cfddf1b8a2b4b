"""The kinds of an Arrow table's columns."""

from __future__ import annotations

from typing import Any

from modelport._extras import require
from modelport.drift.offline._columns import Column, ColumnKind

__all__ = ["columns_of"]


def columns_of(table: Any) -> list[Column]:
    """The columns of a ``pyarrow.Table``."""
    return [Column(field.name, _kind(field.type)) for field in table.schema]


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
