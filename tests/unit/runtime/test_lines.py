"""Streams cut into lines, records and events: the borders of the chunks must never show."""

from __future__ import annotations

import json
from itertools import chain
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from modelport_api._runtime.errors import DecodeError
from modelport_api._runtime.items import Answer, items_of, reader_for
from modelport_api._runtime.lines import Splitter, TextLines, TooLongError, framing, text_decoder
from modelport_api._runtime.sse import EventParser, ServerSentEvent
from tests.unit.runtime.operations import operation

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc"), inner, max_size=3),
    max_leaves=8,
)


def chunks(content: Any, cuts: list[int]) -> list[Any]:
    """The content cut at some places."""
    places = sorted({cut % (len(content) + 1) for cut in cuts})
    return [content[start:end] for start, end in zip([0, *places], [*places, len(content)], strict=True)]


CUTS = st.lists(st.integers(0, 10_000), max_size=12)


def streaming(media: str, expression: str = "Any", mode: str = "json") -> Any:
    return operation(responses={"200": {media: expression}}, stream=mode)


def read(media: str, pieces: list[bytes], expression: str = "Any", mode: str = "json", came: str | None = None) -> Any:
    """The items out of chunks, and those given before an error if one comes."""
    reader = reader_for(streaming(media, expression, mode), Answer(200, media if came is None else came))
    items: list[Any] = []
    for piece in pieces:
        items += reader.read(piece)
        if reader.done:
            return items
    return [*items, *reader.end()]


@given(st.lists(st.binary(max_size=8).filter(lambda line: b"\n" not in line)), CUTS)
def test_pieces_are_the_same_however_they_come(lines: list[bytes], cuts: list[int]) -> None:
    content = b"\n".join(lines)
    splitter = Splitter(b"\n")

    found = [line for chunk in chunks(content, cuts) for line in splitter.feed(chunk)]
    assert [*found, splitter.rest()] == (lines or [b""])


@given(st.lists(st.tuples(st.text("ab\u2028\x85\x0b\x1c", max_size=4), st.sampled_from(["\n", "\r", "\r\n"]))), CUTS)
@example([("a", "\r"), ("", "\n")], [2])
def test_text_ends_its_lines_in_three_ways_only(lines: list[tuple[str, str]], cuts: list[int]) -> None:
    content = "".join(text + end for text, end in lines)
    expected = content.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    splitter = TextLines()

    found = [line for chunk in chunks(content, cuts) for line in splitter.feed(chunk)]
    assert [*found, splitter.rest()] == expected


@given(st.lists(JSON), st.sampled_from(["\n", "\r\n", "\n\n", "\n \n"]), st.booleans(), CUTS)
def test_lines_of_json(values: list[Any], end: str, last: bool, cuts: list[int]) -> None:
    content = "".join(json.dumps(value, ensure_ascii=False) + end for value in values).encode()
    content = content if last else content.rstrip()

    assert read("application/x-ndjson", chunks(content, cuts)) == values


@given(st.lists(JSON), st.sampled_from([None, 1]), CUTS)
def test_a_json_text_sequence(values: list[Any], indent: int | None, cuts: list[int]) -> None:
    content = "".join(f"\x1e{json.dumps(value, indent=indent)}\n" for value in values).encode()

    assert read("application/json-seq", chunks(content, cuts)) == values


# RFC 7464, sections 2.1 and 2.4.
@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"\x1e\x1e1\n\x1e\x1e", [1]),
        (b'\x1e"a"\x1e{"b":1}\x1e[2]', ["a", {"b": 1}, [2]]),
        (b"\x1e123\x1e456\n", [456]),  # 123 may be the start of 1234
        (b"\x1etrue\x1enull \x1efalse", [None]),
        (b"", []),
    ],
)
def test_what_may_have_been_cut_is_dropped_from_a_sequence(content: bytes, expected: list[Any]) -> None:
    assert read("application/json-seq", [content]) == expected


def test_a_record_is_given_before_the_next_one_begins() -> None:
    reader = reader_for(streaming("application/json-seq"), Answer(200, "application/json-seq"))

    assert list(reader.read(b'\x1e{"a":')) == []
    assert list(reader.read(b"1}\n")) == [{"a": 1}]


def test_a_record_with_many_line_feeds_is_not_parsed_at_each_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    from modelport_api._runtime import items

    looks: list[int] = []
    whole = items._is_whole
    monkeypatch.setattr(items, "_is_whole", lambda record: (looks.append(len(record)), whole(record))[1])
    lines = [b"\x1e[\n", *[b"1,\n"] * 10_000, b"1]\n"]

    assert read("application/json-seq", lines) == [[1] * 10_001]
    assert sum(looks) < 4 * sum(map(len, lines))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"a":1}\n\n{"a":}\n', "line 3 is not JSON: '{\"a\":}'"),
        (b'{"a":1}\n{"a"', "line 2 is not JSON"),
        (b"1\n2\n\xff\n", "line 3 is not JSON"),
    ],
)
def test_a_bad_line_is_named_after_the_good_ones(content: bytes, message: str) -> None:
    reader = reader_for(streaming("application/x-ndjson"), Answer(200, "application/x-ndjson"))
    given_before: list[Any] = []

    with pytest.raises(DecodeError, match=message.replace("{", r"\{")):
        given_before.extend(chain(reader.read(content), reader.end()))  # keeps what came before an error
    assert given_before == ([1, 2] if content.startswith(b"1") else [{"a": 1}])


def test_a_line_of_another_type_is_named_with_its_place() -> None:
    with pytest.raises(
        DecodeError, match=r"line 2 does not fit the document at \$\.a: expected an integer, got a text"
    ):
        read("application/x-ndjson", [b'{"a":1}\n{"a":"x"}\n'], "dict[str, int]")


def test_a_byte_order_mark_is_no_part_of_the_first_line() -> None:
    assert read("application/x-ndjson", ["\ufeff1\n2".encode()]) == [1, 2]


@pytest.mark.parametrize("separator", ["\n", b"\n"])
def test_what_never_ends_is_refused(separator: Any) -> None:
    splitter = Splitter(separator, limit=10)

    assert splitter.feed(separator * 2 + separator[:0].join([separator[:0]] * 3)) == [separator[:0]] * 2
    splitter.check()
    for _ in range(11):
        splitter.feed(b"x" if isinstance(separator, bytes) else "x")
    with pytest.raises(TooLongError, match="longer than 10 bytes"):
        splitter.check()


@pytest.mark.parametrize(
    ("media", "start", "piece", "what"),
    [
        ("application/x-ndjson", b"1\n", b"x" * 1024, "line 2"),
        ("application/json-seq", b"\x1e1\n\x1e", b"x" * 1024, "record 2"),
        ("text/event-stream", b"data: 1\n\n", b"x" * 1024, "event 2"),
        ("text/event-stream", b"data: 1\n\n", b"data: x\n" * 128, "event 2"),
    ],
)
def test_an_item_without_an_end_fills_no_memory(
    media: str, start: bytes, piece: bytes, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for function in (Splitter.__init__, TextLines.__init__, EventParser.__init__):
        monkeypatch.setattr(function, "__defaults__", (8192,))
    reader = reader_for(streaming(media), Answer(200, media))

    assert list(reader.read(start)) == [1]
    taken = 0
    with pytest.raises(DecodeError, match=f"{what} is longer than 8192 bytes"):  # noqa: PT012 - a loop that must end so
        for taken in range(40):  # noqa: B007 - used below
            list(reader.read(piece))
    assert 6 <= taken <= 9


# Server-sent events: the examples of the HTML standard, section 9.2.6 "Interpreting an event stream", and its rules.


def events(*pieces: bytes) -> list[ServerSentEvent]:
    parser = EventParser()
    return [event for piece in pieces for event in parser.feed(piece)]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"data: YHOO\ndata: +2\ndata: 10\n\n", [ServerSentEvent(data="YHOO\n+2\n10")]),
        (
            b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n",
            [ServerSentEvent(data="first event", id="1"), ServerSentEvent(data="second event", id="")],
        ),
        (b"data\n\ndata\ndata\n\ndata:\n", [ServerSentEvent(data=""), ServerSentEvent(data="\n")]),
        (b"data:test\n\ndata: test\n\n", [ServerSentEvent(data="test"), ServerSentEvent(data="test")]),
        ("\ufeffdata: x\n\n".encode(), [ServerSentEvent(data="x")]),
        ("\ufeff\ufeffdata: x\n\n".encode(), []),  # only one mark is taken away
        (b"event: a\n\ndata: b\n\n", [ServerSentEvent("message", "b")]),  # no data, no event, no type kept
        (b"id: 1\n\ndata: b\n\ndata: c\n\n", [ServerSentEvent(data="b", id="1"), ServerSentEvent(data="c", id="1")]),
        (b"id: 1\nid: 2\x003\ndata: b\n\n", [ServerSentEvent(data="b", id="1")]),
        (b"retry: 3000\ndata: b\n\ndata: c\n\n", [ServerSentEvent(data="b", retry=3000), ServerSentEvent(data="c")]),
        (b"retry: 3s\nretry: -1\nretry: \ndata: b\n\n", [ServerSentEvent(data="b")]),
        ("retry: ٣\ndata: b\n\n".encode(), [ServerSentEvent(data="b")]),
        (b"Data: a\nunknown: b\n data: c\ndata: d\n\n", [ServerSentEvent(data="d")]),
        (b"data: a: b\n\n", [ServerSentEvent(data="a: b")]),
        (b"data: \xff\n\n", [ServerSentEvent(data="\ufffd")]),
        ("data: a\u2028b\x85c\x0bd\n\n".encode(), [ServerSentEvent(data="a\u2028b\x85c\x0bd")]),
        (b"data: unfinished\n", []),
        (b"data: unfinished", []),
    ],
)
@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_events_are_those_of_the_standard(content: bytes, expected: list[ServerSentEvent], end: bytes) -> None:
    content = content.replace(b"\n", end)

    assert events(content) == expected
    assert events(*(content[at : at + 1] for at in range(len(content)))) == expected


FIELD = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n\r\0"), max_size=6)


@given(
    st.lists(st.tuples(FIELD, st.lists(FIELD, min_size=1, max_size=3)), max_size=5),
    st.sampled_from(["\n", "\r", "\r\n"]),
    CUTS,
)
def test_events_are_the_same_however_they_come(drawn: list[tuple[str, list[str]]], end: str, cuts: list[int]) -> None:
    written = [[f"event: {name}", *(f"data: {line}" for line in lines), ""] for name, lines in drawn]
    content = "".join(f"{line}{end}" for event in written for line in event).encode()

    assert events(*chunks(content, cuts)) == [
        ServerSentEvent(name or "message", "\n".join(data)) for name, data in drawn
    ]


def test_an_event_is_dispatched_with_its_last_carriage_return() -> None:
    parser = EventParser()

    assert parser.feed(b"data: a\r\r") == [ServerSentEvent(data="a")]
    assert parser.feed(b"\ndata: b\r\n\r\n") == [ServerSentEvent(data="b")]


@pytest.mark.parametrize(
    ("mode", "expression", "content", "expected"),
    [
        ("json", "list[int]", b"data: [1]\n\ndata: [2,\ndata: 3]\n\n", [[1], [2, 3]]),
        ("json", "Any", b": alive\n\nevent: ping\ndata:\n\ndata: 1\n\n", [1]),
        ("json", "Any", b"data: 1\n\ndata: [DONE]\n\ndata: never\n\n", [1]),
        ("text", "str", b"data: [DONE]\n\ndata\n\ndata: 5\n\n", ["[DONE]", "", "5"]),
        ("raw", "ServerSentEvent", b"data: [DONE]\n\n", [ServerSentEvent(data="[DONE]")]),
        ("event", "dict[str, Any]", b"event: a\nid: 7\nretry: 5\ndata: [1]\n\n", [
            {"event": "a", "id": "7", "retry": 5, "data": [1]}
        ]),
        ("event", "dict[str, list[int] | str]", b"data: [1]\n\ndata: [DONE]\n\n", [
            {"event": "message", "data": [1]}, {"event": "message", "data": "[DONE]"}
        ]),
        ("event", "dict[str, dict[str, int] | Literal['message']]", b'data: {"a": 1}\n\ndata: [DONE]\n\ndata: x', [
            {"event": "message", "data": {"a": 1}}
        ]),
        ("event", "dict[str, Any]", b"data: word\n\n", [{"event": "message", "data": "word"}]),
        ("event", "dict[str, str]", b"data: 5\n\n", [{"event": "message", "data": "5"}]),
        ("event-text", "dict[str, str]", b"data: [1]\n\n", [{"event": "message", "data": "[1]"}]),
    ],
)  # fmt: skip
def test_an_item_is_the_data_or_the_event(mode: str, expression: str, content: bytes, expected: list[Any]) -> None:
    assert read("text/event-stream", [content], expression, mode) == expected
    assert (
        items_of(streaming("text/event-stream", expression, mode), Answer(200, "text/event-stream"), content)
        == expected
    )


def test_a_bad_event_is_named() -> None:
    with pytest.raises(DecodeError, match=r"event 2 does not fit the document at \$: expected an integer, got a text"):
        read("text/event-stream", [b'data: 1\n\ndata: "x"\n\n'], "int")
    with pytest.raises(DecodeError, match=r"event 1 does not fit the document at \$\.event: expected a boolean"):
        read("text/event-stream", [b"event: a\ndata: null\n\n"], "dict[str, bool]", "event")


@pytest.mark.parametrize(
    ("promised", "came", "works"),
    [
        ("application/x-ndjson", "application/json", True),
        ("application/x-ndjson", "Application/JSONL; charset=utf-8", True),
        ("application/x-ndjson", "text/plain", True),
        ("application/x-ndjson", "", True),
        ("application/x-ndjson", "text/html", False),
        ("application/x-ndjson", "text/event-stream", False),
        ("text/event-stream", "text/event-stream;charset=utf-8", True),
        ("text/event-stream", "application/json", False),
        ("text/event-stream", "", False),
    ],
)
def test_an_answer_of_another_media_type(promised: str, came: str, works: bool) -> None:
    content = b"data: 1\n\n" if "event" in promised else b"1\n"
    if works:
        assert read(promised, [content], came=came) == [1]
    else:
        with pytest.raises(DecodeError, match=f"came where the document promises {promised}"):
            read(promised, [content], came=came)


def test_media_types_of_streams() -> None:
    assert framing("application/geo+json-seq") == "records"
    assert framing("application/json") is None
    assert text_decoder('text/plain; charset="latin-1"; x=y').decode(b"\xe9") == "é"
    assert text_decoder("text/plain; charset=zip").decode("é".encode()) == "é"
