"""What a property is besides its type: whether it is a secret, and whether it goes one way only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelport_tools.document import Document, is_object, resolve

from .schemas import listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_DEPTH = 5
"""How far a property is followed: references may go round in a circle."""


def flags(document: Document, several: Iterable[Any]) -> tuple[bool, str]:
    """Whether a property is a secret, and ``readOnly`` or ``writeOnly`` if it is that.

    Args:
        document: Where references point into.
        several: The schemas of the property.
    """
    found = [part for schema in several for part in _parts(document, schema, _DEPTH)]
    access = next((key for part in found for key in ("readOnly", "writeOnly") if part.get(key) is True), "")
    return any(part.get("format") == "password" for part in found), access


def _parts(document: Document, schema: Any, depth: int) -> Iterator[Document]:
    """A property and what it consists of, but not what is in its objects."""
    if not is_object(schema):
        return
    yield schema
    followed = resolve(document, schema)
    plain: Document = followed if is_object(followed) else {}
    if plain is not schema:
        yield plain
    inner: list[Any] = [part for key in ("allOf", "anyOf", "oneOf") for part in listed(plain, key)]
    for part in [*inner, plain.get("items")] if depth else []:
        yield from _parts(document, part, depth - 1)
