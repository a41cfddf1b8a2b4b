"""A package as a whole: its tags, and what its parts must not take from each other."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, cast

from modelport_tools.document import Document, is_object, operations, resolve
from modelport_tools.errors import SpecError

from .directions import with_directions
from .extras import with_extras
from .models import imports, make_enums, make_models
from .names import identifier, numbered, unused, words
from .operations import make_operation
from .plan import ClientPlan, OperationPlan, TagPlan
from .servers import base_url, make_servers
from .streams import with_json_in_events
from .types import Types
from .webhooks import make_webhooks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_RESOURCE_NAMES = frozenset({"with_raw_response", "with_streaming_response"})


def make_plan(document: Document) -> ClientPlan:
    """Plan the package for a canonical document.

    Raises:
        SpecError: If the document contradicts itself, or no file could bear a name of its.
    """
    _check_paths(document)
    document = with_json_in_events(document)
    types = Types(document)
    for name in types.names.components:
        types.of_component(name)
    make_models(types)  # the classes that components need come before those of operations
    planned = _distinct(
        [make_operation(types, path, item, method, operation) for path, method, item, operation in operations(document)]
    )
    webhooks = make_webhooks(types)
    models = with_directions(make_models(types), planned)
    enums = sorted(make_enums(types), key=lambda enum: enum.module)
    planned = with_extras(document, planned, models, enums)
    names = sorted({operation.tag for operation in planned}, key=_tag_rank(document))
    taken = {*(model.name for model in models), *(enum.name for enum in enums)}
    tags = tuple(_tag(document, name, planned, taken) for name in names)
    named = {operation.operation_id: operation for tag in tags for operation in tag.operations}
    info = document.get("info", {})
    servers = make_servers(document)
    plan = ClientPlan(
        title=str(info.get("title", "API")),
        version=str(info.get("version", "")),
        base_url=base_url(servers),
        tags=tags,
        models=tuple(sorted(models, key=lambda model: model.module)),
        enums=tuple(enums),
        operations=tuple(named[operation.operation_id] for operation in planned),
        servers=servers,
        webhooks=webhooks,
        webhook_imports=imports(types, (one.annotation for one in webhooks)),
    )
    _check_modules(plan)
    return plan


_MAX_NAME_BYTES = 200
"""File systems take 255; Python adds to the name of a module where it keeps the compiled one."""


def _check_modules(plan: ClientPlan) -> None:
    """See that every file system can hold the modules: those that tell no case too.

    Raises:
        SpecError: If not; names the module.
    """
    classes = [*(model.module for model in plan.models), *(enum.module for enum in plan.enums)]
    modules = [("models", "schema", module) for module in classes]
    modules += [("operations", "tag", tag.name) for tag in plan.tags]
    seen: dict[str, str] = {}
    for folder, what, module in modules:
        name = f"{folder}/{module}.py"
        if len(module.encode()) > _MAX_NAME_BYTES:
            raise SpecError(f"the {what} behind {module[:40]}... has a name too long for a file: shorten it by a patch")
        other = seen.setdefault(unicodedata.normalize("NFKC", name).casefold(), name)
        if other is not name:
            raise SpecError(f"would be generated into {other} and {name}, one file where letters have no case")


def _distinct(planned: list[OperationPlan]) -> list[OperationPlan]:
    """The same operations; those that would be one method are named by their HTTP method and path."""
    count = Counter((operation.tag, operation.name) for operation in planned)
    named = [
        replace(operation, name=identifier(f"{operation.method.lower()}_{operation.path.replace('/', '_')}", "field_"))
        if count[operation.tag, operation.name] > 1
        else operation
        for operation in planned
    ]
    names: dict[str, dict[str, str]] = {}
    for operation in named:
        names.setdefault(operation.tag, {})[f"{operation.method} {operation.path}"] = operation.name
    given = {tag: numbered(made) for tag, made in names.items()}
    return [
        replace(operation, name=given[operation.tag][f"{operation.method} {operation.path}"]) for operation in named
    ]


def _check_paths(document: Document) -> None:
    """OpenAPI: paths that differ in nothing but the names in their braces are the same path."""
    seen: dict[tuple[str, str], str] = {}
    for path, method, _, _ in operations(document):
        where = f"{method.upper()} {path}"
        first = seen.setdefault((re.sub(r"\{[^}]*\}", "{}", path), method), where)
        if first is not where:
            raise SpecError(f"is the same path as {first} with other names in its braces", pointer=where)


def _listed_tags(document: Document) -> list[Document]:
    return cast("list[Document]", document.get("tags") or [])


def _tag_rank(document: Document) -> Callable[[str], tuple[int, str]]:
    """Tags in the order in which the document lists them, then by name."""
    listed = [identifier(str(tag.get("name"))) for tag in _listed_tags(document)]

    def rank(name: str) -> tuple[int, str]:
        return (listed.index(name) if name in listed else len(listed), name)

    return rank


def _tag(document: Document, name: str, planned: Iterable[OperationPlan], taken: set[str]) -> TagPlan:
    described = {str(tag.get("name")): str(tag.get("description", "")) for tag in _listed_tags(document)}
    raw = next((tag for tag in described if identifier(tag) == name), name)
    of_tag = tuple(operation for operation in planned if operation.tag == name)
    reserved = _RESOURCE_NAMES | words(text for operation in of_tag for text in operation.annotations)
    of_tag = tuple(
        replace(operation, name=unused(f"{operation.name}_", {name for other in of_tag for name in other.method_names}))
        if operation.name in reserved
        else operation
        for operation in of_tag
    )
    methods = {*reserved, *(name for operation in of_tag for name in operation.method_names)}
    of_tag = tuple(_with_stream_name(operation, methods) for operation in of_tag)
    sent = [*of_tag, *(operation.follow.operation for operation in of_tag if operation.follow)]
    used = sorted({scheme for operation in sent for choice in operation.security for scheme in choice})
    return TagPlan(
        name=f"{name}_" if name in _client_names() else name,
        class_name=_tag_class("".join(word.capitalize() for word in name.split("_")), taken),
        description=described.get(raw, ""),
        operations=of_tag,
        schemes=tuple((scheme, _scheme(document, scheme)) for scheme in used),
    )


def _tag_class(name: str, taken: set[str]) -> str:
    """The name of a class of operations, which gives way to the classes of schemas."""
    found, number = f"{name}Operations", 1
    while not taken.isdisjoint(_variants(found)):
        found, number = f"{name}TagOperations{number if number > 1 else ''}", number + 1
    taken |= _variants(found)
    return found


def _variants(name: str) -> set[str]:
    return {f"{kind}{name}{form}" for kind in ("", "Async") for form in _FORMS}


_FORMS = ("", "WithRawResponse", "WithStreamingResponse")


@cache
def _client_names() -> frozenset[str]:
    """What a client has of its own: a tag of such a name gets an underscore."""
    from modelport_tools.runtime._sync.client import BaseClient

    return frozenset({"cached_property", *dir(BaseClient)})


def _with_stream_name(operation: OperationPlan, taken: set[str]) -> OperationPlan:
    stream = operation.stream
    if stream is None:
        return operation
    name = operation.name if stream.is_alone else unused(f"stream_{operation.name}", taken)
    taken.add(name)
    return replace(operation, stream=replace(stream, name=name))


def _scheme(document: Document, name: str) -> tuple[str, str, str]:
    entry = resolve(document, document.get("components", {}).get("securitySchemes", {}).get(name))
    if not is_object(entry):
        raise SpecError("the security scheme is not declared", pointer=f"/components/securitySchemes/{name}")
    if entry.get("type") == "apiKey":
        return "apiKey", str(entry["in"]), str(entry["name"])
    if entry.get("type") == "mutualTLS":
        return "mutualTLS", "", ""
    scheme = str(entry.get("scheme", "bearer"))
    return "http", scheme.lower() if scheme.lower() in {"basic", "bearer"} else scheme, ""
