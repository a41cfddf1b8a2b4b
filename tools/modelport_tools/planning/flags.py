"""What openapi-python-client drops of a property: whether it is a secret, and whether it goes one way only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openapi_python_client.schema import Reference, Schema

from modelport_tools.document import Document, is_object, resolve

if TYPE_CHECKING:
    from collections.abc import Iterator

_DEPTH = 5
"""How far a property is followed: references may go round in a circle."""


def flags(document: Document, model: Any, name: str) -> tuple[bool, str]:
    """Whether a property is a secret, and ``readOnly`` or ``writeOnly`` if it is that.

    Args:
        document: Where references point into.
        model: The schema of the model, parsed or not.
        name: The name of the property on the wire.
    """
    parts = [part for prop in _properties(document, model, name, _DEPTH) for part in _parts(document, prop, _DEPTH)]
    access = next((key for part in parts for key in ("readOnly", "writeOnly") if part.get(key)), "")
    return any(part.get("format") == "password" for part in parts), access


def _plain(document: Document, schema: Any) -> Document:
    """A schema as the document has it, its reference followed."""
    if isinstance(schema, Reference):
        return _plain(document, {"$ref": schema.ref.get_untrusted_value()})
    if isinstance(schema, Schema):
        properties = {name.get_untrusted_value(): prop for name, prop in (schema.properties or {}).items()}
        form = schema.schema_format.get_untrusted_value() if schema.schema_format else None
        return {
            "properties": properties, "format": form, "readOnly": schema.readOnly, "writeOnly": schema.writeOnly,
            "allOf": schema.allOf, "anyOf": schema.anyOf, "oneOf": schema.oneOf, "items": schema.items,
        }  # fmt: skip
    followed = resolve(document, schema)
    return followed if is_object(followed) else {}


def _properties(document: Document, schema: Any, name: str, depth: int) -> Iterator[Any]:
    plain = _plain(document, schema)
    properties: Document = plain.get("properties") or {}
    parts: list[Any] = plain.get("allOf") or []
    if name in properties:
        yield properties[name]
    for part in parts if depth else []:
        yield from _properties(document, part, name, depth - 1)


def _parts(document: Document, schema: Any, depth: int) -> Iterator[Document]:
    """A property and what it consists of, but not what is in its objects."""
    plain = _plain(document, schema)
    yield plain
    lists: list[list[Any]] = [plain.get(key) or [] for key in ("allOf", "anyOf", "oneOf")]
    inner = [part for parts in lists for part in parts]
    for part in [*inner, plain.get("items")] if depth else []:
        if part is not None:
            yield from _parts(document, part, depth - 1)
