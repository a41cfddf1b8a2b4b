"""What a generated package holds, as data: the templates see this and nothing else.

openapi-python-client parses the document: it finds the classes, gives every Python name and the type of every field.
What it drops (parameter styles, security of each operation, what is idempotent) is read from the document beside it.
"""

from __future__ import annotations

import keyword
import re
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from openapi_python_client.config import ClassOverride, Config, ConfigFile, MetaType
from openapi_python_client.parser.errors import GeneratorError
from openapi_python_client.parser.openapi import GeneratorData
from openapi_python_client.parser.properties import Class

from .adapt import RAW_BODY, adapted, bare_media, is_raw
from .annotations import annotation, classes
from .document import Document, is_object, operations, resolve
from .enums import members, prepared
from .errors import SpecError
from .flags import flags
from .maps import Maps
from .unions import member_tags, opened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

_MEDIA_PREFERENCE = ("application/json", "multipart/form-data", "application/x-www-form-urlencoded")
_CLIENT_NAMES = frozenset({"base_url", "cached_property", "close", "default_base_url", "with_options"})
_RESOURCE_NAMES = frozenset({"with_raw_response", "with_streaming_response"})
_FIELD_NAMES = frozenset({"additional_properties", "define", "field"})
_CLASS_NAMES = (
    "Any", "AsyncRawMethod", "AsyncResource", "AsyncStreamMethod", "File", "Literal", "OpenIntEnum", "OpenStrEnum",
    "Operation", "Parameter", "RawMethod", "RequestOptions", "Resource", "StreamMethod", "UNSET", "UUID", "Unpack",
    "Unset", "Uuid",
)  # fmt: skip
"""Names that generated modules use themselves: a component of such a name gets the suffix ``Model``."""
_ARGUMENT_NAMES = frozenset({"self", "body", "options", "timeout", "max_retries", "headers"})
_DEFAULT_STYLES = {"path": "simple", "header": "simple", "query": "form", "cookie": "form"}


@dataclass(frozen=True)
class FieldPlan:
    """A field of a model."""

    name: str
    wire: str
    annotation: str
    required: bool
    description: str
    secret: bool = False
    access: str = ""
    """Which way it goes, if it does not go both: ``readOnly`` or ``writeOnly``."""


@dataclass(frozen=True)
class ModelPlan:
    """A class of a generated package."""

    name: str
    module: str
    description: str
    fields: tuple[FieldPlan, ...]
    extra: str | None
    """The annotation of unknown fields; None if the document closes the object."""
    imports: tuple[tuple[str, str], ...]
    tags: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """The texts that stand for the class in unions, by the property that holds them."""


@dataclass(frozen=True)
class EnumPlan:
    """An enum of a generated package."""

    name: str
    module: str
    description: str
    base: str
    members: tuple[tuple[str, str | int], ...]


@dataclass(frozen=True)
class ParameterPlan:
    """A parameter of an operation."""

    name: str
    wire: str
    location: str
    style: str
    explode: bool
    annotation: str
    required: bool
    description: str


@dataclass(frozen=True)
class OperationPlan:
    """A method of a generated client."""

    operation_id: str
    name: str
    tag: str
    method: str
    path: str
    summary: str
    description: str
    parameters: tuple[ParameterPlan, ...]
    body: tuple[str, ...]
    body_annotation: str
    body_required: bool
    responses: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    returns: str
    security: tuple[tuple[str, ...], ...]
    idempotent: bool
    deprecated: bool
    evidence: str
    imports: tuple[tuple[str, str], ...]

    @property
    def path_parameters(self) -> tuple[ParameterPlan, ...]:
        """Those that are arguments by position."""
        return tuple(parameter for parameter in self.parameters if parameter.location == "path")

    @property
    def keyword_parameters(self) -> tuple[ParameterPlan, ...]:
        """Those that are arguments by name, required ones first."""
        rest = [parameter for parameter in self.parameters if parameter.location != "path"]
        return tuple(sorted(rest, key=lambda parameter: not parameter.required))


@dataclass(frozen=True)
class TagPlan:
    """An attribute of a generated client."""

    name: str
    class_name: str
    description: str
    operations: tuple[OperationPlan, ...]
    schemes: tuple[tuple[str, tuple[str, str, str]], ...]

    @property
    def imports(self) -> tuple[tuple[str, str], ...]:
        """The generated classes that the operations name."""
        return tuple(sorted({entry for operation in self.operations for entry in operation.imports}))


@dataclass(frozen=True)
class ClientPlan:
    """A generated package."""

    title: str
    version: str
    base_url: str | None
    tags: tuple[TagPlan, ...]
    models: tuple[ModelPlan, ...]
    enums: tuple[EnumPlan, ...]
    operations: tuple[OperationPlan, ...] = field(default=())


def make_plan(document: Document) -> ClientPlan:
    """Plan the package for a canonical document.

    Raises:
        SpecError: If any operation would be lost, or left without a type; names it.
    """
    data = _parse(document)
    endpoints = {
        (_text(endpoint.path), endpoint.method.lower()): endpoint
        for collection in data.endpoint_collections_by_tag.values()
        for endpoint in collection.endpoints
    }
    by_position = dict(zip(_expected(document), _in_order(document, endpoints), strict=True))
    found = list(operations(document))
    planned = _distinct(
        [
            _operation(document, path, item, operation, by_position[path, method])
            for path, method, item, operation in found
        ]
    )
    enums = sorted((_enum(enum) for enum in data.enums), key=lambda enum: enum.module)
    tagged = {_class_name(document, component): texts for component, texts in member_tags(document).items()}
    maps = Maps((_model(document, model, tagged) for model in data.models), enums)
    planned = [maps.operation(operation) for operation in planned]
    models = [replace(model, fields=_renamed(model.fields)) for model in maps.kept()]
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


@cache
def _config() -> Config:
    return Config.from_sources(
        ConfigFile(
            post_hooks=[],
            use_path_prefixes_for_title_model_names=False,
            class_overrides={name: ClassOverride(class_name=cast("Any", f"{name}Model")) for name in _CLASS_NAMES},
        ),
        MetaType.NONE,
        document_source=Path(),
        file_encoding="utf-8",
        overwrite=False,
        output_path=None,
    )


def _parse(document: Document) -> GeneratorData:
    try:
        data = GeneratorData.from_dict(prepared(adapted(opened(document))), config=_config())
    except RecursionError:
        raise SpecError("openapi-python-client cannot follow the document: it is nested too deeply") from None
    except Exception as error:  # it raises what its parts raise, such as on enum values that differ in case only
        raise SpecError(f"openapi-python-client cannot parse the document: {error}") from error
    if isinstance(data, GeneratorError):
        raise SpecError(f"openapi-python-client refuses the document: {data.header} {data.detail or ''}".strip())
    problems = [_problem(error) for error in data.errors]
    for collection in data.endpoint_collections_by_tag.values():
        problems.extend(_problem(error) for error in collection.parse_errors)
    if problems:
        raise SpecError("would be generated with losses: " + "; ".join(problems))
    return data


def _problem(error: Any) -> str:
    return _ADDRESS.sub(">", " ".join(str(part) for part in (error.header, error.detail) if part))


_ADDRESS = re.compile(r" at 0x[0-9a-f]+>")


def _expected(document: Document) -> list[tuple[str, str]]:
    return [(path, method) for path, method, _, _ in operations(document)]


def _in_order(document: Document, endpoints: dict[tuple[str, str], Any]) -> list[Any]:
    """The parsed endpoint of each operation: it may bear other names in the braces of its path."""
    bare = {(_bare(path), method): endpoint for (path, method), endpoint in endpoints.items()}
    seen: dict[tuple[str, str], str] = {}
    for path, method in _expected(document):
        where = f"{method.upper()} {path}"
        first = seen.setdefault((_bare(path), method), where)
        if first is not where:
            raise SpecError(f"is the same path as {first} with other names in its braces", pointer=where)
    found = [bare.get((_bare(path), method)) for path, method in _expected(document)]
    lost = [
        f"{method.upper()} {path}" for (path, method), one in zip(_expected(document), found, strict=True) if not one
    ]
    if lost:
        raise SpecError(f"would lose the operations {', '.join(lost)}")
    return found


def _bare(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", path)


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
    listed = [_identifier(str(tag.get("name"))) for tag in _listed_tags(document)]

    def rank(name: str) -> tuple[int, str]:
        return (listed.index(name) if name in listed else len(listed), name)

    return rank


def _text(value: Any) -> str:
    """The text behind the wrapper that openapi-python-client puts around text of a document."""
    return str(value.get_untrusted_value()) if hasattr(value, "get_untrusted_value") else str(value or "")


def _unused(name: str, taken: Iterable[str]) -> str:
    """The name, with underscores behind it for as long as it is taken."""
    occupied = set(taken)
    while name in occupied:
        name += "_"
    return name


def _words(annotations: Iterable[str]) -> set[str]:
    return {word for text in annotations for word in re.findall(r"\w+", text)}


def _renamed(fields: Iterable[FieldPlan]) -> tuple[FieldPlan, ...]:
    """Fields without those names that mean something else where a model is defined, such as ``date: date``."""
    planned = list(fields)
    reserved = _FIELD_NAMES | _words(entry.annotation for entry in planned)
    for index, entry in enumerate(planned):
        if entry.name in reserved:
            others = {other.name for other in planned if other is not entry}
            planned[index] = replace(entry, name=_unused(f"{entry.name}_", reserved | others))
    return tuple(planned)


def _model(document: Document, model: Any, tagged: Mapping[str, Mapping[str, tuple[str, ...]]]) -> ModelPlan:
    props: list[Any] = [*(model.required_properties or []), *(model.optional_properties or [])]
    imports = {entry for prop in props for entry in classes(prop)}
    extra: str | None = None
    if model.additional_properties:
        extra = annotation(model.additional_properties)
        imports.update(classes(model.additional_properties))
    return ModelPlan(
        name=str(model.class_info.name),
        module=str(model.class_info.module_name),
        description=_text(model.description),
        fields=tuple(_field(prop, *flags(document, model.data, _text(prop.name))) for prop in props),
        extra=extra,
        imports=tuple(sorted(imports - {(str(model.class_info.name), str(model.class_info.module_name))})),
        tags=tuple(sorted(tagged.get(str(model.class_info.name), {}).items())),
    )


def _class_name(document: Document, component: str) -> str:
    """The class of a component, as openapi-python-client names it."""
    title = document["components"]["schemas"][component].get("title")
    return str(Class.from_string(string=str(title or component), config=_config()).name)


def _field(prop: Any, secret: bool, access: str) -> FieldPlan:  # noqa: FBT001 - straight out of `flags`
    return FieldPlan(
        name=str(prop.python_name),
        wire=_text(prop.name),
        annotation=annotation(prop),
        required=bool(prop.required),
        description=_text(prop.description),
        secret=secret,
        access=access,
    )


def _enum(enum: Any) -> EnumPlan:
    return EnumPlan(
        name=str(enum.class_info.name),
        module=str(enum.class_info.module_name),
        description=_text(enum.description),
        base="OpenIntEnum" if enum.value_type is int else "OpenStrEnum",
        members=members(enum.values),
    )


def _tag(document: Document, name: str, planned: Iterable[OperationPlan]) -> TagPlan:
    described = {str(tag.get("name")): str(tag.get("description", "")) for tag in _listed_tags(document)}
    raw = next((tag for tag in described if _identifier(tag) == name), name)
    of_tag = tuple(operation for operation in planned if operation.tag == name)
    texts = [parameter.annotation for operation in of_tag for parameter in operation.parameters]
    texts += [text for operation in of_tag for text in (operation.returns, operation.body_annotation)]
    reserved = _RESOURCE_NAMES | _words(texts)
    of_tag = tuple(
        replace(operation, name=_unused(f"{operation.name}_", {other.name for other in of_tag}))
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


def _identifier(text: str) -> str:
    from openapi_python_client.schema.untrusted_string import UntrustedString
    from openapi_python_client.strings import PythonIdentifier

    return str(PythonIdentifier(UntrustedString(text), "tag"))


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


def _operation(document: Document, path: str, item: Document, operation: Document, endpoint: Any) -> OperationPlan:
    method = str(endpoint.method).lower()
    body: Document = resolve(document, operation.get("requestBody")) or {}
    props = [*endpoint.path_parameters, *endpoint.query_parameters, *endpoint.header_parameters]
    props.extend(endpoint.cookie_parameters)
    imports = {entry for prop in props for entry in classes(prop)}
    media_types = tuple(sorted(body.get("content") or {}, key=_media_rank))
    parsed_bodies = {_text(one.content_type): one.prop for one in endpoint.bodies}
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
            place = (location, _text(prop.name))
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
    name = str(entry.get("x-modelport-argument") or (prop.python_name if prop else _identifier(entry["name"])))
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
