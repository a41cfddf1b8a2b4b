"""Bounded copies of request and response bodies, and what is in them."""

from __future__ import annotations

import json
import zlib

import msgspec

__all__ = ["BodyCopy", "SkipError", "is_json", "parsed"]

_AUTOMATIC_FORMAT = 47
_RAW_FORMAT = -15
_ENCODINGS = frozenset({"gzip", "x-gzip", "deflate"})


class SkipError(Exception):
    """This exchange cannot be logged.

    Attributes:
        reason: One word for it, as metrics show it.
    """

    def __init__(self, reason: str, text: str) -> None:
        self.reason = reason
        super().__init__(text)


class BodyCopy:
    """What has gone by of a body, as long as it stays within `limit` bytes."""

    __slots__ = ("_chunks", "_limit", "_size", "complete", "wanted")

    def __init__(self, limit: int) -> None:
        self._chunks: list[bytes] = []
        self._limit = limit
        self._size = 0
        self.complete = False
        self.wanted = True

    @property
    def size(self) -> int:
        """Bytes gone by, kept or not."""
        return self._size

    def add(self, chunk: bytes) -> None:
        """Note what goes by; beyond the limit nothing is kept."""
        self._size += len(chunk)
        if self._size > self._limit:
            self._chunks.clear()
        elif self.wanted and chunk:
            # A copy where a server hands out a buffer of its own; none where it is bytes already.
            self._chunks.append(bytes(chunk))

    def content(self, encoding: str) -> bytes:
        """The body, its content encoding undone.

        Raises:
            SkipError: Larger than the limit, packed or unpacked; or packed in a way that is not known.
        """
        if self._size > self._limit:
            raise SkipError("body_too_large", f"a body of {self._size} bytes, more than {self._limit}")
        content = b"".join(self._chunks)
        names = [name for part in encoding.split(",") if (name := part.strip().lower()) not in {"", "identity"}]
        for name in reversed(names):
            content = _unpacked(content, name, self._limit)
        return content


def is_json(content_type: str) -> bool:
    """Whether a media type is JSON or built on it."""
    kind = content_type.partition(";")[0].strip().lower()
    return kind == "application/json" or kind.endswith("+json")


def parsed(content: bytes) -> object:
    """The value of a JSON text; the ``NaN`` and ``Infinity`` that Python writes are understood.

    Raises:
        SkipError: Not JSON.
    """
    try:
        return msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass
    try:
        return json.loads(content)
    except ValueError as error:
        raise SkipError("not_json", f"not JSON: {error}") from None


def _unpacked(content: bytes, encoding: str, limit: int) -> bytes:
    if encoding not in _ENCODINGS:
        raise SkipError("unknown_encoding", f"content encoding {encoding!r}")
    try:
        try:
            return _inflated(content, _AUTOMATIC_FORMAT, limit)
        except zlib.error:
            # "deflate" is sent without its wrapping by some.
            return _inflated(content, _RAW_FORMAT, limit)
    except zlib.error as error:
        raise SkipError("not_json", f"content encoding {encoding!r}: {error}") from None


def _inflated(content: bytes, form: int, limit: int) -> bytes:
    made = b""
    while content:
        inflate = zlib.decompressobj(form)
        made += inflate.decompress(content, limit + 1 - len(made))
        if len(made) > limit:
            # Not unpacked any further: a small body may hold gigabytes.
            raise SkipError("body_too_large", f"a body of more than {limit} bytes once unpacked")
        if not inflate.eof:
            raise zlib.error("cut short")
        # gzip may be several members, one after the other.
        content = inflate.unused_data
    return made
