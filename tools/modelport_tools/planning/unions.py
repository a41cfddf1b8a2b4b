"""Discriminators: which texts of which property stand for which class.

They stand beside ``oneOf`` or ``anyOf``, or in a parent that others extend by ``allOf``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelport_tools.document import Document, is_object, resolve

from .schemas import COMPONENTS, component, is_null, listed, mapped, members, parts

if TYPE_CHECKING:
    from collections.abc import Iterator


def property_of(schema: Any) -> str | None:
    """The property that tells the values of a schema apart; None if the document names none."""
    name = mapped(schema, "discriminator").get("propertyName") if is_object(schema) else None
    return name if isinstance(name, str) else None


def leaves(document: Document, schema: Any, seen: frozenset[str] = frozenset()) -> Iterator[Any]:
    """The members of a union, and of the unions among them."""
    name = component(schema)
    if name is not None and name in seen:
        return
    inner = members(resolve(document, schema)) if is_object(schema) else []
    if not inner:
        yield schema
    for member in inner:
        yield from leaves(document, member, seen | {name} if name else seen)


def texts(document: Document, discriminator: Document, alternatives: list[Any]) -> list[tuple[str, Any]]:
    """The texts that stand for each alternative: from the mapping, from constants of its property, from its name.

    Returns:
        Pairs of a text and a schema that it may stand for; a text of the mapping stands for nothing else.
    """
    several = [one for one in alternatives if not is_null(one)]
    found: list[tuple[str, Any]] = []
    for text, target in mapped(discriminator, "mapping").items():
        meant = str(target).removeprefix(COMPONENTS)
        found += [(text, {"$ref": COMPONENTS + meant}) for one in several if meant in _names(document, one)]
    taken = {text for text, _ in found}
    told = [
        (text, leaf)
        for one in several
        for leaf in leaves(document, one)
        for text in _constants(document, leaf, discriminator["propertyName"])
        if text not in taken
    ]
    taken |= {text for text, _ in told}
    named = [(name, one) for one in several if (name := component(one)) is not None and name not in taken]
    return list({(text, repr(schema)): (text, schema) for text, schema in [*found, *told, *named]}.values())


def _names(document: Document, schema: Any) -> set[str]:
    """The components that an alternative is, or has among its own alternatives."""
    named = {component(schema), *(component(leaf) for leaf in leaves(document, schema))}
    return {name for name in named if name is not None}


def _constants(document: Document, schema: Any, name: str) -> list[str]:
    """The texts that a member allows for the property: they tell it as a mapping does."""
    for part in reversed(list(parts(document, schema))):
        prop = resolve(document, mapped(part, "properties").get(name))
        if is_object(prop) and ("const" in prop or "enum" in prop):
            allowed: list[Any] = [prop["const"]] if "const" in prop else prop["enum"] or []
            return [text for text in allowed if isinstance(text, str)]
    return []


def families(document: Document) -> dict[str, list[str]]:
    """The components that extend each one that has a discriminator and no alternatives of its own."""
    schemas: Document = mapped(document.get("components", {}), "schemas")
    above = {name: set(_parents(schema)) for name, schema in schemas.items()}
    found: dict[str, list[str]] = {}
    for name, schema in schemas.items():
        if property_of(schema) is not None and not members(schema):
            children: set[str] = set()
            while more := {one for one, up in above.items() if up & {name, *children}} - children - {name}:
                children |= more
            found[name] = sorted(children)
    return {name: children for name, children in found.items() if children}


def _parents(schema: Any) -> Iterator[str]:
    for part in listed(schema, "allOf") if is_object(schema) else []:
        name = component(part)
        if name is not None:
            yield name
        yield from _parents(part)
