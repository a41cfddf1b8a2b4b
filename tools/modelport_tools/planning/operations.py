"""The methods of a package."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from modelport_tools.document import Document, is_object, resolve

from .idempotency import idempotency_key, key_optional
from .media import FORM, MULTIPART, RAW_BODY, asked_for, bare_media, is_json, is_raw, media_rank
from .models import imports
from .names import identifier, unused
from .parameters import declared, make_parameters
from .plan import EncodingPlan, OperationPlan, ParameterPlan, Responses
from .schemas import mapped
from .servers import server_of
from .streams import is_stream, item_of_lines, stream_plan
from .types import Place, joined

if TYPE_CHECKING:
    from .types import Types

_NO_SCHEMA: dict[str, Document] = {"application/octet-stream": {"type": "string", "format": "binary"}}


def make_operation(types: Types, path: str, item: Document, method: str, operation: Document) -> OperationPlan:
    """The method of an operation."""
    document = types.document
    name = identifier(str(operation["operationId"]), "field_")
    entries = declared(document, path, item, operation)
    is_idempotent = _is_idempotent(method, operation)
    key = idempotency_key(document, operation, entries, is_idempotent=is_idempotent)
    parameters = make_parameters(types, name, key_optional(entries, key))
    body: Document = resolve(document, operation.get("requestBody")) or {}
    content = mapped(body, "content")
    media_types = tuple(sorted(content, key=media_rank))
    several = sum(not is_raw(kind) for kind in media_types) > 1
    bodies = [_body(types, name, content, kind, several) for kind in media_types]
    if len(media_types) > 1:
        parameters = _without(parameters, "content_type")
    responses = _responses(types, name, operation, method)
    returns = list(dict.fromkeys(kind for media in _successes(responses) for kind in _return_types(media)))
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
        body_annotation=joined(member for kinds in bodies for member in kinds),
        body_kinds=tuple(_kinds(kinds) for kinds in bodies),
        encoding=tuple((kind, found) for kind in media_types if (found := _encoding(content, kind))),
        body_required=bool(body.get("required", False)),
        responses=responses,
        returns="Any" if "Any" in returns else " | ".join(returns) or "None",
        security=_security(document, operation),
        idempotent=is_idempotent or bool(key),
        idempotency_key=key,
        deprecated=bool(operation.get("deprecated", False)),
        evidence=str(operation.get("x-modelport-evidence", "")),
        imports=(),
        server=server_of(item, operation),
        stream=None if method == "head" else stream_plan(types, name, operation, responses),
    )
    return replace(planned, imports=imports(types, planned.annotations))


def _without(parameters: tuple[ParameterPlan, ...], name: str) -> tuple[ParameterPlan, ...]:
    """The same parameters, none of them of the name."""
    names = {parameter.name for parameter in parameters}
    return tuple(
        replace(parameter, name=unused(f"{name}_", names)) if parameter.name == name else parameter
        for parameter in parameters
    )


def _body(types: Types, method: str, content: Document, kind: str, several: bool) -> tuple[str, ...]:  # noqa: FBT001 - for the name
    """The members of the annotation of a body of one media type."""
    if is_raw(kind):
        item = item_of_lines(types, Place(method, "body_item"), kind, mapped(content, kind))
        return (f"Iterable[{item}]", *RAW_BODY) if item else RAW_BODY
    schema = mapped(content, kind).get("schema", _NO_SCHEMA.get(bare_media(kind), {}))
    return types.union(schema, Place(f"{method}_{_body_kind(kind)}" if several else method, "body"))


def _kinds(annotated: tuple[str, ...]) -> tuple[str, ...]:
    """The names of the types that an annotation means, as values have them."""
    found = [_LITERALS[text[8]] if text.startswith("Literal[") else text.partition("[")[0] for text in annotated]
    aliases = {"None": ["NoneType"], "float": ["float", "int"], "list": ["list", "tuple"]}
    return tuple(dict.fromkeys(name for kind in found for name in aliases.get(kind, [kind])))


_LITERALS = {"'": "str", '"': "str", "T": "bool", "F": "bool", "-": "int", **dict.fromkeys("0123456789", "int")}


def _encoding(content: Document, kind: str) -> tuple[tuple[str, EncodingPlan], ...]:
    """How the fields of a form are written, where the document says."""
    if bare_media(kind) not in {FORM, MULTIPART}:
        return ()
    return tuple(
        (name, plan)
        for name, entry in mapped(mapped(content, kind), "encoding").items()
        if is_object(entry) and (plan := _field_encoding(entry, bare_media(kind) == FORM)) != _PLAIN
    )


def _field_encoding(entry: Document, is_form: bool) -> EncodingPlan:  # noqa: FBT001 - which of two forms
    styled = is_form and not {"style", "explode", "allowReserved"}.isdisjoint(entry)
    style = str(entry.get("style", "form")) if styled else None
    kinds = [kind.strip() for kind in str(entry.get("contentType", "")).split(",")]
    return EncodingPlan(
        content_type=kinds[0] if len(kinds) == 1 and kinds[0] and "*" not in kinds[0] else None,
        style=style,
        explode=bool(entry.get("explode", style in {"form", "deepObject", None})),
        reserved=styled and entry.get("allowReserved") is True,
    )


_PLAIN = EncodingPlan(None, None, explode=True, reserved=False)


def _body_kind(kind: str) -> str:
    return "json" if is_json(kind) else {MULTIPART: "files", FORM: "data"}.get(bare_media(kind), "content")


def _responses(types: Types, name: str, operation: Document, method: str) -> Responses:
    """The media types and type of each response; of a success, without the streams.

    The answer to HEAD has no content (RFC 9110, section 9.3.2), whatever a document says.
    """
    planned: list[tuple[str, tuple[tuple[str, str], ...]]] = []
    for status in sorted(mapped(operation, "responses"), key=lambda key: (key == "default", key)):
        if status.startswith("x-"):
            continue
        content = {} if method == "head" else mapped(resolve(types.document, operation["responses"][status]), "content")
        place = Place(name, f"response_{status}")
        media = tuple(
            (bare_media(kind), _media_type(types, kind, mapped(content, kind).get("schema", {}), place))
            for kind in asked_for(types.document, content)
            if not (status.startswith("2") and is_stream(kind))
        )
        planned.append((status, media))
    return tuple(planned)


def _media_type(types: Types, kind: str, schema: Any, place: Place) -> str:
    if is_json(kind):
        return types.of(schema, place)
    if bare_media(kind) == "*/*":  # a schema of more than a text says that it is JSON
        found = types.of(schema, place)
        return "bytes" if found in {"Any", "str", "File"} else found
    return "str" if bare_media(kind).startswith("text/") else "bytes"


def _successes(responses: Responses) -> list[tuple[tuple[str, str], ...]]:
    """The media types of each success; ``default`` is one where the document names no other."""
    named = [media for status, media in responses if status.startswith("2")]
    return named or [media for status, media in responses if status == "default"]


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
