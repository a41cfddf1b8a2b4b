"""Streams cut into lines and records, whatever the borders of the chunks that they come in. No I/O here."""

from __future__ import annotations

import codecs
from typing import Any, AnyStr, Generic, Literal, cast

ITEM_LIMIT_BYTES = 64 * 1024 * 1024
"""How large one line, record or event may grow; what never ends would fill the memory."""

Framing = Literal["lines", "records", "events"]

_FRAMINGS: dict[str, Framing] = {
    "application/x-ndjson": "lines",
    "application/ndjson": "lines",
    "application/jsonl": "lines",
    "application/jsonlines": "lines",
    "application/x-jsonl": "lines",
    "application/x-jsonlines": "lines",
    "application/stream+json": "lines",
    "application/json-seq": "records",
    "text/event-stream": "events",
}


def framing(media_type: str) -> Framing | None:
    """How a body of a media type, in lower case and without parameters, is cut into items; None if it is not.

    ``lines`` of JSON (NDJSON), ``records`` of RFC 7464 (and of the suffix ``+json-seq``, RFC 8091), or the
    ``events`` of server-sent events.
    """
    return "records" if media_type.endswith("+json-seq") else _FRAMINGS.get(media_type)


class TooLongError(ValueError):
    """A line, record or event that passes the limit."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"is longer than {limit} bytes")


class Splitter(Generic[AnyStr]):
    """Cuts bytes or text at every separator.

    Args:
        separator: What stands between two pieces; one byte or character.
        limit: How long a piece may be before its end is seen.
    """

    __slots__ = ("_limit", "_parts", "_separator", "_size")

    def __init__(self, separator: AnyStr, limit: int = ITEM_LIMIT_BYTES) -> None:
        self._separator: AnyStr = separator
        self._limit = limit
        self._parts: list[AnyStr] = []
        self._size = 0

    def feed(self, chunk: AnyStr) -> list[AnyStr]:
        """The pieces that this chunk completes."""
        pieces: list[Any] = chunk.split(self._separator)
        *whole, rest = pieces
        if whole:
            whole[0] = self._joined(whole[0])
            self._parts = []
            self._size = 0
        if rest:
            self._parts.append(rest)
            self._size += len(rest)
        return whole

    def check(self) -> None:
        """Refuse an unfinished piece that grew too long; after the finished ones were taken.

        Raises:
            TooLongError: If it passes the limit.
        """
        if self._size > self._limit:
            raise TooLongError(self._limit)

    def rest(self) -> AnyStr:
        """What follows the last separator."""
        return cast("AnyStr", self._joined(self._separator[:0]))

    def take(self) -> AnyStr:
        """`rest`, which is a piece of its own from here on."""
        rest = self.rest()
        self._parts = []
        self._size = 0
        return rest

    def _joined(self, last: Any) -> Any:
        # No checker sees that parts and separator are of one type.
        return self._separator[:0].join(cast("Any", [*self._parts, last])) if self._parts else last


class TextLines:
    r"""Cuts text at ``\n``, ``\r\n`` and ``\r``, and at no other character: JSON may hold a U+2028 as it is."""

    __slots__ = ("_after_return", "_splitter")

    def __init__(self, limit: int = ITEM_LIMIT_BYTES) -> None:
        self._splitter = Splitter("\n", limit)
        self._after_return = False

    def feed(self, text: str) -> list[str]:
        """The lines that this text completes. A carriage return does so at once: a line feed may never follow."""
        if not text:
            return []
        if self._after_return and text[0] == "\n":
            text = text[1:]
        self._after_return = text.endswith("\r")
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        return self._splitter.feed(text)

    def check(self) -> None:
        """See `Splitter.check`."""
        self._splitter.check()

    def rest(self) -> str:
        """What follows the last line's end."""
        return self._splitter.rest()


def text_decoder(content_type: str) -> codecs.IncrementalDecoder:
    """What decodes a body piece by piece: in the charset that its content type names, else in UTF-8."""
    _, _, named = content_type.lower().partition("charset=")
    charset = named.split(";", 1)[0].strip(" \"'") or "utf-8"
    try:
        "".encode(charset)  # some codecs, such as zip, are not for text
    except LookupError:
        charset = "utf-8"
    return codecs.getincrementaldecoder(charset)("replace")
