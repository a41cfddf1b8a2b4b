"""Server-sent events, as the HTML standard has them (section 9.2, "Server-sent events"). No I/O here."""

from __future__ import annotations

import codecs
from typing import Any, NamedTuple

from .lines import ITEM_LIMIT_BYTES, TextLines, TooLongError


class ServerSentEvent(NamedTuple):
    """One event.

    Attributes:
        event: Its type; ``message`` if the server names none.
        data: The text; the lines of several ``data`` fields are joined by a line feed.
        id: The last id that the server sent up to here; empty if none.
        retry: Milliseconds after which the server wants a client to come back, if it said so with this event.
    """

    event: str = "message"
    data: str = ""
    id: str = ""
    retry: int | None = None

    def json(self) -> Any:
        """The data, parsed as JSON.

        Raises:
            ValueError: If it is not JSON.
        """
        from .json_bytes import parse_json

        return parse_json(self.data.encode())


class EventParser:
    """From the bytes of a body to its events.

    Args:
        limit: How many bytes one event may have.
    """

    def __init__(self, limit: int = ITEM_LIMIT_BYTES) -> None:
        self._limit = limit
        # A byte order mark at the very start is no part of the first line; what is no UTF-8 becomes U+FFFD.
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")
        self._lines = TextLines(limit)
        self._id = ""
        self._clear()

    def _clear(self) -> None:
        self._event = ""
        self._data: list[str] = []
        self._size = 0
        self._retry: int | None = None

    def feed(self, chunk: bytes) -> list[ServerSentEvent]:
        """The events that this chunk completes. One that the end of the body cuts short is never dispatched."""
        events: list[ServerSentEvent] = []
        for line in self._lines.feed(self._decoder.decode(chunk)):
            if line:
                self._take(line)
                continue
            if self._data:
                events.append(ServerSentEvent(self._event or "message", "\n".join(self._data), self._id, self._retry))
            self._clear()
        return events

    def check(self) -> None:
        """Refuse an unfinished event that grew too long.

        Raises:
            TooLongError: If it passes the limit.
        """
        self._lines.check()
        if self._size > self._limit:
            raise TooLongError(self._limit)

    def _take(self, line: str) -> None:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
            self._size += len(line) + 1
        elif name == "event":
            self._event = value
        elif name == "id":
            if "\0" not in value:
                self._id = value
        elif name == "retry" and value.isascii() and value.isdigit() and len(value) <= _RETRY_DIGITS:
            self._retry = int(value)
        # Everything else is to be ignored: a comment has an empty name.


_RETRY_DIGITS = 18
"""More say nothing of use."""
