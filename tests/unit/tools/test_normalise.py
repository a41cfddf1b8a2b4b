from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from modelport_tools.document import dump
from modelport_tools.errors import SpecError
from modelport_tools.generate import generate_one
from modelport_tools.normalise import normalise
from modelport_tools.validation import validate
from tests.unit.tools.specs import OK, document, operation, schemas, write

SCHEMAS = "#/components/schemas/"


def test_the_canonical_document_is_the_same_for_every_order_of_keys() -> None:
    forward = document({"/b": {"get": operation("b")}, "/a": {"post": operation("a2"), "get": operation("a1")}})
    backward = json.loads(json.dumps(forward), object_pairs_hook=lambda pairs: dict(reversed(pairs)))

    assert list(forward) != list(backward)
    assert json.dumps(normalise(forward)) == json.dumps(normalise(backward))
    assert dump(normalise(forward)) == dump(normalise(normalise(forward)))


def test_the_document_itself_is_left_alone() -> None:
    values = document({"/a": {"get": {"responses": OK}}})
    before = json.dumps(values)
    normalise(values)

    assert json.dumps(values) == before


def test_an_operation_without_a_name_or_a_tag_gets_one() -> None:
    canonical = normalise(document({"/a/{b}": {"get": {"responses": OK}}}))

    assert canonical["paths"]["/a/{b}"]["get"] == {"operationId": "get_/a/{b}", "tags": ["default"], "responses": OK}


def test_operations_of_one_name_are_told_by_method_and_path() -> None:
    paths = {"/a": {"get": operation(), "put": operation(), "post": operation("put_/a")}, "/b": {"get": operation("b")}}
    canonical = normalise(document(paths))

    assert [canonical["paths"]["/a"][method]["operationId"] for method in ("get", "post", "put")] == [
        "get_/a", "put_/a_", "put_/a"
    ]  # fmt: skip
    assert canonical["paths"]["/b"]["get"]["operationId"] == "b"


@pytest.mark.parametrize(
    ("values", "pointer", "says"),
    [
        ({}, "/openapi", "found none"),
        ({"openapi": 3.1}, "/openapi", "found OpenAPI 3.1"),
        ({"openapi": "3.2.0"}, "/openapi", "found OpenAPI 3.2.0"),
        ({"openapi": "2.0"}, "/openapi", "found OpenAPI 2.0"),
        ({"swagger": "2.0"}, "/openapi", "found Swagger 2.0"),
        (document({"/a": {"get": operation(7)}}), "GET /a", "must be a text"),  # type: ignore[arg-type]
        (document({"/a": {"get": operation(tags="x")}}), "GET /a", "the tags must be texts"),
        (document({"/a": {"get": operation(tags=[1])}}), "GET /a", "the tags must be texts"),
        (
            document({"/a~b": {"get": operation(requestBody={"$ref": "#/nope"})}}),
            "/paths/~1a~0b/get/requestBody",
            "leads nowhere",
        ),
        (document({"/a": {"$ref": "other.yaml"}}), "/paths/~1a", "only references within the document"),
        (schemas(A={"$ref": f"{SCHEMAS}B"}, B={"$ref": f"{SCHEMAS}A"}), "/components/schemas/A", "leads to itself"),
    ],
)
def test_a_document_that_cannot_be_used_is_refused_with_its_place(
    values: dict[str, Any], pointer: str, says: str
) -> None:
    with pytest.raises(SpecError) as caught:
        normalise(values)

    assert (caught.value.pointer, says in caught.value.reason) == (pointer, True)


def test_a_reference_in_an_example_is_text() -> None:
    example = {"application/json": {"example": {"$ref": "#/nope"}}}
    normalise(document({"/a": {"get": operation(responses={"200": {"description": "ok", "content": example}})}}))


def test_a_reference_in_an_extension_is_text() -> None:
    normalise(document({"/a": {"get": {**operation(), "x-samples": [{"$ref": "./code.ts"}]}}}))


def test_a_reference_that_is_a_property_is_a_name() -> None:
    normalise(schemas(A={"type": "object", "properties": {"$ref": {"type": "string"}}}))


@pytest.mark.parametrize(
    ("values", "pointer"),
    [
        (document({"/a": {"get": {"operationId": "a", "responses": {"200": {}}}}}), "/paths/~1a/get/responses/200"),
        (document(info={"title": "x"}), "/info"),
        (document({"/a": {"get": operation(parameters=[{"name": "x"}])}}), "/paths/~1a/get/parameters/0"),
    ],
)
def test_what_breaks_the_specification_is_refused_with_its_place(values: dict[str, Any], pointer: str) -> None:
    with pytest.raises(SpecError) as caught:
        validate(normalise(values))

    assert caught.value.pointer == pointer
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize(
    "values",
    [
        document([]),  # type: ignore[arg-type]
        document({"/a": None}),
        document({"/a": []}),
        document({"/a": {"get": "x"}}),
        document({"/a": {"get": {"responses": 7}}}),
        document({"/a": {"get": operation(parameters="x")}}),
        document({"/a": {"get": operation(requestBody=7)}}),
        document({"/a": {"get": operation(security="x")}}),
        document({"/a": {"get": operation(security=[{"ghost": []}])}}),
        document({"/a": {"get": operation(responses={"200": None})}}),
        document({"/a/{b}": {"get": operation()}}),
        document(components=[]),
        document(components={"schemas": {"A": {"type": "bytes"}}}),
        document(tags="x"),
        document(tags=[{}]),
        document(servers="x"),
        document(info=None),
    ],
    ids=lambda values: json.dumps(values)[60:110],
)
@pytest.mark.parametrize("version", ["3.0.3", "3.1.0"])
def test_a_malformed_document_is_one_error_and_nothing_is_written(
    tmp_path: Path, values: dict[str, Any], version: str
) -> None:
    spec = write(tmp_path, {**values, "openapi": version})
    with pytest.raises(SpecError) as caught:
        generate_one(spec, output=tmp_path / "out", package="made")

    assert str(spec) in str(caught.value)
    assert not (tmp_path / "out").exists()
