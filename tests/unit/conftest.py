"""A collector of the forward protocol, as obedient or as stubborn as a test needs it."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

import msgpack
import pytest

from modelport.predictions import Record, Sink

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence


class Collector:
    """Listens on loopback, keeps every record, acknowledges unless told otherwise; hangs up beyond `limit` bytes."""

    def __init__(self, port: int = 0, *, ack: bool = True, read: bool = True, limit: int = 2**30) -> None:
        self.records: list[dict[str, Any]] = []
        self.tags: set[str] = set()
        self.modes: set[str] = set()
        self.ack = ack
        self.read = read
        self.limit = limit
        self.hang_ups = 0
        self._stop = threading.Event()
        self._connections: list[socket.socket] = []
        self._server = socket.create_server(("127.0.0.1", port), reuse_port=False)
        self.port: int = self._server.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def close(self) -> None:
        self._stop.set()
        # A listening socket wakes from accept only when it is shut down.
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for connection in self._connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        while not self._stop.is_set():
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            self._connections.append(connection)
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        unpacker = msgpack.Unpacker(timestamp=0)
        size = 0
        with connection:
            while not self._stop.is_set():
                if not self.read:
                    self._stop.wait(0.01)
                    continue
                try:
                    data = connection.recv(65536)
                except OSError:
                    return
                if not data:
                    return
                size += len(data)
                if size > self.limit:
                    self.hang_ups += 1
                    return
                unpacker.feed(data)
                for message in unpacker:
                    size = 0
                    self._take(connection, message)

    def _take(self, connection: socket.socket, message: list[Any]) -> None:
        self.tags.add(message[0])
        if isinstance(message[1], list):
            self.modes.add("forward")
            self.records += [record for _, record in message[1]]
            if self.ack:
                connection.sendall(bytes(msgpack.packb({"ack": message[2]["chunk"]}) or b""))
        else:
            self.modes.add("message")
            self.records.append(message[2])


@pytest.fixture
def collector() -> Iterator[Callable[..., Collector]]:
    made: list[Collector] = []

    def make(*args: Any, **kwargs: Any) -> Collector:
        made.append(Collector(*args, **kwargs))
        return made[-1]

    yield make
    for item in made:
        if item._server.fileno() != -1:
            item.close()


@pytest.fixture
def eventually() -> Callable[[Callable[[], object]], None]:
    def wait(condition: Callable[[], object], timeout: float = 20.0) -> None:
        deadline = time.monotonic() + timeout
        while not condition():
            assert time.monotonic() < deadline, "it never came to pass"
            time.sleep(0.005)

    return wait


class ListSink(Sink):
    """Keeps records; fails while `error` is set; waits while `gate` is closed."""

    def __init__(self, name: str = "list", max_buffer: int = 100_000) -> None:
        self.name = name
        self.max_buffer = max_buffer
        self.records: list[Any] = []
        self.error: BaseException | None = None
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Event()
        self.closed = 0
        self.refuse: Callable[[Any], bool] = lambda _: False

    def write(self, records: Sequence[Record]) -> None:
        self.entered.set()
        self.gate.wait(30)
        if self.error is not None:
            raise self.error
        if any(map(self.refuse, records)):
            message = "refused"
            raise ValueError(message)
        self.records += records

    def close(self) -> bool | None:
        self.closed += 1
        return None


@pytest.fixture
def list_sink() -> Callable[..., ListSink]:
    return ListSink


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BEDROCK_FLUENTD_ADDR", "BEDROCK_FLUENTD_PREFIX", "BEDROCK_POD_NAME", "POD_NAME"):
        monkeypatch.delenv(name, raising=False)
