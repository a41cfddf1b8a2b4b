"""A call that is broken off, wherever it is, leaves nothing behind: the next one goes over the same pool."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from modelport_api._runtime._async import transport as async_transport
from modelport_api._runtime._sync import transport as sync_transport
from modelport_api._runtime.errors import APITimeoutError
from modelport_api.codex.v1 import AsyncClient, Client, File, Timeout
from tests.unit.runtime.operations import operation
from tests.unit.runtime.server import ScriptedServer, Step, answer, head

TOKENS = {"userToken": "user-secret"}
SMALL_POOL = httpx.Limits(max_connections=1, max_keepalive_connections=1)
NO_TRUST = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # none is needed, and reading one takes time
# A connection that leaked would keep the only place in the pool: the next call would end in a timeout of the pool.
NO_ROOM = Timeout(5.0, pool=1.0)

HALF = head(200, {"Content-Type": "application/json", "Content-Length": "1000"}) + b"{"
HALF_PACKED = head(200, {"Content-Encoding": "gzip", "Transfer-Encoding": "chunked"})
BEGUN: dict[str, bytes] = {
    "before the answer": b"",
    "in its head": b"HTTP/1.1 200 OK\r\nContent-",
    "in its body": HALF,
    "in its packed body": HALF_PACKED,
    "in the body of an error": HALF.replace(b"200", b"500"),
}


class Told:
    """A step that sends its data, tells, and then stalls."""

    def __init__(self, data: bytes, tell: Any) -> None:
        self.step = Step(data, feed=self._feed, stall=True)
        self._tell = tell

    def _feed(self) -> Iterator[bytes]:
        self._tell()
        yield b""


# Cancelled by asyncio.


def cancelled(server: ScriptedServer, data: bytes, call: Any, **settings: Any) -> None:
    """Begin a call, cancel it when the server has sent the data, and make another over the same pool."""

    async def program() -> None:
        loop, begun = asyncio.get_running_loop(), asyncio.Event()
        server.script.append(Told(data, lambda: loop.call_soon_threadsafe(begun.set)).step)
        async with (
            httpx.AsyncClient(limits=SMALL_POOL, verify=NO_TRUST) as http_client,
            AsyncClient(server.url, credentials=TOKENS, timeout=NO_ROOM, http_client=http_client, **settings) as client,
        ):
            task = asyncio.create_task(call(client))
            await begun.wait()
            await asyncio.sleep(0.02)  # the data may not have been read; every moment is as good as another
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

            assert [] == (await client.groups.list_groups()).results

    asyncio.run(program())


@pytest.mark.parametrize("data", BEGUN.values(), ids=BEGUN)
def test_a_call_is_cancelled(server: ScriptedServer, data: bytes) -> None:
    cancelled(server, data, lambda client: client.groups.list_groups())


@pytest.mark.parametrize("data", BEGUN.values(), ids=BEGUN)
def test_a_call_with_middleware_is_cancelled(server: ScriptedServer, data: bytes) -> None:
    async def passing(attempt: Any, send: Any) -> Any:
        return await send(attempt)

    cancelled(server, data, lambda client: client.groups.list_groups(), middleware=[passing, passing])


@pytest.mark.parametrize("data", BEGUN.values(), ids=BEGUN)
def test_a_stream_is_cancelled(server: ScriptedServer, data: bytes) -> None:
    async def stream(client: Any) -> None:
        async with client.groups.with_streaming_response.list_groups() as response:
            async for _ in response.iter_bytes():
                pass

    cancelled(server, data, stream)


def test_the_pause_between_attempts_is_cancelled(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    async def program() -> None:
        pausing = asyncio.Event()

        async def pause(seconds: float) -> None:
            pausing.set()
            await asyncio.Event().wait()

        monkeypatch.setattr(async_transport, "sleep", pause)
        for step in (answer(503, b"busy"), Step(close=True)):
            pausing.clear()
            server.script.append(step)
            async with (
                httpx.AsyncClient(limits=SMALL_POOL, verify=NO_TRUST) as http_client,
                AsyncClient(server.url, credentials=TOKENS, timeout=NO_ROOM, http_client=http_client) as client,
            ):
                task = asyncio.create_task(client.groups.list_groups())
                await pausing.wait()
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task

                assert [] == (await client.groups.list_groups()).results

    asyncio.run(program())


def test_a_deadline_for_the_whole_call_is_asyncio_s(server: ScriptedServer) -> None:
    """The client's own limits are of the phases of an attempt: none of them ends a server that drips."""

    async def program() -> None:
        loop, begun = asyncio.get_running_loop(), asyncio.Event()
        server.script.append(Told(HALF, lambda: loop.call_soon_threadsafe(begun.set)).step)
        async with AsyncClient(server.url, credentials=TOKENS, timeout=NO_ROOM) as client:
            with pytest.raises(TimeoutError) as caught:
                async with asyncio.timeout(0.2):
                    await client.groups.list_groups()

            assert not isinstance(caught.value, APITimeoutError)
            assert [] == (await client.groups.list_groups()).results

    asyncio.run(program())


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="open files are counted by procfs")
def test_a_file_that_was_opened_for_a_cancelled_call_is_closed(server: ScriptedServer, tmp_path: Path) -> None:
    path = tmp_path / "data.bin"
    path.write_bytes(b"x" * 10)
    upload = operation(method="PUT", body="application/octet-stream")
    opened: list[int] = []

    async def note(attempt: Any, send: Any) -> Any:
        opened.append(times_open(path))
        return await send(attempt)

    cancelled(server, b"", lambda client: client._transport.call(upload, {}, {}, File(path)), middleware=[note])

    assert [1, 0] == opened
    assert 0 == times_open(path)


def times_open(path: Path) -> int:
    targets: list[str] = []
    for link in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):  # the folder's own
            targets.append(str(link.readlink()))
    return targets.count(str(path))


# Interrupted by Ctrl-C.


def interrupt() -> None:
    main = threading.main_thread().ident
    assert main is not None
    signal.pthread_kill(main, signal.SIGINT)


def called(client: Client, *, streamed: bool) -> None:
    if not streamed:
        client.groups.list_groups()
        return
    with client.groups.with_streaming_response.list_groups() as response:
        list(response.iter_bytes())


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("data", BEGUN.values(), ids=BEGUN)
def test_a_call_is_interrupted(server: ScriptedServer, data: bytes, streamed: bool) -> None:
    server.script.append(Told(data, interrupt).step)
    with (
        httpx.Client(limits=SMALL_POOL, verify=NO_TRUST) as http_client,
        Client(server.url, credentials=TOKENS, timeout=NO_ROOM, http_client=http_client) as client,
    ):
        with pytest.raises(KeyboardInterrupt):
            called(client, streamed=streamed)

        assert [] == client.groups.list_groups().results


def test_the_pause_between_attempts_is_interrupted(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    def pause(seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(sync_transport, "sleep", pause)
    for step in (answer(503, b"busy"), Step(close=True)):
        server.script.append(step)
        with (
            httpx.Client(limits=SMALL_POOL, verify=NO_TRUST) as http_client,
            Client(server.url, credentials=TOKENS, timeout=NO_ROOM, http_client=http_client) as client,
        ):
            with pytest.raises(KeyboardInterrupt):
                client.groups.list_groups()

            assert [] == client.groups.list_groups().results


def test_a_program_of_asyncio_is_interrupted(server: ScriptedServer) -> None:
    server.script.append(Told(HALF, interrupt).step)

    async def program() -> None:
        async with AsyncClient(server.url, credentials=TOKENS, timeout=NO_ROOM) as client:
            await client.groups.list_groups()

    with pytest.raises(KeyboardInterrupt):
        asyncio.run(program())
