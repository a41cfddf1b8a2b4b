"""Every kind of change, one at a time, where it can stand; the labels are decided by the tables here."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelport_tools.diff import Change, DiffReport, Label, diff, diff_files
from modelport_tools.diff.rules import RULES
from modelport_tools.errors import SpecError
from tests.unit.tools.specs import document, operation

Schema = dict[str, Any]
Nesting = Callable[[Schema], tuple[Schema, dict[str, Any]]]

B, S, A, I = "breaking", "source", "additive", "info"  # noqa: E741 (initials of the labels)

JSON = "application/json"


# --- where a schema can stand -------------------------------------------------------------------------------------


def ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


NESTINGS: dict[str, Nesting] = {
    "in its place": lambda schema: (schema, {}),
    "in an object": lambda schema: ({"type": "object", "properties": {"inner": schema}}, {}),
    "in an array": lambda schema: ({"type": "array", "items": schema}, {}),
    "in a map": lambda schema: ({"type": "object", "additionalProperties": schema}, {}),
    "by reference": lambda schema: (ref("Inner"), {"Inner": schema}),
    "in an object by reference": lambda schema: (
        {"type": "object", "properties": {"a": ref("Inner")}, "required": ["a"]},
        {"Inner": {"type": "object", "properties": {"b": {"type": "array", "items": schema}}}},
    ),
    "in allOf": lambda schema: (
        {"allOf": [ref("Base"), {"type": "object", "properties": {"own": schema}}]},
        {"Base": {"type": "object", "properties": {"id": {"type": "string"}}}},
    ),
    "in allOf by reference": lambda schema: (
        {"allOf": [ref("Base"), {"type": "object"}]},
        {"Base": {"type": "object", "properties": {"deep": schema}}},
    ),
    "in a member of a union": lambda schema: (
        {"oneOf": [ref("One"), ref("Two")]},
        {"One": {"type": "object", "properties": {"one": schema}}, "Two": {"type": "object", "required": ["two"]}},
    ),
    "in a recursive object": lambda schema: (
        ref("Node"),
        {"Node": {"type": "object", "properties": {"value": schema, "next": ref("Node")}}},
    ),
    "in mutual recursion through allOf": lambda schema: (
        ref("A"),
        {
            "A": {"allOf": [ref("B"), {"type": "object", "properties": {"x": ref("B")}}]},
            "B": {"type": "object", "properties": {"x": ref("A"), "value": schema}},
        },
    ),
}


def sides(direction: str, schema: Schema, components: dict[str, Any]) -> dict[str, Any]:
    holder = {"content": {JSON: {"schema": schema}}}
    parts = {"requestBody": holder} if direction == "request" else {"responses": {"200": {"description": "", **holder}}}
    return document({"/x": {"post": operation("doX", **parts)}}, components={"schemas": components})


def labels(report: DiffReport) -> list[str]:
    """Without classes that a change of type makes or unmakes: they have a test of their own."""
    return sorted(
        change.label.value for change in report.changes if change.kind not in {"model-removed", "model-added"}
    )


# --- schemas: old, new, request forward, request back, response forward, response back -------------------------------

STRING: Schema = {"type": "string"}
OBJECT: Schema = {"type": "object", "properties": {"a": STRING, "b": STRING}, "required": ["a"]}


def changed(schema: Schema, **entries: Any) -> Schema:
    result = {**schema, **entries}
    return {key: value for key, value in result.items() if value is not None}


CAT: Schema = {"title": "Cat", "type": "object", "properties": {"meow": STRING}, "required": ["meow"]}
DOG: Schema = {"title": "Dog", "type": "object", "properties": {"bark": STRING}, "required": ["bark"]}
COW: Schema = {"title": "Cow", "type": "object", "properties": {"moo": STRING}, "required": ["moo"]}

SCHEMAS: dict[str, tuple[Schema, Schema, str, str, str, str]] = {
    "type widened": (STRING, {"type": ["string", "integer"]}, A, B, B, A),
    "integer to number": ({"type": "integer"}, {"type": "number"}, A, B, B, A),
    "any type": (STRING, {}, A, B, B, A),
    "another type": (STRING, {"type": "boolean"}, B, B, B, B),
    "nullable": (STRING, {"type": ["string", "null"]}, A, B, B, A),
    "nullable by a union": (CAT, {"oneOf": [CAT, {"type": "null"}]}, A, B, B, A),
    "enum value": ({"type": "string", "enum": ["a", "b"]}, {"type": "string", "enum": ["a", "b", "c"]}, A, B, A, A),
    "enum opened": ({"type": "string", "enum": ["a", "b"]}, STRING, A, B, B, A),
    "const opened": ({"type": "string", "const": "a"}, STRING, A, B, B, A),
    "format dropped": ({"type": "string", "format": "email"}, STRING, A, B, B, A),
    "format with a Python type dropped": ({"type": "string", "format": "date-time"}, STRING, S, B, B, S),
    "format exchanged": ({"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}, B, B, B, B),
    "int32 to int64": (
        {"type": "integer", "format": "int32"},
        {"type": "integer", "format": "int64"},
        A, B, B, A,
    ),
    "pattern dropped": ({"type": "string", "pattern": "^a"}, STRING, A, B, B, A),
    "pattern exchanged": ({"type": "string", "pattern": "^a"}, {"type": "string", "pattern": "^b"}, B, B, B, B),
    "multipleOf": ({"type": "number", "multipleOf": 4}, {"type": "number", "multipleOf": 2}, A, B, B, A),
    "exclusive bound": (
        {"type": "number", "exclusiveMinimum": 1},
        {"type": "number", "minimum": 1},
        A, B, B, A,
    ),
    "exclusive upper bound": (
        {"type": "number", "exclusiveMaximum": 1},
        {"type": "number", "maximum": 1},
        A, B, B, A,
    ),
    "uniqueItems": ({"type": "array", "uniqueItems": True}, {"type": "array"}, A, B, B, A),
    "not": ({"type": "string", "not": {"const": "x"}}, STRING, A, B, B, A),
    "items typed": ({"type": "array", "items": STRING}, {"type": "array"}, A, B, B, A),
    "prefix item": (
        {"type": "array", "prefixItems": [{"type": "integer"}]},
        {"type": "array", "prefixItems": [{"type": "number"}]},
        A, B, B, A,
    ),
    "optional property": (OBJECT, changed(OBJECT, properties={"a": STRING}), B, A, B, A),
    "required property": (
        OBJECT,
        {"type": "object", "properties": {"b": STRING}},
        B, B, B, A,
    ),
    "requiredness": (OBJECT, changed(OBJECT, required=["a", "b"]), B, A, A, B),
    "other properties closed": (OBJECT, changed(OBJECT, additionalProperties=False), B, A, A, A),
    "map closed": (
        changed(OBJECT, additionalProperties=STRING),
        changed(OBJECT, additionalProperties=False),
        B, A, B, A,
    ),
    "other properties typed": (OBJECT, changed(OBJECT, additionalProperties=STRING), B, A, A, B),
    "pattern property": (changed(OBJECT, patternProperties={"^x-": STRING}), OBJECT, B, A, B, A),
    "read-only required property": (
        OBJECT,
        {
            "type": "object",
            "properties": {"a": STRING, "b": STRING, "id": {"type": "string", "readOnly": True}},
            "required": ["a", "id"],
        },
        S, S, A, B,
    ),
    "becomes read-only": (
        OBJECT,
        changed(OBJECT, properties={"a": STRING, "b": {"type": "string", "readOnly": True}}),
        B, A, I, I,
    ),
    "becomes write-only": (
        OBJECT,
        changed(OBJECT, properties={"a": STRING, "b": {"type": "string", "writeOnly": True}}),
        I, I, B, A,
    ),
    "default of an optional property": (
        OBJECT,
        changed(OBJECT, properties={"a": STRING, "b": {"type": "string", "default": "x"}}),
        A, B, A, A,
    ),
    "other default of an optional property": (
        changed(OBJECT, properties={"a": STRING, "b": {"type": "string", "default": "y"}}),
        changed(OBJECT, properties={"a": STRING, "b": {"type": "string", "default": "x"}}),
        B, B, A, A,
    ),
    "union member": ({"oneOf": [CAT, DOG]}, {"oneOf": [CAT, DOG, COW]}, A, B, B, A),
    "union member under anyOf": ({"anyOf": [CAT, DOG]}, {"anyOf": [CAT, DOG, COW]}, A, B, B, A),
    "became a union": (CAT, {"oneOf": [CAT, DOG]}, A, B, B, A),
    "union beside properties": (OBJECT, {**OBJECT, "oneOf": [CAT, DOG]}, B, A, A, B),
    "oneOf to anyOf": ({"oneOf": [CAT, DOG]}, {"anyOf": [CAT, DOG]}, A, B, B, A),
    "allOf part": (OBJECT, {"allOf": [OBJECT, {"type": "object", "required": ["b"]}]}, B, A, A, B),
    "description": (STRING, {"type": "string", "description": "words"}, I, I, I, I),
    "deprecated": (STRING, {"type": "string", "deprecated": True}, A, A, A, A),
}  # fmt: skip
for _key, _type in (
    ("maxLength", "string"),
    ("maxItems", "array"),
    ("maxProperties", "object"),
    ("maximum", "number"),
):
    SCHEMAS[f"{_key} raised"] = ({"type": _type, _key: 5}, {"type": _type, _key: 9}, A, B, B, A)
    SCHEMAS[f"{_key} dropped"] = ({"type": _type, _key: 5}, {"type": _type}, A, B, B, A)
for _key, _type in (("minLength", "string"), ("minItems", "array"), ("minProperties", "object"), ("minimum", "number")):
    SCHEMAS[f"{_key} lowered"] = ({"type": _type, _key: 5}, {"type": _type, _key: 1}, A, B, B, A)
    SCHEMAS[f"{_key} dropped"] = ({"type": _type, _key: 5}, {"type": _type}, A, B, B, A)


@pytest.mark.parametrize("nesting", NESTINGS)
@pytest.mark.parametrize("name", SCHEMAS)
def test_a_change_of_a_schema_bears_its_label_wherever_the_schema_stands(name: str, nesting: str) -> None:
    old, new, *expected = SCHEMAS[name]
    wrap = NESTINGS[nesting]
    found: list[list[str]] = []
    for direction in ("request", "response"):
        one, other = (sides(direction, *wrap(copy.deepcopy(schema))) for schema in (old, new))
        found += [labels(diff(one, other)), labels(diff(other, one))]

    # A component that became a union has no class any more; the member that it was has one.
    extra = {S} if (name, nesting) == ("became a union", "by reference") else set[str]()
    assert [set(one) - extra for one in found] == [{label} for label in expected]


@pytest.mark.parametrize("required", [True, False])
@pytest.mark.parametrize("name", SCHEMAS)
def test_a_change_of_a_schema_bears_its_label_in_a_property_required_or_not(name: str, *, required: bool) -> None:
    old, new, *expected = SCHEMAS[name]
    found: list[set[str]] = []
    for direction in ("request", "response"):
        one, other = (
            sides(direction, {"type": "object", "properties": {"p": schema}, "required": ["p"] * required}, {})
            for schema in (old, new)
        )
        found += [set(labels(diff(one, other))), set(labels(diff(other, one)))]

    assert found == [{label} for label in expected]


# --- operations: old parts, new parts, forward, back -------------------------------------------------------------


def parameter(name: str = "q", place: str = "query", **rest: Any) -> dict[str, Any]:
    return {"name": name, "in": place, "schema": STRING, **rest}


def body(*media: str, **rest: Any) -> dict[str, Any]:
    return {"content": {kind: {"schema": STRING} for kind in media or (JSON,)}, **rest}


def answers(*statuses: str, media: tuple[str, ...] = (JSON,), **rest: Any) -> dict[str, Any]:
    content = {kind: {"schema": STRING} for kind in media}
    return {status: {"description": "", "content": content, **rest} for status in statuses}


LIST: Schema = {"type": "array", "items": STRING}

OPERATIONS: dict[str, tuple[dict[str, Any], dict[str, Any], str, str]] = {
    "optional parameter": ({}, {"parameters": [parameter()]}, A, B),
    "required parameter": ({}, {"parameters": [parameter(required=True)]}, B, B),
    "parameter required": ({"parameters": [parameter()]}, {"parameters": [parameter(required=True)]}, B, A),
    "parameter moved": ({"parameters": [parameter()]}, {"parameters": [parameter(place="header")]}, B, B),
    "parameter type": (
        {"parameters": [parameter(schema={"type": "integer"})]},
        {"parameters": [parameter(schema={"type": "number"})]},
        A, B,
    ),
    "required parameter enum": (
        {"parameters": [parameter(required=True, schema={"enum": ["a", "b"]})]},
        {"parameters": [parameter(required=True, schema={"enum": ["a"]})]},
        B, A,
    ),
    "parameter described by a media type": (
        {"parameters": [{"name": "q", "in": "query", "content": {JSON: {"schema": {"type": "integer"}}}}]},
        {"parameters": [{"name": "q", "in": "query", "content": {JSON: {"schema": {"type": "number"}}}}]},
        A, B,
    ),
    "parameter becomes JSON": (
        {"parameters": [parameter()]},
        {"parameters": [{"name": "q", "in": "query", "content": {JSON: {"schema": STRING}}}]},
        B, B,
    ),
    "explode of a list": (
        {"parameters": [parameter(schema=LIST)]}, {"parameters": [parameter(schema=LIST, explode=False)]}, B, B,
    ),
    "style": (
        {"parameters": [parameter(schema=LIST, explode=False)]},
        {"parameters": [parameter(schema=LIST, explode=False, style="pipeDelimited")]},
        B, B,
    ),
    "allowEmptyValue": ({"parameters": [parameter()]}, {"parameters": [parameter(allowEmptyValue=True)]}, A, B),
    "default of a parameter": (
        {"parameters": [parameter(schema={"type": "string", "default": "a"})]},
        {"parameters": [parameter(schema={"type": "string", "default": "b"})]},
        B, B,
    ),
    "argument": ({"parameters": [parameter()]}, {"parameters": [parameter(**{"x-modelport-argument": "z"})]}, S, S),
    "deprecated parameter": ({"parameters": [parameter()]}, {"parameters": [parameter(deprecated=True)]}, A, A),
    "described parameter": ({"parameters": [parameter()]}, {"parameters": [parameter(description="x")]}, I, I),
    "optional body": ({}, {"requestBody": body()}, A, B),
    "required body": ({}, {"requestBody": body(required=True)}, B, B),
    "body required": ({"requestBody": body()}, {"requestBody": body(required=True)}, B, A),
    "media type of the body": ({"requestBody": body()}, {"requestBody": body(JSON, "text/plain")}, A, B),
    "encoding": (
        {"requestBody": {"content": {"multipart/form-data": {"schema": {"type": "object"}}}}},
        {"requestBody": {"content": {"multipart/form-data": {
            "schema": {"type": "object"}, "encoding": {"a": {"contentType": JSON}}}}}},
        B, B,
    ),
    "success": ({"responses": answers("200")}, {"responses": answers("200", "201")}, A, B),
    "error": ({"responses": answers("200")}, {"responses": answers("200", "404")}, A, A),
    "default as an error": ({"responses": answers("200")}, {"responses": answers("200", "default")}, A, A),
    "media type of the answer": (
        {"responses": answers("200")}, {"responses": answers("200", media=(JSON, "text/plain"))}, A, B,
    ),
    "media type of an error": (
        {"responses": answers("200", "404")},
        {"responses": {**answers("200"), **answers("404", media=(JSON, "application/problem+json"))}},
        A, B,
    ),
    "header of the answer": (
        {"responses": answers("200")}, {"responses": answers("200", headers={"X-A": {"schema": STRING}})}, A, B,
    ),
    "required header of the answer": (
        {"responses": answers("200", headers={"X-A": {"schema": STRING}})},
        {"responses": answers("200", headers={"X-A": {"schema": STRING, "required": True}})},
        A, B,
    ),
    "type of a header": (
        {"responses": answers("200", headers={"X-A": {"schema": {"type": "integer"}}})},
        {"responses": answers("200", headers={"X-A": {"schema": {"type": "number"}}})},
        B, A,
    ),
    "deprecated": ({}, {"deprecated": True}, A, A),
    "pages": ({}, {"x-modelport-pagination": {"style": "link"}}, A, S),
    "pages of another style": (
        {"x-modelport-pagination": {"style": "page", "parameter": "p"}},
        {"x-modelport-pagination": {"style": "offset", "parameter": "p"}},
        S, S,
    ),
    "where the token is": (
        {"x-modelport-pagination": {"style": "link"}},
        {"x-modelport-pagination": {"style": "link", "next": "url"}},
        I, I,
    ),
    "a wait": ({}, {"x-modelport-polling": {"state": "s", "success": ["a"]}}, A, S),
    "states": (
        {"x-modelport-polling": {"state": "s", "success": ["a"]}},
        {"x-modelport-polling": {"state": "s", "success": ["a", "b"]}},
        I, I,
    ),
    "operationId": ({}, {"operationId": "doOther"}, S, S),
    "operationId of the same Python name": ({}, {"operationId": "do_it"}, I, I),
    "tag": ({"tags": ["a"]}, {"tags": ["b"]}, S, S),
    "second tag": ({"tags": ["a"]}, {"tags": ["a", "b"]}, I, I),
    "summary": ({}, {"summary": "words"}, I, I),
    "credentials": ({}, {"security": [{"key": []}]}, B, A),
    "alternative credentials": ({"security": [{"key": []}]}, {"security": [{"key": []}, {"other": []}]}, A, B),
    "both credentials": ({"security": [{"key": []}]}, {"security": [{"key": [], "other": []}]}, B, A),
    "scope": ({"security": [{"oauth": ["r"]}]}, {"security": [{"oauth": ["r", "w"]}]}, B, A),
    "another scheme": ({"security": [{"key": []}]}, {"security": [{"other": []}]}, B, B),
    "own server": ({"servers": [{"url": "/a"}]}, {"servers": [{"url": "/a"}, {"url": "/b"}]}, A, B),
    "callback": (
        {},
        {"callbacks": {"done": {"{$request.query.u}": {"post": {"responses": {"200": {"description": ""}}}}}}},
        A, B,
    ),
}  # fmt: skip
SCHEMES = {
    "key": {"type": "apiKey", "in": "header", "name": "X-Key"},
    "other": {"type": "http", "scheme": "bearer"},
    "oauth": {"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": "/t", "scopes": {"r": "", "w": ""}}}},
}


def whole(*, path: str = "/x", method: str = "post", **parts: Any) -> dict[str, Any]:
    return document({path: {method: operation(**parts)}}, components={"securitySchemes": SCHEMES})


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_change_of_an_operation_bears_its_label(name: str) -> None:
    old, new, *expected = OPERATIONS[name]
    report, back = diff(whole(**old), whole(**new)), diff(whole(**new), whole(**old))

    assert [set(labels(report)), set(labels(back))] == [{label} for label in expected]
    assert {change.operation for change in (*report.changes, *back.changes)} <= {"POST /x", "callback"} or (
        name == "callback"
    )


PETS: Schema = {"oneOf": [ref("Cat"), ref("Dog")], "discriminator": {"propertyName": "k"}}

DOCUMENTS: dict[str, tuple[dict[str, Any], dict[str, Any], list[str], list[str]]] = {
    "operation": (document({}), whole(), [A], [B]),
    "method": (whole(), whole(method="put"), [B], [B]),
    "path": (whole(), whole(path="/y"), [B], [B]),
    "both gone and come": (whole(), whole(path="/y", operationId="new"), [A, B], [A, B]),
    "name in the braces": (
        whole(path="/x/{a}", parameters=[parameter("a", "path", required=True)]),
        whole(path="/x/{b}", parameters=[parameter("b", "path", required=True)]),
        [S], [S],
    ),
    "server": (document(servers=[{"url": "/a"}]), document(servers=[{"url": "/a"}, {"url": "/b"}]), [A], [B]),
    "order of servers": (
        document(servers=[{"url": "/a"}, {"url": "/b"}]), document(servers=[{"url": "/b"}, {"url": "/a"}]), [S], [S],
    ),
    "trailing slash": (document(servers=[{"url": "/a"}]), document(servers=[{"url": "/a/"}]), [], []),
    "title": (document(), document(info={"title": "Other", "version": "2"}), [I], [I]),
    "webhook answered with": (
        document(webhooks={"w": {"post": operation("w", requestBody=body())}}),
        document(webhooks={"w": {"post": operation("w", requestBody={"content": {JSON: {"schema": {
            "type": ["string", "integer"]}}}})}}),
        [B], [A],
    ),
    "default security": (
        document(components={"securitySchemes": SCHEMES}),
        document(components={"securitySchemes": SCHEMES}, security=[{"key": []}]),
        [B], [A],
    ),
    "name of a scheme": (
        document(components={"securitySchemes": {"a": SCHEMES["key"]}}, security=[{"a": []}]),
        document(components={"securitySchemes": {"b": SCHEMES["key"]}}, security=[{"b": []}]),
        [S], [S],
    ),
    "scheme": (
        document(components={"securitySchemes": {"a": SCHEMES["key"]}}, security=[{"a": []}]),
        document(components={"securitySchemes": {"a": SCHEMES["other"]}}, security=[{"a": []}]),
        [B], [B],
    ),
    "model renamed": (
        sides("request", ref("Old"), {"Old": OBJECT}), sides("request", ref("New"), {"New": OBJECT}), [S], [S],
    ),
    "attribute renamed by its neighbour": (
        sides("response", {"type": "object", "properties": {"createdAt": STRING}}, {}),
        sides("response", {"type": "object", "properties": {"createdAt": STRING, "created_at": STRING}}, {}),
        [A, S], [B, S],
    ),
    "discriminator value": (
        sides("response", {"oneOf": [ref("Cat"), ref("Dog")], "discriminator": {"propertyName": "k", "mapping": {
            "c": "Cat", "d": "Dog"}}}, {"Cat": CAT, "Dog": DOG}),
        sides("response", {"oneOf": [ref("Cat"), ref("Dog")], "discriminator": {"propertyName": "k", "mapping": {
            "c": "Cat", "d": "Dog", "e": "Dog"}}}, {"Cat": CAT, "Dog": DOG}),
        [B], [A],
    ),
    "discriminator": (
        sides("response", {"oneOf": [ref("Cat"), ref("Dog")]}, {"Cat": CAT, "Dog": DOG}),
        sides("response", PETS, {"Cat": CAT, "Dog": DOG}),
        [A], [B],
    ),
    "discriminator of a request": (
        sides("request", {"oneOf": [ref("Cat"), ref("Dog")]}, {"Cat": CAT, "Dog": DOG}),
        sides("request", PETS, {"Cat": CAT, "Dog": DOG}),
        [A], [A],
    ),
    "property of the discriminator": (
        sides("response", PETS, {"Cat": CAT, "Dog": DOG}),
        sides("response", {**PETS, "discriminator": {"propertyName": "sort"}}, {"Cat": CAT, "Dog": DOG}),
        [B], [B],
    ),
    "meaning of a discriminator value": (
        sides("request", {**PETS, "discriminator": {"propertyName": "k", "mapping": {"x": "Cat", "y": "Dog"}}},
              {"Cat": CAT, "Dog": DOG}),
        sides("request", {**PETS, "discriminator": {"propertyName": "k", "mapping": {"x": "Dog", "y": "Cat"}}},
              {"Cat": CAT, "Dog": DOG}),
        [B, B], [B, B],
    ),
    "3.0 and 3.1": (
        {**sides("request", {"allOf": [ref("A")], "nullable": True}, {"A": {
            "type": "object", "properties": {"n": {"type": "number", "minimum": 1, "exclusiveMinimum": True}}}}),
         "openapi": "3.0.3"},
        sides("request", {"anyOf": [ref("A"), {"type": "null"}]}, {"A": {
            "type": "object", "properties": {"n": {"type": "number", "exclusiveMinimum": 1}}}}),
        [], [],
    ),
    "components": (
        document({"/x": {"post": operation(
            parameters=[{"$ref": "#/components/parameters/P"}], requestBody={"$ref": "#/components/requestBodies/B"},
            responses={"200": {"$ref": "#/components/responses/R"}})}},
            components={"parameters": {"P": parameter()}, "requestBodies": {"B": body()},
                        "responses": {"R": {"description": "ok", "content": {JSON: {"schema": STRING}}}}}),
        document({"/x": {"post": operation(
            parameters=[parameter()], requestBody=body(),
            responses={"200": {"description": "ok", "content": {JSON: {"schema": STRING}}}})}}),
        [], [],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_change_of_a_document_bears_its_label(name: str) -> None:
    old, new, *expected = DOCUMENTS[name]

    assert [labels(diff(old, new)), labels(diff(new, old))] == expected


def test_a_component_that_is_no_class_any_more_is_told() -> None:
    old = sides("request", ref("E"), {"E": {"type": "string", "enum": ["a", "b"]}})
    new = sides("request", ref("E"), {"E": STRING})

    assert {change.kind for change in diff(old, new).changes} == {"enum-opened", "model-removed"}


def test_a_schema_used_both_ways_is_judged_once_for_each() -> None:
    def using(schema: Schema) -> dict[str, Any]:
        answer = {"200": {"description": "", "content": {JSON: {"schema": ref("T")}}}}
        sent = {"content": {JSON: {"schema": ref("T")}}}
        return document(
            {
                "/a": {"put": operation("a", requestBody=sent, responses=answer)},
                "/b": {"put": operation("b", requestBody=sent, responses=answer)},
            },
            components={"schemas": {"T": schema}},
        )

    report = diff(using(OBJECT), using(changed(OBJECT, required=["a", "b"])))

    assert [(one.label.value, one.direction, one.operation, one.place, one.also) for one in report.changes] == [
        (B, "request", "PUT /a", "request body application/json at $.b", ("PUT /b",)),
        (A, "response", "PUT /a", "response 200 application/json at $.b", ("PUT /b",)),
    ]


def test_of_nine_planted_breaking_changes_each_is_named() -> None:
    """And one that breaks importers, and two that break nobody."""
    item = {
        "type": "object",
        "properties": {"id": {"type": "integer"}, "name": STRING, "state": {"enum": ["on", "off"]}},
        "required": ["id", "name", "state"],
    }
    new_item = copy.deepcopy(item)
    new_item["properties"]["id"] = STRING
    del new_item["properties"]["name"]
    new_item["required"] = ["id"]
    new_item["properties"]["note"] = STRING

    def planted(thing: Schema, sent: Schema, **rest: Any) -> dict[str, Any]:
        got = {"description": "", "content": {JSON: {"schema": ref("Thing")}}}
        paths = {
            "/things": {
                "get": operation(rest["list_id"], parameters=rest["parameters"], responses={"200": got}),
                "post": operation(
                    "create", requestBody={"content": {JSON: {"schema": sent}}}, responses={rest["status"]: got}
                ),
            },
            **rest["paths"],
        }
        return document(paths, components={"schemas": {"Thing": thing}, "securitySchemes": SCHEMES})

    sent = {
        "type": "object",
        "properties": {"size": {"type": "integer", "maximum": 100}, "state": item["properties"]["state"]},
    }
    new_sent = {
        "type": "object",
        "properties": {"size": {"type": "integer", "maximum": 10}, "state": {"enum": ["on"]}, "owner": STRING},
        "required": ["owner"],
    }
    old = planted(
        item, sent, list_id="listThings", parameters=[parameter("limit")], status="200",
        paths={"/gone": {"get": operation("gone")}},
    )  # fmt: skip
    new = planted(
        new_item, new_sent, list_id="allThings", parameters=[parameter("limit", required=True)], status="201",
        paths={},
    )  # fmt: skip
    report = diff(old, new)

    assert sorted((change.kind, change.operation) for change in report.of(Label.BREAKING)) == [
        ("enum-value-removed", "POST /things"),
        ("limit-narrowed", "POST /things"),
        ("operation-removed", "GET /gone"),
        ("parameter-required", "GET /things"),
        ("property-added-required", "POST /things"),
        ("property-optional", "GET /things"),
        ("property-removed", "GET /things"),
        ("success-removed", "POST /things"),
        ("type-changed", "GET /things"),
    ]
    assert [change.kind for change in report.of(Label.SOURCE)] == ["operation-renamed"]
    assert sorted(change.kind for change in report.of(Label.ADDITIVE)) == ["property-added-optional", "success-added"]


# --- what holds of every document ---------------------------------------------------------------------------------


def reordered(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: reordered(value[key]) for key in reversed(list(value))}
    return [reordered(item) for item in value] if isinstance(value, list) else value


leaves = st.sampled_from(
    [*(pair[0] for pair in SCHEMAS.values()), *(pair[1] for pair in SCHEMAS.values()), ref("Inner")]
)
generated = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(lambda items: {"type": "array", "items": items}, inner),
        st.builds(
            lambda properties: {"type": "object", "properties": properties},
            st.dictionaries(st.sampled_from("abcd"), inner),
        ),
        st.builds(lambda members: {"allOf": members}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda members: {"anyOf": members}, st.lists(inner, min_size=1, max_size=3)),
    ),
    max_leaves=8,
)


@settings(deadline=None)
@given(generated, generated, st.sampled_from(["request", "response"]))
def test_a_document_does_not_differ_from_itself_in_any_order(one: Schema, inner: Schema, direction: str) -> None:
    made = sides(direction, one, {"Inner": {"type": "object", "properties": {"i": inner}}})

    assert diff(made, reordered(made)) == DiffReport()


@settings(deadline=None)
@given(generated, generated, generated, st.sampled_from(["request", "response"]))
def test_any_two_documents_can_be_compared(one: Schema, other: Schema, inner: Schema, direction: str) -> None:
    components = {"Inner": {"type": "object", "properties": {"i": inner}}}
    old, new = sides(direction, one, components), sides(direction, other, components)
    report = diff(old, new)

    assert report == diff(reordered(old), reordered(new))
    assert json.loads(json.dumps(report.as_json()))["counts"] == {label.value: len(report.of(label)) for label in Label}


def test_a_report_says_whether_it_fails() -> None:
    def report(label: Label) -> DiffReport:
        return DiffReport((Change("kind", label, "", "", "", "", ""),))

    assert [report(label).fails(Label.SOURCE) for label in Label] == [True, True, False, False]
    assert [report(label).fails(Label.BREAKING) for label in Label] == [True, False, False, False]
    assert not any(report(label).fails(None) for label in Label)


def test_a_name_cannot_drive_the_terminal() -> None:
    [line] = diff(document({}), whole(path="/x\x1b[31m")).lines(Label.ADDITIVE)

    assert "\x1b" not in line


@pytest.mark.parametrize(
    "values",
    [{}, document({"/a": {"get": operation(parameters="x")}}), document({"/a": {"get": operation(requestBody=7)}})],
)
def test_a_document_that_cannot_be_used_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(SpecError):
        diff(values, values)


def test_the_page_tells_every_kind_and_its_labels(root: Path) -> None:
    page = (root / "docs" / "spec-diff.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z-]+)` \| [^|]+ \| (\w+) \| (\w+) \|$", page, re.MULTILINE)

    assert sorted(rows) == sorted((kind, rule.request.value, rule.response.value) for kind, rule in RULES.items())


def test_the_tables_above_hold_every_kind_of_change() -> None:
    pairs = [(whole(**old), whole(**new)) for old, new, *_ in OPERATIONS.values()]
    pairs += [(old, new) for old, new, *_ in DOCUMENTS.values()]
    pairs += [
        (sides(direction, old, {}), sides(direction, new, {}))
        for old, new, *_ in SCHEMAS.values()
        for direction in ("request", "response")
    ]
    pairs.append((sides("request", ref("E"), {"E": {"enum": ["a", "b"]}}), sides("request", ref("E"), {"E": STRING})))
    found = {
        change.kind
        for one, other in pairs
        for report in (diff(one, other), diff(other, one))
        for change in report.changes
    }

    assert RULES.keys() - found == set()


def test_documents_of_several_files_and_of_swagger_are_compared_too(tmp_path: Path) -> None:
    parts = {"Thing": {"type": "object", "properties": {"name": {"type": "string"}}}}
    answer = {"description": "ok", "content": {"application/json": {"schema": {"$ref": "parts.json#/Thing"}}}}
    several: dict[str, Any] = {
        "openapi": "3.0.3",
        "info": {"title": "T", "version": "1"},
        "paths": {"/things": {"get": {"operationId": "list_things", "responses": {"200": answer}}}},
    }
    swagger: dict[str, Any] = {
        "swagger": "2.0",
        "info": {"title": "T", "version": "1"},
        "produces": ["application/json"],
        "paths": {
            "/things": {
                "get": {
                    "operationId": "list_things",
                    "responses": {"200": {"description": "ok", "schema": {"$ref": "#/definitions/Thing"}}},
                }
            }
        },
        "definitions": {"Thing": {"type": "object", "properties": {"size": {"type": "integer"}}}},
    }
    for name, content in {"old.json": several, "parts.json": parts, "new.json": swagger}.items():
        (tmp_path / name).write_text(json.dumps(content), encoding="utf-8")

    report = diff_files(tmp_path / "old.json", tmp_path / "new.json")

    assert [change.label for change in report.changes if "$.name" in change.place] == [Label.BREAKING]
