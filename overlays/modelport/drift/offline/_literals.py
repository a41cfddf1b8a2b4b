"""Values as SQL that every engine reads alike."""

from __future__ import annotations

import math

__all__ = ["ESCAPES", "INFINITY", "double", "escape_text", "needs_escape", "number", "text"]

INFINITY = "CAST('Infinity' AS DOUBLE)"
_MINUS_INFINITY = "CAST('-Infinity' AS DOUBLE)"

_MARK = "\ue000"
# A quote is '' in the standard and \' in Spark, which also reads \n and ${name} inside a literal. So no literal holds
# any of these: they are spelled with a letter of the private use area, in the literal and (natively) in the column.
ESCAPES = ((_MARK, f"{_MARK}0"), ("'", f"{_MARK}1"), ("\\", f"{_MARK}2"), ("$", f"{_MARK}3"))
"""Replacements to make in this order; different texts stay different."""


def double(value: float) -> str:
    """A finite double, to the bit.

    Always with an exponent: DuckDB and Spark read ``0.1`` as a decimal, but ``0.1e0`` as a double.
    """
    written = repr(float(value))
    return written if "e" in written else f"{written}e0"


def number(value: float) -> str:
    """A double, finite or not."""
    if math.isinf(value):
        return INFINITY if value > 0 else _MINUS_INFINITY
    return double(value)


def needs_escape(value: str) -> bool:
    """Whether `value` cannot stand in a literal as it is."""
    return any(letter in value for letter, _ in ESCAPES)


def escape_text(value: str) -> str:
    """`value` without quotes, backslashes and dollar signs."""
    for letter, spelling in ESCAPES:
        value = value.replace(letter, spelling)
    return value


def text(value: str, *, escaped: bool) -> str:
    """A text literal, to be compared with a column that is escaped or not.

    Raises:
        ValueError: It needs escaping and `escaped` is False.
    """
    if escaped:
        value = escape_text(value)
    elif needs_escape(value):
        message = f"{value!r} must be escaped"
        raise ValueError(message)
    return f"'{value}'"
