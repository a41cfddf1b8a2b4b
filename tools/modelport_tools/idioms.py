"""What many documents write and the specification does not quite say, put in the words that it has for it."""

from __future__ import annotations

from typing import Any

from .document import Document, is_array, is_object, resolve
from .shape import walk

_JSON = "application/json"
_ANYTHING = frozenset({"*/*", "application/*"})
_STRUCTURED = frozenset({"array", "boolean", "integer", "number", "object"})
_UNIONS = ("anyOf", "oneOf")


def express(document: Document) -> None:
    """Change a document in place.

    - ``{nullable: true}`` alone, as one of several alternatives, is null: by the letter it would be anything.
    - ``$recursiveRef: "#"``, of an older JSON Schema, is a reference to the component that it stands in.
    - A body or an answer of any media type (``*/*``) whose schema is no text is JSON: nothing else could hold it.
    """
    modern = str(document.get("openapi", "")).startswith("3.1")
    for _, value, kind in list(walk(document)):
        if kind == "schema":
            _tell_null(value, modern=modern)
        elif kind in {"requestBody", "response"} and is_object(value.get("content")):
            value["content"] = _media(document, value["content"])
    for pointer, value, kind in list(walk(document)):
        if kind == "schema" and value.get("$recursiveAnchor") is True:
            for _, part, _ in list(walk(value, "schema")):
                if part.get("$recursiveRef") == "#":
                    part["$ref"] = f"#{pointer}"
                    del part["$recursiveRef"]


def _tell_null(schema: Document, *, modern: bool) -> None:
    for word in _UNIONS:
        members = schema.get(word)
        if not is_array(members) or {"nullable": True} not in members:
            continue
        rest = [member for member in members if member != {"nullable": True}]
        if modern or not rest:
            schema[word] = [*rest, {"type": "null"}] if modern else members
        else:
            schema[word] = rest
            schema["nullable"] = True


def _media(document: Document, content: Document) -> Document:
    return {
        (
            _JSON if kind in _ANYTHING and _JSON not in content and is_structured(document, _schema(media)) else kind
        ): media
        for kind, media in content.items()
    }


def _schema(media: Any) -> Any:
    return media.get("schema") if is_object(media) else None


def is_structured(document: Document, schema: Any) -> bool:
    """Whether no value that a schema allows is a text: nothing but JSON can then hold it as it is."""
    schema = resolve(document, schema)
    if not is_object(schema):
        return False
    parts: list[Any] = [part for word in ("allOf", *_UNIONS) for part in schema.get(word) or ()]
    kinds: Any = schema.get("type")
    if is_array(kinds):
        return "string" not in kinds and not _STRUCTURED.isdisjoint(str(kind) for kind in kinds)
    if kinds is None and parts:
        return any(is_structured(document, part) for part in parts)
    return str(kinds) in _STRUCTURED or (kinds is None and bool(schema.get("properties")))
