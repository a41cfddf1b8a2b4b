from __future__ import annotations

import copy
from typing import Any

import pytest

from modelport_tools.planning.flags import flags
from modelport_tools.planning.unions import OPEN_MEMBER, member_tags, opened


def reference(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def document(discriminator: Any, key: str = "oneOf", **components: Any) -> dict[str, Any]:
    text = {"type": "object", "properties": {"kind": {"type": "string"}}}
    union = {key: [reference("Cat"), reference("Dog"), {"type": "null"}], "discriminator": discriminator}
    return {"components": {"schemas": {"Cat": text, "Dog": text, **components, "Pet": union}}}


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

    assert member_tags(document(discriminator, key)) == {"Cat": {"kind": cat}, "Dog": {"kind": dog}}


def test_constants_of_the_members_are_texts_too() -> None:
    base = {"type": "object", "properties": {"kind": {"enum": ["shared", "dog"]}}}
    cat = {"type": "object", "properties": {"kind": {"const": "shared"}}}
    tags = member_tags(document({"propertyName": "kind"}, Cat=cat, Dog={"allOf": [reference("Base")]}, Base=base))

    assert tags == {"Cat": {"kind": ("Cat",)}, "Dog": {"kind": ("Dog", "dog")}}


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

    assert member_tags(given) == {}
    assert opened(given) == given


def test_the_document_itself_is_not_changed() -> None:
    given = document({"propertyName": "kind"})
    before = copy.deepcopy(given)
    changed = opened(given)

    assert given == before
    assert changed["components"]["schemas"]["Pet"]["oneOf"][-1] == {"const": OPEN_MEMBER}


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

    assert flags(given, {"allOf": [reference("Model")]}, "field") == expected
    assert flags(given, components["Model"], "other") == (False, "")
