"""Swagger 2.0 to OpenAPI 3.0: the same operations on the wire, or a refusal that says where."""

from __future__ import annotations

import copy
from typing import Any, NoReturn, cast

from .document import METHODS, Document, is_array, is_object, resolve
from .errors import SpecError
from .pointers import step_text
from .shape import children, walk

_JSON = "application/json"
_URLENCODED = "application/x-www-form-urlencoded"
_MULTIPART = "multipart/form-data"
_BINARY: Document = {"type": "string", "format": "binary"}
_MOVED = {
    "#/definitions/": "#/components/schemas/",
    "#/parameters/": "#/components/parameters/",
    "#/responses/": "#/components/responses/",
}
_KEPT = ("info", "tags", "externalDocs", "security")
_OPERATION_KEPT = (
    "tags", "summary", "description", "externalDocs", "operationId", "deprecated", "security",
)  # fmt: skip
_PARAMETER_KEPT = ("name", "in", "description", "required", "allowEmptyValue")
_SCHEMA_KEYS = (
    "type", "format", "items", "default", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum", "maxLength",
    "minLength", "pattern", "maxItems", "minItems", "uniqueItems", "enum", "multipleOf", "x-nullable",
    "x-enum-varnames",
)  # fmt: skip
_QUERY_STYLES: dict[str, Document] = {
    "csv": {"style": "form", "explode": False},
    "ssv": {"style": "spaceDelimited", "explode": False},
    "pipes": {"style": "pipeDelimited", "explode": False},
    "multi": {"style": "form", "explode": True},
}
_FLOWS = {
    "implicit": "implicit",
    "password": "password",
    "application": "clientCredentials",
    "accessCode": "authorizationCode",
}


def is_swagger(document: Document) -> bool:
    """Whether a document is one of Swagger 2.0."""
    return document.get("swagger") == "2.0" and "openapi" not in document


def original_place(pointer: str) -> str:
    """The place that became this one when Swagger 2.0 was converted."""
    sections = {new[1:]: old[1:] for old, new in _MOVED.items()} | {
        "/components/securitySchemes/": "/securityDefinitions/"
    }
    section = next((section for section in sections if pointer.startswith(section)), None)
    return sections[section] + pointer.removeprefix(section) if section else pointer


def convert(document: Document) -> Document:
    """The document in the words of OpenAPI 3.0.

    Args:
        document: A document of Swagger 2.0, checked against its specification; it is left as it is.

    Raises:
        SpecError: At the first thing that OpenAPI 3.0, or the generated client, could not say.
    """
    return _Converter(copy.deepcopy(document)).converted()


def without_files(document: Document) -> Document:
    """A copy whose answers are no files: the validator takes their type, which is Swagger's own, for a fault."""
    copied = copy.deepcopy(document)
    for _, value, kind in walk(copied):
        schema = value.get("schema")
        if kind == "response" and is_object(schema) and schema.get("type") == "file":
            value["schema"] = dict(_BINARY)
    return copied


class _Converter:
    def __init__(self, document: Document) -> None:
        self._document = document
        self._consumes = self._media(document, "consumes") or [_JSON]
        self._produces = self._media(document, "produces") or [_JSON]

    def converted(self) -> Document:
        document = self._document
        result: Document = {"openapi": "3.0.3", **_extensions(document), **_picked(document, _KEPT)}
        servers = self._servers(document.get("schemes"))
        if servers:
            result["servers"] = servers
        result["paths"] = {
            path: self._path_item(item, f"/paths/{step_text(path)}") if path.startswith("/") else item
            for path, item in cast("Document", document.get("paths") or {}).items()
        }
        components: Document = {
            "schemas": {
                name: self._schema(entry, f"/definitions/{step_text(name)}")
                for name, entry in self._shared("definitions").items()
            },
            "parameters": {
                name: self._parameter(entry, f"/parameters/{step_text(name)}")
                for name, entry in self._shared("parameters").items()
                if entry.get("in") not in {"body", "formData"}
            },
            "responses": {
                name: self._response(entry, self._produces, f"/responses/{step_text(name)}")
                for name, entry in self._shared("responses").items()
            },
            "securitySchemes": {
                name: _security(entry, f"/securityDefinitions/{step_text(name)}")
                for name, entry in self._shared("securityDefinitions").items()
            },
        }
        result["components"] = {section: entries for section, entries in components.items() if entries}
        return result

    def _shared(self, section: str) -> dict[str, Document]:
        return cast("dict[str, Document]", self._document.get(section) or {})

    @staticmethod
    def _media(holder: Document, key: str) -> list[str] | None:
        entries = holder.get(key)
        return [str(entry) for entry in entries] if is_array(entries) else None

    def _servers(self, schemes: Any) -> list[Document]:
        host, base = str(self._document.get("host") or ""), str(self._document.get("basePath") or "")
        base = "" if base == "/" else base
        if not host:
            return [{"url": base}] if base else []
        listed = sorted(schemes, key=["https", "http", "wss", "ws"].index) if is_array(schemes) else []
        return [{"url": f"{scheme}://{host}{base}"} for scheme in listed] or [{"url": f"//{host}{base}"}]

    def _path_item(self, item: Document, pointer: str) -> Document:
        shared: list[tuple[Document, str]] = [
            (entry, f"{pointer}/parameters/{index}") for index, entry in enumerate(item.get("parameters") or [])
        ]
        result = _extensions(item)
        for method in METHODS:
            if method in item:
                result[method] = self._operation(item[method], shared, f"{pointer}/{method}")
        return result

    def _operation(self, operation: Document, shared: list[tuple[Document, str]], pointer: str) -> Document:
        consumes = self._media(operation, "consumes")
        produces = self._media(operation, "produces") or self._produces
        declared: dict[tuple[str, str], tuple[Document, Document, str]] = {}
        own = [
            (entry, f"{pointer}/parameters/{index}") for index, entry in enumerate(operation.get("parameters") or [])
        ]
        for entry, place in [*shared, *own]:
            parameter = cast("Document", resolve(self._document, entry))
            declared["" if parameter["in"] == "body" else parameter["name"], parameter["in"]] = entry, parameter, place
        result = {**_picked(operation, _OPERATION_KEPT), **_extensions(operation)}
        simple = [found for found in declared.values() if found[1]["in"] not in {"body", "formData"}]
        if simple:
            result["parameters"] = [
                _moved(entry, place) if "$ref" in entry else self._parameter(parameter, place)
                for entry, parameter, place in simple
            ]
        body = [(parameter, place) for _, parameter, place in declared.values() if parameter["in"] == "body"]
        form = [(parameter, place) for _, parameter, place in declared.values() if parameter["in"] == "formData"]
        if body and form:
            _refuse("has a body and form fields at once", pointer)
        if body:
            result["requestBody"] = self._body(*body[0], consumes or self._consumes)
        elif form:
            result["requestBody"] = self._form(form, consumes or self._consumes)
        result["responses"] = {
            status: self._answer(entry, produces, f"{pointer}/responses/{step_text(status)}")
            for status, entry in cast("Document", operation["responses"]).items()
        }
        if "schemes" in operation:
            servers = self._servers(operation["schemes"])
            if servers != self._servers(self._document.get("schemes")):
                result["servers"] = servers
        return result

    def _parameter(self, parameter: Document, pointer: str) -> Document:
        result = {**_picked(parameter, _PARAMETER_KEPT), **_extensions(parameter, but=("x-nullable",))}
        if parameter.get("type") == "file":
            _refuse("a file can only be a form field", f"{pointer}/type")
        result["schema"] = self._simple(parameter, pointer)
        if parameter.get("type") == "array":
            style = parameter.get("collectionFormat", "csv")
            if parameter["in"] == "query" and style in _QUERY_STYLES:
                result.update(_QUERY_STYLES[style])
            elif style != "csv":
                _refuse(
                    f"a list written as {style} in a {parameter['in']} has no form in OpenAPI 3",
                    f"{pointer}/collectionFormat",
                )
        return result

    def _simple(self, holder: Document, pointer: str) -> Document:
        """The schema of a parameter, a header or a form field, which Swagger writes beside its name."""
        items = holder.get("items")
        if is_object(items) and (items.get("type") == "array" or "collectionFormat" in items):
            _refuse("a list of lists outside of a body has no form in OpenAPI 3", f"{pointer}/items")
        return self._schema(_picked(holder, _SCHEMA_KEYS), pointer)

    def _body(self, parameter: Document, pointer: str, media_types: list[str]) -> Document:
        schema = self._schema(parameter["schema"], f"{pointer}/schema")
        result = {**_picked(parameter, ("description", "required")), **_extensions(parameter)}
        result["content"] = {kind: {"schema": schema} for kind in media_types}
        return result

    def _form(self, fields: list[tuple[Document, str]], media_types: list[str]) -> Document:
        has_file = any(field.get("type") == "file" for field, _ in fields)
        fit = (_MULTIPART,) if has_file else (_URLENCODED, _MULTIPART)
        chosen = [kind for kind in media_types if kind.partition(";")[0].strip().lower() in fit]
        schema: Document = {"type": "object", "properties": {}}
        required: list[str] = []
        for field, place in fields:
            name = str(field["name"])
            if field.get("type") == "array" and field.get("collectionFormat", "csv") != "multi":
                _refuse(
                    "a list in a form is sent by repeating its name: only the collectionFormat multi says so", place
                )
            entry = dict(_BINARY) if field.get("type") == "file" else self._simple(field, place)
            schema["properties"][name] = {**entry, **_picked(field, ("description",))}
            if field.get("required"):
                required.append(name)
        if required:
            schema["required"] = required
        return {"required": bool(required), "content": {kind: {"schema": schema} for kind in chosen or fit[:1]}}

    def _answer(self, entry: Document, produces: list[str], pointer: str) -> Document:
        if "$ref" in entry and produces == self._produces:
            return _moved(entry, pointer)
        return self._response(resolve(self._document, entry), produces, pointer)

    def _response(self, response: Document, produces: list[str], pointer: str) -> Document:
        if "$ref" in response:
            return _moved(response, pointer)
        result = {**_picked(response, ("description",)), **_extensions(response)}
        if "headers" in response:
            result["headers"] = {
                name: self._header(entry, f"{pointer}/headers/{step_text(name)}")
                for name, entry in response["headers"].items()
            }
        examples: Document = response.get("examples") or {}
        if "schema" in response:
            is_file = response["schema"].get("type") == "file"
            schema = dict(_BINARY) if is_file else self._schema(response["schema"], f"{pointer}/schema")
            media = [kind for kind in produces if not (is_file and "json" in kind)] or ["application/octet-stream"]
            result["content"] = {
                kind: {"schema": schema, **({"example": examples.pop(kind)} if kind in examples else {})}
                for kind in media
            }
        if examples:
            result["x-examples"] = examples
        return result

    def _header(self, header: Document, pointer: str) -> Document:
        result = {**_picked(header, ("description",)), **_extensions(header, but=("x-nullable",))}
        if header.get("collectionFormat", "csv") != "csv":
            result["x-collectionFormat"] = header["collectionFormat"]
        return {**result, "schema": self._simple(header, pointer)}

    def _schema(self, schema: Document, pointer: str) -> Document:
        if schema.get("type") == "file":
            _refuse("a file can only be a form field or a whole answer", f"{pointer}/type")
        result = _moved(schema, pointer) if isinstance(schema.get("$ref"), str) else dict(schema)
        for key, item, kind in children(schema, "schema"):
            place = f"{pointer}/{step_text(key)}"
            if kind == "schema" and is_object(item):
                result[key] = self._schema(item, place)
            elif is_object(item):
                result[key] = {name: self._schema(one, f"{place}/{step_text(name)}") for name, one in item.items()}
            elif is_array(item):
                result[key] = [self._schema(one, f"{place}/{index}") for index, one in enumerate(item)]
        if isinstance(schema.get("discriminator"), str):
            result["discriminator"] = {"propertyName": schema["discriminator"]}
        return _nullable(result) if result.pop("x-nullable", False) is True else result


def _nullable(schema: Document) -> Document:
    if "$ref" in schema:  # whatever stands beside a reference is not read
        return {"allOf": [schema], "nullable": True}
    if is_array(schema.get("enum")) and None not in schema["enum"]:
        schema["enum"] = [*schema["enum"], None]
    return {**schema, "nullable": True}


def _moved(holder: Document, pointer: str) -> Document:
    """A reference, to where its target stands afterwards."""
    reference = str(holder["$ref"])
    old = next((old for old in _MOVED if reference.startswith(old)), None)
    if old is None or "/" in reference.removeprefix(old):
        _refuse(f"{reference}: only whole definitions, parameters and responses can be referred to", f"{pointer}/$ref")
    return {**holder, "$ref": _MOVED[old] + reference.removeprefix(old)}


def _security(scheme: Document, pointer: str) -> Document:
    result = {**_picked(scheme, ("description",)), **_extensions(scheme)}
    if scheme["type"] == "basic":
        return {**result, "type": "http", "scheme": "basic"}
    if scheme["type"] == "apiKey":
        return {**result, **_picked(scheme, ("type", "in", "name"))}
    flow = _FLOWS.get(str(scheme.get("flow")))
    if flow is None:
        _refuse(f"the flow {scheme.get('flow')!r} is not known", pointer)
    flows: Document = {flow: {"scopes": {}, **_picked(scheme, ("authorizationUrl", "tokenUrl", "scopes"))}}
    return {**result, "type": "oauth2", "flows": flows}


def _picked(holder: Document, keys: tuple[str, ...]) -> Document:
    return {key: holder[key] for key in keys if key in holder}


def _extensions(holder: Document, but: tuple[str, ...] = ()) -> Document:
    return {key: item for key, item in holder.items() if key.startswith("x-") and key not in but}


def _refuse(reason: str, pointer: str) -> NoReturn:
    raise SpecError(reason, pointer=pointer)
