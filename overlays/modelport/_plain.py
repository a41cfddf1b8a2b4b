"""Values as callers hand them over, turned into what JSON and msgpack can carry."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, TypeAlias, cast

import msgspec

__all__ = ["MAX_LEVELS", "SCALARS", "JsonValue", "is_absent", "plain", "plain_body", "unwrap"]

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"

MAX_LEVELS = 200
"""Containers that may lie in each other. Ruby's JSON and protobuf take 100; Python's stack ends at some 450."""

SCALARS = frozenset({type(None), bool, int, float, str})
"""What lies in no container and holds none."""

# A Series of polars has an `item` too, which is for one value only.
_CONVERSIONS = ("tolist", "to_list", "item", "isoformat", "to_pylist", "model_dump")
_ABSENT_NAMES = frozenset({"NAType", "NaTType"})


def is_absent(value: object) -> bool:
    """Whether it is one of pandas' two values for "no value", which are neither None nor NaN and cannot be compared."""
    return type(value).__name__ in _ABSENT_NAMES


def plain(value: object, levels: int = MAX_LEVELS) -> JsonValue:
    """Return `value` built from None, bool, int, float, str, list and dict with text keys only.

    numpy scalars and arrays, pandas objects, pydantic models, dataclasses, attrs and msgspec objects, enums, dates,
    sets and bytes (as base64) are understood. The result never shares a container with the argument. NaN and
    infinities stay floats; a Decimal becomes the nearest float, as it does wherever it is counted. A key that is no
    text becomes what JSON would write for it, such as ``null`` or ``[1,2]``.

    Args:
        value: What to convert.
        levels: How many containers may lie in each other.

    Raises:
        TypeError: A value inside has no such form.
        ValueError: More containers lie in each other, or one holds itself.
    """
    kind = type(value)
    if kind in SCALARS:
        return cast("JsonValue", value)
    if kind is list or kind is tuple:
        items = cast("list[object]", value)
        inner = _inner(levels)
        if SCALARS.issuperset(map(type, items)):
            return cast("JsonValue", list(items))
        return [plain(item, inner) for item in items]
    if kind is dict:
        mapping = cast("dict[object, object]", value)
        inner = _inner(levels)
        if SCALARS.issuperset(map(type, mapping.values())) and {str}.issuperset(map(type, mapping)):
            return cast("JsonValue", dict(mapping))
        return {_key(key, inner): plain(item, inner) for key, item in mapping.items()}
    return _other(value, levels)


def plain_body(body: object) -> JsonValue:
    """Return a request body as `plain` does, except that bytes which are UTF-8 become text."""
    if isinstance(body, (bytes, bytearray, memoryview)):
        content = bytes(cast("bytes", body))
        try:
            return content.decode()
        except UnicodeDecodeError:
            return plain(content)
    return plain(body)


def _inner(levels: int) -> int:
    if levels > 0:
        return levels - 1
    message = f"more than {MAX_LEVELS} containers lie in each other"
    raise ValueError(message)


def _key(key: object, levels: int) -> str:
    if type(key) is str:
        return key
    made = plain(key, levels)
    # Numbers by themselves, as JSON has no NaN.
    return str(made) if type(made) in {str, int, float} else msgspec.json.encode(made).decode()


def _other(value: object, levels: int) -> JsonValue:
    if isinstance(value, Mapping):
        return plain(dict(cast("Mapping[object, object]", value)), levels)
    if isinstance(value, Decimal):
        return math.nan if value.is_nan() else float(value)
    # Without its own form for decimals, which is text.
    made = msgspec.to_builtins(value, str_keys=True, enc_hook=unwrap, builtin_types=(Decimal,))
    return cast("JsonValue", made) if type(made) in SCALARS else plain(made, levels)


def unwrap(value: object) -> object:
    """One step towards builtin types, for what msgspec does not know: numpy, pandas, torch, pydantic and look-alikes.

    Raises:
        TypeError: It has no such form, or panics on the way to it.
        Exception: Whatever its own conversion raises.
    """
    kind = type(value)
    try:
        if is_absent(value):
            return None
        if isinstance(value, Mapping):
            return dict(cast("Mapping[object, object]", value))
        loose = cast("Any", value)
        if kind.__name__ == "DataFrame":
            return loose.to_dicts() if hasattr(loose, "to_dicts") else loose.to_dict("records")
        pandas_series = kind.__name__ == "Series" and hasattr(loose, "to_dict")
        for name in ("to_dict",) if pandas_series else _CONVERSIONS:
            convert = getattr(loose, name, None)
            if callable(convert):
                return convert()
        for base in (str, int, float):
            if isinstance(value, base):
                return base(value)
    except (Exception, KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:
        # A panic in Rust (polars, obstore) is no Exception, and would pass by whoever is ready for those.
        message = f"{kind.__module__}.{kind.__qualname__} cannot be converted: {type(error).__name__}"
        raise TypeError(message) from error
    message = f"{kind.__module__}.{kind.__qualname__} has no JSON form"
    raise TypeError(message)
