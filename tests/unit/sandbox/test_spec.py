"""Routing and validation from a document."""

from __future__ import annotations

from typing import Any

import pytest

from modelport.sandbox._errors import BadRequestError, MethodNotAllowedError, NotFoundError
from modelport.sandbox.platform import bind
from modelport.sandbox.spec import Spec, SpecError, load_spec

DOCUMENT: dict[str, Any] = {
    "openapi": "3.0.3",
    "paths": {
        "/things/{thing_id}": {
            "parameters": [{"$ref": "#/components/parameters/ThingId"}],
            "get": {
                "operationId": "get_thing",
                "parameters": [
                    {"name": "deep", "in": "query", "schema": {"type": "boolean"}},
                    {"name": "tag", "in": "query", "schema": {"type": "array", "items": {"type": "integer"}}},
                ],
            },
        },
        "/things/search": {"get": {"operationId": "search_things"}},
        "/things": {
            "post": {
                "operationId": "make_thing",
                "security": [{"token": []}],
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}},
                },
            }
        },
    },
    "components": {
        "parameters": {"ThingId": {"name": "thing_id", "in": "path", "required": True, "schema": {"type": "integer"}}},
        "schemas": {"Thing": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}},
    },
}


@pytest.fixture
def spec() -> Spec:
    return Spec(DOCUMENT)


def test_a_literal_segment_comes_before_a_placeholder(spec: Spec) -> None:
    assert spec.match("GET", "/things/search")[0].id == "search_things"
    assert spec.match("GET", "/things/7")[0].id == "get_thing"


def test_an_encoded_slash_stays_inside_its_value(spec: Spec) -> None:
    assert spec.match("GET", "/things/a%2Fb%20c")[1] == ("a/b c",)


def test_a_trailing_slash_is_no_other_path(spec: Spec) -> None:
    assert spec.match("POST", "/things/")[0].id == "make_thing"


def test_an_unknown_path_and_an_unknown_method_differ(spec: Spec) -> None:
    with pytest.raises(NotFoundError):
        spec.match("GET", "/nothing")
    with pytest.raises(MethodNotAllowedError) as refusal:
        spec.match("DELETE", "/things")
    assert refusal.value.headers == {"allow": "POST"}


def test_parameters_are_typed(spec: Spec) -> None:
    values = spec.check_parameters(
        spec.by_id["get_thing"], {"path": {"thing_id": ["7"]}, "query": {"deep": ["TRUE"], "tag": ["1", "2"]}}
    )

    assert values == {"thing_id": 7, "deep": True, "tag": [1, 2]}


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"path": {"thing_id": ["x"]}}, "path parameter 'thing_id'"),
        ({"path": {"thing_id": ["1"]}, "query": {"deep": ["maybe"]}}, "query parameter 'deep'"),
        ({"path": {"thing_id": ["1"]}, "query": {"tag": ["1", "y"]}}, "query parameter 'tag' field '1'"),
        ({}, "path parameter 'thing_id' is missing"),
    ],
)
def test_a_wrong_parameter_is_named(spec: Spec, given: dict[str, Any], says: str) -> None:
    with pytest.raises(BadRequestError, match=says):
        spec.check_parameters(spec.by_id["get_thing"], given)


def test_a_wrong_body_field_is_named(spec: Spec) -> None:
    media = spec.by_id["make_thing"].media["application/json"]
    spec.check_body(media, {"name": "x"})
    with pytest.raises(BadRequestError, match="body field 'name': 7 is not of type 'string'"):
        spec.check_body(media, {"name": 7})
    with pytest.raises(BadRequestError, match="'name' is a required property"):
        spec.check_body(media, {})


def test_an_operation_without_a_handler_stops_the_start(spec: Spec) -> None:
    class Part:
        def get_thing(self) -> None: ...

        def search_things(self) -> None: ...

    with pytest.raises(SpecError, match="no handler for operation 'make_thing'"):
        bind(spec, [Part()])


def test_two_handlers_for_an_operation_stop_the_start(spec: Spec) -> None:
    class Part:
        def get_thing(self) -> None: ...

    with pytest.raises(SpecError, match="2 handlers for operation 'get_thing'"):
        bind(spec, [Part(), Part()])


def test_a_missing_document_says_how_to_make_it() -> None:
    with pytest.raises(SpecError, match="make generate"):
        load_spec("no-such-platform", "v1")


def test_every_codex_operation_has_an_id_of_its_own() -> None:
    spec = Spec(load_spec("codex", "v1"))

    assert len(spec.by_id) == len(spec.operations) >= 100
