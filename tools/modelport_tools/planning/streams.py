"""Operations that answer with a stream: what its items are."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from modelport_tools.document import Document, is_object, operations, resolve
from modelport_tools.runtime.lines import framing

from .media import bare_media
from .plan import Responses, StreamPlan
from .schemas import listed, mapped, members
from .types import Place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .types import Types

_EVENT_FIELDS = frozenset({"event", "id", "retry"})
_EVENT = "ServerSentEvent"
"""The class of the runtime that an event without a schema is."""
_DEPTH = 8


def is_stream(media_type: str) -> bool:
    """Whether a body of a media type is a stream of items."""
    return framing(bare_media(media_type)) is not None


def stream_plan(types: Types, method: str, operation: Document, responses: Responses) -> StreamPlan | None:
    """The stream that an operation may answer with.

    Args:
        types: Of the document.
        method: The name of the plain method.
        operation: The operation in the document.
        responses: What the plain method expects; a status that has nothing but streams is empty in it.
    """
    items: dict[str, dict[str, str]] = {}
    modes: list[str] = []
    for status, kind, schema in _streams(types.document, operation):
        is_events = framing(kind) == "events"
        mode = _mode(types.document, schema) if is_events else "json"
        modes = [mode, *modes] if is_events else [*modes, mode]
        items.setdefault(status, {})[kind] = _item(types, schema, Place(method, "item"), mode, is_events=is_events)
    if not items:
        return None
    found = list(dict.fromkeys(text for media in items.values() for text in media.values()))
    return StreamPlan(
        item="Any" if "Any" in found else " | ".join(found),
        mode=modes[0],
        is_alone=not any(status.startswith("2") and media for status, media in responses),
        responses=tuple(
            (status, tuple(items[status].items()) if status in items else () if status.startswith("2") else media)
            for status, media in responses
        ),
    )


def item_of_lines(types: Types, place: Place, media_type: str, media: Document) -> str:
    """The annotation of an item that a request sends, a line or record for each; empty if it sends no such thing."""
    if framing(bare_media(media_type)) not in {"lines", "records"}:
        return ""
    return _item(types, _item_schema(types.document, media), place, "json", is_events=False)


def with_json_in_events(document: Document) -> Document:
    """The document with the data of server-sent events typed by its ``contentSchema``, where it is a text of JSON.

    That is how OpenAPI 3.2 describes events, and what FastAPI writes. The same document if there is no such event.
    """
    if not any(_packed(document)):
        return document
    document = copy.deepcopy(document)
    for data in _packed(document):
        content = data.get("contentSchema")
        kept = {"contentMediaType": data["contentMediaType"]}
        data.clear()
        data.update({**content, **kept} if is_object(content) else kept)
    return document


def _packed(document: Document) -> Iterator[Document]:
    """The schemas of events' data that are texts of JSON."""
    for _, _, _, operation in operations(document):
        for _, kind, schema in _streams(document, operation):
            for data in _data_schemas(document, schema) if framing(kind) == "events" else ():
                resolved = resolve(document, data)
                if is_object(resolved) and resolved.get("type") == "string" and _holds_json(resolved):
                    yield resolved


def _streams(document: Document, operation: Document) -> Iterator[tuple[str, str, Any]]:
    """The streams among the successes: status, media type, schema of an item (None if there is none)."""
    responses = mapped(operation, "responses")
    for status in sorted(responses):
        content = mapped(resolve(document, responses[status]), "content") if status.startswith("2") else {}
        for kind in sorted(content):
            if is_stream(kind):
                yield status, bare_media(kind), _item_schema(document, mapped(content, kind))


def _item_schema(document: Document, media: Document) -> Any:
    """The schema of one item: what stands under ``schema``, by the usual convention; of an array, its items."""
    schema = resolve(document, media.get("schema"))
    if is_object(schema) and (schema.get("type") == "array" or "items" in schema):
        return schema.get("items")
    return media.get("schema")


def _item(types: Types, schema: Any, place: Place, mode: str, *, is_events: bool) -> str:
    resolved = resolve(types.document, schema)
    if mode == "raw":
        return _EVENT
    if is_object(resolved) and resolved.get("type") == "string" and not {"enum", "const"} & resolved.keys():
        # Of lines, a text says no more than that the body is one.
        return "str" if is_events and mode == "text" else "Any"
    return types.of(schema, place)


def _mode(document: Document, schema: Any) -> str:
    """What an item of server-sent events is; see the runtime's ``Operation.stream``."""
    resolved = resolve(document, schema)
    if not is_object(resolved) or not resolved:
        return "raw"
    data = [resolve(document, one) for one in _data_schemas(document, resolved)]
    if data:
        return "event-text" if all(map(_is_text, data)) else "event"
    return "text" if _is_text(resolved) else "json"


def _is_text(schema: Any) -> bool:
    return is_object(schema) and schema.get("type") == "string" and not _holds_json(schema)


def _holds_json(schema: Document) -> bool:
    return str(schema.get("contentMediaType", "")).partition(";")[0].strip().endswith(("/json", "+json"))


def _data_schemas(document: Document, schema: Any, depth: int = _DEPTH) -> list[Any]:
    """The ``data`` of a schema that describes an event as a whole, in each of its forms; none if it does not."""
    resolved = resolve(document, schema)
    if not is_object(resolved) or not depth:
        return []
    properties = mapped(resolved, "properties")
    if "data" in properties and _EVENT_FIELDS & properties.keys():
        return [properties["data"]]
    parts = [_data_schemas(document, part, depth - 1) for part in listed(resolved, "allOf")]
    alternatives = [_data_schemas(document, member, depth - 1) for member in members(resolved)]
    if any(parts):
        return [data for part in parts for data in part]
    return [data for one in alternatives for data in one] if all(alternatives) else []
