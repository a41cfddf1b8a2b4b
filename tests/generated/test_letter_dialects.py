"""Null in the words of OpenAPI 3.0, enums of every kind, defaults, fields that go one way."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.generated.letters import Probe, echoing, ref
from tests.generated.test_letter_schemas import INTEGER, NUMBER, TEXT, Made, fields

COMPONENTS: dict[str, Any] = {
    "Leaf": fields("leaf", leaf=INTEGER),
    "MaybeLeaf": {**fields(leaf=INTEGER), "nullable": True},
    "Texts": {"type": "string", "enum": ["a", "A", "b c", "", "1st", "self", "größe", "class", "mro", "name"]},
    "Numbers": {"type": "integer", "enum": [1, -1, 0]},
    "One": {"type": "string", "enum": ["only"]},
    "WithNull": {"type": "string", "nullable": True, "enum": ["x", None]},
    "Nulls": {"type": "string", "nullable": True, "enum": ["x", "y"]},
    "Floats": {"type": "number", "enum": [0.5, 1]},
    "Yes": {"type": "boolean", "enum": [True]},
    "Faulty": {"type": "string", "enum": [1, "two"]},
    "Holder": fields("e", e=ref("Texts"), n={"allOf": [ref("Leaf")], "nullable": True}, w=ref("WithNull")),
    "Defaults": fields(
        a={**INTEGER, "default": 5},
        b={**TEXT, "default": "x", "description": "Known."},
        c={**NUMBER, "default": 1.5},
        d={"type": "array", "items": TEXT, "default": ["x"]},
        e={"allOf": [ref("One")], "default": "only"},
        f={"type": "boolean", "default": False},
        g={"type": "object", "default": {"k": '"""'}},
    ),
    "Ways": fields(
        "id",
        "secret",
        "name",
        id={**INTEGER, "readOnly": True},
        secret={**TEXT, "writeOnly": True},
        name=TEXT,
    ),
}
ROWS: dict[str, tuple[Any, Any, Made]] = {
    "nullable_text": ({**TEXT, "nullable": True}, None, lambda _: None),
    "nullable_of_all": ({"allOf": [ref("Leaf")], "nullable": True}, None, lambda _: None),
    "nullable_of_all_set": ({"allOf": [ref("Leaf")], "nullable": True}, {"leaf": 1}, lambda m: m.Leaf(leaf=1)),
    "nullable_of_any": ({"anyOf": [ref("Leaf"), TEXT], "nullable": True}, None, lambda _: None),
    "nullable_component": (ref("MaybeLeaf"), None, lambda _: None),
    "nullable_component_set": (ref("MaybeLeaf"), {"leaf": 1}, lambda m: m.MaybeLeaf(leaf=1)),
    "nullable_items": ({"type": "array", "items": {**INTEGER, "nullable": True}}, [1, None], lambda _: [1, None]),
    "texts": (ref("Texts"), "a", lambda m: m.Texts("a")),
    "texts_upper": (ref("Texts"), "A", lambda m: m.Texts("A")),
    "texts_empty": (ref("Texts"), "", lambda m: m.Texts("")),
    "texts_unknown": (ref("Texts"), "new", lambda m: m.Texts("new")),
    "numbers": (ref("Numbers"), -1, lambda m: m.Numbers.VALUE_NEGATIVE_1),
    "numbers_unknown": (ref("Numbers"), 2**70, lambda m: m.Numbers(2**70)),
    "one": (ref("One"), "only", lambda m: m.One.ONLY),
    "with_null": (ref("WithNull"), None, lambda _: None),
    "with_null_set": (ref("WithNull"), "x", lambda m: m.WithNull.X),
    "with_null_unknown": (ref("WithNull"), "z", lambda m: m.WithNull("z")),
    "nulls": (ref("Nulls"), None, lambda _: None),
    "floats": (ref("Floats"), 0.5, lambda _: 0.5),
    "floats_unknown": (ref("Floats"), 7.25, lambda _: 7.25),
    "floats_whole": (ref("Floats"), 1, lambda _: 1),
    "yes": (ref("Yes"), True, lambda _: True),
    "mixed_text": ({"enum": ["auto", 1, 2.5, True, None]}, "auto", lambda _: "auto"),
    "mixed_number": ({"enum": ["auto", 1, 2.5, True, None]}, 2.5, lambda _: 2.5),
    "mixed_null": ({"enum": ["auto", 1, 2.5, True, None]}, None, lambda _: None),
    "only_null": ({"enum": [None]}, None, lambda _: None),
    "values_of_other_types": (ref("Faulty"), "two", lambda _: "two"),
    "enums_in_array": (
        {"type": "array", "items": ref("Texts")},
        ["b c", "x"],
        lambda m: [m.Texts("b c"), m.Texts("x")],
    ),
    "inline_enum": ({"type": "string", "enum": ["p", "q"]}, "q", lambda m: m.InlineEnumBody.Q),
    "holder": (
        ref("Holder"),
        {"e": "größe", "n": None, "w": None},
        lambda m: m.Holder(e=m.Texts("größe"), n=None, w=None),
    ),
    "holder_unset": (ref("Holder"), {"e": "class"}, lambda m: m.Holder(e=m.Texts("class"))),
    "defaults_unset": (ref("Defaults"), {}, lambda m: m.Defaults()),
    "ways": (ref("Ways"), {"id": 1, "secret": "s", "name": "n"}, lambda m: m.Ways(id=1, secret="s", name="n")),
}
DOCUMENT = echoing({name: row[0] for name, row in ROWS.items()}, COMPONENTS, version="3.0.3")


@pytest.mark.parametrize("name", ROWS)
def test_a_value_means_the_same_on_both_sides(probe: Probe, name: str) -> None:
    _, wire, made = ROWS[name]
    value = made(probe.models)
    probe.answered(wire)
    received = probe.call(name, body=value)

    if name != "inline_enum":  # what is sent and what comes back are two classes there
        assert (received, type(received)) == (value, type(value))
    assert received == value
    assert json.loads(probe.sent.body) == wire


def test_the_members_of_an_enum_are_all_there(probe: Probe) -> None:
    texts = probe.models.Texts

    assert [member.value for member in texts] == ["a", "A", "b c", "", "1st", "self", "größe", "class", "mro", "name"]
    assert all(member.is_known for member in texts)
    assert not texts("new").is_known
    assert str(texts("new")) == "new"


def test_a_default_is_described_and_never_sent(probe: Probe) -> None:
    model = probe.models.Defaults()
    documented = probe.models.Defaults.__doc__

    assert model.a is probe.package.UNSET
    assert "a: Default: 5." in documented
    assert 'b: Known. Default: "x".' in documented
    assert "f: Default: false." in documented


def test_a_field_that_goes_one_way_is_required_that_way_only(probe: Probe) -> None:
    probe.answered({"id": 1, "name": "n"})
    models = probe.models
    received = probe.call("ways", body=models.Ways(secret="s", name="n"))

    assert json.loads(probe.sent.body) == {"secret": "s", "name": "n"}
    assert received == models.Ways(id=1, name="n")
    with pytest.raises(TypeError):
        models.Ways(secret="s")


def test_null_is_refused_where_the_document_does_not_know_it(probe: Probe) -> None:
    probe.answered(None)
    with pytest.raises(probe.errors.DecodeError):
        probe.call("one", body=probe.models.One.ONLY)
