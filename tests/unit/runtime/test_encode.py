from __future__ import annotations

import email
import email.policy
import json
import math
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote
from uuid import UUID

import httpx
import numpy as np
import pytest
from attrs import define, field
from hypothesis import example, given
from hypothesis import strategies as st
from python_multipart.multipart import parse_options_header

from modelport_api._runtime.encode import build_body, build_headers, build_path, build_query, text
from modelport_api._runtime.errors import ClientConfigError, EncodeError
from modelport_api._runtime.types import UNSET, File, OpenIntEnum, OpenStrEnum
from modelport_api._runtime.wire import encode_json
from tests.unit.runtime import operations
from tests.unit.runtime.server import ScriptedServer
from tests.unit.runtime.worlds import World

UNICODE = st.text(st.characters(exclude_categories=["Cs"]))


class Colour(OpenStrEnum):
    RED = "red-ish"


class Level(OpenIntEnum):
    LOW = 1


@define(kw_only=True)
class Point:
    """As the generator writes models."""

    x_: int = field(metadata={"wire": "x"})
    y: int | Any = UNSET
    additional_properties: dict[str, Any] = field(factory=dict[str, Any])


# Simple values.


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a b", "a b"), ("", ""), (True, "true"), (False, "false"), (0, "0"), (-7, "-7"), (2**80, str(2**80)),
        (1.5, "1.5"), (1e22, "1e+22"), (0.1, "0.1"), (Decimal("1.10"), "1.10"), (None, ""),
        (date(2026, 1, 2), "2026-01-02"), (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "2026-01-02T03:04:05+00:00"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"), (Colour.RED, "red-ish"), (Colour("new"), "new"),
        (Level.LOW, "1"), (Level(9), "9"), (np.int64(5), "5"), (np.float64(0.5), "0.5"), (np.bool_(True), "true"),
        (np.str_("x"), "x"),
    ],
)  # fmt: skip
def test_a_simple_value_is_written_as_json_writes_it(value: object, expected: str) -> None:
    assert expected == text(value, "here")


@pytest.mark.parametrize(
    "value",
    [
        math.nan, math.inf, -math.inf, Decimal("NaN"), Decimal("Infinity"), np.float64("nan"), UNSET, b"bytes",
        object(), {"a": 1}, [1], {1}, "half \ud800", 1j, File(b""),
    ],
)  # fmt: skip
def test_a_value_without_a_text_is_refused_with_its_place(value: object) -> None:
    with pytest.raises(EncodeError, match=r"^here"):
        text(value, "here")


# Paths.


@given(value=UNICODE)
@example("..%2f..%2fadmin")
@example("a/../../b")
@example("{other}")
@example("x?y#z")
@example("%2e%2e")
@example("\x00\r\n")
def test_a_path_value_stays_one_segment_and_means_itself(value: str) -> None:
    if value in {"", ".", ".."}:
        with pytest.raises(EncodeError, match="must not be"):
            build_path(operations.path(), {"value": value})
        return
    segments = build_path(operations.path(), {"value": value}).split("/")

    assert ["", "before", "after"] == [*segments[:2], segments[3]]
    assert 4 == len(segments)
    assert value == unquote(segments[2], errors="strict")


@given(value=st.text())
def test_a_path_value_with_half_a_surrogate_pair_is_an_encode_error(value: str) -> None:
    try:
        build_path(operations.path(), {"value": value})
    except EncodeError:
        assert value in {"", ".", ".."} or any("\ud800" <= character <= "\udfff" for character in value)


@pytest.mark.parametrize("value", ["a/b", "..%2f", "ü €", "a+b", "100%", "{value}", "\n", ";v=1", "a b", "~-._", "..."])
def test_the_server_sees_one_segment_that_means_the_value(world: World, server: ScriptedServer, value: str) -> None:
    world.call(world.base_client(server.url + "/base"), operations.path(), arguments={"value": value})
    segments = server.requests[0].target.split("/")

    assert ["", "base", "before", "after"] == [*segments[:3], segments[4]]
    assert value == unquote(segments[3])


@pytest.mark.parametrize("value", ["", ".", "..", None, UNSET, [], {}])
def test_a_path_value_that_names_no_segment_is_refused(world: World, server: ScriptedServer, value: object) -> None:
    with pytest.raises(EncodeError, match="'value'"):
        world.call(world.base_client(server.url), operations.path(), arguments={"value": value})

    assert [] == server.requests


# The examples of the specification: https://spec.openapis.org/oas/v3.1.0#style-examples

LIST = ["blue", "black", "brown"]
OBJECT = {"R": 100, "G": 200, "B": 150}

STYLES = [
    ("path", "matrix", False, "", ";color"),
    ("path", "matrix", False, "blue", ";color=blue"),
    ("path", "matrix", False, LIST, ";color=blue,black,brown"),
    ("path", "matrix", False, OBJECT, ";color=R,100,G,200,B,150"),
    ("path", "matrix", True, "", ";color"),
    ("path", "matrix", True, "blue", ";color=blue"),
    ("path", "matrix", True, LIST, ";color=blue;color=black;color=brown"),
    ("path", "matrix", True, OBJECT, ";R=100;G=200;B=150"),
    ("path", "label", False, "blue", ".blue"),
    ("path", "label", False, LIST, ".blue,black,brown"),
    ("path", "label", False, OBJECT, ".R,100,G,200,B,150"),
    ("path", "label", True, "blue", ".blue"),
    ("path", "label", True, LIST, ".blue.black.brown"),
    ("path", "label", True, OBJECT, ".R=100.G=200.B=150"),
    ("path", "simple", False, "blue", "blue"),
    ("path", "simple", False, LIST, "blue,black,brown"),
    ("path", "simple", False, OBJECT, "R,100,G,200,B,150"),
    ("path", "simple", True, "blue", "blue"),
    ("path", "simple", True, LIST, "blue,black,brown"),
    ("path", "simple", True, OBJECT, "R=100,G=200,B=150"),
    ("query", "form", False, "", "color="),
    ("query", "form", False, "blue", "color=blue"),
    ("query", "form", False, LIST, "color=blue,black,brown"),
    ("query", "form", False, OBJECT, "color=R,100,G,200,B,150"),
    ("query", "form", True, "blue", "color=blue"),
    ("query", "form", True, LIST, "color=blue&color=black&color=brown"),
    ("query", "form", True, OBJECT, "R=100&G=200&B=150"),
    ("query", "spaceDelimited", False, LIST, "color=blue%20black%20brown"),
    ("query", "spaceDelimited", False, OBJECT, "color=R%20100%20G%20200%20B%20150"),
    ("query", "pipeDelimited", False, LIST, "color=blue%7Cblack%7Cbrown"),
    ("query", "pipeDelimited", False, OBJECT, "color=R%7C100%7CG%7C200%7CB%7C150"),
    ("query", "deepObject", True, OBJECT, "color%5BR%5D=100&color%5BG%5D=200&color%5BB%5D=150"),
    ("query", "form", True, [], ""),
    ("query", "form", False, [], ""),
    ("query", "form", True, None, ""),
    ("query", "form", True, UNSET, ""),
    ("query", "form", True, ["a&b", "c=d", "e,f"], "color=a%26b&color=c%3Dd&color=e%2Cf"),
    ("query", "form", False, ["a,b", "c"], "color=a%2Cb,c"),
    ("query", "form", True, True, "color=true"),
    ("query", "json", False, {"a": [1, None]}, "color=%7B%22a%22%3A%5B1%2Cnull%5D%7D"),
    ("query", "deepObject", True, Point(x_=1), "color%5Bx%5D=1"),
    ("query", "form", True, Point(x_=1, y=2), "x=1&y=2"),
    ("query", "form", True, Colour.RED, "color=red-ish"),
    ("path", "simple", False, Point(x_=1, y=2), "x,1,y,2"),
]


@pytest.mark.parametrize(("location", "style", "explode", "value", "expected"), STYLES)
def test_styles_follow_the_examples_of_the_specification(
    location: str, style: str, explode: bool, value: object, expected: str
) -> None:
    if location == "path":
        operation = operations.path(style, explode=explode, name="color")
        written = build_path(operation, {"value": value}).removeprefix("/before/").removesuffix("/after")
    else:
        written = build_query(operations.query(style, explode=explode, name="color"), {"value": value})

    assert expected == written


@pytest.mark.parametrize("style", ["form", "deepObject", "spaceDelimited"])
@pytest.mark.parametrize("value", [{"a": {"b": 1}}, {"a": [1]}, [[1]], [{"a": 1}], [math.nan], {"a": UNSET}])
def test_a_query_value_that_the_style_has_no_form_for_is_refused(style: str, value: object) -> None:
    with pytest.raises(EncodeError, match="query parameter 'value'"):
        build_query(operations.query(style), {"value": value})


@given(name=UNICODE.filter(bool), value=UNICODE)
def test_a_query_parses_back(name: str, value: str) -> None:
    query = build_query(operations.query(name=name), {"value": value})

    assert [(name, value)] == parse_qsl(query, keep_blank_values=True, strict_parsing=True)


@given(values=st.lists(UNICODE, min_size=1))
def test_an_exploded_list_parses_back(values: list[str]) -> None:
    pairs = parse_qsl(build_query(operations.query(), {"value": values}), keep_blank_values=True)

    assert values == [value for _, value in pairs]


# Headers and cookies.


@pytest.mark.parametrize(
    ("explode", "value", "expected"),
    [
        (False, "blue", "blue"), (False, LIST, "blue,black,brown"), (False, OBJECT, "R,100,G,200,B,150"),
        (True, OBJECT, "R=100,G=200,B=150"), (False, True, "true"), (False, 7, "7"), (False, "a b", "a b"),
    ],
)  # fmt: skip
def test_a_header_parameter_is_written_in_the_simple_style(explode: bool, value: object, expected: str) -> None:
    assert {"X-Value": expected} == build_headers(operations.header(explode=explode), {"value": value})


BAD_HEADERS = ["x\r\nX-Evil: 1", "x\n", "x\0", "ü", "\ud800", " x", "x ", "\x7f", ["a", "b\r\nc"]]


@pytest.mark.parametrize("value", BAD_HEADERS)
def test_a_header_parameter_cannot_bring_another_header(world: World, server: ScriptedServer, value: object) -> None:
    with pytest.raises(EncodeError, match="header parameter 'value'"):
        world.call(world.base_client(server.url), operations.header(), arguments={"value": value})

    assert [] == server.requests


@pytest.mark.parametrize("value", [bad for bad in BAD_HEADERS if isinstance(bad, str)])
@pytest.mark.parametrize("place", ["call", "client", "derived"])
def test_a_header_option_cannot_bring_another_header(
    world: World, server: ScriptedServer, place: str, value: str
) -> None:
    headers = {"X-Mine": value}
    client = world.base_client(server.url)
    attempts: dict[str, Any] = {
        "client": lambda: world.base_client(server.url, headers=headers),
        "derived": lambda: client.with_options(headers=headers),
        "call": lambda: world.call(client, operations.operation(), headers=headers),
    }
    with pytest.raises(ClientConfigError, match="the header X-Mine") as caught:
        attempts[place]()

    assert value not in str(caught.value).removeprefix("the header X-Mine must be")
    assert [] == server.requests


@pytest.mark.parametrize("name", ["", "a b", "a:b", "a\r\nb", "ü", "a\0", 7])
def test_a_header_option_needs_a_name(world: World, server: ScriptedServer, name: Any) -> None:
    with pytest.raises(ClientConfigError, match="no name of a header"):
        world.call(world.base_client(server.url), operations.operation(), headers={name: "x"})

    assert [] == server.requests


@given(value=UNICODE)
def test_a_cookie_parameter_cannot_bring_another_cookie(value: str) -> None:
    headers = build_headers(operations.header(location="cookie", name="colour"), {"value": value})
    name, _, written = headers["Cookie"].partition("=")

    assert "colour" == name
    assert not set(written) & set(' ;,\r\n"\\')
    assert value == unquote(written, errors="strict")


# Bodies.


@given(fields=st.dictionaries(UNICODE.filter(bool), UNICODE | st.lists(UNICODE)))
def test_a_form_parses_back(fields: dict[str, str | list[str]]) -> None:
    body = build_body(operations.operation(body="application/x-www-form-urlencoded"), fields)
    pairs = parse_qsl(body.arguments["content"].decode("ascii"), keep_blank_values=True)
    expected = [
        (name, item) for name, value in fields.items() for item in ([value] if isinstance(value, str) else value)
    ]

    assert expected == pairs


FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, "true"), (7, "7"), (Colour.RED, "red-ish"), ({"a": 1}, '{"a":1}'), (Point(x_=1), '{"x":1}'),
        (date(2026, 1, 2), "2026-01-02"), ("", ""), (1.5, "1.5"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("media_type", [FORM, MULTIPART])
def test_a_form_field_is_text_or_json(
    world: World, server: ScriptedServer, media_type: str, value: object, expected: str
) -> None:
    world.call(world.base_client(server.url), operations.operation(method="POST", body=media_type), {"field": value})
    request = server.requests[0]
    if media_type == FORM:
        assert [("field", expected)] == parse_qsl(request.body.decode(), keep_blank_values=True)
    else:
        assert [("field", None, expected.encode())] == parts(request.header("content-type") or "", request.body)


def sent(server: ScriptedServer) -> str:
    return server.requests[0].body.decode()


@pytest.mark.parametrize("absent", [UNSET, None])
@pytest.mark.parametrize("media_type", [FORM, MULTIPART])
def test_a_form_leaves_out_what_is_not_there(
    world: World, server: ScriptedServer, media_type: str, absent: object
) -> None:
    body = {"a": "1", "b": absent}
    world.call(world.base_client(server.url), operations.operation(method="POST", body=media_type), body)

    assert b"None" not in server.requests[0].body
    assert 1 == (server.requests[0].body.count(b"name=") if media_type == MULTIPART else len(parse_qsl(sent(server))))


@pytest.mark.parametrize("media_type", [FORM, MULTIPART, "application/json"])
@pytest.mark.parametrize("value", [math.nan, object(), [UNSET], "\ud800", {"a": math.inf}, {7: "x"}])
def test_a_body_without_a_form_is_refused(world: World, server: ScriptedServer, media_type: str, value: object) -> None:
    with pytest.raises(EncodeError):
        world.call(
            world.base_client(server.url), operations.operation(method="POST", body=media_type), {"field": value}
        )

    assert [] == server.requests


def parts(content_type: str, body: bytes) -> list[tuple[str, str | None, bytes]]:
    """Name, file name and content of each part of a multipart body, read as a server reads them."""
    _, options = parse_options_header(content_type)
    boundary = b"--" + options[b"boundary"]
    assert body.endswith(boundary + b"--\r\n")
    found: list[tuple[str, str | None, bytes]] = []
    for part in body.split(boundary + b"\r\n")[1:]:
        head, _, content = part.partition(b"\r\n\r\n")
        content = content.removesuffix(boundary + b"--\r\n").removesuffix(b"\r\n")
        lines = head.split(b"\r\n")
        (disposition,) = [line for line in lines if line.lower().startswith(b"content-disposition:")]
        _, values = parse_options_header(disposition.partition(b":")[2].strip())
        name, file_name = values[b"name"].decode(), values.get(b"filename")
        found.append((unescaped(name), unescaped(file_name.decode()) if file_name is not None else None, content))
    return found


def unescaped(name: str) -> str:
    """What HTML's rules for names of parts did is undone."""
    return re.sub("%(22|[01][0-9A-F])", lambda match: chr(int(match[1], 16)), name)


# A percent sign stays as it is by the same rules, so what was escaped and what was not cannot be told apart.
NAMES = UNICODE.filter(lambda name: name and "%" not in name and "\\" not in name)


@given(name=NAMES, file_name=NAMES, content=st.binary(), value=UNICODE)
def test_a_multipart_body_parses_back(name: str, file_name: str, content: bytes, value: str) -> None:
    operation = operations.operation(method="POST", body=MULTIPART)
    body = build_body(operation, {"text": value, f"f{name}": File(content, file_name)})
    request = httpx.Request("POST", "http://host/", **body.arguments)

    assert [("text", None, value.encode()), (f"f{name}", file_name, content)] == parts(
        request.headers["content-type"], request.read()
    )


@given(content=st.binary(max_size=2000), count=st.integers(1, 4))
def test_another_parser_finds_the_same_parts(content: bytes, count: int) -> None:
    operation = operations.operation(method="POST", body=MULTIPART)
    body = build_body(operation, {f"field{n}": File(content, "plain.bin") for n in range(count)})
    request = httpx.Request("POST", "http://host/", **body.arguments)
    head = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode()
    message = email.message_from_bytes(head + request.read(), policy=email.policy.HTTP)

    assert count == len(list(message.iter_parts()))


def test_a_form_without_any_field_is_still_a_form(world: World, server: ScriptedServer) -> None:
    operation = operations.operation(method="POST", body=MULTIPART)
    world.call(world.base_client(server.url), operation, {})
    request = server.requests[0]

    assert parts(request.header("content-type") or "", request.body) == []


def test_a_file_that_holds_a_boundary_injects_no_field(world: World, server: ScriptedServer) -> None:
    first = operations.operation(method="POST", body=MULTIPART)
    client = world.base_client(server.url)
    world.call(client, first, {"file": File(b"x", "a.bin")})
    _, options = parse_options_header(server.requests[0].header("content-type") or "")
    evil = b"\r\n--" + options[b"boundary"] + b'\r\nContent-Disposition: form-data; name="admin"\r\n\r\n1\r\n'
    world.call(client, first, {"file": File(evil, "a.bin")})

    assert [("file", "a.bin", evil)] == parts(server.requests[1].header("content-type") or "", server.requests[1].body)


@pytest.mark.parametrize("name", ['a"; filename="b', "a\r\nX-Evil: 1\r\n\r\n", "a\nb", '"'])
def test_a_file_name_brings_no_header(world: World, server: ScriptedServer, name: str) -> None:
    operation = operations.operation(method="POST", body=MULTIPART)
    world.call(world.base_client(server.url), operation, {"file": File(b"content", name)})
    request = server.requests[0]

    assert [("file", name, b"content")] == parts(request.header("content-type") or "", request.body)
    assert b"\r\nX-Evil" not in request.body


@pytest.mark.parametrize("content_type", ["text/plain\r\nX-Evil: 1", "a\nb", "ü"])
@pytest.mark.parametrize("media_type", [MULTIPART, "application/octet-stream"])
def test_a_content_type_brings_no_header(
    world: World, server: ScriptedServer, media_type: str, content_type: str
) -> None:
    file = File(b"content", "a.txt", content_type)
    body = {"file": file} if media_type == MULTIPART else file
    with pytest.raises(EncodeError, match="content type"):
        world.call(world.base_client(server.url), operations.operation(method="POST", body=media_type), body)

    assert [] == server.requests


CONTENT = b"0123456789" * 20_000


@pytest.mark.parametrize("media_type", [MULTIPART, "application/octet-stream"])
@pytest.mark.parametrize("kind", ["bytes", "text path", "path", "file", "read file", "memory"])
def test_a_file_is_sent_whole_from_wherever_it_comes(
    world: World, server: ScriptedServer, tmp_path: Path, media_type: str, kind: str
) -> None:
    path = tmp_path / "data.bin"
    path.write_bytes(CONTENT)
    memory = BytesIO(CONTENT)
    memory.read(77)
    operation = operations.operation(method="POST", body=media_type)
    client = world.base_client(server.url)
    with path.open("rb") as opened, path.open("rb") as begun:
        begun.read(1000)
        sources: dict[str, Any] = {
            "bytes": CONTENT, "text path": str(path), "path": path, "file": opened, "read file": begun, "memory": memory
        }  # fmt: skip
        file = File(sources[kind])
        world.call(client, operation, {"file": file} if media_type == MULTIPART else file)
        assert not opened.closed
    request = server.requests[0]
    name = "data.bin" if kind in {"text path", "path", "file", "read file"} else "upload"
    if media_type == MULTIPART:
        assert [("file", name, CONTENT)] == parts(request.header("content-type") or "", request.body)
    else:
        assert CONTENT == request.body
        assert str(len(CONTENT)) == request.header("content-length")


def closed_file() -> BytesIO:
    file = BytesIO(b"x")
    file.close()
    return file


@pytest.mark.parametrize("media_type", [MULTIPART, "application/octet-stream"])
@pytest.mark.parametrize(
    "content",
    [StringIO("text"), closed_file(), 7, None, Path("/nowhere/at/all"), "/nowhere", Path("/")],
    ids=lambda content: type(content).__name__,
)
def test_a_file_that_cannot_be_read_is_an_encode_error(
    world: World, server: ScriptedServer, media_type: str, content: Any
) -> None:
    file = File(content)
    body = {"file": file} if media_type == MULTIPART else file
    with pytest.raises(EncodeError):
        world.call(world.base_client(server.url), operations.operation(method="POST", body=media_type), body)

    assert [] == server.requests


@pytest.mark.parametrize(("body", "expected"), [("téxt", "téxt".encode()), (b"\xff", b"\xff"), (File(b"f"), b"f")])
def test_a_body_of_another_type_goes_as_it_is(
    world: World, server: ScriptedServer, body: object, expected: bytes
) -> None:
    world.call(world.base_client(server.url), operations.operation(method="PUT", body="text/plain"), body)

    assert expected == server.requests[0].body
    assert "text/plain" == server.requests[0].header("content-type")


def test_a_body_for_an_operation_without_one_is_refused(world: World, server: ScriptedServer) -> None:
    with pytest.raises(ClientConfigError, match="takes no body"):
        world.call(world.base_client(server.url), operations.operation(), {"a": 1})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | UNICODE,
    lambda inner: st.lists(inner) | st.dictionaries(UNICODE, inner),
    max_leaves=20,
)


@given(value=JSON)
def test_json_bodies_mean_what_was_given(value: Any) -> None:
    assert value == json.loads(encode_json(value))


def test_python_enums_of_others_are_written_too() -> None:
    class Plain(Enum):
        ONE = 1

    assert "1" == text(Plain.ONE, "here")


def test_the_headers_of_a_call_win_over_the_client_s_whatever_their_case(world: World, server: ScriptedServer) -> None:
    client = world.base_client(server.url, headers={"X-Mine": "client", "accept": "text/csv"})
    world.call(
        client, operations.header(), arguments={"value": "parameter"}, headers={"x-mine": "call", "X-VALUE": "o"}
    )

    assert ("call", "text/csv", "o") == tuple(
        server.requests[0].header(name) for name in ("x-mine", "accept", "x-value")
    )


@pytest.mark.parametrize(
    ("media_type", "body", "sent_type", "content"),
    [
        ("text/plain", "ü", "text/plain", "ü".encode()),
        ("text/plain; charset=ISO-8859-1", "ü", "text/plain; charset=ISO-8859-1", b"\xfc"),
        ("*/*", "ü", "text/plain; charset=utf-8", "ü".encode()),
        ("image/*", b"\x00", "application/octet-stream", b"\x00"),
        ("*/*", File(b"x", content_type="image/png"), "image/png", b"x"),
        ("application/json; charset=utf-8", {"a": 1}, "application/json; charset=utf-8", b'{"a":1}'),
    ],
)
def test_a_raw_body_goes_as_it_is(media_type: str, body: object, sent_type: str, content: bytes) -> None:
    built = build_body(operations.operation(method="PUT", body=media_type), body)

    assert (built.headers["Content-Type"], built.arguments["content"]) == (sent_type, content)


@pytest.mark.parametrize("charset", ["ascii", "no-such"])
def test_a_text_that_its_charset_cannot_hold_is_refused(charset: str) -> None:
    with pytest.raises(EncodeError, match=f"cannot be written in {charset}"):
        build_body(operations.operation(method="PUT", body=f"text/plain; charset={charset}"), "ü")
