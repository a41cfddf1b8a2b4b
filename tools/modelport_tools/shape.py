"""What stands where in a document: the kind of each value, so that a name is never taken for a keyword."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .document import METHODS, is_array, is_object
from .pointers import step_text

if TYPE_CHECKING:
    from collections.abc import Iterator

_SCHEMA_MAPS = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
_SCHEMA_LISTS = ("allOf", "anyOf", "oneOf", "prefixItems")
_SCHEMAS = (
    "items", "additionalProperties", "additionalItems", "not", "if", "then", "else", "contains", "propertyNames",
    "unevaluatedItems", "unevaluatedProperties", "contentSchema",
)  # fmt: skip
_PARAMETER = {"schema": "schema", "items": "schema", "content": "{mediaType}", "examples": "{example}"}

_KINDS: dict[str, dict[str, str]] = {
    "document": {
        "paths": "{pathItem}",
        "webhooks": "{pathItem}",
        "components": "components",
        "definitions": "{schema}",
        "parameters": "{parameter}",
        "responses": "{response}",
    },
    "components": {
        "schemas": "{schema}",
        "parameters": "{parameter}",
        "responses": "{response}",
        "requestBodies": "{requestBody}",
        "headers": "{header}",
        "links": "{link}",
        "callbacks": "{callback}",
        "examples": "{example}",
        "securitySchemes": "{securityScheme}",
        "pathItems": "{pathItem}",
    },
    "pathItem": {"parameters": "[parameter]", **dict.fromkeys(METHODS, "operation")},
    "operation": {
        "parameters": "[parameter]",
        "requestBody": "requestBody",
        "responses": "{response}",
        "callbacks": "{callback}",
    },
    "parameter": _PARAMETER,
    "header": _PARAMETER,
    "requestBody": {"content": "{mediaType}"},
    "response": {"schema": "schema", "content": "{mediaType}", "headers": "{header}", "links": "{link}"},
    "mediaType": {"schema": "schema", "itemSchema": "schema", "examples": "{example}", "encoding": "{encoding}"},
    "encoding": {"headers": "{header}"},
    "schema": {
        **dict.fromkeys(_SCHEMA_MAPS, "{schema}"),
        **dict.fromkeys(_SCHEMA_LISTS, "[schema]"),
        **dict.fromkeys(_SCHEMAS, "schema"),
    },
}

SECTIONS = {kind[1:-1]: name for name, kind in _KINDS["components"].items()}
"""The part of ``components`` that keeps each kind of value."""


def kind_below(kind: str, key: str) -> str | None:
    """The kind of what stands under a key; None for plain data."""
    if kind.startswith("{"):
        return None if kind in {"{pathItem}", "{response}"} and key.startswith("x-") else kind[1:-1]
    if kind == "callback":
        return None if key.startswith("x-") else "pathItem"
    return _KINDS.get(kind, {}).get(key)


def children(value: Any, kind: str) -> Iterator[tuple[str, Any, str]]:
    """The parts of a value that are no plain data: key or index, part, kind."""
    if is_object(value):
        for key, item in value.items():
            below = kind_below(kind, key)
            if below is not None:
                yield key, item, below
    elif is_array(value):
        inner = kind[1:-1] if kind.startswith("[") else kind
        for index, item in enumerate(value):
            yield str(index), item, inner


def walk(value: Any, kind: str = "document", pointer: str = "") -> Iterator[tuple[str, dict[str, Any], str]]:
    """Every object that is no plain data: pointer, object, kind."""
    if is_object(value) and kind[0] not in "{[":
        yield pointer, value, kind
    for key, item, below in children(value, kind):
        yield from walk(item, below, f"{pointer}/{step_text(key)}")
