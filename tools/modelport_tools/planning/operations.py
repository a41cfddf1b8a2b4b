"""The methods of a package."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from modelport_tools.document import Document, resolve

from .media import FORM, MULTIPART, RAW_BODY, asked_for, bare_media, is_json, is_raw, media_rank
from .models import imports
from .names import identifier
from .parameters import declared, make_parameters
from .plan import OperationPlan
from .schemas import mapped
from .types import Place

if TYPE_CHECKING:
    from .types import Types

_NO_SCHEMA: dict[str, Document] = {"application/octet-stream": {"type": "string", "format": "binary"}}


def make_operation(types: Types, path: str, item: Document, method: str, operation: Document) -> OperationPlan:
    """The method of an operation."""
    document = types.document
    name = identifier(str(operation["operationId"]), "field_")
    parameters = make_parameters(types, name, declared(document, path, item, operation))
    body: Document = resolve(document, operation.get("requestBody")) or {}
    media_types = tuple(sorted(mapped(body, "content"), key=media_rank))
    responses = _responses(types, name, operation)
    returns = list(
        dict.fromkeys(kind for status, media in responses if status.startswith("2") for kind in _return_types(media))
    )
    planned = OperationPlan(
        operation_id=str(operation["operationId"]),
        name=name,
        tag=identifier(str(operation["tags"][0])),
        method=method.upper(),
        path=path,
        summary=str(operation.get("summary", "")),
        description=str(operation.get("description", "")),
        parameters=parameters,
        body=media_types,
        body_annotation=_body(types, name, mapped(body, "content"), media_types),
        body_required=bool(body.get("required", False)),
        responses=responses,
        returns="Any" if "Any" in returns else " | ".join(returns) or "None",
        security=_security(document, operation),
        idempotent=_is_idempotent(method, operation),
        deprecated=bool(operation.get("deprecated", False)),
        evidence=str(operation.get("x-modelport-evidence", "")),
        imports=(),
    )
    return replace(planned, imports=imports(types, annotated(planned)))


def annotated(operation: OperationPlan) -> list[str]:
    """Every annotation of a method."""
    return [*(one.annotation for one in operation.parameters), operation.body_annotation, operation.returns]


def _body(types: Types, method: str, content: Document, media_types: tuple[str, ...]) -> str:
    """The annotation of a body: that of its preferred media type."""
    if not media_types:
        return ""
    kind = media_types[0]
    if is_raw(kind):
        return RAW_BODY
    schema = mapped(content, kind).get("schema", _NO_SCHEMA.get(bare_media(kind), {}))
    several = sum(not is_raw(kind) for kind in media_types) > 1
    return types.of(schema, Place(f"{method}_{_body_kind(kind)}" if several else method, "body"))


def _body_kind(kind: str) -> str:
    return "json" if is_json(kind) else {MULTIPART: "files", FORM: "data"}.get(bare_media(kind), "content")


def _responses(types: Types, method: str, operation: Document) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    """The media types and type of each response."""
    planned: list[tuple[str, tuple[tuple[str, str], ...]]] = []
    for status in sorted(mapped(operation, "responses"), key=lambda key: (key == "default", key)):
        if status.startswith("x-"):
            continue
        content = mapped(resolve(types.document, operation["responses"][status]), "content")
        place = Place(method, f"response_{status}")
        media = tuple(
            (bare_media(kind), _media_type(types, kind, mapped(content, kind).get("schema", {}), place))
            for kind in asked_for(types.document, content)
        )
        planned.append((status, media))
    return tuple(planned)


def _media_type(types: Types, kind: str, schema: Any, place: Place) -> str:
    if is_json(kind):
        return types.of(schema, place)
    return "str" if bare_media(kind).startswith("text/") else "bytes"


def _return_types(media: tuple[tuple[str, str], ...]) -> list[str]:
    return [kind for _, kind in media] or ["None"]


def _security(document: Document, operation: Document) -> tuple[tuple[str, ...], ...]:
    """Alternatives of the operation, else of the document; none makes it public.

    An empty alternative goes last: a credential that is optional is sent where it was given.
    """
    alternatives: list[Document] = operation.get("security", document.get("security")) or []
    if not any(alternatives):
        return ()
    return tuple(sorted((tuple(alternative) for alternative in alternatives), key=lambda schemes: not schemes))


def _is_idempotent(method: str, operation: Document) -> bool:
    if operation.get("x-modelport-mutates"):
        return False
    return method in {"get", "head", "put", "delete", "options", "trace"}
