"""How far a sink has come, remembered on disk."""

from __future__ import annotations

import os
import struct
import threading
import zlib
from typing import TYPE_CHECKING, NamedTuple

from modelport._files import CLOSE_ON_EXEC, PRIVATE_FILE

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Cursor", "Position"]

_FORM = struct.Struct("<QQI")
_SUMMED = struct.Struct("<QQ")


class Position(NamedTuple):
    """A place in a run: a segment's number and an offset in bytes."""

    segment: int
    offset: int


class Cursor:
    """The position before which a sink has taken everything."""

    def __init__(self, path: Path, first_segment: int) -> None:
        """Go on where the file `path` says, or begin at `first_segment` if it says nothing that makes sense."""
        self._path = path
        self._descriptor = -1
        # Closing must not come between the two halves of a write, whose descriptor might be another file's by then.
        self._guard = threading.Lock()
        self.position = _read(path) or Position(first_segment, 0)
        if self.position.segment < first_segment:
            self.position = Position(first_segment, 0)

    def move(self, position: Position) -> None:
        """Remember `position`.

        It is 20 bytes written in one call, so a process that is killed leaves the old or the new ones. Where the disk
        is full the old ones stay, which at worst sends records again.
        """
        self.position = position
        with self._guard:
            self._write()

    def renew(self) -> None:
        """Write it to a file that may not be there: not yet, or because somebody has removed it."""
        with self._guard:
            self.forget()
            self._write()

    def close(self) -> None:
        """Close the file."""
        with self._guard:
            self.forget()

    def forget(self) -> None:
        """As `close`, in a forked child, where the lock may be held by a thread that is not there."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _write(self) -> None:
        content = _SUMMED.pack(*self.position)
        try:
            if self._descriptor < 0:
                self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | CLOSE_ON_EXEC, PRIVATE_FILE)
            os.pwrite(self._descriptor, content + zlib.crc32(content).to_bytes(4, "little"), 0)
        except OSError:
            self.forget()


def _read(path: Path) -> Position | None:
    try:
        content = path.read_bytes()
    except OSError:
        return None
    if len(content) != _FORM.size:
        return None
    segment, offset, crc = _FORM.unpack(content)
    return Position(segment, offset) if zlib.crc32(content[: _SUMMED.size]) == crc else None
