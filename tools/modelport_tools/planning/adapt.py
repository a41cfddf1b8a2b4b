"""What openapi-python-client refuses, put in a form that it takes; `plan` knows what it stands for.

- An array that holds itself by way of arrays and unions holds any value: Python has no name for such a type.
- A body of a raw media type is left out; a header with a list, an object or a date is parsed as if in the query.
- A path cannot hold null, whatever its schema allows.
- An unnamed schema whose class would take the name of a component (`settings` of `A` beside `ASettings`) gets a title.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from modelport_tools.document import Document, is_array, is_object, resolve
from modelport_tools.shape import walk

if TYPE_CHECKING:
    from collections.abc import Iterator

RAW_BODY = "str | bytes | File"
_SCHEMAS = "#/components/schemas/"
_UNIONS = ("anyOf", "oneOf")
_HEADER_TYPES = frozenset({"string", "integer", "number", "boolean"})
_NO_SCHEMA: dict[str, Document] = {
    "application/octet-stream": {"type": "string", "format": "binary"},
    "application/x-www-form-urlencoded": {"type": "object"},
    "multipart/form-data": {"type": "object"},
}


def adapted(document: Document) -> Document:
    """A copy that openapi-python-client takes."""
    copied = copy.deepcopy(document)
    _break_circles(copied)
    _tell_apart(copied)
    for _, value, kind in list(walk(copied)):
        if kind == "requestBody" and is_object(value.get("content")):
            value["content"] = _content(value["content"])
        elif kind == "parameter" and "schema" in value:
            if value.get("in") == "header" and not _fits_header(copied, value["schema"]):
                value["in"] = "query"
            elif value.get("in") == "path":
                value["schema"] = _without_null(copied, value["schema"])
    return copied


def bare_media(kind: str) -> str:
    """A media type without its parameters."""
    return kind.partition(";")[0].strip().lower()


def is_raw(kind: str) -> bool:
    """Whether a body of a media type goes as it is, without a schema for what is in it."""
    bare = bare_media(kind)
    return bare not in _NO_SCHEMA and bare != "application/json" and not bare.endswith("+json")


def _content(content: Document) -> Document:
    known: Document = {}
    for kind, media in content.items():
        if not is_raw(kind):
            entry: Document = media if is_object(media) else {}
            known[kind] = entry if "schema" in entry else {**entry, "schema": _NO_SCHEMA.get(bare_media(kind), {})}
    if content and not known:
        return {"application/octet-stream": {"schema": _NO_SCHEMA["application/octet-stream"]}}
    return known


def _fits_header(document: Document, schema: Any) -> bool:
    resolved = resolve(document, schema)
    return (
        is_object(resolved)
        and str(resolved.get("type")) in _HEADER_TYPES
        and str(resolved.get("format", "")) not in {"date", "date-time", "binary"}
    )


def _without_null(document: Document, schema: Any) -> Any:
    resolved = resolve(document, schema)
    if not is_object(resolved):
        return schema
    bare = {key: value for key, value in resolved.items() if key != "nullable"}
    if is_array(bare.get("type")):
        kinds = [kind for kind in bare["type"] if kind != "null"]
        bare["type"] = kinds[0] if len(kinds) == 1 else kinds
    if is_array(bare.get("enum")):
        bare["enum"] = [value for value in bare["enum"] if value is not None]
    for key in _UNIONS:
        if is_array(bare.get(key)):
            members = [member for member in bare.pop(key) if member != {"type": "null"}]
            bare |= members[0] if len(members) == 1 else {key: members}
    return schema if bare == resolved else bare


def _tell_apart(document: Document) -> None:
    from openapi_python_client.strings import pascal_case

    schemas: Document = document.get("components", {}).get("schemas", {})
    titles = {name: str(schema.get("title") or name) for name, schema in schemas.items() if is_object(schema)}
    taken = {pascal_case(title) for title in titles.values()}
    for name, title in titles.items():
        properties = schemas[name].get("properties")
        for key, schema in properties.items() if is_object(properties) else ():
            if is_object(schema) and not {"title", "$ref"} & schema.keys():
                own = f"{pascal_case(title)}{pascal_case(key)}"
                if own in taken and (schema.get("type") == "object" or "properties" in schema or "enum" in schema):
                    schema["title"] = f"{own}Inline"


def _break_circles(document: Document) -> None:
    schemas = document.get("components", {}).get("schemas", {})
    links = {name: list(_links(schema, in_items=False)) for name, schema in schemas.items()}
    broken: list[Document] = []
    for name, found in links.items():
        broken += [holder for target, holder, in_items in found if in_items and _reaches(links, target, name)]
    for holder in broken:
        holder.clear()


def _links(schema: Any, *, in_items: bool) -> Iterator[tuple[str, Document, bool]]:
    """The schemas that a schema is made of without a class between: name, reference, whether within an array."""
    if not is_object(schema):
        return
    reference = schema.get("$ref")
    if isinstance(reference, str):
        yield reference.removeprefix(_SCHEMAS), schema, in_items
    yield from _links(schema.get("items"), in_items=True)
    for key in ("prefixItems", *_UNIONS):
        members = schema.get(key)
        for member in members if is_array(members) else ():
            yield from _links(member, in_items=in_items or key == "prefixItems")


def _reaches(links: dict[str, list[tuple[str, Document, bool]]], start: str, goal: str) -> bool:
    seen = {start}
    waiting = [start]
    while waiting:
        name = waiting.pop()
        if name == goal:
            return True
        fresh = {target for target, _, _ in links.get(name, ())} - seen
        seen |= fresh
        waiting += fresh
    return False
