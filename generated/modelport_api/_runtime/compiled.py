"""The fast way of decoding and encoding, for what is large or frequent enough to pay for it: the same values.

Each model gets a private msgspec ``Struct`` with the names of the wire, and a function, written as source text, that
makes the model out of the struct (or the struct out of the model). A struct takes exactly what the document says.
Whatever else comes, such as an unknown field or a wrong type, ends in one of `UNFIT`: the plain way then follows, which
keeps the field or tells the place of the fault. Unions, moments and constants are left to plain decoders.
"""

from __future__ import annotations

import math
import types
import typing
from datetime import UTC, date, datetime
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, Union
from uuid import UUID

import msgspec

from .decode import decoder_for, is_enum, moment, type_of
from .errors import EncodeError
from .types import UNSET, Unset
from .wire import date_text, wire_fields
from .wire import to_builtins as plain

if TYPE_CHECKING:
    from collections.abc import Callable

    from .decode import Names

UNFIT = (ValueError, TypeError, RecursionError)
"""What the fast way ends in when something is not exactly what the document says."""

FREQUENT = 64
"""How many objects of a class are encoded the plain way first: the fast one must be made."""


# Decoding.


class _Form(NamedTuple):
    """A type as msgspec decodes it, and what is left to do with its values, if anything is."""

    kind: Any
    finish: Callable[[Any], Any] | None = None


_SIMPLE: dict[Any, _Form] = {
    Any: _Form(Any),
    str: _Form(str),
    bool: _Form(bool),
    int: _Form(int),
    float: _Form(int | float),  # 3 stays an int, exact beyond 2**53
    type(None): _Form(None),
    date: _Form(date),
    UUID: _Form(UUID),
    datetime: _Form(str, moment),  # msgspec would round to microseconds
}


def fast_decoder(expression: str, names: Names) -> Callable[[bytes], Any]:
    """A decoder of JSON for a type expression; it raises one of `UNFIT` where the plain one has more to say."""
    form = _form(type_of(expression, names), names, frozenset())
    decode = msgspec.json.Decoder(form.kind).decode
    finish = form.finish
    return decode if finish is None else lambda content: finish(decode(content))


def _form(kind: Any, names: Names, above: frozenset[type]) -> _Form:  # noqa: PLR0911 - one return a kind of type
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if kind in _SIMPLE:
        return _SIMPLE[kind]
    if origin in {types.UnionType, Union}:
        members = [member for member in arguments if member not in {Unset, types.NoneType}]
        if len(members) == 1:
            form = _form(members[0], names, above)
            return _nullable(form) if types.NoneType in arguments else form
    elif origin is list:
        return _array(_form(arguments[0], names, above))
    elif origin is dict:
        return _map(_form(arguments[1], names, above))
    elif is_enum(kind) and len(kind):
        return _Form(kind)
    elif hasattr(kind, "__attrs_attrs__") and kind not in above:  # what holds itself is left to the plain way
        return _model(kind, names, above | {kind})
    return _Form(Any, decoder_for(kind, names))


def _nullable(form: _Form) -> _Form:
    return _Form(Union[form.kind, None], form.finish and partial(_if_any, form.finish))  # noqa: UP007


def _array(form: _Form) -> _Form:
    kind: Any = list
    return _Form(kind[form.kind], form.finish and partial(_each, form.finish))


def _map(form: _Form) -> _Form:
    kind: Any = dict
    return _Form(kind[str, form.kind], form.finish and partial(_each_value, form.finish))


def _if_any(finish: Callable[[Any], Any], value: Any) -> Any:
    return None if value is None else finish(value)


def _each(finish: Callable[[Any], Any], values: list[Any]) -> list[Any]:
    return [finish(value) for value in values]


def _each_value(finish: Callable[[Any], Any], values: dict[str, Any]) -> dict[str, Any]:
    return {name: finish(value) for name, value in values.items()}


_MODELS: dict[type, _Form] = {}


def _model(cls: type, names: Names, above: frozenset[type]) -> _Form:
    form = _MODELS.get(cls)
    if form is None:
        try:
            form = _made(cls, names, above)
        except UNFIT:  # msgspec takes no quote or backslash in a name of the wire
            form = _Form(Any, decoder_for(cls, names))
        _MODELS[cls] = form
    return form


def _made(cls: Any, names: Names, above: frozenset[type]) -> _Form:
    annotations: dict[str, str] = cls.__annotations__
    optional = {attribute.name for attribute in cls.__attrs_attrs__ if attribute.default is UNSET}
    extra = annotations.get("additional_properties")
    fields = wire_fields(cls)
    if extra is not None and not fields:
        return _map_model(cls, _form(type_of(extra, names), names, above))
    forms = {name: _form(type_of(annotations[name], names), names, above) for name, _ in fields}
    required = [(name, forms[name].kind) for name, _ in fields if name not in optional]
    struct = msgspec.defstruct(
        cls.__name__,
        [*required, *((name, forms[name].kind, UNSET) for name, _ in fields if name in optional)],
        rename=dict(fields),
        forbid_unknown_fields=extra is not None,
        gc=False,
    )
    scope: dict[str, Any] = {"new": object.__new__, "cls": cls, "UNSET": UNSET}
    lines = ["def build(source):", "    model = new(cls)"]
    for index, (name, form) in enumerate(forms.items()):
        scope[f"finish_{index}"] = form.finish
        if form.finish is None:
            lines.append(f"    model.{name} = source.{name}")
        elif name in optional:
            lines.append(f"    value = source.{name}")
            lines.append(f"    model.{name} = UNSET if value is UNSET else finish_{index}(value)")
        else:
            lines.append(f"    model.{name} = finish_{index}(source.{name})")
    if extra is not None:
        lines.append("    model.additional_properties = {}")
    return _Form(struct, _function("build", [*lines, "    return model"], scope))


def _map_model(cls: Any, entries: _Form) -> _Form:
    """A model that is nothing but a map."""

    def build(values: dict[str, Any]) -> Any:
        return cls(additional_properties=values if entries.finish is None else entries.finish(values))

    return _Form(entries.kind, build)


def _function(name: str, lines: list[str], scope: dict[str, Any]) -> Callable[[Any], Any]:
    """A function out of source text; the names of fields in it are the generator's, never text of a document."""
    exec("\n".join(lines), scope)  # noqa: S102 - see above; attrs and dataclasses make their methods like this
    made: Callable[[Any], Any] = scope[name]
    return made


# Encoding.

_AS_IT_IS = frozenset({str, int, bool, type(None), date})
_FIELD_AS_IT_IS = _AS_IT_IS | {Unset}
_PACKERS: dict[type, Callable[[Any], Any]] = {}
_SEEN: dict[type, int] = {}


def packed(value: Any) -> Any:
    """What msgspec encodes as it should; raises `EncodeError` or one of `UNFIT` where the plain way tells the place."""
    kind = value.__class__
    if kind in _AS_IT_IS:
        return value
    pack = _PACKERS.get(kind)
    if pack is not None:
        return pack(value)
    if isinstance(value, Enum) or not hasattr(kind, "__attrs_attrs__"):
        return plain(value)
    seen = _SEEN[kind] = _SEEN.get(kind, 0) + 1
    if seen >= FREQUENT:
        try:
            _PACKERS[kind] = _packer(kind)
        except UNFIT:  # as in `_model`
            _PACKERS[kind] = plain
    return plain(value)


def _packed_list(values: list[Any]) -> list[Any]:
    return [value if value.__class__ in _AS_IT_IS else packed(value) for value in values]


def _finite(value: float) -> float:
    if math.isfinite(value):
        return value
    raise EncodeError(f"{value} has no JSON form")


def _moment(value: datetime) -> Any:
    return value if value.tzinfo is UTC or value.tzinfo is None else date_text(value)


_PACKERS.update({list: _packed_list, tuple: _packed_list, float: _finite, datetime: _moment})


def _packer(cls: type) -> Callable[[Any], Any]:
    fields = wire_fields(cls)
    struct = msgspec.defstruct(
        cls.__name__, [(name, Any, UNSET) for name, _ in fields], rename=dict(fields), omit_defaults=True, gc=False
    )
    scope: dict[str, Any] = {
        "struct": struct, "plain": plain, "packed": packed, "packers": _PACKERS, "simple": _FIELD_AS_IT_IS,
    }  # fmt: skip
    lines = ["def pack(model):"]
    if hasattr(cls, "additional_properties"):
        lines.append("    if model.additional_properties: return plain(model)")
    for index, (name, _) in enumerate(fields):
        value = f"value_{index}"
        lines.append(f"    {value} = model.{name}")
        lines.append(f"    kind = {value}.__class__")
        lines.append("    if kind is float:")
        lines.append(f"        if {value} - {value} != 0.0: return plain(model)  # not finite")
        lines.append("    elif kind not in simple:")
        lines.append(f"        {value} = packers.get(kind, packed)({value})")
    values = ", ".join(f"value_{index}" for index in range(len(fields)))
    return _function("pack", [*lines, f"    return struct({values})"], scope)
