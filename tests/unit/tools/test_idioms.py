from __future__ import annotations

from typing import Any

import pytest

from modelport_tools.normalise import normalise
from modelport_tools.validation import validate
from tests.unit.tools.specs import document, operation, schemas

REFERENCE = {"$ref": "#/components/schemas/B"}
B: dict[str, Any] = {"type": "object", "properties": {"x": {"type": "string"}}}


def component(schema: dict[str, Any], version: str) -> dict[str, Any]:
    canonical = normalise({**schemas(A=schema, B=B), "openapi": version})
    validate(canonical)
    found: dict[str, Any] = canonical["components"]["schemas"]["A"]
    return found


@pytest.mark.parametrize("word", ["anyOf", "oneOf"])
def test_an_alternative_that_is_merely_nullable_is_null(word: str) -> None:
    union = {word: [REFERENCE, {"nullable": True}]}

    assert component(union, "3.0.3") == {word: [REFERENCE], "nullable": True}
    assert component(union, "3.1.0") == {word: [REFERENCE, {"type": "null"}]}


def test_a_schema_that_is_merely_nullable_is_still_anything() -> None:
    assert component({"nullable": True}, "3.0.3") == {"nullable": True}
    assert component({"anyOf": [{"nullable": True}]}, "3.0.3") == {"anyOf": [{"nullable": True}]}


def test_a_recursive_reference_leads_to_its_component() -> None:
    own = {"type": "object", "$recursiveAnchor": True, "properties": {"of": {"items": {"$recursiveRef": "#"}}}}

    assert component(own, "3.1.0")["properties"]["of"] == {"items": {"$ref": "#/components/schemas/A"}}


@pytest.mark.parametrize(
    ("schema", "kind"),
    [
        (REFERENCE, "application/json"),
        ({"type": "array", "items": REFERENCE}, "application/json"),
        ({"oneOf": [REFERENCE, {"type": "integer"}]}, "application/json"),
        ({"properties": {}, "type": ["object", "null"]}, "application/json"),
        ({"type": "string"}, "*/*"),
        ({"type": "string", "format": "binary"}, "*/*"),
        ({}, "*/*"),
    ],
    ids=str,
)
def test_what_only_json_can_hold_is_json_whatever_the_media_type(schema: dict[str, Any], kind: str) -> None:
    content = {"*/*": {"schema": schema}}
    both = operation(requestBody={"content": content}, responses={"200": {"description": "ok", "content": content}})
    canonical = normalise(document({"/a": {"post": both}}, components={"schemas": {"B": B}}))
    found = canonical["paths"]["/a"]["post"]

    assert found["requestBody"]["content"] == {kind: {"schema": schema}}
    assert found["responses"]["200"]["content"] == {kind: {"schema": schema}}


def test_a_media_type_of_json_beside_any_is_kept() -> None:
    content = {"*/*": {"schema": {"type": "object"}}, "application/json": {"schema": B}}
    values = document({"/a": {"post": operation(requestBody={"content": content})}})

    assert normalise(values)["paths"]["/a"]["post"]["requestBody"]["content"] == content
