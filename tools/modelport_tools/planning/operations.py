"""The methods of a package: what openapi-python-client parsed, and what it drops, read from the document beside it."""

from __future__ import annotations

import keyword
from collections import Counter
from typing import Any, cast

from modelport_tools.document import Document, resolve
from modelport_tools.errors import SpecError

from .adapt import RAW_BODY, bare_media, is_raw
from .annotations import annotation, classes
from .names import identifier, text
from .plan import OperationPlan, ParameterPlan

_MEDIA_PREFERENCE = ("application/json", "multipart/form-data", "application/x-www-form-urlencoded")
_ARGUMENT_NAMES = frozenset({"self", "body", "options", "timeout", "max_retries", "headers"})
_DEFAULT_STYLES = {"path": "simple", "header": "simple", "query": "form", "cookie": "form"}


def make_operation(document: Document, path: str, item: Document, operation: Document, endpoint: Any) -> OperationPlan:
    """The method of an operation, out of the parsed endpoint and the document."""
    method = str(endpoint.method).lower()
    body: Document = resolve(document, operation.get("requestBody")) or {}
    props = [*endpoint.path_parameters, *endpoint.query_parameters, *endpoint.header_parameters]
    props.extend(endpoint.cookie_parameters)
    imports = {entry for prop in props for entry in classes(prop)}
    media_types = tuple(sorted(body.get("content") or {}, key=_media_rank))
    parsed_bodies = {text(one.content_type): one.prop for one in endpoint.bodies}
    has_raw_body = bool(media_types) and is_raw(media_types[0])
    if media_types and not has_raw_body and media_types[0] not in parsed_bodies:
        raise SpecError(f"a body of {media_types[0]} is not supported", pointer=f"{method.upper()} {path}")
    body_prop = parsed_bodies[media_types[0]] if media_types and not has_raw_body else None
    if body_prop is not None:
        imports.update(classes(body_prop))
    responses, success = _responses(document, operation, endpoint)
    imports.update(entry for prop in success for entry in classes(prop))
    returns = list(
        dict.fromkeys(kind for status, media in responses if status.startswith("2") for kind in _return_types(media))
    )
    return OperationPlan(
        operation_id=str(operation["operationId"]),
        name=str(endpoint.name),
        tag=str(endpoint.tags[0]),
        method=method.upper(),
        path=path,
        summary=str(operation.get("summary", "")),
        description=str(operation.get("description", "")),
        parameters=_parameters(document, item, operation, endpoint),
        body=media_types,
        body_annotation=annotation(body_prop) if body_prop is not None else RAW_BODY if has_raw_body else "",
        body_required=bool(body.get("required", False)),
        responses=responses,
        returns="Any" if "Any" in returns else " | ".join(returns) or "None",
        security=_security(document, operation),
        idempotent=_is_idempotent(method, operation),
        deprecated=bool(operation.get("deprecated", False)),
        evidence=str(operation.get("x-modelport-evidence", "")),
        imports=tuple(sorted(imports)),
    )


def _parameters(document: Document, item: Document, operation: Document, endpoint: Any) -> tuple[ParameterPlan, ...]:
    declared: dict[tuple[str, str], Document] = {}
    for entry in [*item.get("parameters", []), *operation.get("parameters", [])]:
        parameter = resolve(document, entry)
        declared[parameter["in"], parameter["name"]] = parameter
    planned: list[ParameterPlan] = []
    for location in ("path", "query", "header", "cookie"):
        for prop in getattr(endpoint, f"{location}_parameters"):
            place = (location, text(prop.name))
            if place not in declared:  # a header that openapi-python-client took for a part of the query
                place = ("header", place[1])
            planned.append(_parameter(place[0], declared.pop(place), prop))
    # What is described by a media type is left out by openapi-python-client; it goes as JSON.
    planned.extend(_parameter(location, entry, None) for (location, _), entry in declared.items())
    twice = [name for name, count in Counter(parameter.name for parameter in planned).items() if count > 1]
    if twice:
        raise SpecError(
            f"two parameters would be {twice[0]}: name one with x-modelport-argument",
            pointer=str(operation["operationId"]),
        )
    return tuple(planned)


def _parameter(location: str, entry: Document, prop: Any) -> ParameterPlan:
    style = "json" if "content" in entry else str(entry.get("style", _DEFAULT_STYLES[location]))
    if prop is None and style != "json":
        raise SpecError(f"the {location} parameter {entry['name']!r} would be lost")
    name = str(entry.get("x-modelport-argument") or (prop.python_name if prop else identifier(entry["name"])))
    if not name.isidentifier() or keyword.iskeyword(name):
        raise SpecError(f"the x-modelport-argument {name!r} is no name for an argument")
    return ParameterPlan(
        name=f"{name}_" if name in _ARGUMENT_NAMES else name,
        wire=str(entry["name"]),
        location=location,
        style=style,
        explode=bool(entry.get("explode", style == "form")),
        annotation=annotation(prop) if prop else "Any",
        required=bool(entry.get("required", False)),
        description=str(entry.get("description", "")),
    )


def _responses(
    document: Document, operation: Document, endpoint: Any
) -> tuple[tuple[tuple[str, tuple[tuple[str, str], ...]], ...], list[Any]]:
    """The media types and type of each response, and the parsed properties of the successes."""
    parsed = {response.status_code.pattern: response for response in endpoint.responses}
    planned: list[tuple[str, tuple[tuple[str, str], ...]]] = []
    success: list[Any] = []
    for status in sorted(operation.get("responses", {}), key=lambda key: (key == "default", key)):
        content: Document = resolve(document, operation["responses"][status]).get("content") or {}
        prop = parsed[status].prop if status in parsed else None
        media = tuple((bare_media(kind), _media_type(kind, typed)) for kind, typed in _typed(content, prop))
        planned.append((status, media))
        if status.startswith("2") and prop is not None:
            success.append(prop)
    return tuple(planned), success


def _typed(content: Document, prop: Any) -> list[tuple[str, Any]]:
    """Each media type, preferred ones first, with the parsed property if it holds for it.

    openapi-python-client parses the first media type that it knows; others are typed alike if their schemas are equal.
    """
    schemas: Document = {kind: cast("Document", entry or {}).get("schema") for kind, entry in content.items()}
    parsed = next((kind for kind in content if _is_parsed(bare_media(kind))), None)
    return [
        (kind, prop if parsed is not None and schemas[kind] == schemas[parsed] else None)
        for kind in sorted(content, key=_media_rank)
    ]


def _is_parsed(kind: str) -> bool:
    known = {"application/json", "application/octet-stream"}
    return kind in known or kind.endswith("+json") or kind.startswith("text/")


def _media_type(kind: str, prop: Any) -> str:
    kind = bare_media(kind)
    if kind == "application/json" or kind.endswith("+json"):
        return annotation(prop) if prop is not None else "Any"
    return "str" if kind.startswith("text/") else "bytes"


def _return_types(media: tuple[tuple[str, str], ...]) -> list[str]:
    return [kind for _, kind in media] or ["None"]


def _media_rank(kind: str) -> tuple[int, str]:
    bare = bare_media(kind)
    if bare in _MEDIA_PREFERENCE:
        return _MEDIA_PREFERENCE.index(bare), kind
    return len(_MEDIA_PREFERENCE) + is_raw(kind), kind


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
