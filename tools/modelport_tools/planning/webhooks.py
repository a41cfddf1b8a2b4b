"""What a document says that its servers send: webhooks, and the callbacks of operations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelport_tools.document import METHODS, Document, is_object, operations, resolve

from .media import is_json, media_rank
from .names import identifier, numbered, unused, words
from .plan import WebhookPlan
from .schemas import mapped
from .types import Place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .types import Types

_MODULE_NAMES = frozenset({"annotations"})


def make_webhooks(types: Types) -> tuple[WebhookPlan, ...]:
    """The webhooks by their names, then the callbacks by those of their operations."""
    found = list(_declared(types.document))
    several = {name for name, *_ in found if sum(name == other for other, *_ in found) > 1}
    planned: list[WebhookPlan] = []
    for name, wire, method, operation in found:
        chosen = identifier(f"{name}_{method}" if name in several else name, "webhook_")
        planned.append(_webhook(types, chosen, wire, method, operation))
    names = numbered({str(index): one.name for index, one in enumerate(planned)})
    reserved = _MODULE_NAMES | words(one.annotation for one in planned)
    return tuple(
        WebhookPlan(
            unused(f"{name}_", names.values()) if name in reserved else name,
            one.wire, one.method, one.annotation, one.description,
        )
        for name, one in zip(names.values(), planned, strict=True)
    )  # fmt: skip


def _webhook(types: Types, name: str, wire: str, method: str, operation: Document) -> WebhookPlan:
    content = mapped(resolve(types.document, operation.get("requestBody")) or {}, "content")
    kind = min(content, key=media_rank, default="")
    schema: Any = mapped(content, kind).get("schema", {})
    annotation = types.of(schema, Place(name, "body")) if is_json(kind) else "bytes"
    text = operation.get("description") or operation.get("summary") or ""
    return WebhookPlan(name, wire, method.upper(), annotation, str(text))


def _declared(document: Document) -> Iterator[tuple[str, str, str, Document]]:
    """The name of each, what it is called in the document, its method and its operation."""
    for name, item in mapped(document, "webhooks").items():
        yield from ((name, name, method, operation) for method, operation in _methods(document, item))
    for _, _, _, owner in operations(document):
        for name, callback in mapped(owner, "callbacks").items():
            items: Document = resolve(document, callback) or {}
            for item in items.values():
                wire = f"{owner['operationId']} {name}"
                yield from ((wire, wire, method, operation) for method, operation in _methods(document, item))


def _methods(document: Document, item: Any) -> Iterator[tuple[str, Document]]:
    entry = resolve(document, item)
    for method in METHODS:
        operation = entry.get(method) if is_object(entry) else None
        if is_object(operation):
            yield method, operation
