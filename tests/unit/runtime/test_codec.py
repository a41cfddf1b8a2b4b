from __future__ import annotations

import copy
import json
import math
import pickle
import types
import typing
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

import numpy as np
import pytest
from attrs import define, field, fields
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modelport_api._runtime.decode import Mismatch, _Scope, decoder_for
from modelport_api._runtime.errors import EncodeError
from modelport_api._runtime.json_bytes import parse_json
from modelport_api._runtime.types import UNSET, File, OpenIntEnum, OpenStrEnum, Unset
from modelport_api._runtime.wire import date_text, encode_json, to_builtins
from modelport_api.codex.v1 import models
from tests.unit.runtime.test_encode import JSON, UNICODE


class Colour(OpenStrEnum):
    RED = "red-ish"
    VALUE_2 = "2"


class Level(OpenIntEnum):
    LOW = 1
    HIGH = 2


@define(kw_only=True)
class Node:
    """A model that holds itself, as the generator writes it."""

    name: str = field(metadata={"wire": "Name"})
    children: list[Node] | Unset = field(default=UNSET, metadata={"wire": "Children"})
    parent: Node | Unset | None = UNSET
    additional_properties: dict[str, Any] = field(factory=dict[str, Any])


@define(kw_only=True)
class Closed:
    """A model without further fields."""

    count: int


@define(kw_only=True)
class Circle:
    """A member of a union with a discriminator."""

    __tags__: ClassVar[dict[str, tuple[str, ...]]] = {"shape": ("Circle", "round"), "other": ("x",)}
    shape: str
    radius: float | Unset = UNSET
    additional_properties: dict[str, Any] = field(factory=dict[str, Any])


@define(kw_only=True)
class Square:
    """Another, which fits nearly every object too."""

    __tags__: ClassVar[dict[str, tuple[str, ...]]] = {"shape": ("Square",)}
    shape: str
    side: float | Unset = UNSET
    additional_properties: dict[str, Any] = field(factory=dict[str, Any])


NOT_A_TEXT: Any = math.nan
KNOWN = {"Colour": Colour, "Level": Level, "Node": Node, "Closed": Closed, "Circle": Circle, "Square": Square}


def decode(expression: str, value: Any) -> Any:
    return decoder_for(expression, KNOWN.__getitem__)(value)


# Types.


@pytest.mark.parametrize(
    ("expression", "value", "expected"),
    [
        ("str", "x", "x"), ("int", 3, 3), ("int", 3.0, 3), ("int", 2**80, 2**80), ("float", 3, 3), ("float", 0.5, 0.5),
        ("bool", True, True), ("None", None, None), ("Any", {"a": [None]}, {"a": [None]}),
        ("list[int]", [1, 2], [1, 2]),
        ("dict[str, int]", {"a": 1}, {"a": 1}), ("str | None", None, None), ("int | str", "x", "x"),
        ("date", "2026-01-02", date(2026, 1, 2)), ("UUID", "0" * 32, UUID(int=0)),
        ("datetime", "2026-01-02T03:04:05Z", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("Literal['a', 1]", "a", "a"), ("Literal['a', 1]", 1, 1), ("Colour", "red-ish", Colour.RED),
        ("Level", 2, Level.HIGH), ("Level", 2.0, Level.HIGH),
        ("list[Closed] | None", [{"count": 1}], [Closed(count=1)]),
        ("str | Unset", "x", "x"),
        ("dict[str, list[Colour | None]]", {"a": [None, "red-ish"]}, {"a": [None, Colour.RED]}),
    ],
)  # fmt: skip
def test_a_value_of_its_type_is_decoded(expression: str, value: Any, expected: Any) -> None:
    assert decode(expression, value) == expected


WRONG: list[tuple[str, Any, str]] = [
    ("str", 1, "$: expected a text, got an integer"),
    ("int", "1", "$: expected an integer, got a text"),
    ("int", True, "$: expected an integer, got a boolean"),
    ("int", 1.5, "$: expected an integer, got a number"),
    ("float", "x", "$: expected a number, got a text"),
    ("float", True, "$: expected a number, got a boolean"),
    ("bool", 1, "$: expected a boolean, got an integer"),
    ("bool", "true", "$: expected a boolean, got a text"),
    ("None", 0, "$: expected null, got an integer"),
    ("list[int]", {}, "$: expected an array, got an object"),
    ("list[int]", [1, "x"], "$[1]: expected an integer, got a text"),
    ("list[list[int]]", [[1], [2, None]], "$[1][1]: expected an integer, got null"),
    ("dict[str, int]", {"a": 1, "b c": "x"}, "$.b c: expected an integer, got a text"),
    ("date", "yesterday", "$: expected a date, got a text"),
    ("datetime", 0, "$: expected a date and time of RFC 3339, got an integer"),
    ("datetime", "2026-13-01T00:00:00Z", "$: expected a date and time"),
    ("UUID", "no", "$: expected a UUID"),
    ("Literal['a']", "b", "$: expected one of 'a', got a text"),
    ("Literal[1]", True, "$: expected one of 1, got a boolean"),
    ("Literal['a']", ["a"], "$: expected one of 'a', got an array"),
    ("Colour", 1, "$: expected a value of Colour, got an integer"),
    ("Colour", None, "$: expected a value of Colour, got null"),
    ("Level", "1", "$: expected a value of Level, got a text"),
    ("Level", True, "$: expected a value of Level, got a boolean"),
    ("Level", [], "$: expected a value of Level, got an array"),
    ("Node", [], "$: expected an object, got an array"),
    ("Node", {}, "$.Name: the required field is missing"),
    (
        "Node",
        {"Name": "a", "Children": [{"Name": "b"}, {"Name": 3}]},
        "$.Children[1].Name: expected a text, got an integer",
    ),
    ("Node", {"Name": "a", "parent": {"Name": "b", "parent": []}}, "$.parent.parent: expected an object, got an array"),
    ("Node", {"Name": "a", "Children": None}, "$.Children: expected an array, got null"),
    ("int | list[int]", [1, "x"], "$[1]: expected an integer, got a text"),
]  # fmt: skip


@pytest.mark.parametrize(("expression", "value", "says"), WRONG)
def test_a_value_of_another_type_is_refused_with_its_place(expression: str, value: Any, says: str) -> None:
    with pytest.raises(Mismatch) as caught:
        decode(expression, value)

    assert str(caught.value).startswith(says)


SCALARS = ["str", "int", "float", "bool", "None", "date", "datetime", "UUID", "Colour", "Level", "Node", "Closed"]


@given(value=JSON, expression=st.sampled_from([*SCALARS, "list[Node]", "dict[str, int | None]", "Node | list[str]"]))
def test_any_json_either_fits_or_is_a_mismatch(value: Any, expression: str) -> None:
    said = "$"
    try:
        decode(expression, value)
    except Mismatch as mismatch:
        said = str(mismatch)

    assert said.startswith("$")


def test_what_a_type_expression_may_name_is_fixed() -> None:
    for expression in ("__import__('os')", "open('x')", "exit()"):
        with pytest.raises((NameError, KeyError, TypeError, AttributeError)):
            decoder_for(expression, KNOWN.__getitem__)("x")


# Unions.

SHAPE = "Circle | Square | dict[str, Any]"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"shape": "round", "side": 1}, Circle(shape="round", additional_properties={"side": 1})),
        ({"shape": "Circle"}, Circle(shape="Circle")),
        ({"shape": "Square"}, Square(shape="Square")),
        ({"shape": "hexagon", "side": 1}, {"shape": "hexagon", "side": 1}),
        ({"shape": None}, Mismatch),
        ({"shape": 3}, {"shape": 3}),
        ({"side": 1}, Mismatch),
        ({"shape": "round", "radius": "1"}, Mismatch),
        ([], Mismatch),
    ],
)
def test_a_discriminator_decides(value: Any, expected: Any) -> None:
    if expected is Mismatch:
        with pytest.raises(Mismatch):
            decode(SHAPE, value)
        return

    decoded = decode(f"list[{SHAPE} | str | None]", [value, "x", None])

    assert decoded == [expected, "x", None]
    assert to_builtins(decoded) == [value, "x", None]


@pytest.mark.parametrize(
    ("expression", "value", "expected"),
    [
        # Without a plain dict the union is one that has no discriminator.
        ("Circle | Square", {"shape": "hexagon", "side": 1}, Square(shape="hexagon", side=1)),
        ("Circle | Square", {"shape": "hexagon", "radius": 1}, Circle(shape="hexagon", radius=1)),
        ("Circle | Square", {"shape": "Square"}, Circle(shape="Square")),
        ("Closed | dict[str, Any]", {"count": 1}, Closed(count=1)),
        ("Closed | dict[str, Any]", {"count": 1, "more": 2}, {"count": 1, "more": 2}),
        ("Colour | str", "new", "new"), ("Colour | str", "2", Colour.VALUE_2), ("str | Colour", "2", "2"),
        ("Level | int", 3, 3), ("Level | Colour", "new", Colour("new")),
        ("date | str", "20260102", "20260102"), ("date | str", "2026-01-02", date(2026, 1, 2)),
        ("datetime | date", "2026-01-02", date(2026, 1, 2)),
        ("datetime | str", "2026-01-02T03:04:05+00:00", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("datetime | str", "2026-01-02T03:04:05.123456789Z", "2026-01-02T03:04:05.123456789Z"),
        ("UUID | str", "0" * 32, "0" * 32), ("int | float", 0.5, 0.5), ("float | int", 3, 3),
        ("list[Closed] | list[Circle]", [{"shape": "x"}], [Circle(shape="x")]),
    ],
)  # fmt: skip
def test_of_overlapping_members_the_best_fit_is_taken(expression: str, value: Any, expected: Any) -> None:
    decoded = decode(expression, value)

    assert (type(decoded), decoded) == (type(expected), expected)


@define(kw_only=True)
class Painted:
    """A member that differs from the next in the known values of a field only."""

    colour: Colour
    nodes: list[Node] | Unset = UNSET


@define(kw_only=True)
class Levelled:
    """A member that differs from `Holed` in what it knows two levels down."""

    inner: list[Painted] | Unset = UNSET


class Hue(OpenStrEnum):
    BLUE = "blue"


@define(kw_only=True)
class Tinted:
    """The other one."""

    colour: Hue
    nodes: list[Node] | Unset = UNSET


@define(kw_only=True)
class Holed:
    """The other one."""

    inner: list[Closed] | Unset = UNSET


@pytest.mark.parametrize(
    ("expression", "value", "expected"),
    [
        ("Painted | Tinted", {"colour": "blue"}, Tinted),
        ("Tinted | Painted", {"colour": "red-ish"}, Painted),
        ("Painted | Tinted", {"colour": "neither"}, Painted),
        ("Levelled | Holed", {"inner": [{"count": 1}]}, Holed),
        ("Holed | Levelled", {"inner": [{"colour": "red-ish"}]}, Levelled),
    ],
)
def test_what_is_within_a_member_tells_how_well_it_fits(expression: str, value: Any, expected: type) -> None:
    known = {**KNOWN, "Painted": Painted, "Tinted": Tinted, "Levelled": Levelled, "Holed": Holed, "Hue": Hue}

    assert type(decoder_for(expression, known.__getitem__)(value)) is expected


@given(
    value=st.dictionaries(st.sampled_from(["shape", "radius", "side", "count"]), st.integers() | UNICODE, max_size=4)
)
def test_what_a_union_takes_goes_round(value: dict[str, Any]) -> None:
    decoded = decode("Circle | Square | dict[str, Any]", value) if isinstance(value.get("shape"), int) else None
    loose = decode("Closed | dict[str, Any]", value)

    assert to_builtins(loose) == value
    assert decoded is None or to_builtins(decoded) == value


# Dates and times.


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z"),
        ("2026-01-02T03:04:05.120Z", "2026-01-02T03:04:05.120000Z"),
        ("2026-01-02T03:04:05+00:00", "2026-01-02T03:04:05Z"),
        ("2026-01-02T03:04:05.123456000-03:30", "2026-01-02T03:04:05.123456-03:30"),
        ("2026-01-02T03:04:05", "2026-01-02T03:04:05"),
    ],
)
def test_a_moment_goes_round_as_it_was(text: str, expected: str) -> None:
    assert to_builtins(decode("datetime", text)) == expected


@pytest.mark.parametrize("fraction", ["1234567", "1234560001", "000000001"])
@pytest.mark.parametrize("zone", ["Z", "", "+01:00"])
def test_no_digit_of_a_moment_is_cut_in_silence(fraction: str, zone: str) -> None:
    with pytest.raises(Mismatch, match="counts less than a microsecond"):
        decode("datetime", f"2026-01-02T03:04:05.{fraction}{zone}")


@pytest.mark.parametrize(
    "text",
    [
        "20260102T030405.1234567",
        "2026-01-02T030405.1234567",
        "20260102T03:04:05.1234567",
        "2026-01-02T03:04:05,1234567Z",
        "2026-01-02T03:04:05.1234567+01:00:00.5",
    ],
)
def test_nor_of_one_in_another_form(text: str) -> None:
    with pytest.raises(Mismatch):
        decode("datetime", text)


@given(moment=st.datetimes(timezones=st.none() | st.just(UTC)))
def test_every_moment_goes_round(moment: datetime) -> None:
    assert decode("datetime", to_builtins(moment)) == moment


# JSON.


@pytest.mark.parametrize(
    ("value", "where"),
    [
        (math.nan, "$"), ([1, math.inf], "$[1]"), ({"a": {"b": [math.nan]}}, "$.a.b[0]"), (np.float64("nan"), "$"),
        (Node(name="x", children=[Node(name=NOT_A_TEXT)]), "$.Children[0].Name"),
        ({"a": object()}, "$.a"),
        ({"a": b"x"}, "$.a"), ([UNSET], "$[0]"), (Decimal("NaN"), "$"), ({"a": File(b"")}, "$.a"), ({"a": {1}}, "$.a"),
        (np.array([0.5, math.nan]), "$[1]"),
    ],
)  # fmt: skip
def test_what_has_no_json_form_is_refused_with_its_place(value: Any, where: str) -> None:
    with pytest.raises(EncodeError) as caught:
        encode_json(value)

    assert str(caught.value).startswith(f"{where}: ")


@pytest.mark.parametrize("value", [{1: "x"}, Node(name="x", additional_properties={2: 1}), "\ud800", {"\udfff": 1}])  # type: ignore[dict-item]
def test_what_no_json_can_say_is_refused(value: Any) -> None:
    with pytest.raises(EncodeError):
        encode_json(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.int64(2**40), b"1099511627776"), (np.float64(0.5), b"0.5"), (np.float32(0.5), b"0.5"),
        (np.bool_(True), b"true"),
        (np.array([[1, 2], [3, 4]]), b"[[1,2],[3,4]]"), (np.str_("x"), b'"x"'), (np.array(3), b"3"), ((1, 2), b"[1,2]"),
        (Colour.RED, b'"red-ish"'), (Level(7), b"7"),
        (datetime(2026, 1, 2, tzinfo=UTC), b'"2026-01-02T00:00:00Z"'),
        (Decimal("1.5"), b"1.5"), (UUID(int=1), b'"00000000-0000-0000-0000-000000000001"'),
        (2**80, str(2**80).encode()),
        ({Colour.RED: 1}, b'{"red-ish":1}'), (True, b"true"), (-0.0, b"-0.0"), (1e300, b"1e300"),
        (Node(name="x", parent=None), b'{"Name":"x","parent":null}'),
    ],
)  # fmt: skip
def test_values_of_other_libraries_become_json(value: Any, expected: bytes) -> None:
    assert encode_json(value) == expected


@given(number=st.integers() | st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_are_exact_both_ways(number: float) -> None:
    assert parse_json(encode_json(number)) == number
    assert decode("Any", parse_json(json.dumps(number).encode())) == number


def test_what_holds_itself_is_refused() -> None:
    node = Node(name="x")
    node.parent = node
    loop: list[Any] = []
    loop.append(loop)
    for value in (node, loop):
        with pytest.raises(EncodeError, match="holds itself"):
            encode_json(value)


def test_models_may_be_recursive() -> None:
    value: dict[str, Any] = {"Name": "0"}
    for depth in range(1, 60):
        value = {"Name": str(depth), "Children": [value], "parent": None}

    assert to_builtins(decode("Node", value)) == value


def test_a_closed_model_drops_what_it_does_not_know() -> None:
    assert decode("Closed", {"count": 1, "other": 2}) == Closed(count=1)


# Enums.


@pytest.mark.parametrize("value", ["RED", "VALUE_3", "", "red_ish", "known"])
def test_an_unknown_text_is_kept_and_unknown(value: str) -> None:
    member = Colour(value)

    assert not member.is_known
    assert (member, str(member), hash(member)) == (value, value, hash(value))
    assert Colour.RED.is_known


@pytest.mark.parametrize("value", [0, -1, 3, 2**70])
def test_an_unknown_number_is_kept_and_unknown(value: int) -> None:
    assert not Level(value).is_known
    assert Level(value) == value
    assert Level.HIGH.is_known


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))])
@pytest.mark.parametrize("member", [Colour.RED, Colour("new"), Level.LOW, Level(9)])
def test_enum_values_are_copied_and_pickled(member: Any, copied: Callable[[Any], Any]) -> None:
    twin = copied(member)

    assert (type(twin), twin, twin.is_known) == (type(member), member, member.is_known)


@pytest.mark.parametrize("value", [True, 1, None, ["x"]])
def test_an_enum_of_texts_takes_texts_only(value: object) -> None:
    with pytest.raises(ValueError, match="is not a valid Colour"):
        Colour(value)


# Every generated model.

# Large models take some drawing; the draws are the same in every run.
SLOW_TO_MAKE = [
    HealthCheck.too_slow,
    HealthCheck.data_too_large,
    HealthCheck.large_base_example,
    HealthCheck.filter_too_much,
]
ALL_MODELS = [name for name in models.__all__ if hasattr(getattr(models, name), "__attrs_attrs__")]
MOMENTS = st.datetimes(timezones=st.just(UTC)).map(date_text)
FIELD_NAMES = UNICODE.map(lambda name: f"x-{name}")


def json_for(annotation: Any, depth: int = 0) -> st.SearchStrategy[Any]:  # noqa: PLR0911 - one return a kind of type
    """JSON values of a type expression."""
    if isinstance(annotation, str):
        annotation = eval(annotation, {"__builtins__": {}}, _Scope(lambda name: getattr(models, name)))  # noqa: S307
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in {types.UnionType, typing.Union}:
        return st.one_of(*(json_for(argument, depth) for argument in arguments if argument is not Unset))
    if origin is list:
        return st.lists(json_for(arguments[0], depth + 1), max_size=3 if depth < 3 else 0)
    if origin is dict:
        return st.dictionaries(FIELD_NAMES, json_for(arguments[1], depth + 1), max_size=2)
    simple: dict[Any, st.SearchStrategy[Any]] = {
        str: UNICODE, int: st.integers(), bool: st.booleans(), float: st.floats(allow_nan=False, allow_infinity=False),
        types.NoneType: st.none(), datetime: MOMENTS, date: st.dates().map(date.isoformat), Any: JSON,
        File: UNICODE,
    }  # fmt: skip
    if annotation in simple:
        return simple[annotation]
    if issubclass(annotation, OpenStrEnum):
        return st.sampled_from([member.value for member in annotation]) | UNICODE
    if issubclass(annotation, OpenIntEnum):
        return st.sampled_from([member.value for member in annotation]) | st.integers()
    return json_for_model(annotation, depth + 1)


def json_for_model(model: Any, depth: int = 0) -> st.SearchStrategy[Any]:
    required: dict[str, Any] = {}
    optional: dict[str, Any] = {}
    extra: st.SearchStrategy[Any] = st.just({})
    for attribute in fields(model):
        annotation = model.__annotations__[attribute.name]
        if attribute.name == "additional_properties":
            extra = json_for(annotation, depth)
            continue
        wire = attribute.metadata.get("wire", attribute.name)
        (optional if attribute.default is UNSET else required)[wire] = json_for(annotation, depth)
    known = st.fixed_dictionaries(required, optional=optional if depth < 4 else {})
    return st.tuples(extra, known).map(lambda both: {**both[0], **both[1]})


@pytest.mark.parametrize("name", ALL_MODELS)
def test_every_model_goes_round(name: str) -> None:
    decoder = decoder_for(name, lambda wanted: getattr(models, wanted))

    @settings(max_examples=6, suppress_health_check=SLOW_TO_MAKE)
    @given(value=json_for_model(getattr(models, name)))
    def goes_round(value: Any) -> None:
        decoded = decoder(parse_json(json.dumps(value).encode()))

        assert isinstance(decoded, getattr(models, name))
        assert json.loads(encode_json(decoded)) == value
        assert decoder(to_builtins(decoded)) == decoded

    goes_round()
