"""Columns of CSV files: all text, read as what the text says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from modelport._extras import require
from modelport.drift._values import to_label, to_number

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Set as AbstractSet

__all__ = ["Form", "as_labels", "as_numbers", "as_typed", "common_form", "forms"]

Form: TypeAlias = Literal["whole", "number", "flag", "text"]
"""What a column's cells are: ``whole`` numbers, numbers, true or false, or anything."""

_FLAGS = {"true": True, "false": False}


def forms(array: Any) -> set[Form]:
    """What the cells are that are not empty: one form or none, but both flag and number are possible over batches."""
    present = array.drop_null()
    if not len(present):
        return set()
    if _cast(present, "int64") is not None:
        return {"whole"}
    distinct = present.unique().to_pylist()
    if _cast(present, "float64") is not None or all(_number(cell) is not None for cell in distinct):
        return {"number"}
    return {"flag"} if all(cell.strip().lower() in _FLAGS for cell in distinct) else {"text"}


def common_form(found: AbstractSet[Form]) -> Form:
    """The form of a column whose batches have these."""
    if not found or "text" in found or ("flag" in found and len(found) > 1):
        return "text"
    if "flag" in found:
        return "flag"
    return "number" if "number" in found else "whole"


def as_typed(array: Any, form: Form) -> Any:
    """The column as what it is."""
    if form == "whole":
        return _cast(array, "int64")
    if form == "number":
        return as_numbers(array)
    return _mapped(array, lambda cell: _FLAGS[cell.strip().lower()]) if form == "flag" else array


def as_numbers(array: Any) -> Any:
    """The column as floats if all cells are numbers; else as it is, for each cell to be looked at."""
    cast = _cast(array, "float64")
    if cast is not None:
        return cast
    distinct = array.drop_null().unique().to_pylist()
    return _mapped(array, _number) if all(_number(cell) is not None for cell in distinct) else array


def as_labels(array: Any, known: AbstractSet[str]) -> Any:
    """The column as labels: a cell itself, or else the number or flag that it spells, whichever is known."""

    def label(cell: str) -> str:
        return next((form for form in (to_label(cell), _spelled(cell)) if form in known and form), cell)

    return _mapped(array, label)


def _spelled(cell: str) -> str | None:
    flag = _FLAGS.get(cell.strip().lower())
    if flag is not None:
        return to_label(flag)
    try:
        return to_label(int(cell))
    except ValueError:
        number = _number(cell)
        return None if number is None else to_label(number)


def _number(cell: str) -> float | None:
    try:
        return to_number(cell)
    except ValueError:
        return None


def _mapped(array: Any, change: Callable[[str], object]) -> Any:
    pa: Any = require("pyarrow", "parquet")
    encoded = array.dictionary_encode()
    values = pa.array([change(cell) for cell in encoded.dictionary.to_pylist()])
    return values.take(encoded.indices)


def _cast(array: Any, to: str) -> Any:
    pa: Any = require("pyarrow", "parquet")
    try:
        return array.cast(to)
    except pa.ArrowInvalid:
        return None
