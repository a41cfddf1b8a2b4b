"""What would lead astray whoever follows references: to a thing of another kind, or to more than can be written out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .document import Document, is_array, is_object, lookup, operations, resolve
from .errors import SpecError
from .pointers import step_text
from .shape import walk

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_OPERATIONS = 20_000
MAX_PARTS = 50_000
"""Parts of one schema, with those of the schemas that it is composed of."""

_LISTS = ("allOf", "anyOf", "oneOf", "prefixItems")
_SINGLE = ("items", "additionalProperties")


_NEEDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "parameter": ("parameter", ("name", "in")),
    "requestBody": ("request body", ("content",)),
    "response": ("response", ()),
    "header": ("header", ()),
    "securityScheme": ("security scheme", ("type",)),
    "link": ("link", ()),
    "callback": ("callback", ()),
    "pathItem": ("path item", ()),
}
"""What a reference may stand for, and what that must have."""


def check_references(document: Document) -> None:
    """See that every reference leads somewhere.

    Raises:
        SpecError: If one does not; names it and its place.
    """
    for _ in _followed(document):
        pass


def check_kinds(document: Document) -> None:
    """See that every reference leads to a thing of the kind that belongs in its place.

    Raises:
        SpecError: If one does not; names it and its place.
    """
    for pointer, reference, kind, target in _followed(document):
        if kind == "schema":
            name, fits = "schema", is_object(target) or isinstance(target, bool)
        else:
            name, keys = _NEEDS.get(kind, (kind, ()))
            fits = is_object(target) and all(key in target for key in keys)
        if not fits:
            raise SpecError(f"{reference}: the reference leads to no {name}", pointer=pointer)


def _followed(document: Document) -> Iterator[tuple[str, str, str, Any]]:
    """Every reference: where it stands, its text, the kind of thing that belongs there, what it leads to."""
    for pointer, value, kind in walk(document):
        reference = value.get("$ref")
        if isinstance(reference, str):
            try:
                target = resolve(document, value)
            except SpecError as error:
                raise SpecError(f"{reference}: {error.reason}", pointer=pointer) from error
            yield pointer, reference, kind, target


def check_growth(document: Document) -> None:
    """See that planning takes bounded time: operations are not too many, no schema explodes.

    Raises:
        SpecError: If one does; names it.
    """
    count = sum(1 for _ in operations(document))
    if count > MAX_OPERATIONS:
        raise SpecError(f"has {count} operations, more than {MAX_OPERATIONS}: split the document", pointer="/paths")
    components = document.get("components")
    schemas = components.get("schemas") if is_object(components) else None
    known: dict[int, int] = {}
    for name, schema in schemas.items() if is_object(schemas) else ():
        pointer = f"/components/schemas/{step_text(name)}"
        try:
            parts = _parts(document, schema, known)
        except RecursionError:
            raise SpecError(
                "is composed of schemas that are composed of others too many times", pointer=pointer
            ) from None
        if parts > MAX_PARTS:
            raise SpecError(f"has more than {MAX_PARTS} parts with all schemas that it is composed of", pointer=pointer)


def _parts(document: Document, schema: Any, known: dict[int, int]) -> int:
    """How many schemas one is composed of, each counted as often as it stands there; properties count once."""
    if not is_object(schema):
        return 1
    if id(schema) not in known:
        known[id(schema)] = 1  # of one that is composed of itself
        inner: list[Any] = [part for word in _LISTS if is_array(schema.get(word)) for part in schema[word]]
        inner += [schema[word] for word in _SINGLE if word in schema]
        if isinstance(schema.get("$ref"), str):
            inner.append(_target(document, schema["$ref"]))
        known[id(schema)] = 1 + sum(_parts(document, part, known) for part in inner)
    return known[id(schema)]


def _target(document: Document, reference: str) -> Any:
    try:
        return lookup(document, reference)
    except SpecError:  # said elsewhere
        return None
