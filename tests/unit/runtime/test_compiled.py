"""The fast way of decoding against the plain one: the same values, the same texts, the same errors."""

from __future__ import annotations

import json
import math
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any, Literal
from uuid import UUID

import msgspec
import pytest
from attrs import define, field
from hypothesis import example, given, settings
from hypothesis import strategies as st

from modelport_api._runtime import compiled, decode
from modelport_api._runtime.decode import JSONDecoder, decoder_for
from modelport_api._runtime.errors import EncodeError
from modelport_api._runtime.json_bytes import parse_json
from modelport_api._runtime.types import UNSET, Unset
from modelport_api._runtime.wire import date_text, encode_json, to_builtins
from modelport_api.codex.v1 import models
from tests.unit.runtime.test_codec import (
    ALL_MODELS,
    KNOWN,
    MOMENTS,
    SLOW_TO_MAKE,
    Circle,
    Closed,
    Colour,
    Level,
    Node,
    Square,
    json_for_model,
)
from tests.unit.runtime.test_encode import JSON, UNICODE


@define(kw_only=True)
class Letters:
    """A model that is nothing but a map."""

    additional_properties: dict[str, Closed] = field(factory=dict[str, Closed])


@define(kw_only=True)
class Everything:
    """A field of every kind of type."""

    text: str = field(metadata={"wire": "The-Text"})
    count: int
    nothing: None
    node: Node = field(metadata={"wire": "Node"})
    number: float | Unset = UNSET
    flag: bool | Unset | None = UNSET
    day: date | Unset | None = UNSET
    moment: datetime | Unset = UNSET
    moments: list[datetime | None] | Unset = UNSET
    key: UUID | Unset = UNSET
    colour: Colour | Unset = UNSET
    levels: dict[str, Level] | Unset = UNSET
    union: int | Colour | list[str] | Unset = UNSET
    shapes: list[Circle | Square | dict[str, Any]] | Unset = UNSET
    constant: Literal["a", 1] | Unset | None = UNSET
    free: Any | Unset = UNSET
    closed: Closed | Unset | None = UNSET
    letters: Letters | Unset = UNSET
    again: Everything | Unset = UNSET
    additional_properties: dict[str, Any] = field(factory=dict[str, Any])


CLASSES: dict[str, Any] = {**KNOWN, "Everything": Everything, "Letters": Letters}
TYPES = [
    "Everything", "list[Everything]", "dict[str, Everything]", "Node | None", "Letters", "list[Letters]", "Closed",
    "list[Closed | int]", "str", "int", "float", "bool", "None", "Any", "date", "datetime", "UUID", "Colour", "Level",
    "list[float]", "dict[str, int | None]", "Circle | Square | dict[str, Any]", "list[Colour | None]",
]  # fmt: skip
SIMPLE = st.one_of(
    JSON, MOMENTS, UNICODE, st.integers(), st.floats(allow_nan=False, allow_infinity=False),
    st.dates().map(str), st.uuids().map(str), st.sampled_from(["red-ish", "a", "round", 1, 2, 2.0, 3.0, 1e300, 2**64]),
    st.sampled_from(["2026-01-02T03:04:05.1234567Z", "20260102", "2026-W01-1", "2026-01-02t03:04:05z"]),
)  # fmt: skip
WIRE = ["The-Text", "count", "nothing", "Node", "Name", "Children", "parent", "text", "unknown", "shape", "radius"]
WIRE += [name for name in Everything.__annotations__ if name not in {"text", "node", "additional_properties"}]
LOOSE = st.recursive(
    SIMPLE,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WIRE), inner, max_size=6),
    max_leaves=12,
)
GOOD_NODE = {"Name": "n", "Children": [{"Name": "m"}], "parent": None}
GOOD: dict[str, Any] = {
    "The-Text": "x", "count": 3, "nothing": None, "Node": GOOD_NODE, "number": 3, "flag": None, "day": "2026-01-02",
    "moment": "2026-01-02T03:04:05Z", "moments": [None, "2026-01-02T03:04:05+01:00"], "key": str(UUID(int=7)),
    "colour": "new", "levels": {"a": 1, "b": 9}, "union": ["x"], "shapes": [{"shape": "round"}, {"shape": "?"}],
    "constant": 1, "free": {"a": [1.0]}, "closed": {"count": 1}, "letters": {"a": {"count": 2}},
    "again": {"The-Text": "y", "count": 2**70, "nothing": None, "Node": GOOD_NODE},
}  # fmt: skip


def lookup(name: str) -> Any:
    return CLASSES[name]


def outcome(call: Any, content: bytes) -> str:
    try:
        return repr(call(content))  # 3 and 3.0 are equal, but not the same
    except (decode.Mismatch, ValueError) as error:
        return f"{type(error).__name__}: {error}"


def both(expression: str, content: bytes, names: Any = lookup) -> tuple[str, str, bool]:
    """What the plain and the fast way say, and whether the fast one did it alone."""
    plain = decoder_for(expression, names)
    decoder = JSONDecoder(expression, names)
    decoder._seen = decode._WORTH_BYTES
    fast = outcome(decoder, content)
    return outcome(lambda text: plain(parse_json(text)), content), fast, decoder._misses == 0


@settings(max_examples=400)
@given(expression=st.sampled_from(TYPES), value=LOOSE)
@example("float", 2**53 + 1)
@example("list[float]", [1, 1.0])
def test_both_ways_decode_alike(expression: str, value: Any) -> None:
    plain, fast, _ = both(expression, json.dumps(value).encode())

    assert fast == plain


@settings(max_examples=300)
@given(name=st.sampled_from(list(GOOD)), value=LOOSE, again=st.booleans())
def test_both_ways_decode_alike_what_nearly_fits(name: str, value: Any, again: bool) -> None:
    entry = {**GOOD, name: value}
    plain, fast, _ = both("list[Everything]", json.dumps([GOOD, {**GOOD, "again": entry} if again else entry]).encode())

    assert fast == plain


def test_what_fits_needs_the_fast_way_only() -> None:
    plain, fast, alone = both("list[Everything]", json.dumps([GOOD] * 3).encode())

    assert fast == plain
    assert alone


@pytest.mark.parametrize("content", [b"", b"[", b"nul", b"\xff", b"[" * 5000, b'[{"count": 1}] x', b'{"count": 1e999}'])
def test_what_is_no_json_is_told_alike(content: bytes) -> None:
    plain = decoder_for("list[Closed]", lookup)
    decoder = JSONDecoder("list[Closed]", lookup)
    decoder._seen = decode._WORTH_BYTES

    with pytest.raises(ValueError) as expected:  # noqa: PT011 - compared below
        plain(parse_json(content))
    with pytest.raises(ValueError) as actual:  # noqa: PT011 - compared below
        decoder(content)

    assert str(actual.value) == str(expected.value)


@pytest.mark.parametrize("name", ALL_MODELS)
def test_every_model_is_decoded_and_encoded_alike(name: str) -> None:
    @settings(max_examples=4, suppress_health_check=SLOW_TO_MAKE)
    @given(value=json_for_model(getattr(models, name)))
    def alike(value: Any) -> None:
        plain, fast, _ = both(name, json.dumps(value).encode(), lambda wanted: getattr(models, wanted))
        decoded = decoder_for(name, lambda wanted: getattr(models, wanted))(value)

        assert fast == plain
        assert encoded([decoded]) == msgspec.json.encode(to_builtins([decoded]))

    alike()


def test_a_server_of_another_mind_is_met_the_plain_way() -> None:
    decoder = JSONDecoder("Closed", lookup)
    decoder._seen = decode._WORTH_BYTES
    for _ in range(decode._MISSES_ALLOWED):
        with pytest.raises(decode.Mismatch):
            decoder(b"{}")

    assert decoder(b'{"count": 1}') == Closed(count=1)
    assert decoder._misses == decode._MISSES_ALLOWED


# Encoding.


def encoded(value: Any) -> bytes:
    """The fast way, with every class ready for it."""
    for cls in (*CLASSES.values(), *(getattr(models, name) for name in ALL_MODELS)):
        if hasattr(cls, "__attrs_attrs__") and cls not in compiled._PACKERS:
            compiled._PACKERS[cls] = compiled._packer(cls)
    return msgspec.json.encode(compiled.packed(value))


ZONES = st.none() | st.just(UTC) | st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))
VALUES = st.one_of(
    JSON, UNICODE, st.datetimes(timezones=ZONES), st.dates(), st.uuids(), st.floats(), st.just(UNSET),
    st.sampled_from([Colour.RED, Colour("new"), Level(9), (1, math.nan), {"a": math.inf}, {1: 2}, object(), [UNSET]]),
    st.builds(lambda more: Node(name="x", additional_properties=more), st.dictionaries(UNICODE, JSON, max_size=2)),
    st.datetimes(timezones=st.just(timezone(timedelta(seconds=19_815)))),
)  # fmt: skip


@settings(max_examples=300)
@given(text=VALUES, children=st.lists(VALUES, max_size=2), parent=VALUES)
def test_both_ways_encode_alike(text: Any, children: list[Any], parent: Any) -> None:
    value = [Node(name=text, children=children, parent=parent)]  # no type checker sees what a program does
    try:
        plain = msgspec.json.encode(to_builtins(value))
    except EncodeError as error:
        with pytest.raises((EncodeError, *compiled.UNFIT)):
            encoded(value)
        with pytest.raises(EncodeError) as caught:
            encode_json(value)
        told = str(error)
        assert str(caught.value) == told
        return

    assert encoded(value) == plain
    assert encode_json(value) == plain


def test_names_that_msgspec_refuses_go_the_plain_way() -> None:
    @define(kw_only=True)
    class Quoted:
        """Has such a name."""

        count: int = field(metadata={"wire": 'a "b" \\ c'})

    content = json.dumps([{'a "b" \\ c': 1}]).encode()
    plain, fast, alone = both("list[Quoted]", content, {"Quoted": Quoted}.__getitem__)

    assert fast == plain
    assert alone
    for _ in range(compiled.FREQUENT + 2):
        assert json.loads(encode_json([Quoted(count=1)])) == json.loads(content)


def test_a_class_is_encoded_fast_once_it_is_frequent() -> None:
    @define(kw_only=True)
    class Rare:
        """Seen by this test only."""

        when: datetime

    moment = datetime(2026, 1, 2, tzinfo=UTC)
    for count in range(compiled.FREQUENT + 2):
        assert encode_json(Rare(when=moment)) == f'{{"when":"{date_text(moment)}"}}'.encode()
        assert (Rare in compiled._PACKERS) == (count >= compiled.FREQUENT - 1)
