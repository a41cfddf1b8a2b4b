from __future__ import annotations

from typing import Any

import pytest

from modelport_tools.errors import SpecError
from modelport_tools.normalise import normalise
from modelport_tools.validation import validate
from tests.unit.tools.specs import document, operation, schemas

INTEGER = {"type": "integer"}
A = "/components/schemas/A"


def answering(*parameters: dict[str, Any], path: str = "/a") -> dict[str, Any]:
    return document({path: {"get": operation(parameters=list(parameters))}})


def placed(name: str, location: str = "path") -> dict[str, Any]:
    return {"name": name, "in": location, "required": True, "schema": INTEGER}


@pytest.mark.parametrize("version", ["3.0.3", "3.1.0"])
@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "default": None},
        {"type": "object", "required": ["a"], "properties": {"a": INTEGER}, "default": {}},
        {"type": "integer", "default": ""},
        {"type": "number", "minimum": 0, "exclusiveMinimum": True},
        {"type": "number", "exclusiveMinimum": 0},
        {"type": "object", "required": ["a", "b", "a"], "properties": {"a": INTEGER, "b": INTEGER}},
        {"allOf": [{"type": "object", "properties": {"a": INTEGER}}], "required": ["undeclared"]},
        {"type": "object", "$recursiveAnchor": True, "properties": {"a": INTEGER}},
        {"type": ["string", "null"], "examples": ["a"], "maxLength": "3"},
        {"const": "a", "$comment": "of 3.1"},
    ],
    ids=str,
)
def test_what_a_client_makes_no_use_of_is_not_held_against_a_document(schema: dict[str, Any], version: str) -> None:
    validate(normalise({**schemas(A=schema), "openapi": version}))


@pytest.mark.parametrize("version", ["3.0.3", "3.1.0"])
@pytest.mark.parametrize(
    ("schema", "pointer", "says"),
    [
        ({"oneOf": [{"type": "array"}, {"type": "bytes"}]}, f"{A}/oneOf/1/type", "'bytes' is no type"),
        ({"type": ["string", 7]}, f"{A}/type", "7 is no type"),
        ({"properties": {"p": {"type": "string", "required": True}}}, f"{A}/properties/p/required", "must be a list"),
        ({"properties": {"p/q": "string"}}, f"{A}/properties/p~1q", "must be a schema"),
        ({"allOf": [None]}, f"{A}/allOf/0", "must be a schema"),
        ({"items": "A"}, f"{A}/items", "must be an object or true or false"),
        ({"nullable": "yes"}, f"{A}/nullable", "must be true or false"),
        ({"required": [1]}, f"{A}/required", "must be a list of names"),
        ({"$ref": 1}, f"{A}/$ref", "must be a text"),
        ({"type": {}}, f"{A}/type", "{} is no type"),
        ({"type": None}, f"{A}/type", "None is no type"),
    ],
)
def test_a_schema_that_is_none_is_refused_at_the_very_place(
    schema: dict[str, Any], pointer: str, says: str, version: str
) -> None:
    with pytest.raises(SpecError) as caught:
        validate({**schemas(A=schema), "openapi": version})

    assert (caught.value.pointer, says in caught.value.reason) == (pointer, True), caught.value.reason


def test_the_place_of_a_fault_is_the_innermost_one() -> None:
    values = schemas(A={"type": "object", "properties": {"b": {"type": "array", "items": {"content": {}}}}})
    with pytest.raises(SpecError, match="'content' does not belong here") as caught:
        validate({**values, "openapi": "3.0.3"})

    assert caught.value.pointer == f"{A}/properties/b/items"


@pytest.mark.parametrize(
    ("values", "pointer", "says"),
    [
        (answering(path="/a/{b}"), "/paths/~1a~1{b}/get", "no parameter is declared for {b}"),
        (answering(placed("b")), "/paths/~1a/get/parameters/0", "the path has no {b}"),
        (answering(placed("q", "query"), placed("q", "query")), "/paths/~1a/get/parameters/1", "'q' stands twice"),
    ],
)
def test_parameters_and_the_path_fit_each_other(values: dict[str, Any], pointer: str, says: str) -> None:
    with pytest.raises(SpecError) as caught:
        validate(normalise(values))

    assert (caught.value.pointer, says in caught.value.reason) == (pointer, True)


def test_a_parameter_of_the_path_item_may_be_declared_again() -> None:
    values = answering(placed("b"), path="/a/{b}")
    values["paths"]["/a/{b}"]["parameters"] = [placed("b")]

    validate(normalise(values))


@pytest.mark.parametrize(
    ("values", "pointer"),
    [
        (document(security=[{}, {"ghost": []}]), "/security/1"),
        (document({"/a": {"get": operation(security=[{"ghost": []}])}}), "/paths/~1a/get/security/0"),
    ],
)
def test_a_scheme_that_is_declared_nowhere_is_refused_where_it_is_used(values: dict[str, Any], pointer: str) -> None:
    with pytest.raises(SpecError, match="the security scheme 'ghost' is not declared") as caught:
        validate(normalise(values))

    assert caught.value.pointer == pointer


def test_alternatives_of_the_document_that_no_operation_uses_are_not_looked_at() -> None:
    validate(normalise(document({"/a": {"get": operation(security=[])}}, security=[{"ghost": []}])))


def test_a_reference_to_something_else_than_a_parameter_is_refused() -> None:
    values = answering({"$ref": "#/components/schemas/A"})
    values["components"] = {"schemas": {"A": INTEGER}}
    with pytest.raises(SpecError, match="does not lead to a parameter") as caught:
        validate(normalise(values))

    assert caught.value.pointer == "/paths/~1a/get/parameters/0"
