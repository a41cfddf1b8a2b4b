"""JSON to values of the generated types: types are checked, unknown fields and enum members are kept.

A decoder is made once per type out of the annotations of the generated classes, on first need.
"""

from __future__ import annotations

import re
import types
import typing
from datetime import date, datetime
from enum import Enum
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, TypeGuard, Union

from .json_bytes import parse_json
from .types import UNSET, File, Unset
from .wire import is_array, is_object, to_builtins, wire_fields

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

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


def decoder_for(expression: Any, names: Names) -> Decoder:
    """The decoder of a type expression such as ``list[UploadedModel]``.

    Args:
        expression: Written by the generator out of checked names; never text of a document.
        names: Looks a generated model up by its name.
    """
    return _decoder(type_of(expression, names), names)


def type_of(expression: Any, names: Names) -> Any:
    """The type that a type expression means; a type is returned as it is."""
    if not isinstance(expression, str):
        return expression
    return eval(expression, {"__builtins__": {}}, _Scope(names))  # noqa: S307 - see `decoder_for`


class JSONDecoder:
    """From the bytes of a body to a value of a type expression, the fast way once bodies have grown worth it.

    Both ways agree on every value and error: what the fast one does not take goes through the plain one.
    """

    __slots__ = ("_decode", "_expression", "_fast", "_misses", "_names", "_seen")

    def __init__(self, expression: str, names: Names) -> None:
        self._expression = expression
        self._names = names
        self._decode = decoder_for(expression, names)
        self._fast: Callable[[bytes], Any] | None = None
        self._seen = 0
        self._misses = 0

    def __call__(self, content: bytes) -> Any:
        """Decode a body.

        Raises:
            Mismatch: If it does not fit the type.
            ValueError: If it is not JSON.
            RecursionError: If it is nested too deeply.
        """
        if self._misses < _MISSES_ALLOWED:
            if self._fast is not None:
                try:
                    value = self._fast(content)
                except (ValueError, TypeError, RecursionError):
                    self._misses += 1
                else:
                    self._misses = 0
                    return value
            else:
                self._seen += len(content)
                if self._seen >= _WORTH_BYTES:
                    return self._compiled(content)
        return self._decode(parse_json(content))

    def _compiled(self, content: bytes) -> Any:
        from .compiled import fast_decoder

        try:
            self._fast = fast_decoder(self._expression, self._names)
        except (ValueError, TypeError):  # a type that msgspec knows no way with
            self._misses = _MISSES_ALLOWED
        return self(content)


_WORTH_BYTES = 65_536
"""How much is decoded the plain way before the fast one is made, which takes as long as decoding about that much."""
_MISSES_ALLOWED = 3
"""Bodies in a row that the fast way did not take; then the server is of another mind than the document, for good."""


class _Scope(dict[str, Any]):
    """Names that a type expression may use; generated models are looked up when they are named."""

    def __init__(self, names: Names) -> None:
        super().__init__(
            Any=Any, Literal=Literal, Unset=Unset, File=File, datetime=datetime, date=date,
            str=str, int=int, float=float, bool=bool, bytes=bytes, list=list, tuple=tuple, dict=dict, object=object,
        )  # fmt: skip
        self._names = names

    def __missing__(self, name: str) -> Any:
        if name in _RARE:
            return getattr(import_module(_RARE[name]), name)
        return self._names(name)


_RARE = {"UUID": "uuid", "Decimal": "decimal"}
"""What a document must ask for: these modules take longer to load than a call."""


def _decoder(kind: Any, names: Names) -> Decoder:  # noqa: PLR0911 - one return a kind of type
    if kind is Any or kind is object:
        return _any
    if isinstance(kind, str):
        return decoder_for(kind, names)
    origin = typing.get_origin(kind)
    if origin in {types.UnionType, Union}:
        return _union(typing.get_args(kind), names)
    if origin is Literal:
        return partial(_literal, typing.get_args(kind))
    if origin is not None:
        return _container(origin, [_decoder(item, names) for item in typing.get_args(kind)])
    if (scalar := _scalar(kind)) is not None:
        return scalar
    if is_enum(kind):
        return partial(_enum, kind, {member.value: member for member in kind}, str if issubclass(kind, str) else int)
    model = _MODELS.get(kind)
    if model is None:
        model = _MODELS[kind] = _Model(kind, names)
    return model


def _container(origin: Any, items: list[Decoder]) -> Decoder:
    """The decoder of a list, tuple or dict whose entries are decoded by others."""
    if origin is tuple:
        return partial(_tuple, items)
    return partial(_dict if origin is dict else _list, items[-1])


def is_enum(kind: Any) -> TypeGuard[type[Enum]]:
    """Whether a type is an enum; see `is_object`."""
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
    except FineMomentError:
        mismatch = Mismatch(expected, value)
        mismatch.reason = f"{value!r} counts less than a microsecond, which a datetime cannot hold"
        raise mismatch from None
    except ValueError:
        raise Mismatch(expected, value) from None


_DATE_CHARACTERS = len("2026-01-02")
_SEVENTH_DIGIT = len("2026-01-02T03:04:05.123456")
_USUAL_CHARACTERS = len("2026-01-02T03:04:05.123456+00:00")
_FINE = re.compile(r"[.,][0-9]{6}[0-9]*[1-9]")


def moment(text: str) -> datetime:
    """A date and time of RFC 3339; without a zone, if it names none.

    Raises:
        ValueError: If it is none, or counts less than a microsecond: no digit is cut in silence.
    """
    if len(text) <= _DATE_CHARACTERS:
        raise ValueError(text)
    usual = len(text) <= _USUAL_CHARACTERS and not text[_SEVENTH_DIGIT : _SEVENTH_DIGIT + 1].isdigit()
    if not (usual and text[16:17] == ":") and _FINE.search(text):
        raise FineMomentError(text)
    return datetime.fromisoformat(text)


class FineMomentError(ValueError):
    """A moment that a datetime cannot hold."""


_SCALARS: dict[Any, Decoder] = {
    str: _text,
    bool: _boolean,
    int: _integer,
    float: _number,
    type(None): _null,
    None: _null,
    datetime: partial(_parsed, moment, "a date and time of RFC 3339"),
    date: partial(_parsed, date.fromisoformat, "a date"),
    File: _any,
    bytes: _any,
}


def _scalar(kind: Any) -> Decoder | None:
    if kind in _SCALARS:
        return _SCALARS[kind]
    return partial(_parsed, kind, "a UUID") if kind.__module__ == "uuid" else None


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


def _tuple(items: list[Decoder], value: Any) -> tuple[Any, ...]:
    if value.__class__ is not list or len(value) != len(items):
        raise Mismatch(f"an array of {len(items)}", value)
    index = 0
    result: list[Any] = []
    try:
        for index, (item, entry) in enumerate(zip(items, value, strict=True)):  # noqa: B007 - as in `_list`
            result.append(item(entry))
    except Mismatch as mismatch:
        raise mismatch.within(f"[{index}]") from None
    return tuple(result)


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
    rest = [decoder for decoder in decoders if decoder is not _null]
    decode = rest[0] if len(rest) == 1 else _Union(rest)
    return partial(_nullable, decode) if len(rest) < len(decoders) else decode


def _nullable(decode: Decoder, value: Any) -> Any:
    return None if value is None else decode(value)


class _Union:
    """Decodes a value of one of several types: by its discriminator, else the member that fits it best.

    The classes of a union that the document discriminates hold a table of tags, and a member of it is open: a plain
    dict, or the class that the others extend. An object of a kind that the document does not know becomes that.
    """

    __slots__ = ("_by_tag", "_members", "_open", "_property")

    def __init__(self, members: list[Decoder], told: frozenset[str] = frozenset()) -> None:
        models = [member for member in members if isinstance(member, _Model)]
        parent = next((model for model in models if model.discriminator and model.discriminator not in told), None)
        self._open = parent or next((member for member in members if _is_open(member)), None)
        self._property = parent.discriminator if parent else _common_tag(models, told) if self._open else None
        self._by_tag: dict[str, Decoder] = {}
        if self._property is not None:
            for tag, found in _tagged(models, self._property).items():
                self._by_tag[tag] = found[0] if len(found) == 1 else _Union(found, told | {self._property})
        self._members = [
            member for member in members if member is parent or member is not self._open or not self._property
        ]

    def __call__(self, value: Any) -> Any:
        if self._property is not None and value.__class__ is dict:
            tag = value.get(self._property)
            decode = self._by_tag.get(tag) if tag.__class__ is str else None
            if decode is not None:
                return decode(value)
            if tag is not None and self._open is not None:
                return self._open(value)
        return self._best(value)

    def _best(self, value: Any) -> Any:
        problems: list[Mismatch] = []
        fits: list[tuple[tuple[int, int, int, int], int, Any]] = []
        for member in self._members:
            try:
                decoded = member(value)
            except Mismatch as mismatch:
                problems.append(mismatch)
                continue
            looseness = _looseness(decoded, value)
            if looseness == _EXACT:
                return decoded
            fits.append((looseness, len(fits), decoded))
        if fits:
            return min(fits, key=lambda fit: fit[:2])[2]
        # The alternative that was followed deepest is the one that was meant.
        raise max(problems, key=lambda problem: len(problem.path))


def _is_open(member: Decoder) -> bool:
    return isinstance(member, partial) and member.func is _dict and member.args == (_any,)


def _common_tag(models: list[_Model], told: frozenset[str]) -> str | None:
    """The property by which all classes of a union are told apart, other than those that have told already."""
    if not models:
        return None
    common = (name for name in models[0].tags if all(name in model.tags for model in models))
    return next((name for name in common if name not in told), None)


def _tagged(models: list[_Model], name: str) -> dict[str, list[Decoder]]:
    """The classes that each text of a property may stand for."""
    found: dict[str, list[Decoder]] = {}
    for model in models:
        for tag in model.tags.get(name, ()):
            found.setdefault(tag, []).append(model)
    return found


_EXACT = (0, 0, 0, 0)


def _looseness(decoded: Any, value: Any) -> tuple[int, int, int, int]:
    """How badly a type fits a value: what it drops, does not know, or changes, and what it knows besides."""
    changed = int(not _is_lossless(decoded, value))
    if isinstance(decoded, Enum):
        return (0, 0 if getattr(decoded, "is_known", True) else 1, changed, 0)
    if hasattr(decoded.__class__, "__attrs_attrs__"):
        fields = wire_fields(decoded.__class__)
        known = sum(wire in value for _, wire in fields)
        dropped, unknown = _strange(decoded, value)
        return (dropped, unknown, changed, len(fields) - known)
    return (0, len(value) if decoded.__class__ is dict else 0, changed, 0)


def _strange(decoded: Any, value: Any) -> tuple[int, int]:
    """How much in a value, however deep, a type drops, and how much it does not know."""
    if isinstance(decoded, Enum):
        return 0, 0 if getattr(decoded, "is_known", True) else 1
    if is_array(decoded) and is_array(value):
        parts = [_strange(item, entry) for item, entry in zip(decoded, value, strict=False)]
        return sum(part[0] for part in parts), sum(part[1] for part in parts)
    if not hasattr(decoded.__class__, "__attrs_attrs__") or not is_object(value):
        return 0, 0
    fields = wire_fields(decoded.__class__)
    parts = [_strange(getattr(decoded, name), value[wire]) for name, wire in fields if wire in value]
    unknown = len(value) - len(parts)
    dropped = 0 if hasattr(decoded, "additional_properties") else unknown
    return dropped + sum(part[0] for part in parts), unknown + sum(part[1] for part in parts)


def _is_lossless(decoded: Any, value: Any) -> bool:
    if isinstance(decoded, datetime):
        return True  # its text has several forms; one of a date alone is no date and time
    return decoded is value or bool(to_builtins(decoded) == value)


def _missing() -> Mismatch:
    mismatch = Mismatch("a value", None)
    mismatch.reason = "the required field is missing"
    return mismatch


class _Model:
    """Decodes one generated model; its fields are looked up on first use, so that models may be recursive."""

    __slots__ = ("_cls", "_extra", "_fields", "_known", "_names", "_ready", "discriminator", "tags")

    def __init__(self, cls: type, names: Names) -> None:
        self._cls = cls
        self._names = names
        self.tags: Mapping[str, tuple[str, ...]] = getattr(cls, "__tags__", {})
        self.discriminator: str | None = getattr(cls, "__discriminator__", None)
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
