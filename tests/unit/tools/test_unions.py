from __future__ import annotations

from typing import Any

import pytest

from modelport_tools.normalise import normalise
from modelport_tools.planning import make_plan
from modelport_tools.planning.flags import flags
from tests.unit.tools.specs import schemas


def reference(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def document(discriminator: Any, key: str = "oneOf", **components: Any) -> dict[str, Any]:
    text = {"type": "object", "properties": {"kind": {"type": "string"}}}
    union = {key: [reference("Cat"), reference("Dog"), {"type": "null"}], "discriminator": discriminator}
    return schemas(Pet=union, **{"Cat": text, "Dog": text, **components})


def tags(values: dict[str, Any]) -> dict[str, dict[str, tuple[str, ...]]]:
    return {model.name: dict(model.tags) for model in make_plan(normalise(values)).models if model.tags}


@pytest.mark.parametrize("key", ["oneOf", "anyOf"])
@pytest.mark.parametrize(
    ("mapping", "cat", "dog"),
    [
        (None, ("Cat",), ("Dog",)),
        ({"tabby": "#/components/schemas/Cat"}, ("Cat", "tabby"), ("Dog",)),
        ({"tabby": "Cat", "tiger": "Cat", "hound": "Dog"}, ("Cat", "tabby", "tiger"), ("Dog", "hound")),
        ({"Cat": "Dog", "Dog": "Cat"}, ("Dog",), ("Cat",)),
        ({"cow": "Cow"}, ("Cat",), ("Dog",)),
    ],
)
def test_texts_come_from_the_mapping_and_the_names(key: str, mapping: Any, cat: Any, dog: Any) -> None:
    discriminator = {"propertyName": "kind", **({"mapping": mapping} if mapping else {})}

    assert tags(document(discriminator, key)) == {"Cat": {"kind": cat}, "Dog": {"kind": dog}}


def test_constants_of_the_members_are_texts_too() -> None:
    base = {"type": "object", "properties": {"kind": {"enum": ["shared", "dog"]}}}
    cat = {"type": "object", "properties": {"kind": {"const": "shared"}}}
    found = tags(document({"propertyName": "kind"}, Cat=cat, Dog={"allOf": [reference("Base")]}, Base=base))

    assert found == {"Cat": {"kind": ("Cat", "shared")}, "Base": {"kind": ("Dog", "dog", "shared")}}


@pytest.mark.parametrize(
    "changed",
    [
        {"discriminator": "kind"}, {"discriminator": {}}, {"oneOf": [{"type": "object"}, reference("Cat")]},
        {"oneOf": [reference("Cat"), reference("Text")]}, {"oneOf": []},
    ],
)  # fmt: skip
def test_a_union_of_other_things_is_left_as_it_is(changed: dict[str, Any]) -> None:
    given = document({"propertyName": "kind"}, Text={"type": "string"})
    given["components"]["schemas"]["Pet"].update(changed)

    assert tags(given) == {}
    found = make_plan(normalise(given)).operations[0].returns
    del given["components"]["schemas"]["Pet"]["discriminator"]
    assert make_plan(normalise(given)).operations[0].returns == found


def test_a_union_with_a_discriminator_is_open() -> None:
    (found,) = make_plan(normalise(document({"propertyName": "kind"}))).operations

    assert found.returns == "Cat | Dog | dict[str, Any] | None"


SECRET = {"type": "string", "format": "password"}


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        (SECRET, (True, "")),
        ({"anyOf": [SECRET, {"type": "null"}], "writeOnly": True}, (True, "writeOnly")),
        ({"type": "array", "items": SECRET}, (True, "")),
        (reference("Secret"), (True, "")),
        ({"type": "string", "readOnly": True, "writeOnly": False}, (False, "readOnly")),
        ({"type": "object", "properties": {"inner": SECRET}}, (False, "")),
        (reference("Round"), (False, "")),
    ],
)
def test_flags_of_a_property_are_found(schema: dict[str, Any], expected: tuple[bool, str]) -> None:
    components = {"Secret": SECRET, "Round": {"type": "array", "items": reference("Round")}}
    components["Model"] = {"type": "object", "properties": {"field": schema}}
    given = {"components": {"schemas": components}}

    assert flags(given, [schema]) == expected
    assert flags(given, [{"type": "string"}]) == (False, "")
