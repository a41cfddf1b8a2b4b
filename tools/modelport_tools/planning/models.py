"""The classes of a package."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from modelport_tools.document import Document, is_object, resolve

from .enums import members
from .flags import flags
from .names import attributes, unused, words
from .plan import EnumPlan, FieldPlan, ModelPlan
from .schemas import listed, mapped, parts
from .types import Place

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .types import Draft, Types

_FIELD_NAMES = frozenset({"Any", "ClassVar", "File", "UNSET", "Unset", "additional_properties", "define", "field"})
_TOKENS = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|\w+""")
"""Texts of literals, which are left alone, and words."""


def make_models(types: Types) -> list[ModelPlan]:
    """Every class, those that are found while others are made included."""
    made: list[ModelPlan] = []
    while len(made) < len(types.models):
        made.append(_model(types, types.models[len(made)]))
    # What is known of a class by its place in a union may come after the class.
    return [
        replace(
            model,
            tags=tuple(sorted((name, tuple(sorted(texts))) for name, texts in types.tags.get(model.name, {}).items())),
            discriminator=types.discriminators.get(model.name, ""),
        )
        for model in made
    ]


def _model(types: Types, draft: Draft) -> ModelPlan:
    several = list(parts(types.document, draft.schema))
    fields = _renamed(_fields(types, draft, several))
    extra = types.entries(several, draft.name)
    texts = [*(field.annotation for field in fields), extra or ""]
    return ModelPlan(
        name=draft.name,
        module=types.names.modules[draft.name],
        description=_description(types.document, draft.schema),
        fields=tuple(fields),
        extra=extra,
        imports=imports(types, texts, draft.name),
    )


def _fields(types: Types, draft: Draft, several: list[Document]) -> list[FieldPlan]:
    schemas: dict[str, list[Any]] = {}
    for part in several:
        for name, schema in mapped(part, "properties").items():
            known = schemas.setdefault(name, [])
            if schema not in known:
                known.append(schema)
    required = {str(name) for part in several for name in listed(part, "required")}
    order = sorted(schemas, key=lambda name: name not in required)
    names = attributes(order)
    return [
        _field(types, draft, schemas[name], FieldPlan(names[name], name, "", name in required, "")) for name in order
    ]


def _field(types: Types, draft: Draft, several: list[Any], field: FieldPlan) -> FieldPlan:
    schema = several[0] if len(several) == 1 else {"allOf": several}
    secret, access = flags(types.document, several)
    return replace(
        field,
        annotation=types.of(schema, Place(draft.name, field.wire)),
        description=with_default(
            next((text for one in reversed(several) if (text := _description(types.document, one))), ""), several
        ),
        secret=secret,
        access=access,
    )


def _description(document: Document, schema: Any) -> str:
    if not is_object(schema):
        return ""
    text = schema.get("description")
    if not isinstance(text, str) and "$ref" in schema:
        followed = resolve(document, schema)
        text = followed.get("description") if is_object(followed) else None
    return text if isinstance(text, str) else ""


def with_default(description: str, several: Iterable[Any]) -> str:
    """A description that tells the default too: the server takes it for granted, so it is not sent."""
    told = next((one for one in several if is_object(one) and one.get("default") is not None), None)
    if told is None:
        return description
    text = " ".join(description.split())
    default = json.dumps(told["default"], ensure_ascii=False)
    return f"{text}{'' if not text or text.endswith('.') else '.'} Default: {default}.".strip()


def make_enums(types: Types) -> list[EnumPlan]:
    """Every enum, its members under names that Python takes."""
    return [_enum(types, draft) for draft in types.enums]


def _enum(types: Types, draft: Draft) -> EnumPlan:
    values: list[str | int] = [value for value in draft.schema["enum"] if value is not None]
    return EnumPlan(
        name=draft.name,
        module=types.names.modules[draft.name],
        description=_description(types.document, draft.schema),
        base="OpenIntEnum" if isinstance(values[0], int) else "OpenStrEnum",
        members=members(values, draft.schema.get("x-enum-varnames")),
    )


def _renamed(fields: Iterable[FieldPlan]) -> list[FieldPlan]:
    """Fields without those names that mean something else where a model is defined, such as ``date: date``."""
    planned = list(fields)
    reserved = _FIELD_NAMES | words(entry.annotation for entry in planned)
    for index, entry in enumerate(planned):
        if entry.name in reserved:
            others = {other.name for other in planned if other is not entry}
            planned[index] = replace(entry, name=unused(f"{entry.name}_", reserved | others))
    return planned


def imports(types: Types, annotations: Iterable[str], own: str = "") -> tuple[tuple[str, str], ...]:
    """The generated classes that annotations name, with the module of each."""
    modules = types.names.modules
    named = {word for text in annotations for word in _words(text)}
    return tuple(sorted((word, modules[word]) for word in named if word in modules and word != own))


def _words(annotation: str) -> Iterator[str]:
    return (token for token in _TOKENS.findall(annotation) if token[0] not in "'\"")
