"""From an OpenAPI document to routing and validation."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib.resources import files
from typing import Any, TypeAlias, cast
from urllib.parse import unquote

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError, best_match  # pyright: ignore[reportUnknownVariableType] - untyped key
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from modelport.sandbox._errors import BadRequestError, MethodNotAllowedError, NotFoundError

Json: TypeAlias = dict[str, Any]

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
FORM_TYPES = ("multipart/form-data", "application/x-www-form-urlencoded")
_BASE = "urn:modelport:spec"
_INTEGER = re.compile(r"-?\d{1,18}\Z", re.ASCII)
_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?\Z", re.ASCII)


class SpecError(Exception):
    """The document cannot be served."""


def load_spec(platform: str, version: str) -> Json:
    """The canonical document that the generator wrote for a platform."""
    source = files("modelport_api").joinpath(platform, version, "openapi.json")
    try:
        return cast("Json", json.loads(source.read_text("utf-8")))
    except FileNotFoundError as error:
        raise SpecError(
            f"no document for {platform} {version}: run `make generate`, which writes it from "
            f"openapi/{platform}/{version}"
        ) from error


@dataclass(frozen=True, slots=True)
class Parameter:
    """One path, query or header parameter."""

    name: str
    place: str
    required: bool
    schema: Json
    validator: Draft202012Validator


@dataclass(frozen=True, slots=True)
class Media:
    """One media type of a request body."""

    schema: Json
    validator: Draft202012Validator
    properties: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the document, ready to route and check."""

    id: str
    method: str
    path: str
    tag: str
    parameters: tuple[Parameter, ...]
    media: Mapping[str, Media]
    body_required: bool
    security: tuple[frozenset[str], ...]

    @property
    def takes_form(self) -> bool:
        """Whether a form, urlencoded or multipart, is a body of this operation."""
        return any(kind in self.media for kind in FORM_TYPES)

    @property
    def form(self) -> Media:
        """The form media type; vendor clients send either encoding, so both are one."""
        return next(self.media[kind] for kind in FORM_TYPES if kind in self.media)


@dataclass(slots=True)
class _Node:
    literals: dict[str, _Node] = field(default_factory=dict[str, "_Node"])
    wildcard: _Node | None = None
    operations: dict[str, Operation] = field(default_factory=dict[str, Operation])


class Spec:
    """A document with its routing table."""

    def __init__(self, document: Json) -> None:
        self.document = document
        resource: Resource[Any] = Resource.from_contents(document, default_specification=DRAFT202012)
        self._registry: Registry[Any] = Registry[Any]().with_resource(_BASE, resource)
        self._formats = FormatChecker(["date", "date-time", "email", "uuid", "ipv4"])
        self.operations = tuple(self._read())
        self._root = self._tree(self.operations)

    @cached_property
    def by_id(self) -> dict[str, Operation]:
        """Operations by operationId."""
        return {operation.id: operation for operation in self.operations}

    def resolve(self, value: Json) -> Json:
        """Follow `$ref`s of the document until there is none."""
        while "$ref" in value:
            reference = str(value["$ref"])
            if not reference.startswith("#/"):
                raise SpecError(f"reference {reference!r} leaves the document: bundle it first")
            found: Any = self.document
            for part in reference[2:].split("/"):
                found = found[unquote(part).replace("~1", "/").replace("~0", "~")]
            value = cast("Json", found)
        return value

    def _validator(self, *pointer: str) -> Draft202012Validator:
        path = "/".join(part.replace("~", "~0").replace("/", "~1") for part in pointer)
        # Percent signs and braces of path templates must survive being a URI fragment.
        fragment = path.replace("%", "%25").replace("{", "%7B").replace("}", "%7D")
        return Draft202012Validator(
            {"$ref": f"{_BASE}#/{fragment}"}, registry=self._registry, format_checker=self._formats
        )

    def _pointer(self, value: Json, *pointer: str) -> tuple[Json, tuple[str, ...]]:
        while "$ref" in value:
            pointer = tuple(unquote(p).replace("~1", "/").replace("~0", "~") for p in str(value["$ref"])[2:].split("/"))
            found: Any = self.document
            for part in pointer:
                found = found[part]
            value = cast("Json", found)
        return value, pointer

    def _read(self) -> Iterable[Operation]:
        for path, item in cast("Json", self.document["paths"]).items():
            shared = [self._parameter(p, "paths", path, "parameters", i) for i, p in _listed(item.get("parameters"))]
            for method in METHODS:
                if method in item:
                    yield self._operation(path, method, item[method], shared)

    def _operation(self, path: str, method: str, raw: Json, shared: list[Parameter]) -> Operation:
        own = [self._parameter(p, "paths", path, method, "parameters", i) for i, p in _listed(raw.get("parameters"))]
        taken = {(p.place, p.name) for p in own}
        body, pointer = self._pointer(raw.get("requestBody", {}), "paths", path, method, "requestBody")
        security = raw.get("security", self.document.get("security", []))
        return Operation(
            id=str(raw.get("operationId", f"{method}:{path}")),
            method=method.upper(),
            path=path,
            tag=str(next(iter(raw.get("tags", [])), "")),
            parameters=(*own, *(p for p in shared if (p.place, p.name) not in taken)),
            media={
                kind: self._media(value, *pointer, "content", kind)
                for kind, value in cast("Json", body.get("content", {})).items()
            },
            body_required=bool(body.get("required", False)),
            security=tuple(frozenset(map(str, entry)) for entry in cast("list[Json]", security)),
        )

    def _parameter(self, raw: Json, *pointer: str) -> Parameter:
        value, where = self._pointer(raw, *pointer)
        schema = self.resolve(value.get("schema", {}))
        validator = self._validator(*where, "schema") if "schema" in value else Draft202012Validator({})
        return Parameter(str(value["name"]), str(value["in"]), bool(value.get("required", False)), schema, validator)

    def _media(self, raw: Json, *pointer: str) -> Media:
        schema = self.resolve(raw.get("schema", {}))
        return Media(schema, self._validator(*pointer, "schema"), self._properties(schema))

    def _properties(self, schema: Json) -> dict[str, Json]:
        found: dict[str, Json] = {}
        for keyword in ("allOf", "anyOf", "oneOf"):
            for part in schema.get(keyword, []):
                found.update(self._properties(self.resolve(part)))
        found.update({name: self.resolve(value) for name, value in schema.get("properties", {}).items()})
        return found

    # -- routing ----------------------------------------------------------------------------------------------------

    @staticmethod
    def _tree(operations: Iterable[Operation]) -> _Node:
        root = _Node()
        for operation in operations:
            node = root
            for part in operation.path.strip("/").split("/"):
                if part.startswith("{"):
                    node.wildcard = node.wildcard or _Node()
                    node = node.wildcard
                else:
                    node = node.literals.setdefault(part, _Node())
            node.operations[operation.method] = operation
        return root

    def match(self, method: str, path: str) -> tuple[Operation, tuple[str, ...]]:
        """The operation for a raw (still percent-encoded) path, and the decoded values of its placeholders."""
        parts = path.removeprefix("/").removesuffix("/").split("/")
        allowed: set[str] = set()
        for node, values in _walk(self._root, parts, ()):
            if method in node.operations:
                return node.operations[method], tuple(unquote(value) for value in values)
            allowed.update(node.operations)
        if allowed:
            verbs = ", ".join(sorted(allowed))
            raise MethodNotAllowedError(f"{method} is not allowed here; allowed: {verbs}", headers={"allow": verbs})
        raise NotFoundError(f"there is no {method} {path} on this platform")

    # -- validation -------------------------------------------------------------------------------------------------

    def check_parameters(self, operation: Operation, given: Mapping[str, Mapping[str, list[str]]]) -> Json:
        """Parameter values by name, typed as their schemas say; BadRequestError names the first that is wrong."""
        values: Json = {}
        for parameter in operation.parameters:
            raw = given.get(parameter.place, {}).get(_key(parameter))
            if raw is None:
                if parameter.required and parameter.place != "cookie":
                    raise BadRequestError(f"{parameter.place} parameter {parameter.name!r} is missing")
                continue
            value = self.coerce(parameter.schema, raw)
            _check(parameter.validator, value, f"{parameter.place} parameter {parameter.name!r}")
            values[parameter.name] = value
        return values

    def check_body(self, media: Media, value: object, what: str = "body") -> None:
        """Raise BadRequestError naming the first field that breaks the schema."""
        _check(media.validator, value, what)

    def coerce(self, schema: Json, raw: list[str]) -> Any:
        """Text from a query or a form as the type its schema names; text that does not fit stays text."""
        schema = self.resolve(schema)
        if _types(schema) == {"array"}:
            items = self.resolve(schema.get("items", {}))
            return [self.coerce(items, [value]) for value in raw]
        return _scalar(_types(schema), raw[-1])


def _scalar(types: set[str], text: str) -> Any:
    if "integer" in types and _INTEGER.match(text):
        return int(text)
    if "number" in types and _NUMBER.match(text):
        return float(text)
    if "boolean" in types and text.lower() in {"true", "false"}:
        return text.lower() == "true"
    if types & {"object", "array"} and "string" not in types:
        try:
            return json.loads(text)
        except ValueError:
            return text
    return text


def _types(schema: Json) -> set[str]:
    kind = schema.get("type", [])
    return {kind} if isinstance(kind, str) else set(cast("list[str]", kind))


def _key(parameter: Parameter) -> str:
    return parameter.name.lower() if parameter.place == "header" else parameter.name


def _listed(values: list[Json] | None) -> Iterable[tuple[str, Json]]:
    return ((str(index), value) for index, value in enumerate(values or []))


def _walk(node: _Node, parts: list[str], values: tuple[str, ...]) -> Iterable[tuple[_Node, tuple[str, ...]]]:
    if not parts:
        yield node, values
        return
    head, rest = parts[0], parts[1:]
    if head in node.literals:
        yield from _walk(node.literals[head], rest, values)
    if node.wildcard is not None and head:
        yield from _walk(node.wildcard, rest, (*values, head))


def _check(validator: Draft202012Validator, value: Any, what: str) -> None:
    errors: Any = validator.iter_errors(value)  # pyright: ignore[reportUnknownMemberType] - partly typed
    error = cast("ValidationError | None", best_match(errors))
    if error is not None:
        raise BadRequestError(_sentence(error, what))


def _sentence(error: ValidationError, what: str) -> str:
    path = ".".join(str(part) for part in error.absolute_path)
    where = f"{what} field {path!r}" if path else what
    return f"{where}: {error.message[:300]}"
