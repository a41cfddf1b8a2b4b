"""What a schema says of a value, in OpenAPI 3.1: there and back again, in both worlds."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest

from tests.generated.letters import Probe, echoing, ref

TEXT, INTEGER, NUMBER, BOOLEAN = ({"type": kind} for kind in ("string", "integer", "number", "boolean"))


def fields(*required: str, **properties: Any) -> dict[str, Any]:
    return {"type": "object", **({"required": [*required]} if required else {}), "properties": properties}


COMPONENTS: dict[str, Any] = {
    "Cat": fields("kind", kind={"const": "cat"}, name=TEXT, lives=INTEGER),
    "Dog": fields("kind", kind={"const": "dog"}, name=TEXT, bark=TEXT),
    "Created": fields("type", type=TEXT, id=INTEGER, at=TEXT),
    "Deleted": fields("type", type=TEXT, id=INTEGER),
    "Moved": fields("type", type=TEXT, id=INTEGER, to=TEXT),
    "Event": {
        "oneOf": [ref("Created"), ref("Deleted"), ref("Moved")],
        "discriminator": {"propertyName": "type", "mapping": {"created": ref("Created")["$ref"], "deleted": "Deleted"}},
    },
    "Animal": {"oneOf": [ref("Cat"), ref("Dog")], "discriminator": {"propertyName": "kind"}},
    "Either": {"oneOf": [ref("Animal"), ref("Event"), TEXT]},
    "Leaf": fields("leaf", leaf=INTEGER),
    "Node": fields("children", children={"type": "array", "items": {"oneOf": [ref("Node"), ref("Leaf")]}}),
    "Vehicle": {
        **fields("wheels", "form", wheels=INTEGER, form=TEXT),
        "discriminator": {"propertyName": "form", "mapping": {"auto": ref("Car")["$ref"], "truck": "Truck"}},
    },
    "Car": {"allOf": [ref("Vehicle"), fields(doors=INTEGER)]},
    "Truck": {"allOf": [ref("Vehicle")], "properties": {"load": NUMBER}, "required": ["load"]},
    "Lorry": {"allOf": [ref("Truck")], "properties": {"trailers": INTEGER}},
    "Base": fields("id", id=NUMBER, state=TEXT, note={"type": ["string", "null"]}),
    "Narrow": {
        "allOf": [
            ref("Base"),
            {"required": ["state"], "properties": {"id": INTEGER, "state": {"enum": ["on", "off"]}}},
        ],
        "properties": {"own": {"type": "array", "items": ref("Base")}},
    },
    "Level1": {"oneOf": [ref("A1"), ref("A2"), ref("Cat")], "discriminator": {"propertyName": "kind"}},
    "A1": fields("kind", "sub", kind={"const": "a"}, sub={"const": "1"}, x=INTEGER),
    "A2": fields("kind", "sub", kind={"const": "a"}, sub={"const": "2"}, x=INTEGER),
    "Tensor": {"type": "array", "items": {"anyOf": [ref("Tensor"), NUMBER]}},
    "Forest": {"type": "object", "additionalProperties": ref("Forest")},
    "Closed": {**fields(a=INTEGER), "additionalProperties": False},
    "Typed": {**fields(a=TEXT), "additionalProperties": INTEGER},
    "Patterns": {
        **fields(a=TEXT),
        "patternProperties": {"^n_": INTEGER, "^b_": BOOLEAN},
        "additionalProperties": False,
    },
    "Choice": {
        **fields("id", id=INTEGER, email=TEXT, phone=TEXT),
        "anyOf": [{"required": ["email"]}, {"required": ["phone"]}],
    },
    "WithBase": {**fields("id", id=INTEGER), "oneOf": [fields("left", left=TEXT), fields("right", right=INTEGER)]},
    "Never": {**fields(a=INTEGER, b=False, c=True)},
    "Colour": {"type": "string", "enum": ["red", "green"]},
    "Mutual": fields(other=ref("Mirror")),
    "Mirror": fields(mutual={"type": "array", "items": ref("Mutual")}),
}

Made = Callable[[Any], Any]
ROWS: dict[str, tuple[Any, Any, Made]] = {
    # name: schema, value on the wire, value in Python
    "recursive_array": (ref("Tensor"), [[1, [2.5]], 3], lambda _: [[1, [2.5]], 3]),
    "recursive_map": (
        ref("Forest"),
        {"a": {"b": {}}},
        lambda m: m.Forest(additional_properties={"a": m.Forest(additional_properties={"b": m.Forest()})}),
    ),
    "recursive_object": (
        ref("Node"),
        {"children": [{"leaf": 1}, {"children": []}]},
        lambda m: m.Node(children=[m.Leaf(leaf=1), m.Node(children=[])]),
    ),
    "mutual_objects": (
        ref("Mutual"),
        {"other": {"mutual": [{}]}},
        lambda m: m.Mutual(other=m.Mirror(mutual=[m.Mutual()])),
    ),
    "overlapping_first": (ref("Event"), {"type": "created", "id": 1}, lambda m: m.Created(type_="created", id=1)),
    "overlapping_second": (ref("Event"), {"type": "deleted", "id": 1}, lambda m: m.Deleted(type_="deleted", id=1)),
    "overlapping_by_name": (ref("Event"), {"type": "Moved", "id": 1}, lambda m: m.Moved(type_="Moved", id=1)),
    "unknown_kind": (ref("Event"), {"type": "new", "x": 1}, lambda _: {"type": "new", "x": 1}),
    "by_constant": (ref("Animal"), {"kind": "dog", "name": "n"}, lambda m: m.Dog(kind="dog", name="n")),
    "union_of_unions_inner": (ref("Either"), {"kind": "cat"}, lambda m: m.Cat(kind="cat")),
    "union_of_unions_other": (
        ref("Either"),
        {"type": "deleted", "id": 2},
        lambda m: m.Deleted(type_="deleted", id=2),
    ),
    "union_of_unions_text": (ref("Either"), "plain", lambda _: "plain"),
    "two_levels": (ref("Level1"), {"kind": "a", "sub": "2", "x": 1}, lambda m: m.A2(kind="a", sub="2", x=1)),
    "parent_child": (
        ref("Vehicle"),
        {"form": "auto", "wheels": 4, "doors": 2},
        lambda m: m.Car(form="auto", wheels=4, doors=2),
    ),
    "parent_grandchild": (
        ref("Vehicle"),
        {"form": "Lorry", "wheels": 8, "load": 1.5, "trailers": 1},
        lambda m: m.Lorry(form="Lorry", wheels=8, load=1.5, trailers=1),
    ),
    "parent_itself": (
        ref("Vehicle"),
        {"form": "sled", "wheels": 0, "dogs": 6},
        lambda m: m.Vehicle(form="sled", wheels=0, additional_properties={"dogs": 6}),
    ),
    "parents_in_array": (
        {"type": "array", "items": ref("Vehicle")},
        [{"form": "truck", "wheels": 6, "load": 3}],
        lambda m: [m.Truck(form="truck", wheels=6, load=3)],
    ),
    "parent_nullable": ({"oneOf": [ref("Vehicle"), {"type": "null"}]}, None, lambda _: None),
    "narrowed": (
        ref("Narrow"),
        {"id": 2**60, "state": "on", "note": None, "own": [{"id": 1.5}]},
        lambda m: m.Narrow(id=2**60, state=m.NarrowState.ON, note=None, own=[m.Base(id=1.5)]),
    ),
    "all_of_scalars": ({"allOf": [TEXT, {"maxLength": 3}]}, "abc", lambda _: "abc"),
    "all_of_one": ({"allOf": [ref("Closed")], "description": "d"}, {"a": 1}, lambda m: m.Closed(a=1)),
    "all_of_inline": (
        {"allOf": [fields(a=INTEGER), fields(b=TEXT)], "title": "Merged"},
        {"a": 1, "b": "x"},
        lambda m: m.Merged(a=1, b="x"),
    ),
    "all_of_a_union": (
        {"allOf": [ref("Leaf"), {"oneOf": [fields("x", x=INTEGER), fields("y", y=INTEGER)]}], "title": "Dist"},
        {"leaf": 1, "y": 2},
        lambda m: m.DistType1(leaf=1, y=2),
    ),
    "one_of_with_properties": (ref("WithBase"), {"id": 1, "right": 2}, lambda m: m.WithBaseType1(id=1, right=2)),
    "any_of_required": (ref("Choice"), {"id": 1, "phone": "5"}, lambda m: m.Choice(id=1, phone="5")),
    "scalars_integer": ({"oneOf": [TEXT, INTEGER, BOOLEAN]}, 5, lambda _: 5),
    "scalars_boolean": ({"oneOf": [TEXT, INTEGER, BOOLEAN]}, True, lambda _: True),
    "scalars_moment": (
        {"anyOf": [{"type": "string", "format": "date-time"}, INTEGER]},
        "2026-01-01T00:00:00Z",
        lambda _: datetime(2026, 1, 1, tzinfo=UTC),
    ),
    "arrays_of_models": (
        {"oneOf": [{"type": "array", "items": ref("Cat")}, {"type": "array", "items": ref("Dog")}]},
        [{"kind": "dog", "bark": "w"}],
        lambda m: [m.Dog(kind="dog", bark="w")],
    ),
    "model_or_its_array": (
        {"oneOf": [ref("Leaf"), {"type": "array", "items": ref("Leaf")}]},
        [{"leaf": 1}],
        lambda m: [m.Leaf(leaf=1)],
    ),
    "enum_or_text": ({"anyOf": [ref("Colour"), TEXT]}, "blue", lambda _: "blue"),
    "enum_of_union": ({"anyOf": [ref("Colour"), INTEGER]}, "red", lambda m: m.Colour.RED),
    "type_list": ({"type": ["integer", "string", "null"]}, "x", lambda _: "x"),
    "type_list_null": ({"type": ["integer", "string", "null"]}, None, lambda _: None),
    "type_list_of_object": (
        {"type": ["object", "null"], "title": "Maybe", "properties": {"a": INTEGER}},
        {"a": 1},
        lambda m: m.Maybe(a=1),
    ),
    "type_list_array": ({"type": ["array", "string"], "items": INTEGER}, [1], lambda _: [1]),
    "one_type_in_a_list": ({"type": ["string"]}, "x", lambda _: "x"),
    "nullable_model": ({"anyOf": [ref("Leaf"), {"type": "null"}]}, None, lambda _: None),
    "null_only": ({"type": "null"}, None, lambda _: None),
    "constant_text": ({"const": "it's"}, "it's", lambda _: "it's"),
    "constant_integer": ({"const": 7}, 7, lambda _: 7),
    "constant_boolean": ({"const": True}, True, lambda _: True),
    "constant_null": ({"const": None}, None, lambda _: None),
    "constant_number": ({"const": 1.5}, 1.5, lambda _: 1.5),
    "constant_object": ({"const": {"a": 1}}, {"a": 1}, lambda _: {"a": 1}),
    "boolean_schema": (True, {"a": [1]}, lambda _: {"a": [1]}),
    "empty_schema": ({}, [None, 1.5], lambda _: [None, 1.5]),
    "boolean_properties": (ref("Never"), {"a": 1, "c": [2]}, lambda m: m.Never(a=1, c=[2])),
    "items_true": ({"type": "array", "items": True}, [1, "x"], lambda _: [1, "x"]),
    "array_without_items": ({"type": "array"}, [1, "x"], lambda _: [1, "x"]),
    "prefix": (
        {"type": "array", "prefixItems": [INTEGER, ref("Leaf")], "items": False},
        [1, {"leaf": 2}],
        lambda m: [1, m.Leaf(leaf=2)],
    ),
    "prefix_and_items": (
        {"type": "array", "prefixItems": [TEXT], "items": INTEGER},
        ["x", 1, 2],
        lambda _: ["x", 1, 2],
    ),
    "prefix_open": ({"type": "array", "prefixItems": [TEXT]}, ["x", {"any": 1}], lambda _: ["x", {"any": 1}]),
    "pair": (
        {"type": "array", "prefixItems": [INTEGER, ref("Leaf")], "items": False, "minItems": 2},
        [1, {"leaf": 2}],
        lambda m: (1, m.Leaf(leaf=2)),
    ),
    "free_form": ({"type": "object"}, {"a": {"b": [1]}}, lambda _: {"a": {"b": [1]}}),
    "typed_map": (
        {"type": "object", "additionalProperties": ref("Leaf")},
        {"x": {"leaf": 1}},
        lambda m: {"x": m.Leaf(leaf=1)},
    ),
    "map_of_nullables": (
        {"type": "object", "additionalProperties": {"type": ["integer", "null"]}},
        {"x": None},
        lambda _: {"x": None},
    ),
    "property_names": (
        {"type": "object", "propertyNames": {"pattern": "^x"}, "additionalProperties": INTEGER},
        {"xy": 1},
        lambda _: {"xy": 1},
    ),
    "patterns_alone": (
        {"type": "object", "patternProperties": {"^x": INTEGER}, "additionalProperties": False},
        {"xy": 1},
        lambda _: {"xy": 1},
    ),
    "patterns": (
        ref("Patterns"),
        {"a": "x", "n_1": 1, "b_1": True},
        lambda m: m.Patterns(a="x", additional_properties={"n_1": 1, "b_1": True}),
    ),
    "typed_rest": (ref("Typed"), {"a": "x", "b": 1}, lambda m: m.Typed(a="x", additional_properties={"b": 1})),
    "int64": (INTEGER, 2**63 - 1, lambda _: 2**63 - 1),
    "beyond_int64": ({"type": "integer", "format": "int64"}, 2**70, lambda _: 2**70),
    "number_that_counts": (NUMBER, 2**53 + 1, lambda _: 2**53 + 1),
    "day": ({"type": "string", "format": "date"}, "2026-02-03", lambda _: date(2026, 2, 3)),
    "moment_of_a_zone": (
        {"type": "string", "format": "date-time"},
        "2026-01-01T00:00:00.123456+02:00",
        lambda _: datetime(2026, 1, 1, 0, 0, 0, 123456, tzinfo=timezone(timedelta(hours=2))),
    ),
    "uuid": (
        {"type": "string", "format": "uuid"},
        "0b7a3c52-7f6e-4a10-9d8b-5a1f0c2d3e4f",
        lambda _: UUID("0b7a3c52-7f6e-4a10-9d8b-5a1f0c2d3e4f"),
    ),
    **{
        f"text_{form.replace('-', '_')}": ({"type": "string", "format": form}, text, lambda _, text=text: text)
        for form, text in {
            "time": "12:30:00.123456789Z",
            "duration": "P1DT2.123456789S",
            "decimal": "0.1234567890123456789",
            "byte": "/+8=",
            "uri": "https://x/%C3%BC?a=b#c",
            "ipv4": "127.0.0.1",
            "email": "a@b.c",
            "binary": "x",
            "own-format": "x",
        }.items()
    },
    "reference_with_siblings": (
        {"$ref": "#/components/schemas/Leaf", "description": "d"},
        {"leaf": 1},
        lambda m: m.Leaf(leaf=1),
    ),
    "reference_extended": (
        {"$ref": "#/components/schemas/Leaf", "properties": {"more": TEXT}, "title": "LeafAndMore"},
        {"leaf": 1, "more": "x"},
        lambda m: m.LeafAndMore(leaf=1, more="x"),
    ),
    "reference_into": (
        {"$ref": "#/components/schemas/Node/properties/children"},
        [{"leaf": 1}],
        lambda m: [m.Leaf(leaf=1)],
    ),
}

DOCUMENT = echoing({name: row[0] for name, row in ROWS.items()}, COMPONENTS)


@pytest.mark.parametrize("name", ROWS)
def test_a_value_means_the_same_on_both_sides(probe: Probe, name: str) -> None:
    _, wire, made = ROWS[name]
    value = made(probe.models)
    probe.answered(wire)
    received = probe.call(name, body=value)

    assert (received, type(received)) == (value, type(value))
    assert json.loads(probe.sent.body) == wire
    assert repr(json.loads(probe.sent.body)) == repr(wire) or isinstance(wire, dict)


@pytest.mark.parametrize(
    ("name", "wire", "where"),
    [
        ("day", "03.02.2026", "$"),
        ("moment_of_a_zone", "2026-01-01T00:00:00.123456789Z", "$"),
        ("uuid", "x", "$"),
        ("int64", 1.5, "$"),
        ("int64", True, "$"),
        ("constant_text", "its", "$"),
        ("parent_child", {"wheels": 1}, "form"),
        ("parent_child", {"form": "auto", "wheels": "4"}, "$.wheels"),
        ("typed_rest", {"b": "x"}, "$.b"),
        ("pair", [1], "$"),
        ("pair", [1, {"leaf": "x"}], "$[1].leaf"),
        ("narrowed", {"id": 1}, "state"),
        ("null_only", 0, "$"),
        ("recursive_array", {}, "$"),
    ],
)
def test_a_value_of_another_kind_is_named_with_its_place(probe: Probe, name: str, wire: Any, where: str) -> None:
    probe.answered(wire)
    with pytest.raises(probe.errors.DecodeError) as caught:
        probe.call(name, body=ROWS[name][2](probe.models))

    assert where in str(caught.value)
