"""An object of free entries is a dict, wherever it stands."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.tools.specs import document, operation, schemas
from tests.unit.tools.test_plan import content, only, planned

STRING: dict[str, Any] = {"type": "string"}


def reference(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "object"}, "dict[str, Any]"),
        ({"type": "object", "additionalProperties": True}, "dict[str, Any]"),
        ({"type": "object", "additionalProperties": {}}, "dict[str, Any]"),
        ({"type": "object", "properties": {}, "additionalProperties": {"type": "integer"}}, "dict[str, int]"),
        ({"type": "object", "additionalProperties": reference("B")}, "dict[str, B]"),
        ({"type": "object", "additionalProperties": reference("Map")}, "dict[str, dict[str, str]]"),
        ({"type": "object", "additionalProperties": {"type": "array", "items": {"type": "object"}}},
         "dict[str, list[dict[str, Any]]]"),
        ({"oneOf": [reference("Map"), {"type": "null"}]}, "dict[str, str] | None"),
        ({"oneOf": [reference("Map"), reference("Same"), reference("B")]}, "dict[str, str] | B"),
        ({"type": "object", "additionalProperties": {"const": "Map | B"}}, "dict[str, Literal['Map | B']]"),
        ({"type": "object", "additionalProperties": False}, "A"),
    ],
)  # fmt: skip
def test_an_object_of_free_entries_is_a_dict(schema: dict[str, Any], expected: str) -> None:
    text_map = {"type": "object", "additionalProperties": STRING}
    values = schemas(A=schema, B={"type": "object", "properties": {"x": STRING}}, Map=text_map, Same=text_map)

    assert only(values).returns == expected


def test_fields_bodies_and_parameters_are_dicts_too() -> None:
    free = {"type": "object", "additionalProperties": {"type": "number"}}
    parameter = {"name": "q", "in": "query", "schema": free}
    body = {"type": "object", "title": "Body", "properties": {"dict": reference("Free"), "x": free}}
    values = document(
        {"/a": {"post": operation(parameters=[parameter], requestBody=content(application_json=body))}},
        components={"schemas": {"Free": free}},
    )
    plan = planned(values)

    assert plan.operations[0].parameters[0].annotation == "dict[str, float]"
    assert [(field.name, field.annotation) for model in plan.models for field in model.fields] == [
        ("dict_", "dict[str, float]"), ("x", "dict[str, float]")
    ]  # fmt: skip
    assert [model.name for model in plan.models] == ["Body"]
    assert plan.operations[0].imports == (("Body", "body"),)


def test_a_map_of_itself_keeps_its_class() -> None:
    plan = planned(
        schemas(A={"type": "object", "additionalProperties": reference("B")},
                B={"type": "object", "additionalProperties": {"type": "array", "items": reference("A")}})
    )  # fmt: skip

    assert [(model.name, model.extra) for model in plan.models] == [("A", "dict[str, list[A]]")]


def test_a_text_that_reads_like_a_class_is_none() -> None:
    body = {"type": "object", "properties": {"x": {"const": "B"}, "y": reference("C")}}
    (a, *_) = planned(schemas(A=body, B=body, C=body)).models

    assert [field.annotation for field in a.fields] == ["Literal['B']", "C"]
    assert a.imports == (("C", "c"),)
