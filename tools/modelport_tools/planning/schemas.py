"""What a schema says, whichever way it says it: references followed, ``allOf`` taken together, null told apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelport_tools.document import Document, is_array, is_object, resolve

if TYPE_CHECKING:
    from collections.abc import Iterator

COMPONENTS = "#/components/schemas/"
UNIONS = ("anyOf", "oneOf")
_SHAPING = frozenset(
    {"$ref", "additionalProperties", "allOf", "anyOf", "const", "enum", "format", "items", "oneOf", "patternProperties",
     "prefixItems", "properties", "type"}
)  # fmt: skip
"""Keys that say what a value is, and not only which ones of its kind are valid."""
_TELLING = frozenset({"$ref", "anyOf", "const", "enum", "nullable", "oneOf", "type"})
_OBJECT = ("properties", "additionalProperties", "patternProperties")


def component(schema: Any) -> str | None:
    """The component that a schema is, by reference; None if it is none."""
    reference = schema.get("$ref") if is_object(schema) else None
    if not isinstance(reference, str) or not reference.startswith(COMPONENTS):
        return None
    name = reference.removeprefix(COMPONENTS)
    return None if "/" in name else name.replace("~1", "/").replace("~0", "~")


def is_shaping(schema: Any) -> bool:
    """Whether a schema says what a value is."""
    return is_object(schema) and not _SHAPING.isdisjoint(schema)


def without(schema: Document, *keys: str) -> Document:
    """A schema without some of its keys."""
    return {key: value for key, value in schema.items() if key not in keys}


def listed(schema: Document, key: str) -> list[Any]:
    """The list under a key; empty if there is none."""
    found: Any = schema.get(key)
    return found if is_array(found) else []


def mapped(schema: Document, key: str) -> Document:
    """The object under a key; empty if there is none."""
    found: Any = schema.get(key)
    return found if is_object(found) else {}


def null_apart(schema: Document) -> tuple[Document, bool]:
    """A schema without null, and whether it allowed it, in the words of OpenAPI 3.0 or 3.1."""
    nullable = schema.get("nullable") is True
    bare = without(schema, "nullable") if "nullable" in schema else schema
    kinds = listed(bare, "type")
    if "null" in kinds:
        rest = [kind for kind in kinds if kind != "null"]
        bare = {**bare, "type": rest[0] if len(rest) == 1 else rest} if rest else {"type": "null"}
        nullable = nullable or bool(rest)
    values = listed(bare, "enum")
    if nullable and values and None in values and len(values) > 1:
        bare = {**bare, "enum": [value for value in values if value is not None]}
    return bare, nullable


def is_null(schema: Any) -> bool:
    """Whether a schema is that of null and nothing else."""
    return is_object(schema) and (
        schema.get("type") in ("null", ["null"]) or schema.get("enum") == [None] or schema.get("const", 0) is None
    )


def all_allow_null(several: list[Document]) -> bool:
    """Whether null fits each of several schemas; one that says nothing of types leaves it to the others."""
    telling = [part for part in several if not _TELLING.isdisjoint(part)]
    return bool(telling) and all(_allows_null(part) for part in telling)


def _allows_null(schema: Any) -> bool:
    if not is_object(schema):
        return False
    bare, nullable = null_apart(schema)
    return nullable or is_null(schema) or any(_allows_null(member) for member in members(bare))


def members(schema: Document) -> list[Any]:
    """The alternatives of a union that say what a value is; none if it is no union."""
    found = [member for key in UNIONS for member in listed(schema, key)]
    if any(is_shaping(member) for member in found):
        return found
    return []  # such as those that only list what is required: they choose among the values of one type


def parts(document: Document, schema: Any, seen: frozenset[str] = frozenset()) -> Iterator[Document]:
    """The schemas that a value of a schema must fit together: those under ``allOf``, then the rest of it."""
    if not is_object(schema):
        return
    reference = schema.get("$ref")
    if isinstance(reference, str):
        if reference not in seen:
            yield from parts(document, resolve(document, {"$ref": reference}), seen | {reference})
        rest = without(schema, "$ref")
    else:
        rest = schema
    for part in listed(rest, "allOf"):
        yield from parts(document, part, seen)
    own = without(rest, "allOf") if "allOf" in rest else rest
    if is_shaping(own) or "required" in own or "discriminator" in own:
        yield own


def is_object_schema(part: Document) -> bool:
    """Whether a schema is one of objects."""
    kind = part.get("type")
    if kind is None:
        return any(is_object(part.get(key)) for key in _OBJECT)
    return kind in ("object", ["object"])


def merged(several: list[Document]) -> Document:
    """One schema for a value that must fit several, none of them a union or an object."""
    result: Document = {}
    for part in several:
        for key, value in part.items():
            if key == "type" and {result.get("type"), value if isinstance(value, str) else ""} == {"integer", "number"}:
                result["type"] = "integer"
            elif key == "enum" and "enum" in result:
                result["enum"] = [one for one in result["enum"] if one in value]
            elif key in {"items", "additionalProperties"} and is_object(result.get(key)) and is_object(value):
                result[key] = {"allOf": [result[key], value]} if result[key] != value else value
            else:
                result[key] = value
    return result
