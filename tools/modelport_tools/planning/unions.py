"""Discriminators, which openapi-python-client drops: which texts of which property stand for which class.

The copy of the document that is parsed has one member more in each union with a discriminator, `OPEN_MEMBER`: its
annotation is a plain dict, the value of an object whose discriminator the document does not know.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelport_tools.document import Document, is_array, is_object, resolve

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

OPEN_MEMBER = "modelport: an object of a kind that the document does not know"
"""The constant that stands for a plain dict."""

_DATA = frozenset({"const", "default", "enum", "example", "examples"})
_COMPONENTS = "#/components/schemas/"


def opened(document: Document) -> Document:
    """A copy of the document in which unions with a discriminator may be a plain object too."""
    copied: Document = _copied(document, document)
    return copied


def member_tags(document: Document) -> dict[str, dict[str, tuple[str, ...]]]:
    """For each component that is a member of such a union: the texts that stand for it, by the name of the property."""
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for union in _walk(document):
        for text, component in _tags_of(document, union).items():
            texts = found.setdefault(component, {})
            name = str(union["discriminator"]["propertyName"])
            texts[name] = tuple(sorted({*texts.get(name, ()), text}))
    return found


def _copied(document: Document, value: Any) -> Any:
    if is_array(value):
        return [_copied(document, item) for item in value]
    if not is_object(value):
        return value
    copied = {key: item if key in _DATA else _copied(document, item) for key, item in value.items()}
    if _members(document, value):
        key = "oneOf" if value.get("oneOf") else "anyOf"
        copied[key] = [*copied[key], {"const": OPEN_MEMBER}]
    return copied


def _walk(value: Any) -> Iterator[Document]:
    if is_array(value):
        for item in value:
            yield from _walk(item)
    elif is_object(value):
        yield value
        for key, item in value.items():
            if key not in _DATA:
                yield from _walk(item)


def _members(document: Document, union: Document) -> list[str]:
    """The components of a union with a discriminator; none if it is no such union, or not one of objects only."""
    discriminator = union.get("discriminator")
    members = union.get("oneOf") or union.get("anyOf")
    if not is_object(discriminator) or not isinstance(discriminator.get("propertyName"), str) or not is_array(members):
        return []
    found: list[str] = []
    for member in members:
        reference = member.get("$ref") if is_object(member) else None
        if isinstance(reference, str) and reference.startswith(_COMPONENTS) and _is_model(resolve(document, member)):
            found.append(reference.removeprefix(_COMPONENTS))
        elif not (is_object(member) and member.get("type") == "null"):
            return []
    return found


def _is_model(schema: Any) -> bool:
    if not is_object(schema) or schema.get("oneOf") or schema.get("anyOf"):
        return False
    return bool(schema.get("properties") or schema.get("allOf"))


def _tags_of(document: Document, union: Document) -> dict[str, str]:
    """The component behind each text: from the mapping, from constants of the members, from their names."""
    members = _members(document, union)
    if not members:
        return {}
    discriminator = union["discriminator"]
    mapping: Mapping[str, str] = discriminator.get("mapping") or {}
    found = {str(text): target.removeprefix(_COMPONENTS) for text, target in mapping.items()}
    found = {text: component for text, component in found.items() if component in members}
    told: dict[str, set[str]] = {}
    for component in members:
        for text in _constants(document, {"$ref": _COMPONENTS + component}, discriminator["propertyName"]):
            told.setdefault(text, set()).add(component)
    plain = {text: min(components) for text, components in told.items() if len(components) == 1}
    for names in (plain, {component: component for component in members}):
        for text, component in names.items():
            found.setdefault(text, component)
    return found


def _constants(document: Document, schema: Any, name: str) -> list[str]:
    """The texts that a member allows for the property: they tell it as a mapping does."""
    schema = resolve(document, schema)
    if not is_object(schema):
        return []
    properties: Document = schema.get("properties") or {}
    parts: list[Any] = schema.get("allOf") or []
    prop = resolve(document, properties.get(name))
    if is_object(prop):
        allowed: list[Any] = [prop["const"]] if "const" in prop else prop.get("enum") or []
        return [text for text in allowed if isinstance(text, str)]
    return [text for part in parts for text in _constants(document, part, name)]
