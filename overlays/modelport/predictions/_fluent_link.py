"""One connection to a collector, on top of fluent-logger's sender. Import it only where fluent-logger is present."""

# fluent-logger and msgpack carry no annotations; this module is where that stops.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUntypedBaseClass=false

from __future__ import annotations

import base64
import os
import socket
import struct
import time
from typing import TYPE_CHECKING, Any, cast

import msgpack  # type: ignore[import-untyped, unused-ignore]
import msgspec
from fluent.sender import FluentSender  # type: ignore[import-untyped, unused-ignore]

from modelport.predictions._record import strict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from modelport._plain import JsonValue

__all__ = ["FluentLink", "pack_event"]

_MAX_EVENT_TIME_SECONDS = 2**32
_NANOSECONDS = 1_000_000_000
_CHUNK_BYTES = 16
_PAIR, _TRIPLE = b"\x92", b"\x93"
"""What an array of two and one of three begin with."""
_EVENT_TIME = struct.Struct(">BBII")
_EIGHT_BYTES, _TIME_TYPE = 0xD7, 0

_pack = msgspec.msgpack.Encoder().encode


class FluentLink(FluentSender):  # type: ignore[misc, unused-ignore]
    """A `fluent.sender.FluentSender` that raises instead of keeping records, and that waits for acknowledgements.

    fluent-logger's own buffer is not used: it joins everything unsent into one string, tries again only with the
    next event, and above its limit throws all of it away. It also never reads the collector's acknowledgement.
    """

    socket: Any
    timeout: float
    host: str
    port: int

    def __init__(self, host: str, port: int, *, timeout: float, require_ack: bool) -> None:
        super().__init__("", host=host, port=port, timeout=timeout)
        self._require_ack = require_ack
        self._unpacker: Any = msgpack.Unpacker()

    def deliver(self, tag: str, events: Sequence[bytes]) -> None:
        """Send `events`, as `pack_event` makes them, and, if asked for, wait until the collector has them.

        Raises:
            OSError: Refused, broken, or not acknowledged in time. The connection is closed.
        """
        head = _TRIPLE + _pack(tag)
        if not self._require_ack:
            # "Message" mode, one event after the other: the form every collector of the protocol reads.
            self._deliver(b"".join([head + event for event in events]), None)
            return
        chunk = base64.b64encode(os.urandom(_CHUNK_BYTES)).decode()
        length = b"\xdd" + len(events).to_bytes(4, "big")
        options = _pack({"size": len(events), "chunk": chunk})
        self._deliver(b"".join((head, length, *[_PAIR + event for event in events], options)), chunk)

    def forget(self) -> None:
        """Drop the connection without ending it: in a forked child it is still the parent's."""
        if self.socket is not None:
            self.socket.close()
            self.socket = None

    def _deliver(self, packed: bytes, chunk: str | None) -> None:
        try:
            self._send_data(packed)
            if chunk is not None:
                self._wait_for(chunk)
        except BaseException:
            self._close()
            raise

    def _reconnect(self) -> None:
        if self.socket is None:
            self._unpacker = msgpack.Unpacker()
            if self.host.startswith("unix://"):
                super()._reconnect()
                return
            # fluent-logger itself knows only IPv4.
            connection = socket.create_connection((self.host, self.port), timeout=self.timeout)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.socket = connection

    def _check_recv_side(self) -> None:
        # The inherited check throws away what it reads, which may be the acknowledgement.
        self.socket.settimeout(0.0)
        try:
            self._receive()
        except (BlockingIOError, InterruptedError):
            pass
        finally:
            self.socket.settimeout(self.timeout)

    def _receive(self) -> None:
        data = self.socket.recv(4096)
        if not data:
            message = "the collector closed the connection"
            raise ConnectionResetError(message)
        self._unpacker.feed(data)

    def _wait_for(self, chunk: str) -> None:
        deadline = time.monotonic() + self.timeout
        while True:
            for answer in self._answers():
                if isinstance(answer, dict) and answer.get("ack") == chunk:
                    return
                if isinstance(answer, list) and answer[:1] == ["HELO"]:
                    message = "the collector asks for a shared key, which fluent-logger cannot give"
                    raise PermissionError(message)
            left = deadline - time.monotonic()
            if left <= 0:
                message = f"not acknowledged within {self.timeout} s"
                raise TimeoutError(message)
            self.socket.settimeout(left)
            self._receive()

    def _answers(self) -> list[Any]:
        try:
            return list(self._unpacker)
        except (ValueError, msgpack.UnpackException):
            message = "the collector answers in another protocol"
            raise ConnectionError(message) from None


def pack_event(time_ns: int, record: Mapping[str, object]) -> bytes:
    """Time and record, one after the other, as they go into a message.

    Raises:
        TypeError: A value that msgpack has no form for.
    """
    try:
        packed = _pack(record)
    except (OverflowError, UnicodeEncodeError):
        packed = _pack(strict(cast("JsonValue", dict(record)), wide=False))
    return _event_time(time_ns) + packed


def _event_time(time_ns: int) -> bytes:
    seconds, nanoseconds = divmod(time_ns, _NANOSECONDS)
    if 0 <= seconds < _MAX_EVENT_TIME_SECONDS:
        return _EVENT_TIME.pack(_EIGHT_BYTES, _TIME_TYPE, seconds, nanoseconds)
    return _pack(seconds)
