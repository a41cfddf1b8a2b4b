"""What a column may hold: the kind of one JSON value, and the kind that two of them share."""

from __future__ import annotations

import math
from enum import StrEnum
from typing import TYPE_CHECKING, Any, cast

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from modelport._plain import JsonValue

__all__ = ["Kind", "all_fit", "canonical_json", "encode_json", "fits", "kind_of", "shared", "to_cell"]

_MAX_EXACT_INT = 2**53
_INFINITIES = {"Infinity": math.inf, "-Infinity": -math.inf}


class Kind(StrEnum):
    """The kinds of a column. The values are written into files, so they stay."""

    EMPTY = "empty"
    BOOL = "bool"
    INT = "int"
    """Whole numbers only. They lie in a double column, so that a file with 41.5 has the same type."""
    NUMBER = "number"
    INFINITY = "infinity"
    """Only the texts that stand for infinities in JSON: numbers among numbers, text among text."""
    TEXT = "text"
    JSON = "json"
    """Lists, objects, or scalars of several kinds but no text: each cell is JSON."""
    MIXED = "mixed"
    """Text and something else: text lies there as it is, the rest as JSON."""


_NUMBERS = frozenset({Kind.INT, Kind.NUMBER, Kind.INFINITY})
_TEXTS = frozenset({Kind.TEXT, Kind.INFINITY})


def kind_of(value: JsonValue) -> Kind:
    """The kind of one value; null and NaN, which both mean "missing", are `Kind.EMPTY`."""
    if isinstance(value, str):
        return Kind.INFINITY if value in _INFINITIES else Kind.TEXT
    if isinstance(value, bool):
        return Kind.BOOL
    if isinstance(value, int):
        return Kind.INT
    if isinstance(value, float):
        return Kind.EMPTY if math.isnan(value) else Kind.NUMBER
    return Kind.EMPTY if value is None else Kind.JSON


def shared(left: Kind, right: Kind) -> Kind:
    """The narrowest kind that holds what either holds; the order of its arguments does not matter."""
    kinds = {left, right} - {Kind.EMPTY}
    if len(kinds) <= 1:
        return kinds.pop() if kinds else Kind.EMPTY
    if kinds <= _NUMBERS:
        # An infinity has no whole number for a neighbour: as a number it is a float.
        return Kind.NUMBER
    if kinds <= _TEXTS:
        return Kind.TEXT
    return Kind.MIXED if kinds & {Kind.TEXT, Kind.MIXED} else Kind.JSON


def fits(kind: Kind, value: JsonValue) -> bool:
    """Whether a column of `kind` gives `value` back as it was (a whole number may come back as an equal float)."""
    if value is None:
        return True
    return _FITS[kind](value)


def all_fit(kind: Kind, values: Sequence[JsonValue]) -> bool:
    """Whether all of `values` fit and are their own cells; quick, and False where only a look at each can tell."""
    types = set(map(type, values))
    types.discard(type(None))
    if kind is Kind.TEXT or kind is Kind.INFINITY:
        return types <= {str}
    if kind is Kind.BOOL:
        return types <= {bool}
    if kind is Kind.NUMBER and types <= {float}:
        return True
    if kind is Kind.INT and types <= {int}:
        return all(value is None or -_MAX_EXACT_INT <= cast("int", value) <= _MAX_EXACT_INT for value in values)
    return not types


def to_cell(kind: Kind, value: JsonValue) -> bool | float | str | None:
    """What stands for `value` in a column of `kind`; None where the column has no room for it."""
    return None if value is None else _CELLS[kind](value)


def encode_json(value: object) -> str:
    """`value` as JSON text; NaN becomes null, an infinity the text that stands for it in lines."""
    text = msgspec.json.encode(value)
    # msgspec writes every non-finite float as null, so a text without one holds none.
    return (msgspec.json.encode(_finite(value)) if b"null" in text else text).decode()


def canonical_json(value: object) -> str:
    """JSON that is the same for equal values: keys sorted, and 41.0 written as 41.

    A whole number that has been in a column with fractions comes back as a float; its text must not tell.
    """
    return msgspec.json.encode(_whole(_finite(value)), order="deterministic").decode()


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
    return _mapped(_finite, value)


def _whole(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer() and abs(value) <= _MAX_EXACT_INT:
        # -0.0 is no whole number that JSON could write.
        return int(value) if value or math.copysign(1, value) > 0 else value
    return _mapped(_whole, value)


def _mapped(function: Callable[[Any], Any], value: Any) -> Any:
    if isinstance(value, list):
        return [function(item) for item in cast("list[Any]", value)]
    if isinstance(value, dict):
        return {name: function(item) for name, item in cast("dict[str, Any]", value).items()}
    return value


def _fits_number(value: JsonValue) -> bool:
    if isinstance(value, str):
        return value in _INFINITIES
    if isinstance(value, int) and not isinstance(value, bool):
        return -_MAX_EXACT_INT <= value <= _MAX_EXACT_INT
    return isinstance(value, float)


def _fits_int(value: JsonValue) -> bool:
    return isinstance(value, int) and _fits_number(value)


def _number(value: JsonValue) -> float | None:
    if isinstance(value, str):
        return _INFINITIES.get(value)
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return None
    try:
        number = float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
    return None if math.isnan(number) else number


def _bool(value: JsonValue) -> bool | None:
    return value if isinstance(value, bool) else None


def _text(value: JsonValue) -> str | None:
    return value if isinstance(value, str) else None


def _mixed(value: JsonValue) -> str | None:
    return value if isinstance(value, str) else _json(value)


def _json(value: JsonValue) -> str | None:
    return None if _is_nan(value) else canonical_json(value)


def _is_nan(value: JsonValue) -> bool:
    return isinstance(value, float) and math.isnan(value)


_FITS: dict[Kind, Callable[[JsonValue], bool]] = {
    Kind.EMPTY: _is_nan,
    Kind.BOOL: lambda value: isinstance(value, bool) or _is_nan(value),
    Kind.INT: lambda value: _fits_int(value) or _is_nan(value),
    Kind.NUMBER: _fits_number,
    Kind.INFINITY: lambda value: isinstance(value, str) or _is_nan(value),
    Kind.TEXT: lambda value: isinstance(value, str) or _is_nan(value),
    Kind.JSON: lambda _: True,
    Kind.MIXED: lambda value: isinstance(value, str) or _is_nan(value),
}

_CELLS: dict[Kind, Callable[[JsonValue], bool | float | str | None]] = {
    Kind.EMPTY: _number,
    Kind.BOOL: _bool,
    Kind.INT: _number,
    Kind.NUMBER: _number,
    Kind.INFINITY: _text,
    Kind.TEXT: _text,
    Kind.JSON: _json,
    Kind.MIXED: _mixed,
}
