"""The classes of a package."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from openapi_python_client.parser.properties import Class

from .annotations import annotation, classes
from .enums import members
from .flags import flags
from .names import text, unused, words
from .parse import config
from .plan import EnumPlan, FieldPlan, ModelPlan
from .unions import member_tags

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from modelport_tools.document import Document

_FIELD_NAMES = frozenset({"additional_properties", "define", "field"})


def make_models(document: Document, parsed: Iterable[Any]) -> list[ModelPlan]:
    """Every class, with the names of other classes in its annotations."""
    tagged = {_class_name(document, component): texts for component, texts in member_tags(document).items()}
    return [_model(document, model, tagged) for model in parsed]


def _model(document: Document, model: Any, tagged: Mapping[str, Mapping[str, tuple[str, ...]]]) -> ModelPlan:
    props: list[Any] = [*(model.required_properties or []), *(model.optional_properties or [])]
    imports = {entry for prop in props for entry in classes(prop)}
    extra: str | None = None
    if model.additional_properties:
        extra = annotation(model.additional_properties)
        imports.update(classes(model.additional_properties))
    return ModelPlan(
        name=str(model.class_info.name),
        module=str(model.class_info.module_name),
        description=text(model.description),
        fields=tuple(_field(prop, *flags(document, model.data, text(prop.name))) for prop in props),
        extra=extra,
        imports=tuple(sorted(imports - {(str(model.class_info.name), str(model.class_info.module_name))})),
        tags=tuple(sorted(tagged.get(str(model.class_info.name), {}).items())),
    )


def _field(prop: Any, secret: bool, access: str) -> FieldPlan:  # noqa: FBT001 - straight out of `flags`
    return FieldPlan(
        name=str(prop.python_name),
        wire=text(prop.name),
        annotation=annotation(prop),
        required=bool(prop.required),
        description=text(prop.description),
        secret=secret,
        access=access,
    )


def _class_name(document: Document, component: str) -> str:
    """The class of a component, as openapi-python-client names it."""
    title = document["components"]["schemas"][component].get("title")
    return str(Class.from_string(string=str(title or component), config=config()).name)


def make_enum(enum: Any) -> EnumPlan:
    """An enum, its members under names that Python takes."""
    return EnumPlan(
        name=str(enum.class_info.name),
        module=str(enum.class_info.module_name),
        description=text(enum.description),
        base="OpenIntEnum" if enum.value_type is int else "OpenStrEnum",
        members=members(enum.values),
    )


def renamed(fields: Iterable[FieldPlan]) -> tuple[FieldPlan, ...]:
    """Fields without those names that mean something else where a model is defined, such as ``date: date``."""
    planned = list(fields)
    reserved = _FIELD_NAMES | words(entry.annotation for entry in planned)
    for index, entry in enumerate(planned):
        if entry.name in reserved:
            others = {other.name for other in planned if other is not entry}
            planned[index] = replace(entry, name=unused(f"{entry.name}_", reserved | others))
    return tuple(planned)
