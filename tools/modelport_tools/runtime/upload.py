"""Bodies that are read while they are sent: files that tell how far they are, and items that become lines."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from .wire import encode_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    OnProgress = Callable[[int, int | None], object]


def watched(file: Any, on_progress: OnProgress, *, seekable: bool) -> Any:
    """A file that tells how much of it was sent. Made anew for each attempt, which begins at 0 again."""
    if not seekable:
        return _Watched(file, None, on_progress)
    total: int = file.seek(0, os.SEEK_END)
    file.seek(0)
    return _WatchedFile(file, total, on_progress)


class _Watched:
    """What was read counts as sent when more is asked for: the connection has taken it by then."""

    def __init__(self, file: Any, total: int | None, on_progress: OnProgress) -> None:
        self._file = file
        self._total = total
        self._on_progress = on_progress
        self._sent = -1
        self._given = 0

    def read(self, size: int = -1) -> bytes:
        """The next piece."""
        sent = max(self._sent, 0) + self._given
        if sent != self._sent:
            self._sent = sent
            self._on_progress(sent, self._total)
        chunk: bytes = self._file.read(size)
        self._given = len(chunk)
        return chunk


class _WatchedFile(_Watched):
    """One that can be set back, and so be measured by the HTTP client."""

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to a place."""
        place: int = self._file.seek(offset, whence)
        return place

    def tell(self) -> int:
        """The place that is read next."""
        place: int = self._file.tell()
        return place

    def seekable(self) -> bool:
        """Yes."""
        return True


class ItemLines:
    """Items written as JSON, each in a line of its own, while the request is sent.

    Args:
        items: Each a model or a JSON value.
        lead: What stands before each: the record separator of RFC 7464, or nothing.
    """

    def __init__(self, items: Iterable[object], lead: bytes = b"") -> None:
        self._items = iter(items)
        self._lead = lead

    def read(self, size: int) -> bytes:
        """Whole lines of at least `size` bytes together; empty at the end.

        Raises:
            EncodeError: If an item has no JSON form.
        """
        lines: list[bytes] = []
        length = 0
        for item in self._items:
            line = b"%b%b\n" % (self._lead, encode_json(item))
            lines.append(line)
            length += len(line)
            if length >= size:
                break
        return b"".join(lines)
