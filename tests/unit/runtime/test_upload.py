"""Bodies that are read while they are sent: files with progress, and items as lines."""

from __future__ import annotations

import io
import json
import os
import socket
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from python_multipart.multipart import parse_options_header

from modelport_api._runtime.encode import build_body
from modelport_api._runtime.errors import EncodeError, ServerError
from modelport_api._runtime.types import File
from tests.unit.runtime.operations import operation
from tests.unit.runtime.server import ScriptedServer, answer
from tests.unit.runtime.worlds import World

BINARY = operation(method="PUT", body="application/octet-stream")
FORM = operation(method="PUT", body="multipart/form-data")
LINES = operation(method="PUT", body="application/x-ndjson")
CONTENT = os.urandom(300_000)

Seen = list[tuple[int, int | None]]


@pytest.fixture
def seen() -> Seen:
    return []


def as_path(folder: Path) -> Any:
    path = folder / "model.bin"
    path.write_bytes(CONTENT)
    return path


def as_file(folder: Path) -> Any:
    return as_path(folder).open("rb")


SOURCES: list[Callable[[Path], Any]] = [as_path, as_file, lambda _: CONTENT, lambda _: io.BytesIO(CONTENT)]


def sent(server: ScriptedServer) -> bytes:
    """The file as it came: the body, or the one part of it."""
    request = server.requests[-1]
    kind, parameters = parse_options_header(request.header("Content-Type"))
    if kind != b"multipart/form-data":
        return request.body
    return request.body.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n--%s--\r\n" % parameters[b"boundary"])


@pytest.mark.parametrize("described", [BINARY, FORM])
@pytest.mark.parametrize("source", SOURCES)
def test_progress_tells_what_was_sent(
    world: World, server: ScriptedServer, tmp_path: Path, seen: Seen, described: Any, source: Callable[[Path], Any]
) -> None:
    content = source(tmp_path)
    file = File(content, on_progress=lambda done, total: seen.append((done, total)))

    world.call(world.base_client(server.url), described, {"file": file} if described is FORM else file)
    assert sent(server) == CONTENT
    assert seen[0] == (0, len(CONTENT))
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert [done for done, _ in seen] == sorted({done for done, _ in seen})
    assert len(seen) > 3
    assert server.requests[0].header("Content-Length") is not None
    if hasattr(content, "close"):
        content.close()


@pytest.mark.parametrize("described", [BINARY, FORM])
def test_each_attempt_begins_at_nothing(
    world: World, server: ScriptedServer, tmp_path: Path, seen: Seen, described: Any
) -> None:
    server.script = [answer(503), answer(200, [])]
    file = File(as_path(tmp_path), on_progress=lambda done, total: seen.append((done, total)))

    world.call(world.base_client(server.url), described, {"file": file} if described is FORM else file)
    assert [step for step in seen if step[0] in {0, len(CONTENT)}] == [
        (0, len(CONTENT)), (len(CONTENT), len(CONTENT)),
    ] * 2  # fmt: skip
    assert sent(server) == CONTENT


@pytest.mark.parametrize("described", [BINARY, FORM])
def test_a_pipe_has_no_total(world: World, server: ScriptedServer, seen: Seen, described: Any) -> None:
    reading, writing = os.pipe()

    def write() -> None:
        with os.fdopen(writing, "wb") as end:
            end.write(CONTENT)

    threading.Thread(target=write).start()
    with os.fdopen(reading, "rb") as pipe:
        file = File(pipe, on_progress=lambda done, total: seen.append((done, total)))
        world.call(world.base_client(server.url), described, {"file": file} if described is FORM else file)
    assert sent(server) == CONTENT
    assert (seen[0], seen[-1]) == ((0, None), (len(CONTENT), None))


def test_an_empty_file_is_done_at_once(world: World, server: ScriptedServer, seen: Seen) -> None:
    file = File(b"", on_progress=lambda done, total: seen.append((done, total)))

    world.call(world.base_client(server.url), BINARY, file)
    assert seen == [(0, 0)]
    assert server.requests[0].header("Content-Length") == "0"


def test_what_the_callback_raises_ends_the_call(world: World, server: ScriptedServer) -> None:
    def stop(done: int, _: int | None) -> None:
        if done:
            raise ZeroDivisionError

    client = world.base_client(server.url)
    with pytest.raises(ZeroDivisionError):
        world.call(client, BINARY, File(CONTENT, on_progress=stop))
    assert world.call(client, operation()) == {"Results": []}


@pytest.mark.parametrize("described", [BINARY, FORM])
def test_memory_does_not_grow_with_the_file(world: World, tmp_path: Path, described: Any) -> None:
    size = 48 << 20
    path = tmp_path / "large"
    with path.open("wb") as large:
        large.truncate(size)
    peaks: list[int] = []

    def measure(_: int, __: int | None) -> None:
        peaks.append(tracemalloc.get_traced_memory()[1])

    file = File(path, on_progress=measure)
    sink = _Sink()
    client = world.base_client(sink.url)
    tracemalloc.start()
    try:
        world.call(client, described, {"file": file} if described is FORM else file)
    finally:
        tracemalloc.stop()
        sink.close()

    assert sink.received >= size
    assert max(peaks) < size // 8


class _Sink:
    """A server that reads a body of a known length and throws it away."""

    def __init__(self) -> None:
        self.received = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        connection, _ = self._listener.accept()
        with connection:
            head = b""
            while b"\r\n\r\n" not in head:
                head += connection.recv(4096)
            start, _, rest = head.partition(b"\r\n\r\n")
            fields = dict(line.lower().split(b": ", 1) for line in start.split(b"\r\n")[1:])
            length = int(fields[b"content-length"])
            buffer = bytearray(1 << 16)
            self.received = len(rest)
            while self.received < length:
                self.received += connection.recv_into(buffer)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n[]")

    def close(self) -> None:
        self._thread.join(5)
        self._listener.close()


# Items as lines.


@pytest.mark.parametrize(("media", "lead"), [("application/x-ndjson", b""), ("application/json-seq", b"\x1e")])
def test_items_go_as_lines(world: World, server: ScriptedServer, media: str, lead: bytes) -> None:
    items = [{"a": 1}, "b\n", None, 5]

    world.call(world.base_client(server.url), operation(method="POST", body=media), items)
    assert server.requests[0].header("Content-Type") == media
    written = [json.dumps(item, separators=(",", ":")).encode() for item in items]
    assert server.requests[0].body == b"".join(lead + line + b"\n" for line in written)


def test_a_list_of_items_is_sent_again_and_a_generator_is_not(world: World, server: ScriptedServer) -> None:
    client = world.base_client(server.url)
    server.script = [answer(503), answer(200, []), answer(503)]

    world.call(client, LINES, [1, 2])
    assert [one.body for one in server.requests] == [b"1\n2\n"] * 2
    with pytest.raises(ServerError):
        world.call(client, LINES, (number for number in (1, 2)))
    assert [one.body for one in server.requests[2:]] == [b"1\n2\n"]


def test_items_are_made_while_they_are_sent() -> None:
    made = 0

    def items() -> Iterator[str]:
        nonlocal made
        for made in range(2_000):  # noqa: B007 - watched from outside
            yield "x" * 1_000

    body = build_body(LINES, items())
    assert len(body.file.read(65_536)) < 70_000
    assert made < 70


@pytest.mark.parametrize("body", ["1\n2\n", b"1\n2\n", File(b"1\n2\n")])
def test_lines_may_be_given_as_they_are(world: World, server: ScriptedServer, body: Any) -> None:
    world.call(world.base_client(server.url), LINES, body)

    assert server.requests[0].body == b"1\n2\n"


@pytest.mark.parametrize("body", [{"a": 1}, 5, object()])
def test_what_is_no_iterable_of_items_is_refused(body: Any) -> None:
    with pytest.raises(EncodeError, match="must be an iterable of items, text, bytes or a File"):
        build_body(LINES, body)
    with pytest.raises(EncodeError, match="must be text, bytes or a File, not list"):
        build_body(operation(body="application/xml"), [1])


def test_an_item_without_a_json_form_ends_the_call(world: World, server: ScriptedServer) -> None:
    client = world.base_client(server.url)

    with pytest.raises(EncodeError, match="no JSON form"):
        world.call(client, LINES, [1, object()])
    assert world.call(client, operation()) == {"Results": []}
