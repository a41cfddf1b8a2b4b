"""What an answer's status and media type make of its body, over real sockets."""

from __future__ import annotations

from typing import Any

import pytest

from modelport_api._runtime.errors import DecodeError
from tests.unit.runtime.operations import operation
from tests.unit.runtime.server import ScriptedServer, Step, answer, head
from tests.unit.runtime.worlds import World

JSON = "application/json"


def bare(status: int, **headers: str) -> Step:
    """An answer without a body."""
    return Step(head(status, {name.replace("_", "-"): value for name, value in headers.items()}))


@pytest.mark.parametrize(
    ("responses", "step", "expected"),
    [
        ({"200": {"application/zip": "bytes"}}, answer(200, b"\x00PK", content_type="application/zip"), b"\x00PK"),
        ({"200": {"application/zip": "bytes"}}, answer(200, b"\x00PK", content_type=None), b"\x00PK"),
        ({"200": {"application/zip": "bytes"}}, answer(200, b""), b""),
        ({"200": {"*/*": "bytes"}}, answer(200, b"[1]"), b"[1]"),
        ({"200": {"*/*": "bytes"}}, answer(200, b"<p>", content_type="text/html"), b"<p>"),
        ({"200": {"text/plain": "str"}}, answer(200, b"\xe9", content_type="text/plain; charset=latin-1"), "\xe9"),
        ({"200": {"text/plain": "str"}}, answer(200, "\xe9", content_type="text/plain"), "\xe9"),
        ({"200": {"text/csv": "str"}}, answer(200, b"", content_type="text/csv"), ""),
        # By status.
        ({"200": {JSON: "int"}, "201": {JSON: "str"}}, answer(201, b'"a"'), "a"),
        ({"200": {JSON: "int"}, "201": {JSON: "str"}}, answer(200, b"1"), 1),
        ({"200": {JSON: "int"}, "202": {}}, answer(202, b""), None),
        ({"2XX": {JSON: "int"}, "204": {}}, answer(206, b"1"), 1),
        ({"default": {JSON: "int"}}, answer(200, b"1"), 1),
        # By media type.
        ({"200": {JSON: "int", "text/plain": "str"}}, answer(200, b"1", content_type="text/plain"), "1"),
        ({"200": {JSON: "int", "text/plain": "str"}}, answer(200, b"1", content_type="Application/JSON;v=1"), 1),
        # Nothing.
        ({"204": {}}, bare(204), None),
        ({"200": {}}, answer(200, b""), None),
        ({"200": {}}, answer(200, b"of no interest", content_type="text/plain"), None),
        ({"205": {}}, bare(205, Content_Length="0"), None),
    ],
)
def test_the_value_of_an_answer(
    world: World, server: ScriptedServer, responses: Any, step: Step, expected: Any
) -> None:
    server.script = [step, answer(200, [2])]
    client = world.base_client(server.url)

    value = world.call(client, operation(responses=responses))
    assert value == expected
    assert type(value) is type(expected)
    assert world.call(client, operation()) == [2]
    assert server.connections == 1


@pytest.mark.parametrize("step", [bare(200, Content_Length="5", Content_Type=JSON), bare(204)])
def test_head_has_no_body_whatever_its_headers_say(world: World, server: ScriptedServer, step: Step) -> None:
    server.script = [step, answer(200, [2])]
    client = world.base_client(server.url)

    assert world.call(client, operation(method="HEAD", responses={"200": {}})) is None
    assert world.call(client, operation()) == [2]


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (answer(200, b""), "the body is empty"),
        (bare(204), "the body is empty"),
        (answer(200, b"<html>", content_type="text/html"), "the body is not JSON"),
    ],
)
def test_json_that_does_not_come_is_an_error(world: World, server: ScriptedServer, step: Step, message: str) -> None:
    server.script = [step]

    with pytest.raises(DecodeError, match=message):
        world.call(world.base_client(server.url), operation(response="int"))
