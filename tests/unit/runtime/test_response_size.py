"""An answer that is read into memory is bounded by what it unpacks to."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modelport_api._runtime.errors import (
    APIProtocolError,
    ClientConfigError,
    NotFoundError,
    ResponseTooLargeError,
    ServerError,
)
from tests.unit.runtime.operations import operation
from tests.unit.runtime.server import ScriptedServer, Step, answer, head
from tests.unit.runtime.worlds import World

SMALL_POOL = httpx.Limits(max_connections=1, max_keepalive_connections=1)
BYTES = operation(responses={"200": {"application/octet-stream": "bytes"}})
LIMIT = 100_000
MEGABYTE = 1024 * 1024


def plain(size: int, status: int = 200) -> Step:
    return answer(status, b"x" * size, content_type="application/octet-stream")


def packed(size: int, coding: str = "gzip", status: int = 200) -> Step:
    content = gzip.compress(b"x" * size) if coding == "gzip" else zlib.compress(b"x" * size)
    return answer(status, content, {"Content-Encoding": coding}, content_type="application/octet-stream")


def chunked(size: int, status: int = 200, headers: Mapping[str, str] | None = None) -> Step:
    def pieces() -> Iterator[bytes]:
        left = size
        while left:
            piece = min(left, 60_000)
            yield b"%x\r\n%s\r\n" % (piece, b"x" * piece)
            left -= piece
        yield b"0\r\n\r\n"

    return Step(head(status, {"Transfer-Encoding": "chunked", **(headers or {})}), feed=pieces)


def unending(size: int) -> Step:
    return Step(head(200, {}) + b"x" * size, close=True)


FORMS = {
    "of a known length": plain,
    "gzip": packed,
    "deflate": lambda size: packed(size, "deflate"),
    "in chunks": chunked,
    "to the end of the connection": unending,
}


def limited(world: World, server: ScriptedServer, limit: int | None = LIMIT) -> Any:
    return world.base_client(
        server.url, http_client=world.http_client(limits=SMALL_POOL), max_response_bytes=limit, timeout=5.0
    )


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_what_is_at_the_limit_passes_and_one_byte_more_does_not(
    world: World, server: ScriptedServer, form: Any
) -> None:
    client = limited(world, server)
    server.script += [form(LIMIT), form(LIMIT + 1), form(LIMIT)]

    assert b"x" * LIMIT == world.call(client, BYTES)
    with pytest.raises(ResponseTooLargeError, match=f"{LIMIT}.*stream") as caught:
        world.call(client, BYTES)
    assert b"x" * LIMIT == world.call(client, BYTES)

    assert isinstance(caught.value, APIProtocolError)
    assert (200, LIMIT, "GET", f"{server.url}/thing", 1) == (
        caught.value.status,
        caught.value.limit_bytes,
        caught.value.method,
        caught.value.url,
        caught.value.attempts,
    )


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(
    form=st.sampled_from(["of a known length", "gzip", "deflate", "in chunks"]),
    size=st.integers(0, 3000),
    limit=st.integers(1, 3000),
)
def test_only_the_size_unpacked_counts(world: World, server: ScriptedServer, form: str, size: int, limit: int) -> None:
    client = world.base_client(server.url, max_response_bytes=limit)
    server.script[:] = [FORMS[form](size)]
    if size <= limit:
        assert b"x" * size == world.call(client, BYTES)
    else:
        with pytest.raises(ResponseTooLargeError):
            world.call(client, BYTES)


def test_it_is_not_tried_again(world: World, server: ScriptedServer) -> None:
    server.script.append(chunked(LIMIT + 1))
    with pytest.raises(ResponseTooLargeError):
        world.call(limited(world, server), BYTES)

    assert 1 == len(server.requests)


def test_a_bomb_is_not_unpacked(world: World, server: ScriptedServer) -> None:
    bomb = packed(300 * MEGABYTE)
    client = world.base_client(server.url, max_response_bytes=MEGABYTE)
    server.script.append(bomb)
    tracemalloc.start()
    try:
        with pytest.raises(ResponseTooLargeError):
            world.call(client, BYTES)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    # Bytes of the limit, and twice what 4 KiB can unpack to (by 1032 at most).
    assert peak < 12 * MEGABYTE


def test_what_is_packed_twice_is_not_unpacked_either(world: World, server: ScriptedServer) -> None:
    body = gzip.compress(gzip.compress(b"x" * 300 * MEGABYTE))
    twice = answer(200, body, {"Content-Encoding": "gzip, gzip"}, content_type="application/octet-stream")
    client = limited(world, server)
    server.script += [twice, plain(3)]
    tracemalloc.start()
    try:
        with pytest.raises(ResponseTooLargeError):
            world.call(client, BYTES)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 12 * MEGABYTE
    assert b"xxx" == world.call(client, BYTES)


def test_a_length_that_is_announced_is_enough_to_refuse(world: World, server: ScriptedServer) -> None:
    server.script.append(Step(head(200, {"Content-Length": str(10**12)}) + b"x" * 1000, stall=True))
    with pytest.raises(ResponseTooLargeError):
        world.call(limited(world, server), BYTES)


def test_an_answer_to_head_announces_what_it_does_not_bring(world: World, server: ScriptedServer) -> None:
    server.script.append(Step(head(200, {"Content-Length": str(10**12)})))
    there = operation(method="HEAD", responses={"200": {}})

    assert world.call(limited(world, server), there) is None


@pytest.mark.parametrize("form", [plain, packed, chunked], ids=["plain", "gzip", "chunks"])
def test_a_stream_may_have_any_size(world: World, server: ScriptedServer, form: Any) -> None:
    server.script.append(form(3 * LIMIT))
    client = world.client(server.url, credentials={"userToken": "t"}, max_response_bytes=LIMIT)
    with world.entered(client.groups.with_streaming_response.list_groups()) as response:
        assert 3 * LIMIT == sum(len(chunk) for chunk in world.iterated(response.iter_bytes()))


def called(world: World, client: Any, *, streamed: bool) -> None:
    if not streamed:
        world.run(client.groups.list_groups())
        return
    with world.entered(client.groups.with_streaming_response.list_groups()):
        pass


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("form", [plain, packed, chunked], ids=["plain", "gzip", "chunks"])
def test_the_body_of_an_error_is_cut_and_the_error_stays_what_it_is(
    world: World, server: ScriptedServer, form: Any, streamed: bool
) -> None:
    client = world.client(
        server.url,
        credentials={"userToken": "t"},
        http_client=world.http_client(limits=SMALL_POOL),
        max_response_bytes=LIMIT,
    )
    for size in (LIMIT, LIMIT + 1, 50 * LIMIT):
        server.script.append(form(size, status=500))
        with pytest.raises(ServerError) as caught:
            called(world, client, streamed=streamed)

        assert "x" * LIMIT == caught.value.body
        assert b"x" * 4096 == caught.value.raw_body
    assert [] == world.run(client.groups.list_groups()).results


def test_the_body_of_an_error_is_cut_at_a_megabyte_where_there_is_no_limit(
    world: World, server: ScriptedServer
) -> None:
    server.script.append(chunked(3 * MEGABYTE, status=404))
    with pytest.raises(NotFoundError) as caught:
        world.call(limited(world, server, None), BYTES)

    assert MEGABYTE == len(caught.value.body)


def test_no_limit_is_no_limit(world: World, server: ScriptedServer) -> None:
    server.script += [packed(3 * LIMIT), chunked(3 * LIMIT)]
    client = limited(world, server, None)

    assert 3 * LIMIT == len(world.call(client, BYTES)) == len(world.call(client, BYTES))


def test_a_derived_client_has_its_own_limit(world: World, server: ScriptedServer) -> None:
    client = limited(world, server)
    server.script += [plain(LIMIT + 1), plain(LIMIT + 1)]

    assert LIMIT + 1 == len(world.call(client.with_options(max_response_bytes=None), BYTES))
    with pytest.raises(ResponseTooLargeError):
        world.call(client.with_options(max_retries=0), BYTES)


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_below_one_byte_is_refused(world: World, limit: int) -> None:
    with pytest.raises(ClientConfigError, match="max_response_bytes"):
        world.client("http://host", max_response_bytes=limit)


def test_two_lengths_or_a_length_beside_chunks_are_no_promise(world: World, server: ScriptedServer) -> None:
    # RFC 9112 6.3: the transfer coding overrides the length.
    server.script.append(chunked(LIMIT + 1, headers={"Content-Length": "3"}))
    with pytest.raises((ResponseTooLargeError, APIProtocolError)):
        world.call(limited(world, server), BYTES)
