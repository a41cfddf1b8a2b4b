"""Models and JSON values as they go on the wire: under their wire names, as builtins, as bytes."""

from __future__ import annotations

import math
from datetime import date
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeGuard

from .errors import EncodeError
from .json_bytes import is_light, write_json
from .types import UNSET

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def encode_json(value: object) -> bytes:
    """A model or any JSON value to bytes; `UNSET` fields are left out.

    Raises:
        EncodeError: If a value has no JSON form, NaN and infinities included.
    """
    if not (is_light() and _is_small(value)):
        import msgspec

        from .compiled import UNFIT, packed

        try:
            return msgspec.json.encode(packed(value))
        except UNFIT:
            pass  # said in full below
    try:
        return write_json(to_builtins(value))
    except RecursionError:
        raise EncodeError("the value is nested too deeply, or holds itself") from None
    except UnicodeEncodeError as error:
        raise EncodeError(f"half of a surrogate pair has no JSON form: {error.object[error.start]!r}") from None


def _is_small(value: object) -> bool:
    """Whether a value has few entries, and these have few: deeper ones are not looked at."""
    entries = _entries(value)
    return len(entries) <= _FEW and all(len(_entries(entry)) <= _FEW for entry in entries)


def _entries(value: object) -> list[Any]:
    if is_array(value):
        return list(value)
    if is_object(value):
        return list(value.values())
    return [getattr(value, name) for name, _ in wire_fields(type(value))] if is_structured(value) else []


_FEW = 64


def is_object(value: object) -> TypeGuard[dict[Any, Any]]:
    """Whether a value is a dict: a check that leaves no unknown types behind for type checkers."""
    return isinstance(value, dict)


def is_array(value: object) -> TypeGuard[list[Any]]:
    """Whether a value is a list or tuple; see `is_object`."""
    return isinstance(value, list | tuple)


def is_structured(value: object) -> bool:
    """Whether a value is an object or array of JSON rather than a simple value."""
    return is_object(value) or is_array(value) or hasattr(type(value), "__attrs_attrs__")


def to_builtins(value: Any, where: str = "$") -> Any:
    """A model or any JSON value as dicts, lists and simple values, under their names on the wire.

    Raises:
        EncodeError: If a value has no JSON form; the message names its place.
    """
    kind: type[Any] = value.__class__
    if kind is str or kind is int or kind is bool or value is None:
        return value
    if kind is float:
        if not math.isfinite(value):
            raise EncodeError(f"{where}: {value} has no JSON form")
        return value
    if isinstance(value, Enum):
        if value is UNSET:
            raise EncodeError(f"{where}: UNSET has no JSON form")
        return to_builtins(value.value, where)
    if is_object(value) or hasattr(kind, "__attrs_attrs__"):
        entries = wire_items(value)
        return {name: to_builtins(item, f"{where}.{name}") for name, item in entries if item is not UNSET}
    if is_array(value):
        return [to_builtins(item, f"{where}[{index}]") for index, item in enumerate(value)]
    return _simple(value, where)


def _simple(value: Any, where: str) -> Any:
    for kind, convert in _CONVERTERS:
        if isinstance(value, kind):
            return to_builtins(convert(value), where)
    from decimal import Decimal
    from uuid import UUID

    if isinstance(value, Decimal):
        return to_builtins(float(value), where)
    if isinstance(value, UUID):
        return str(value)
    item = getattr(value, "item", None)
    if callable(item) and getattr(value, "shape", None) == ():
        return to_builtins(item(), where)
    tolist = getattr(value, "tolist", None)
    if callable(tolist):
        return to_builtins(tolist(), where)
    raise EncodeError(f"{where}: a {type(value).__name__} has no JSON form")


def date_text(value: date) -> str:
    """A date, or date and time, as it goes on the wire: that of UTC ends in ``Z``."""
    text = value.isoformat()
    return f"{text[:-6]}Z" if text.endswith("+00:00") else text


_CONVERTERS: tuple[tuple[type, Callable[[Any], Any]], ...] = (
    (str, str.__str__),
    (int, int),
    (float, float),
    (date, date_text),  # a datetime too
)


_FIELDS: dict[type, tuple[tuple[str, str], ...]] = {}


def wire_fields(cls: type) -> tuple[tuple[str, str], ...]:
    """The Python name and the name on the wire of each field of a generated model."""
    fields = _FIELDS.get(cls)
    if fields is None:
        attributes: Any = getattr(cls, "__attrs_attrs__", None)
        if attributes is None:
            raise EncodeError(f"a {cls.__name__} is not a generated model or a dict")
        fields = tuple(
            (attribute.name, attribute.metadata.get("wire", attribute.name))
            for attribute in attributes
            if attribute.name != "additional_properties"
        )
        _FIELDS[cls] = fields
    return fields


def wire_items(value: object) -> Iterator[tuple[str, Any]]:
    """The fields of a model, or the entries of a dict, under their names on the wire."""
    if is_object(value):
        yield from _text_keys(value)
        return
    for name, wire in wire_fields(type(value)):
        yield wire, getattr(value, name)
    yield from _text_keys(getattr(value, "additional_properties", {}))


def _text_keys(entries: dict[Any, Any]) -> Iterator[tuple[str, Any]]:
    for key, item in entries.items():
        if not isinstance(key, str):
            raise EncodeError(f"the key {key!r} is not a text")
        yield key.value if isinstance(key, Enum) else key, item
