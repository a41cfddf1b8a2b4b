"""Typed streams over real sockets: items as they come, and the connection given back whatever happens."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from modelport_api._runtime._async.streaming import AsyncStream, AsyncStreamTransport
from modelport_api._runtime._async.transport import AsyncRawTransport
from modelport_api._runtime._sync.streaming import Stream, StreamTransport
from modelport_api._runtime._sync.transport import RawTransport
from modelport_api._runtime.errors import (
    APIConnectionError,
    APITimeoutError,
    ClientConfigError,
    DecodeError,
    NotFoundError,
    ServerError,
)
from modelport_api._runtime.sse import ServerSentEvent
from tests.unit.runtime.operations import operation
from tests.unit.runtime.server import ScriptedServer, Step, answer, head
from tests.unit.runtime.worlds import World

LINES = "application/x-ndjson"
EVENTS = "text/event-stream"
PROBLEM = {"default": {"application/json": "Any"}}


def lines(expression: str = "Any", **rest: Any) -> Any:
    return operation(responses={"200": {LINES: expression}, "204": {}, **PROBLEM}, stream="json", **rest)


def events(expression: str = "Any", mode: str = "json") -> Any:
    return operation(responses={"200": {EVENTS: expression}, **PROBLEM}, stream=mode)


PLAIN = operation()


def chunked(media: str, *chunks: bytes, end: bool = True, feed: Any = None, **how: bool) -> Step:
    """An answer whose length is not told before."""
    body = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
    start = head(200, {"Content-Type": media, "Transfer-Encoding": "chunked"})
    return Step(start + body + (b"0\r\n\r\n" if end else b""), feed=feed, **how)


def start(world: World, client: Any, described: Any, **options: Any) -> Any:
    """The stream of an operation."""
    return world.run(client._transport.stream(described, {}, options))


def close(world: World, stream: Any) -> None:
    world.run(stream.close())


@pytest.fixture
def single(world: World, server: ScriptedServer) -> Any:
    """A client with one connection: what keeps it hold of it, the next call cannot have."""
    limits = httpx.Limits(max_connections=1, max_keepalive_connections=1)
    http_client = world.http_client(limits=limits)
    return world.base_client(server.url, http_client=http_client, max_retries=0, timeout=5.0)


def test_each_item_is_there_as_soon_as_it_was_sent(world: World, server: ScriptedServer) -> None:
    seen = [threading.Event() for _ in range(3)]

    def feed() -> Iterator[bytes]:
        for number, event in enumerate(seen):
            yield b"%x\r\n%s\r\n" % (2, b"%d\n" % number)
            assert event.wait(10)  # the next one is sent only after this one was read
        yield b"0\r\n\r\n"

    server.script = [chunked(LINES, end=False, feed=feed)]
    stream = start(world, world.base_client(server.url), lines("int"))

    got = []
    for item in world.iterated(stream):
        got.append(item)
        seen[item].set()
    assert got == [0, 1, 2]
    assert isinstance(stream, AsyncStream if world.is_async else Stream)
    assert stream.response.status == 200
    assert server.requests[0].header("Accept") == "application/x-ndjson, application/json;q=0.5"


def test_next_gives_the_items_one_by_one(world: World, server: ScriptedServer) -> None:
    server.script = [chunked(LINES, b"1\n2\n")]
    stream = start(world, world.base_client(server.url), lines())

    step = stream.__anext__ if world.is_async else stream.__next__
    assert [world.run(step()), world.run(step())] == [1, 2]
    with pytest.raises(StopAsyncIteration if world.is_async else StopIteration):
        world.run(step())


@pytest.mark.parametrize("how", ["close", "reset"])
def test_a_cut_comes_after_every_complete_item(world: World, server: ScriptedServer, how: str) -> None:
    cut = {how: True}

    def feed() -> Iterator[bytes]:
        yield b""
        assert read.wait(10)  # a reset throws away what was not read yet

    read = threading.Event()
    server.script = [chunked(LINES, b"1\n2\n", b'{"a":', end=False, feed=feed, **cut)]
    stream = start(world, world.base_client(server.url), lines())
    got = []

    with pytest.raises(APIConnectionError, match="GET http"):  # noqa: PT012 - the items before the error count
        for item in world.iterated(stream):
            got.append(item)
            read.set()
    assert got == [1, 2]
    assert len(server.requests) == 1


def test_a_server_that_stops_is_a_timeout(world: World, server: ScriptedServer) -> None:
    server.script = [chunked(LINES, b"1\n", end=False, stall=True)]
    stream = start(world, world.base_client(server.url), lines(), timeout=0.2)
    items = world.iterated(stream)

    assert next(items) == 1
    with pytest.raises(APITimeoutError, match="phase: read"):
        next(items)


def test_errors_before_the_stream_are_those_of_every_call(
    world: World, server: ScriptedServer, pauses: list[float]
) -> None:
    client = world.base_client(server.url)
    server.script = [answer(503), answer(429), chunked(LINES, b"1\n"), answer(404, {"message": "no such thing"})]

    assert list(world.iterated(start(world, client, lines()))) == [1]
    assert len(pauses) == 2
    with pytest.raises(NotFoundError, match="no such thing"):
        start(world, client, lines())


def test_no_content_is_no_items(world: World, server: ScriptedServer) -> None:
    server.script = [Step(head(204, {}))]

    assert list(world.iterated(start(world, world.base_client(server.url), lines()))) == []


def ended(world: World, stream: Any) -> None:
    assert list(world.iterated(stream)) == [1, 2]


def left(world: World, stream: Any) -> None:
    with world.entered(stream) as entered:
        assert next(world.iterated(entered)) == 1


def closed(world: World, stream: Any) -> None:
    assert next(world.iterated(stream)) == 1
    close(world, stream)
    close(world, stream)
    assert list(world.iterated(stream)) == []


def unread(world: World, stream: Any) -> None:
    close(world, stream)
    assert list(world.iterated(stream)) == []


def failed(world: World, stream: Any) -> None:
    def fail(_: Any) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), world.entered(stream) as entered:
        fail(next(world.iterated(entered)))


@pytest.mark.parametrize(
    ("use", "end"), [(ended, True), *((use, end) for use in (left, closed, unread, failed) for end in (True, False))]
)
def test_the_connection_is_free_again(
    world: World, server: ScriptedServer, single: Any, use: Callable[[World, Any], None], *, end: bool
) -> None:
    server.script = [chunked(LINES, b"1\n2\n", end=end), answer(200, [3])]

    use(world, start(world, single, lines()))
    assert world.call(single, PLAIN) == [3]


@pytest.mark.parametrize(
    ("described", "step", "error"),
    [
        (lines(), chunked(LINES, b"1\nx\n", end=False), "line 2 is not JSON"),
        (lines(), chunked(LINES, b"1\n", end=False, close=True), "no answer"),
        (events(), chunked("application/json", b"{}", end=False), "application/json came where the document promises"),
        (lines(), chunked("text/html", b"<html>", end=False), "text/html came where the document promises"),
    ],
)
def test_the_connection_is_free_again_after_an_error(
    world: World, server: ScriptedServer, single: Any, described: Any, step: Step, error: str
) -> None:
    server.script = [step, answer(200, [3])]

    with pytest.raises((DecodeError, APIConnectionError), match=error):
        list(world.iterated(start(world, single, described)))
    assert world.call(single, PLAIN) == [3]


def test_twenty_streams_that_fail_leave_a_client_that_works(world: World, server: ScriptedServer, single: Any) -> None:
    server.script = [
        step
        for _ in range(10)
        for step in (chunked(LINES, b"x\n", end=False), answer(500, {"message": "m"}), chunked(EVENTS, end=False))
    ]
    for _ in range(10):
        with pytest.raises(DecodeError):
            list(world.iterated(start(world, single, lines())))
        with pytest.raises(ServerError):
            start(world, single, lines())
        with pytest.raises(DecodeError):
            start(world, single, lines())

    assert world.call(single, PLAIN) == {"Results": []}


def test_a_done_message_ends_a_stream_that_goes_on(world: World, server: ScriptedServer, single: Any) -> None:
    server.script = [chunked(EVENTS, b'data: {"a": 1}\n\ndata: [DONE]\n\n', end=False, stall=True), answer(200, [3])]

    assert list(world.iterated(start(world, single, events()))) == [{"a": 1}]
    assert world.call(single, PLAIN) == [3]


def test_a_loop_that_is_left_without_closing_lets_go_too(world: World, server: ScriptedServer, single: Any) -> None:
    """The loop holds the only reference: Python closes the generator behind it."""
    server.script = [chunked(LINES, b"1\n", end=False), answer(200, [3])]

    async def leave() -> None:
        async for item in await single._transport.stream(lines(), {}, {}):
            assert item == 1
            break
        await asyncio.sleep(0)
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            await task

    def leave_sync() -> None:
        for item in single._transport.stream(lines(), {}, {}):
            assert item == 1
            break

    world.run(leave() if world.is_async else leave_sync())
    assert world.call(single, PLAIN) == [3]


def test_a_stream_that_is_never_read_lets_go_or_is_told(world: World, server: ScriptedServer, single: Any) -> None:
    server.script = [chunked(LINES, b"1\n", end=False), answer(200, [3])]

    if world.is_async:  # nobody is left who could await the closing
        with pytest.warns(ResourceWarning, match="neither read nor closed"):
            start(world, single, lines())
    else:
        start(world, single, lines())
        assert world.call(single, PLAIN) == [3]


def test_a_cancelled_task_gives_the_connection_back(server: ScriptedServer) -> None:
    world = World("async")
    try:
        limits = httpx.Limits(max_connections=1, max_keepalive_connections=1)
        client = world.base_client(server.url, http_client=world.http_client(limits=limits), max_retries=0, timeout=5.0)
        server.script = [chunked(LINES, b"1\n", end=False, stall=True), answer(200, [3])]

        async def cancelled() -> None:
            first = asyncio.Event()

            async def follow() -> None:
                async for _ in await client._transport.stream(lines(), {}, {}):
                    first.set()

            task = asyncio.create_task(follow())
            await first.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

        world.run(cancelled())
        assert world.call(client, PLAIN) == [3]
    finally:
        world.close()


def test_events_as_they_are(world: World, server: ScriptedServer) -> None:
    content = b"id: 1\ndata: a\n\nevent: end\ndata: [DONE]\n\n"
    client = world.base_client(server.url)
    server.script = [chunked(EVENTS, content), chunked(EVENTS, content), chunked(LINES, b"1\n")]
    expected = [ServerSentEvent("message", "a", "1"), ServerSentEvent("end", "[DONE]", "1")]

    assert list(world.iterated(start(world, client, events("ServerSentEvent", "raw")))) == expected
    stream = start(world, client, events())
    assert list(world.iterated(stream.events())) == expected
    with pytest.raises(ClientConfigError, match="read already"):
        next(world.iterated(stream))
    other = start(world, client, lines())
    with pytest.raises(ClientConfigError, match="it is application/x-ndjson"):
        other.events()
    close(world, other)
    assert ServerSentEvent(data='{"a": 1}').json() == {"a": 1}


def raw(world: World, client: Any) -> Any:
    kind = AsyncRawTransport if world.is_async else RawTransport
    return kind(client._transport.settings, client._transport.pool)


def streaming(world: World, client: Any) -> Any:
    kind = AsyncStreamTransport if world.is_async else StreamTransport
    return kind(client._transport.settings, client._transport.pool)


def test_a_raw_response_has_the_items_as_a_list(world: World, server: ScriptedServer) -> None:
    server.script = [chunked(LINES, b"1\n", b"2\n"), chunked(LINES, b"1\nx")]
    transport = raw(world, world.base_client(server.url))

    assert world.run(transport.stream(lines(), {}, {})).parsed == [1, 2]
    with pytest.raises(DecodeError, match="line 2"):
        _ = world.run(transport.stream(lines(), {}, {})).parsed


def test_a_streaming_response_parses_what_the_operation_promises(world: World, server: ScriptedServer) -> None:
    server.script = [chunked(LINES, b"1\n", b"2\n"), answer(200, [3], {"X-Request-Id": "r1"})]
    transport = streaming(world, world.base_client(server.url))

    with world.entered(world.run(transport.stream(lines(), {}, {}))) as response:
        assert list(world.iterated(world.run(response.parse()))) == [1, 2]
    with world.entered(world.run(transport.call(PLAIN, {}, {}))) as response:
        assert world.run(response.parse()) == [3]
        assert (response.content_type, response.request_id) == ("application/json", "r1")
        assert response.url == f"{server.url}/thing"


def test_a_response_that_was_not_entered_has_no_body(world: World, server: ScriptedServer) -> None:
    response = world.run(streaming(world, world.base_client(server.url)).call(PLAIN, {}, {}))

    with pytest.raises(ClientConfigError, match="enter the response"):
        world.run(response.read())
    assert server.requests == []


@pytest.mark.parametrize(
    ("media", "chunks", "expected"),
    [
        ("text/plain", ["é".encode()[:1], "é\r".encode()[1:], "\nb\x0bc\u2028d".encode(), b"\n\ne"], None),
        ("text/plain; charset=utf-16-le", ["a\nb".encode("utf-16-le")[:3], "a\nb".encode("utf-16-le")[3:]], ["a", "b"]),
        ("text/plain; charset=latin-1", [b"\xe9\n"], ["é"]),
    ],
)
def test_text_and_lines(
    world: World, server: ScriptedServer, media: str, chunks: list[bytes], expected: list[str] | None
) -> None:
    server.script = [chunked(media, *chunks), chunked(media, *chunks)]
    transport = streaming(world, world.base_client(server.url))
    charset = media.partition("charset=")[2] or "utf-8"

    with world.entered(world.run(transport.call(PLAIN, {}, {}))) as response:
        assert "".join(world.iterated(response.iter_text())) == b"".join(chunks).decode(charset)
    with world.entered(world.run(transport.call(PLAIN, {}, {}))) as response:
        assert list(world.iterated(response.iter_lines())) == (expected or ["é", "b\x0bc\u2028d", "", "e"])
