"""A package as a whole: its tags, and what its parts must not take from each other."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

from modelport_tools.document import Document, is_object, operations, resolve
from modelport_tools.errors import SpecError

from .maps import Maps
from .models import make_enum, make_models, renamed
from .names import identifier, unused, words
from .operations import make_operation
from .parse import parse
from .plan import ClientPlan, OperationPlan, TagPlan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_CLIENT_NAMES = frozenset({"base_url", "cached_property", "close", "default_base_url", "with_options"})
_RESOURCE_NAMES = frozenset({"with_raw_response", "with_streaming_response"})


def make_plan(document: Document) -> ClientPlan:
    """Plan the package for a canonical document.

    Raises:
        SpecError: If any operation would be lost, or left without a type; names it.
    """
    data, endpoints = parse(document)
    planned = _distinct(
        [
            make_operation(document, path, item, operation, endpoint)
            for (path, _, item, operation), endpoint in zip(operations(document), endpoints, strict=True)
        ]
    )
    enums = sorted((make_enum(enum) for enum in data.enums), key=lambda enum: enum.module)
    maps = Maps(make_models(document, data.models), enums)
    planned = [maps.operation(operation) for operation in planned]
    models = [replace(model, fields=renamed(model.fields)) for model in maps.kept()]
    names = sorted({operation.tag for operation in planned}, key=_tag_rank(document))
    tags = tuple(_tag(document, name, planned) for name in names)
    classes_of_tags = {tag.class_name for tag in tags}
    for name in (*(model.name for model in models), *(enum.name for enum in enums)):
        if name in classes_of_tags:
            raise SpecError(f"the schema {name} bears the name of a class of operations; rename it")
    info = document.get("info", {})
    servers: list[Document] = document.get("servers") or []
    url = str(servers[0].get("url", "")) if servers else ""
    return ClientPlan(
        title=str(info.get("title", "API")),
        version=str(info.get("version", "")),
        base_url=url if url.startswith(("http://", "https://")) and "{" not in url else None,
        tags=tags,
        models=tuple(sorted(models, key=lambda model: model.module)),
        enums=tuple(enums),
        operations=tuple(planned),
    )


def _distinct(planned: list[OperationPlan]) -> list[OperationPlan]:
    """The same operations.

    Raises:
        SpecError: If two would be the same method; one would hide the other.
    """
    methods: dict[tuple[str, str], str] = {}
    for operation in planned:
        where = f"{operation.method} {operation.path}"
        first = methods.setdefault((operation.tag, operation.name), where)
        if first is not where:
            raise SpecError(
                f"would be the same method {operation.tag}.{operation.name} as {first}: give it another operationId",
                pointer=where,
            )
    return planned


def _listed_tags(document: Document) -> list[Document]:
    return cast("list[Document]", document.get("tags") or [])


def _tag_rank(document: Document) -> Callable[[str], tuple[int, str]]:
    """Tags in the order in which the document lists them, then by name."""
    listed = [identifier(str(tag.get("name"))) for tag in _listed_tags(document)]

    def rank(name: str) -> tuple[int, str]:
        return (listed.index(name) if name in listed else len(listed), name)

    return rank


def _tag(document: Document, name: str, planned: Iterable[OperationPlan]) -> TagPlan:
    described = {str(tag.get("name")): str(tag.get("description", "")) for tag in _listed_tags(document)}
    raw = next((tag for tag in described if identifier(tag) == name), name)
    of_tag = tuple(operation for operation in planned if operation.tag == name)
    texts = [parameter.annotation for operation in of_tag for parameter in operation.parameters]
    texts += [text for operation in of_tag for text in (operation.returns, operation.body_annotation)]
    reserved = _RESOURCE_NAMES | words(texts)
    of_tag = tuple(
        replace(operation, name=unused(f"{operation.name}_", {other.name for other in of_tag}))
        if operation.name in reserved
        else operation
        for operation in of_tag
    )
    used = sorted({scheme for operation in of_tag for choice in operation.security for scheme in choice})
    return TagPlan(
        name=f"{name}_" if name in _CLIENT_NAMES else name,
        class_name="".join(word.capitalize() for word in name.split("_")) + "Operations",
        description=described.get(raw, ""),
        operations=of_tag,
        schemes=tuple((scheme, _scheme(document, scheme)) for scheme in used),
    )


def _scheme(document: Document, name: str) -> tuple[str, str, str]:
    entry = resolve(document, document.get("components", {}).get("securitySchemes", {}).get(name))
    if not is_object(entry):
        raise SpecError("the security scheme is not declared", pointer=f"/components/securitySchemes/{name}")
    if entry.get("type") == "apiKey":
        return "apiKey", str(entry["in"]), str(entry["name"])
    if entry.get("type") == "mutualTLS":
        raise SpecError(
            "mutual TLS is a matter of the HTTP client: take the scheme out with a patch",
            pointer=f"/components/securitySchemes/{name}",
        )
    return "http", str(entry.get("scheme", "bearer")).lower(), ""
