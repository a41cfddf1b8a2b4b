"""How one value is read: as a number, as a category's label, as an edge's text. Training and serving share it."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

from modelport._plain import is_absent, plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = [
    "KEPT_LABEL_CHARACTERS",
    "MAX_LABEL_CHARACTERS",
    "OTHER",
    "distinct",
    "format_edge",
    "to_label",
    "to_number",
]

OTHER = "__other__"
"""The bin of every category that has no bin of its own."""

MAX_LABEL_CHARACTERS = 120
KEPT_LABEL_CHARACTERS = 103
"""Of a longer label so many stay; a ``~`` and a digest of the whole follow."""
# From this power of ten on, and below the other, Prometheus (that is, Go) writes a number with an exponent.
_GO_EXPONENT_FROM = 6
_GO_EXPONENT_BELOW = -4
# Of these types equal values have one label.
_ALIKE = frozenset({type(None), bool, int, float, str})


def to_number(value: object) -> float:
    """`value` as a float; NaN if it is missing (None, NaN, pandas' NA), infinite where it exceeds a float's range.

    Text is read as `float` does ("2.5", "Infinity"); an array, list or set of one item counts as that item.

    Raises:
        TypeError: Not a number.
        ValueError: Text that is not a number.
    """
    if value is None or is_absent(value):
        return math.nan
    if isinstance(value, (bytes, bytearray, complex)):
        message = f"not a number: {type(value).__name__}"
        raise TypeError(message)
    try:
        return float(cast("Any", value))
    except OverflowError:
        return math.inf if cast("int", value) > 0 else -math.inf
    except ValueError:
        if isinstance(value, Decimal):
            # A signaling NaN, the one Decimal that float() refuses.
            return math.nan
        raise
    except TypeError:
        # The form that is logged, so that counts made from logs agree with live ones.
        item = _only_item(plain(value))
        return math.nan if item is None else float(cast("Any", item))


def to_label(value: object) -> str | None:
    """The label of a categorical value; None if it is missing.

    Equal numbers share a label whatever their type: ``1``, ``1.0``, ``True``, ``Decimal("1.0")`` and
    ``numpy.int64(1)`` are all "1". A label longer than 120 characters is cut and made unique by a digest; half a
    surrogate pair, which no file can hold, becomes "?".

    Raises:
        TypeError: A container, which cannot be a category.
    """
    if type(value) is str:
        return _bounded(value)
    # The form that is logged, so that counts made from logs agree with live ones.
    item = _only_item(plain(value))
    if item is None:
        return None
    if isinstance(item, str):
        return _bounded(item)
    return _number_label(cast("float", item))


def distinct(values: Sequence[object]) -> Iterable[tuple[object, int]]:
    """Values and how often each occurs; one by one if any of them refuses to be hashed."""
    try:
        if _ALIKE.issuperset(map(type, values)):
            return Counter(values).items()
        # A fraction equals a float, and only one of them is a label.
        return [(value, number) for (_, value), number in Counter(zip(map(type, values), values, strict=True)).items()]
    except Exception:  # noqa: BLE001 - hashing runs the values' own code
        return [(value, 1) for value in values]


def format_edge(edge: float) -> str:
    """An edge as Prometheus 3 spells it: ``1.0``, ``2.5``, ``1e+06``, ``+Inf``.

    Used for every ``le`` and ``bin`` label, so that baseline and live series match letter by letter.
    """
    if math.isinf(edge):
        return "+Inf" if edge > 0 else "-Inf"
    if edge == 0:
        return "0.0"
    sign, digits, exponent = Decimal(repr(edge)).normalize().as_tuple()
    power = len(digits) + int(exponent) - 1
    if _GO_EXPONENT_BELOW <= power < _GO_EXPONENT_FROM:
        return repr(edge)
    text = "".join(map(str, digits))
    mantissa = text[0] + ("." + text[1:] if len(text) > 1 else "")
    return f"{'-' if sign else ''}{mantissa}e{'-' if power < 0 else '+'}{abs(power):02d}"


def _number_label(value: float) -> str | None:
    if isinstance(value, float):
        if math.isnan(value):
            return None
        if not math.isfinite(value):
            return "Infinity" if value > 0 else "-Infinity"
        if not value.is_integer():
            return repr(float(value))
    return _bounded(str(int(value)))


def _bounded(label: str) -> str:
    if not label.isascii():
        label = label.encode("utf-8", "replace").decode()
    if len(label) <= MAX_LABEL_CHARACTERS:
        return label
    digest = hashlib.sha256(label.encode()).hexdigest()[: MAX_LABEL_CHARACTERS - KEPT_LABEL_CHARACTERS - 1]
    return f"{label[:KEPT_LABEL_CHARACTERS]}~{digest}"


def _only_item(value: object) -> object:
    items = cast("Any", value).tolist() if hasattr(value, "tolist") else value
    while isinstance(items, (list, tuple)) and len(cast("list[object]", items)) == 1:
        items = cast("list[object]", items)[0]
    if isinstance(items, (list, tuple, dict)):
        message = "not a single value"
        raise TypeError(message)
    return items
