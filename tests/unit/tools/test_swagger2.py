"""Swagger 2.0 says the same in OpenAPI 3.0, or is refused with its place."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from modelport_tools.errors import SpecError
from modelport_tools.generate import generate_one
from modelport_tools.load import load
from modelport_tools.normalise import normalise
from modelport_tools.planning import ClientPlan, make_plan
from modelport_tools.swagger2 import convert, is_swagger, without_files
from modelport_tools.validation import validate
from tests.unit.tools.specs import OK, operation, write

STRING: dict[str, Any] = {"type": "string"}
INTEGERS: dict[str, Any] = {"type": "array", "items": {"type": "integer"}}


def swagger(paths: dict[str, Any] | None = None, **rest: Any) -> dict[str, Any]:
    return {"swagger": "2.0", "info": {"title": "Old", "version": "1"}, "paths": paths or {}, **rest}


def converted(values: dict[str, Any]) -> dict[str, Any]:
    before = copy.deepcopy(values)
    validate(without_files(values))
    result = convert(values)
    assert values == before
    validate(normalise(result))
    return result


def one(parameters: list[Any] | None = None, **rest: Any) -> dict[str, Any]:
    """The operation that comes of one with these parameters."""
    shared = {key: rest.pop(key) for key in ("definitions", "parameters", "responses_shared") if key in rest}
    values = swagger({"/a": {"post": operation(parameters=parameters or [], **rest)}}, **shared)
    return converted(values)["paths"]["/a"]["post"]


def body(schema: Any, **rest: Any) -> dict[str, Any]:
    return {"name": "body", "in": "body", "schema": schema, **rest}


def query(name: str = "q", **rest: Any) -> dict[str, Any]:
    return {"name": name, "in": "query", **(rest or STRING)}


def form(name: str, **rest: Any) -> dict[str, Any]:
    return {"name": name, "in": "formData", **(rest or STRING)}


@pytest.mark.parametrize(
    ("rest", "servers"),
    [
        ({}, None),
        ({"basePath": "/"}, None),
        ({"basePath": "/v1"}, ["/v1"]),
        ({"host": "h"}, ["//h"]),
        ({"host": "h:8", "basePath": "/v1", "schemes": ["http"]}, ["http://h:8/v1"]),
        ({"host": "h", "schemes": ["ws", "http", "https"]}, ["https://h", "http://h", "ws://h"]),
    ],
)
def test_host_path_and_schemes_are_servers(rest: dict[str, Any], servers: list[str] | None) -> None:
    found = converted(swagger(**rest)).get("servers")

    assert (found and [server["url"] for server in found]) == servers


def test_schemes_of_an_operation_are_its_servers_where_they_differ() -> None:
    paths = {"/a": {"get": operation(schemes=["http"]), "put": operation("p", schemes=["https"])}}
    found = converted(swagger(paths, host="h", schemes=["https"]))["paths"]["/a"]

    assert found["get"]["servers"] == [{"url": "http://h"}]
    assert "servers" not in found["put"]


@pytest.mark.parametrize(
    ("own", "whole", "expected"),
    [(None, None, ["application/json"]), (None, ["a/b"], ["a/b"]), (["c/d", "e/f"], ["a/b"], ["c/d", "e/f"])],
)
def test_a_body_has_the_media_types_of_its_operation_else_of_the_document(
    own: list[str] | None, whole: list[str] | None, expected: list[str]
) -> None:
    answer = {"200": {"description": "ok", "schema": STRING, "examples": {"e/f": "x"}}}
    held: dict[str, Any] = {"consumes": own, "produces": own} if own else {}
    values = swagger({"/a": {"post": operation(parameters=[body(STRING, required=True)], **held, responses=answer)}})
    if whole:
        values |= {"consumes": whole, "produces": whole}
    found = converted(values)["paths"]["/a"]["post"]

    assert found["requestBody"] == {"required": True, "content": {kind: {"schema": STRING} for kind in expected}}
    assert list(found["responses"]["200"]["content"]) == expected
    if own:
        assert found["responses"]["200"]["content"]["e/f"]["example"] == "x"
    else:
        assert found["responses"]["200"]["x-examples"] == {"e/f": "x"}


@pytest.mark.parametrize(
    ("parameter", "expected"),
    [
        (query(), {"schema": STRING}),
        (query(type="integer", format="int64", minimum=1, default=2, description="d", allowEmptyValue=True),
         {"schema": {"type": "integer", "format": "int64", "minimum": 1, "default": 2}, "description": "d",
          "allowEmptyValue": True}),
        (query(**INTEGERS), {"schema": INTEGERS, "style": "form", "explode": False}),
        (query(**INTEGERS, collectionFormat="csv"), {"schema": INTEGERS, "style": "form", "explode": False}),
        (query(**INTEGERS, collectionFormat="ssv"), {"schema": INTEGERS, "style": "spaceDelimited", "explode": False}),
        (query(**INTEGERS, collectionFormat="pipes"), {"schema": INTEGERS, "style": "pipeDelimited", "explode": False}),
        (query(**INTEGERS, collectionFormat="multi"), {"schema": INTEGERS, "style": "form", "explode": True}),
        ({"name": "q", "in": "header", **INTEGERS}, {"schema": INTEGERS}),
        (query(**STRING, **{"x-nullable": True, "x-own": 1}), {"schema": {**STRING, "nullable": True}, "x-own": 1}),
    ],
)  # fmt: skip
def test_a_parameter_has_a_schema_and_a_style(parameter: dict[str, Any], expected: dict[str, Any]) -> None:
    assert one([parameter])["parameters"] == [{"name": "q", "in": parameter["in"], **expected}]


def test_form_fields_are_one_body() -> None:
    many = {**INTEGERS, "collectionFormat": "multi"}
    fields = [form("a", **STRING, required=True, description="d"), form("b", **many)]
    schema = {
        "type": "object", "required": ["a"], "properties": {"a": {**STRING, "description": "d"}, "b": INTEGERS}
    }  # fmt: skip

    assert one(fields)["requestBody"] == {
        "required": True, "content": {"application/x-www-form-urlencoded": {"schema": schema}}
    }  # fmt: skip
    both = ["multipart/form-data", "application/x-www-form-urlencoded"]
    assert list(one(fields, consumes=both)["requestBody"]["content"]) == both
    with_file = one([*fields, form("f", type="file")], consumes=["application/json"])["requestBody"]["content"]
    assert with_file["multipart/form-data"]["schema"]["properties"]["f"] == {"type": "string", "format": "binary"}


def test_shared_parameters_and_answers_stay_shared_where_openapi_3_can() -> None:
    answer = {"200": {"$ref": "#/responses/R"}}
    values = swagger(
        {"/a": {"parameters": [{"$ref": "#/parameters/Q"}, {"$ref": "#/parameters/B"}, query("own")],
                "post": operation(parameters=[query("own", type="integer")], responses=answer),
                "get": operation("g", produces=["text/csv"], responses=answer)}},
        parameters={"Q": query(), "B": body({"$ref": "#/definitions/D"}), "F": form("x")},
        responses={"R": {"description": "r", "schema": STRING, "headers": {"X": INTEGERS}}},
        definitions={"D": STRING},
    )  # fmt: skip
    found = converted(values)
    post, get = found["paths"]["/a"]["post"], found["paths"]["/a"]["get"]

    assert post["parameters"] == [
        {"$ref": "#/components/parameters/Q"}, {"name": "own", "in": "query", "schema": {"type": "integer"}}
    ]  # fmt: skip
    assert post["requestBody"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/D"}
    assert post["responses"]["200"] == {"$ref": "#/components/responses/R"}
    assert list(get["responses"]["200"]["content"]) == ["text/csv"]
    assert found["components"]["responses"]["R"]["headers"] == {"X": {"schema": INTEGERS}}
    assert list(found["components"]["parameters"]) == ["Q"]


def test_schemas_keep_their_meaning() -> None:
    definitions = {
        "Pet": {"type": "object", "discriminator": "kind", "required": ["kind"], "properties": {
            "kind": STRING, "x-nullable": STRING, "no": {**STRING, "x-nullable": True},
            "ref": {"$ref": "#/definitions/Cat", "x-nullable": True},
            "enum": {**STRING, "enum": ["a"], "x-nullable": True},
        }, "example": {"$ref": "data"}},
        "Cat": {"allOf": [{"$ref": "#/definitions/Pet"}, {"additionalProperties": {"$ref": "#/definitions/Cat"}}]},
    }  # fmt: skip
    found = converted(swagger(definitions=definitions))["components"]["schemas"]

    assert found["Pet"]["discriminator"] == {"propertyName": "kind"}
    assert found["Pet"]["example"] == {"$ref": "data"}
    assert found["Pet"]["properties"] == {
        "kind": STRING,
        "x-nullable": STRING,
        "no": {**STRING, "nullable": True},
        "ref": {"allOf": [{"$ref": "#/components/schemas/Cat"}], "nullable": True},
        "enum": {**STRING, "enum": ["a", None], "nullable": True},
    }
    assert found["Cat"]["allOf"] == [
        {"$ref": "#/components/schemas/Pet"},
        {"additionalProperties": {"$ref": "#/components/schemas/Cat"}},
    ]


def test_every_kind_of_security() -> None:
    urls = {"authorizationUrl": "https://a/auth", "tokenUrl": "https://a/token"}
    definitions = {
        "basic": {"type": "basic"},
        "key": {"type": "apiKey", "in": "header", "name": "X-Key", "description": "d"},
        **{
            flow: {"type": "oauth2", "flow": flow, "scopes": {"s": "x"}, **{key: urls[key] for key in keys}}
            for flow, keys in (("implicit", ["authorizationUrl"]), ("password", ["tokenUrl"]),
                               ("application", ["tokenUrl"]), ("accessCode", list(urls)))
        },
    }  # fmt: skip
    found = converted(swagger(securityDefinitions=definitions, security=[{"basic": []}, {"key": []}]))
    schemes = found["components"]["securitySchemes"]

    assert found["security"] == [{"basic": []}, {"key": []}]
    assert schemes["basic"] == {"type": "http", "scheme": "basic"}
    assert schemes["key"] == definitions["key"]
    assert {name: list(scheme["flows"]) for name, scheme in schemes.items() if "flows" in scheme} == {
        "implicit": ["implicit"], "password": ["password"], "application": ["clientCredentials"],
        "accessCode": ["authorizationCode"],
    }  # fmt: skip
    assert schemes["accessCode"]["flows"]["authorizationCode"] == {**urls, "scopes": {"s": "x"}}


def test_a_flow_without_scopes_has_none() -> None:
    """OpenAPI 3 requires them; the schema of Swagger 2.0 does not."""
    flow = {"type": "oauth2", "flow": "implicit", "authorizationUrl": "https://a/auth"}
    found = converted(swagger(securityDefinitions={"oidc": flow}))

    assert found["components"]["securitySchemes"]["oidc"]["flows"]["implicit"]["scopes"] == {}


def test_a_list_of_types_is_kept() -> None:
    schema = {"type": "object", "properties": {"at": {"type": ["string", "null"], "format": "date-time"}}}

    assert converted(swagger(definitions={"A": schema}))["components"]["schemas"]["A"] == schema


def test_a_reference_that_leads_nowhere_is_refused_by_its_place_in_swagger(tmp_path: Path) -> None:
    values = swagger(definitions={"A": {"type": "object", "properties": {"b": {"$ref": "#/definitions/B"}}}})
    with pytest.raises(SpecError) as caught:
        load(write(tmp_path, values))

    assert caught.value.pointer == "/definitions/A/properties/b"


def test_an_answer_that_is_a_file_is_bytes() -> None:
    file = {"200": {"description": "f", "schema": {"type": "file"}}}

    assert list(one(responses=file)["responses"]["200"]["content"]) == ["application/octet-stream"]
    assert list(one(responses=file, produces=["image/png"])["responses"]["200"]["content"]) == ["image/png"]


REFERENCE = "/paths/~1a/post/parameters/0"


@pytest.mark.parametrize(
    ("parameters", "pointer", "says"),
    [
        ([query(**INTEGERS, collectionFormat="tsv")], f"{REFERENCE}/collectionFormat", "written as tsv"),
        ([{"name": "h", "in": "header", **INTEGERS, "collectionFormat": "pipes"}],
         f"{REFERENCE}/collectionFormat", "written as pipes in a header"),
        ([query(type="array", items=INTEGERS)], f"{REFERENCE}/items", "a list of lists"),
        ([form("x", **INTEGERS)], REFERENCE, "repeating its name"),
        ([body({"$ref": "#/definitions/D/properties/x"})], f"{REFERENCE}/schema/$ref", "only whole definitions"),
        ([body({"type": "object", "properties": {"f": {"type": "file"}}})],
         f"{REFERENCE}/schema/properties/f/type", "a file can only be"),
        ([body(STRING), form("x")], "/paths/~1a/post", "a body and form fields at once"),
    ],
)  # fmt: skip
def test_what_has_no_form_in_openapi_3_is_refused_with_its_place(
    parameters: list[Any], pointer: str, says: str
) -> None:
    definitions = {"D": {"type": "object", "properties": {"x": STRING}}}
    with pytest.raises(SpecError) as caught:
        convert(swagger({"/a": {"post": operation(parameters=parameters)}}, definitions=definitions))

    assert (caught.value.pointer, says in caught.value.reason) == (pointer, True)


def test_a_fault_is_told_at_its_place_in_the_file_as_it_is_written(tmp_path: Path) -> None:
    spec = write(tmp_path, swagger({"/a": {"get": {"responses": {"200": {}}}}}))
    with pytest.raises(SpecError, match="/paths/~1a/get/responses/200"):
        generate_one(spec, output=tmp_path, package="made")


def test_only_2_0_is_taken_for_swagger_2() -> None:
    assert [is_swagger({"swagger": version}) for version in ("2.0", "1.2", 2.0)] == [True, False, False]
    assert not is_swagger({"swagger": "2.0", "openapi": "3.0.0"})


def planned(values: dict[str, Any]) -> ClientPlan:
    return make_plan(normalise(converted(values)))


def test_a_client_comes_of_it() -> None:
    found = planned(
        swagger(
            {"/{id}": {"put": operation(
                parameters=[{"name": "id", "in": "path", "required": True, "type": "integer"}, body(INTEGERS)],
                responses={"200": {"description": "x", "schema": STRING}, "404": {"description": "none"}},
                security=[{"o": ["s"]}])}},
            host="h", schemes=["https"], securityDefinitions={
                "o": {"type": "oauth2", "flow": "application", "tokenUrl": "https://t", "scopes": {"s": "x"}}},
        )
    )  # fmt: skip
    (only,) = found.operations

    assert found.base_url == "https://h"
    assert (only.body_annotation, only.returns, only.security) == ("list[int]", "str", (("o",),))
    assert OK["200"]["description"] == "ok"
