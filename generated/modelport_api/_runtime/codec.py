"""Generated models from and to JSON: types are checked, unknown fields and enum members are kept.

A decoder is made once per type out of the annotations of the generated classes, on first need.
"""

from __future__ import annotations

import math
import types
import typing
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypeGuard, Union
from uuid import UUID

import msgspec

from .errors import EncodeError
from .types import UNSET, File, Unset

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Decoder = Callable[[Any], Any]
    Names = Callable[[str], Any]

_JSON_NAMES: dict[type, str] = {
    dict: "an object",
    list: "an array",
    str: "a text",
    bool: "a boolean",
    int: "an integer",
    float: "a number",
    type(None): "null",
}


class Mismatch(ValueError):  # noqa: N818 - never leaves the runtime
    """A JSON value that does not fit its type; the path to it grows as the error travels up."""

    def __init__(self, expected: str, value: object) -> None:
        super().__init__(expected)
        found = _JSON_NAMES.get(type(value), type(value).__name__)
        self.reason = f"expected {expected}, got {found}"
        self.path: list[str] = []

    def within(self, step: str) -> Mismatch:
        """The same, seen from one level up."""
        self.path.insert(0, step)
        return self

    def __str__(self) -> str:
        return f"${''.join(self.path)}: {self.reason}"


def parse_json(content: bytes) -> Any:
    """JSON bytes to Python values.

    Raises:
        ValueError: If the bytes are not JSON in UTF-8, or nested too deeply.
    """
    try:
        return msgspec.json.decode(content)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def encode_json(value: object) -> bytes:
    """A model or any JSON value to bytes; `UNSET` fields are left out.

    Raises:
        EncodeError: If a value has no JSON form, NaN and infinities included.
    """
    try:
        return msgspec.json.encode(to_builtins(value))
    except RecursionError:
        raise EncodeError("the value is nested too deeply, or holds itself") from None
    except UnicodeEncodeError as error:
        raise EncodeError(f"half of a surrogate pair has no JSON form: {error.object[error.start]!r}") from None


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
    item = getattr(value, "item", None)
    if callable(item) and getattr(value, "shape", None) == ():
        return to_builtins(item(), where)
    tolist = getattr(value, "tolist", None)
    if callable(tolist):
        return to_builtins(tolist(), where)
    raise EncodeError(f"{where}: a {type(value).__name__} has no JSON form")


_CONVERTERS: tuple[tuple[type, Callable[[Any], Any]], ...] = (
    (str, str.__str__),
    (int, int),
    (float, float),
    (Decimal, float),
    (UUID, str),
    (date, lambda value: value.isoformat()),  # a datetime too
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


def decoder_for(expression: str, names: Names) -> Decoder:
    """The decoder of a type expression such as ``list[UploadedModel]``.

    Args:
        expression: Written by the generator out of checked names; never text of a document.
        names: Looks a generated model up by its name.
    """
    return _decoder(eval(expression, {"__builtins__": {}}, _Scope(names)), names)  # noqa: S307 - see expression


class _Scope(dict[str, Any]):
    """Names that a type expression may use; generated models are looked up when they are named."""

    def __init__(self, names: Names) -> None:
        super().__init__(
            Any=Any, Literal=Literal, Unset=Unset, File=File, datetime=datetime, date=date, UUID=UUID, Decimal=Decimal,
            str=str, int=int, float=float, bool=bool, bytes=bytes, list=list, dict=dict, object=object,
        )  # fmt: skip
        self._names = names

    def __missing__(self, name: str) -> Any:
        return self._names(name)


def _decoder(kind: Any, names: Names) -> Decoder:  # noqa: PLR0911 - one return a kind of type
    if kind is Any or kind is object:
        return _any
    if isinstance(kind, str):
        return decoder_for(kind, names)
    origin = typing.get_origin(kind)
    if origin in {types.UnionType, Union}:
        return _union(typing.get_args(kind), names)
    if origin is list:
        return partial(_list, _decoder(typing.get_args(kind)[0], names))
    if origin is dict:
        return partial(_dict, _decoder(typing.get_args(kind)[1], names))
    if origin is Literal:
        return partial(_literal, typing.get_args(kind))
    if kind in _SCALARS:
        return _SCALARS[kind]
    if _is_enum(kind):
        return partial(_enum, kind, {member.value: member for member in kind}, str if issubclass(kind, str) else int)
    model = _MODELS.get(kind)
    if model is None:
        model = _MODELS[kind] = _Model(kind, names)
    return model


def _is_enum(kind: Any) -> TypeGuard[type[Enum]]:
    return isinstance(kind, type) and issubclass(kind, Enum)


def _any(value: Any) -> Any:
    return value


def _text(value: Any) -> str:
    if value.__class__ is str:
        return value
    raise Mismatch("a text", value)


def _boolean(value: Any) -> bool:
    if value is True or value is False:
        return value
    raise Mismatch("a boolean", value)


def _null(value: Any) -> None:
    if value is not None:
        raise Mismatch("null", value)


def _integer(value: Any) -> int:
    if type(value) is int:
        return value
    if type(value) is float and value.is_integer():  # JSON has one kind of number: 3.0 is an integer
        return int(value)
    raise Mismatch("an integer", value)


def _number(value: Any) -> float:
    if type(value) is float or type(value) is int:
        return value
    raise Mismatch("a number", value)


def _parsed(parse: Callable[[str], Any], expected: str, value: Any) -> Any:
    if type(value) is not str:
        raise Mismatch(expected, value)
    try:
        return parse(value)
    except ValueError:
        raise Mismatch(expected, value) from None


_SCALARS: dict[Any, Decoder] = {
    str: _text,
    bool: _boolean,
    int: _integer,
    float: _number,
    type(None): _null,
    None: _null,
    datetime: partial(_parsed, datetime.fromisoformat, "a date and time of RFC 3339"),
    date: partial(_parsed, date.fromisoformat, "a date"),
    UUID: partial(_parsed, UUID, "a UUID"),
    File: _any,
    bytes: _any,
}


def _list(item: Decoder, value: Any) -> list[Any]:
    if value.__class__ is not list:
        raise Mismatch("an array", value)
    index = 0
    result: list[Any] = []
    try:
        for index, entry in enumerate(value):  # noqa: B007 - the index of the entry that failed
            result.append(item(entry))
    except Mismatch as mismatch:
        raise mismatch.within(f"[{index}]") from None
    return result


def _dict(item: Decoder, value: Any) -> dict[str, Any]:
    if value.__class__ is not dict:
        raise Mismatch("an object", value)
    result: dict[str, Any] = {}
    for key, entry in value.items():
        try:
            result[key] = item(entry)
        except Mismatch as mismatch:
            raise mismatch.within(f".{key}") from None
    return result


def _literal(allowed: tuple[Any, ...], value: Any) -> Any:
    for one in allowed:
        if one == value and isinstance(one, bool) == isinstance(value, bool):
            return one
    raise Mismatch(f"one of {', '.join(map(repr, allowed))}", value)


def _enum(kind: type[Enum], known: Mapping[Any, Enum], base: type, value: Any) -> Any:
    if value.__class__ is base:
        member = known.get(value)
        return kind(value) if member is None else member
    if base is int and value.__class__ is float and value.is_integer():
        return kind(int(value))
    raise Mismatch(f"a value of {kind.__name__}", value)


def _union(members: tuple[Any, ...], names: Names) -> Decoder:
    decoders = [_decoder(member, names) for member in members if member is not Unset]
    if len(decoders) == 1:
        return decoders[0]
    if _null in decoders:
        rest = [decoder for decoder in decoders if decoder is not _null]
        return partial(_nullable, rest[0] if len(rest) == 1 else partial(_first_match, rest))
    return partial(_first_match, decoders)


def _nullable(decode: Decoder, value: Any) -> Any:
    return None if value is None else decode(value)


def _first_match(decoders: list[Decoder], value: Any) -> Any:
    problems: list[Mismatch] = []
    for decoder in decoders:
        try:
            return decoder(value)
        except Mismatch as mismatch:
            problems.append(mismatch)
    # The alternative that was followed deepest is the one that was meant.
    raise max(problems, key=lambda problem: len(problem.path))


def _missing() -> Mismatch:
    mismatch = Mismatch("a value", None)
    mismatch.reason = "the required field is missing"
    return mismatch


class _Model:
    """Decodes one generated model; its fields are looked up on first use, so that models may be recursive."""

    __slots__ = ("_cls", "_extra", "_fields", "_known", "_names", "_ready")

    def __init__(self, cls: type, names: Names) -> None:
        self._cls = cls
        self._names = names
        self._ready = False

    def _prepare(self) -> None:
        attributes: Mapping[str, Any] = {item.name: item for item in getattr(self._cls, "__attrs_attrs__")}  # noqa: B009
        annotations: Mapping[str, str] = self._cls.__annotations__
        extra = annotations.get("additional_properties")
        self._extra = decoder_for(extra, self._names) if extra else None
        self._fields = tuple(
            (name, wire, decoder_for(annotations[name], self._names), attributes[name].default is not UNSET)
            for name, wire in wire_fields(self._cls)
        )
        self._known = frozenset(field[1] for field in self._fields)
        self._ready = True

    def __call__(self, value: Any) -> Any:
        if value.__class__ is not dict:
            raise Mismatch("an object", value)
        if not self._ready:
            self._prepare()
        entries: Mapping[str, Any] = value
        arguments: dict[str, Any] = {}
        wire = ""
        try:
            for name, wire, decode, required in self._fields:
                entry = entries.get(wire, UNSET)
                if entry is not UNSET:
                    arguments[name] = decode(entry)
                elif required:
                    raise _missing()
        except Mismatch as mismatch:
            raise mismatch.within(f".{wire}") from None
        if self._extra and len(entries) > len(arguments):
            known = self._known
            arguments["additional_properties"] = self._extra({k: v for k, v in entries.items() if k not in known})
        return self._cls(**arguments)


_MODELS: dict[type, _Model] = {}
