"""Values as callers hand them over, turned into what JSON and msgpack can carry."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, TypeAlias, cast

import msgspec

__all__ = ["JsonValue", "is_absent", "plain", "plain_body", "unwrap"]

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"

_SCALARS = frozenset({type(None), bool, int, float, str})
_ABSENT_NAMES = frozenset({"NAType", "NaTType"})


def is_absent(value: object) -> bool:
    """Whether it is one of pandas' two values for "no value", which are neither None nor NaN and cannot be compared."""
    return type(value).__name__ in _ABSENT_NAMES


def plain(value: object) -> JsonValue:
    """Return `value` built from None, bool, int, float, str, list and dict with text keys only.

    numpy scalars and arrays, pandas objects, dataclasses, attrs and msgspec objects, enums, dates, sets and bytes
    (as base64) are understood. The result never shares a container with the argument. NaN and infinities stay floats;
    a Decimal becomes the nearest float, as it does wherever it is counted.

    Raises:
        TypeError: A value inside has no such form.
        RecursionError: A container holds itself.
    """
    kind = type(value)
    if kind in _SCALARS:
        return cast("JsonValue", value)
    if kind is list or kind is tuple:
        items = cast("list[object]", value)
        if _SCALARS.issuperset(map(type, items)):
            return cast("JsonValue", list(items))
        return [plain(item) for item in items]
    if kind is dict:
        mapping = cast("dict[object, object]", value)
        if _SCALARS.issuperset(map(type, mapping.values())) and {str}.issuperset(map(type, mapping)):
            return cast("JsonValue", dict(mapping))
        return {_key(key): plain(item) for key, item in mapping.items()}
    return _other(value)


def plain_body(body: object) -> JsonValue:
    """Return a request body as `plain` does, except that bytes which are UTF-8 become text."""
    if isinstance(body, (bytes, bytearray, memoryview)):
        content = bytes(cast("bytes", body))
        try:
            return content.decode()
        except UnicodeDecodeError:
            return plain(content)
    return plain(body)


def _key(key: object) -> str:
    if isinstance(key, str):
        return str(key)
    if isinstance(key, (int, float)):
        return str(key)
    message = f"a mapping key must be text or a number, not {type(key).__name__}"
    raise TypeError(message)


def _other(value: object) -> JsonValue:
    if isinstance(value, Mapping):
        return plain(dict(cast("Mapping[object, object]", value)))
    if isinstance(value, Decimal):
        return math.nan if value.is_nan() else float(value)
    # Without its own form for decimals, which is text.
    made = msgspec.to_builtins(value, str_keys=True, enc_hook=unwrap, builtin_types=(Decimal,))
    return cast("JsonValue", made) if type(made) in _SCALARS else plain(made)


def unwrap(value: object) -> object:
    """One step towards builtin types, for what msgspec does not know: numpy, pandas, torch and look-alikes."""
    kind = type(value)
    if is_absent(value):
        return None
    if isinstance(value, Mapping):
        return dict(cast("Mapping[object, object]", value))
    loose = cast("Any", value)
    if kind.__name__ == "DataFrame":
        return loose.to_dicts() if hasattr(loose, "to_dicts") else loose.to_dict("records")
    pandas_series = kind.__name__ == "Series" and hasattr(loose, "to_dict")
    names = ("to_dict",) if pandas_series else ("tolist", "item", "isoformat", "to_pylist", "to_list")
    for name in names:
        convert = getattr(loose, name, None)
        if callable(convert):
            return convert()
    for base in (str, int, float):
        if isinstance(value, base):
            return base(value)
    message = f"{kind.__module__}.{kind.__qualname__} has no JSON form"
    raise TypeError(message)
