"""Maps that hold themselves: Python has no name for such a type, so they are classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelport_tools.document import Document, is_object

from .schemas import UNIONS, component, listed, mapped

if TYPE_CHECKING:
    from collections.abc import Iterable


def circular_maps(schemas: Document) -> set[str]:
    """Maps that hold themselves by way of arrays, unions and maps only: they need a class."""
    links = {name: set(_links(schema)) for name, schema in schemas.items()}
    maps = [name for name, schema in schemas.items() if is_object(schema) and _is_map(schema)]
    found: set[str] = set()
    for name in maps:
        if _reaches(links, name, found):
            found.add(name)
    return found


def _is_map(schema: Document) -> bool:
    return is_object(schema.get("additionalProperties")) and not schema.get("properties")


def _links(schema: Any) -> Iterable[str]:
    """The components that a schema is made of without a class between."""
    if not is_object(schema):
        return
    name = component(schema)
    if name is not None:
        yield name
    if schema.get("properties"):
        return
    for key in ("items", "additionalProperties"):
        yield from _links(schema.get(key))
    for part in mapped(schema, "patternProperties").values():
        yield from _links(part)
    for key in ("prefixItems", "allOf", *UNIONS):
        for part in listed(schema, key):
            yield from _links(part)


def _reaches(links: dict[str, set[str]], goal: str, cut: set[str]) -> bool:
    """Whether a component leads back to itself, other than by way of those that are cut off."""
    seen: set[str] = set()
    waiting = list(links[goal])
    while waiting:
        name = waiting.pop()
        if name == goal:
            return True
        if name not in seen and name not in cut:
            seen.add(name)
            waiting += links.get(name, ())
    return False
