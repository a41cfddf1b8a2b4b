"""A server of scripted bytes on 127.0.0.1: real sockets, so that cuts, stalls and garbage are what they are outside."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

OK_JSON = b'{"Results":[]}'


@dataclass
class Received:
    """A request as it came."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        found = [value for key, value in self.headers if key.lower() == name.lower()]
        assert len(found) <= 1, f"{name} was sent {len(found)} times"
        return found[0] if found else None


@dataclass(frozen=True)
class Step:
    """What the server does with one request.

    Attributes:
        data: Sent at once.
        close: Close the connection afterwards.
        reset: Close it with a reset instead of an end.
        stall: Send nothing more and keep the connection open until the server ends.
        feed: Makes further chunks, sent one by one.
    """

    data: bytes = b""
    close: bool = False
    reset: bool = False
    stall: bool = False
    feed: Callable[[], Any] | None = None


def answer(
    status: int = 200,
    body: bytes | str | Any = OK_JSON,
    headers: Mapping[str, str] | None = None,
    *,
    reason: str = "Scripted",
    content_type: str | None = "application/json",
) -> Step:
    """A whole HTTP answer; what is neither bytes nor text goes as JSON."""
    content = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else json.dumps(body).encode()
    fields = {"Content-Length": str(len(content)), **({"Content-Type": content_type} if content_type else {})}
    return Step(head(status, {**fields, **(headers or {})}, reason=reason) + content)


def head(status: int, headers: Mapping[str, str], *, reason: str = "Scripted") -> bytes:
    lines = [f"HTTP/1.1 {status} {reason}", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


@dataclass
class ScriptedServer:
    """Answers requests, over all connections, with the steps of its script in turn; then with an empty list of groups.

    Attributes:
        script: The steps that are left.
        requests: What came.
        connections: How many connections were opened.
        tls: Shakes hands first, if there is one.
    """

    script: list[Step] = field(default_factory=list)
    requests: list[Received] = field(default_factory=list)
    connections: int = 0
    tls: ssl.SSLContext | None = None

    def __post_init__(self) -> None:
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http{'s' if self.tls else ''}://127.0.0.1:{self.port}"
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def close(self) -> None:
        self._closing.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._accepting.join(5)
        with self._lock:
            connections = list(self._open)
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            if self.tls is not None:
                connection = self.tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
            with self._lock:
                self._open.append(connection)
                self.connections += 1
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError), connection.makefile("rb") as stream:
            while not self._closing.is_set():
                request = _read(stream)
                if request is None:
                    return
                with self._lock:
                    self.requests.append(request)
                    step = self.script.pop(0) if self.script else answer()
                if not self._play(connection, step):
                    return

    def _play(self, connection: socket.socket, step: Step) -> bool:
        """Whether the connection stays open."""
        connection.sendall(step.data)
        for chunk in step.feed() if step.feed else ():
            connection.sendall(chunk)
        if step.stall:
            self._closing.wait(60)
        if step.reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if step.reset or step.close:
            connection.shutdown(socket.SHUT_RDWR) if step.close else connection.close()
        return not (step.stall or step.reset or step.close)


def _read(stream: Any) -> Received | None:
    line = stream.readline()
    if not line.strip():
        return None
    method, target, _ = line.decode("latin-1").split(" ", 2)
    headers: list[tuple[str, str]] = []
    while (line := stream.readline()) not in {b"\r\n", b"\n", b""}:
        name, _, value = line.decode("latin-1").partition(":")
        headers.append((name, value.strip()))
    known = {name.lower(): value for name, value in headers}
    if known.get("transfer-encoding") == "chunked":
        body = b""
        while size := int(stream.readline() or b"0", 16):  # a client may give up in the middle
            body += stream.read(size)
            stream.readline()
        stream.readline()
    else:
        body = stream.read(int(known.get("content-length", "0")))
    return Received(method, target, headers, body)


def closed_port() -> int:
    """A port that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port
