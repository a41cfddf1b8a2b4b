"""The files of one process: segments that only grow at the end, and a cursor for each sink."""

from __future__ import annotations

import contextlib
import os
import threading
from typing import TYPE_CHECKING

from modelport._files import CLOSE_ON_EXEC, PRIVATE_FILE
from modelport.predictions._spool._cursor import Cursor, Position

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from modelport._owned_directory import OwnedDirectory

__all__ = ["Run", "open_segment"]

_SEGMENT_SUFFIX = ".seg"
_CURSOR_SUFFIX = ".cursor"


class Run:
    """A directory of segments that this process owns: its own, or one that a dead process left.

    Attributes:
        path: The directory.
        cursors: How far each of our sinks has come, by the sink's name.
        others: How far those sinks have come that it keeps records for and that are none of ours.
        sizes: Bytes of the segments that are whole and not yet removed, by number.
        found_bytes: Bytes of the segments that were there at first.
        freed_bytes: Bytes of the segments that have been removed since.
    """

    def __init__(self, home: OwnedDirectory, sinks: Iterable[tuple[str, str]]) -> None:
        """`sinks` are the names of our sinks with their form in a file name."""
        self._home = home
        self.path = home.path
        self.sizes = _sizes(self.path)
        self.found_bytes = sum(self.sizes.values())
        self.freed_bytes = 0
        self._first = min(self.sizes, default=0)
        ours = {f"{part}{_CURSOR_SUFFIX}": name for name, part in sinks}
        self.cursors = {name: self._cursor(file) for file, name in ours.items()}
        self.others = {
            path.stem: self._cursor(path.name)
            for path in sorted(self.path.glob(f"*{_CURSOR_SUFFIX}"))
            if path.name not in ours
        }
        self._removing = threading.Lock()

    @property
    def left_bytes(self) -> int:
        """Bytes of the segments that were there at first and still are."""
        return self.found_bytes - self.freed_bytes

    def segment(self, number: int) -> Path:
        """The path of a segment."""
        return self.path / f"{number:012d}{_SEGMENT_SUFFIX}"

    def claim(self) -> None:
        """Write down for which sinks it keeps records, for the case that one without them takes it over."""
        for cursor in self.cursors.values():
            cursor.renew()
            cursor.close()

    def restore(self) -> None:
        """Make the directory again if somebody has removed it; what was in it is another matter.

        Raises:
            OSError: It cannot be made.
        """
        if self._home.restore():
            for cursor in self.cursors.values():
                cursor.renew()

    def remove_passed(self, last: int) -> None:
        """Remove segments before `last` that all sinks have passed."""
        with self._removing:
            passed = min(
                [last, *(cursor.position.segment for cursor in (*self.cursors.values(), *self.others.values()))]
            )
            for number in range(self._first, passed):
                with contextlib.suppress(OSError):
                    self.segment(number).unlink(missing_ok=True)
                    self.freed_bytes += self.sizes.pop(number, 0)
            self._first = max(self._first, passed)

    def passed_by_ours(self, end: Position) -> bool:
        """Whether no sink of ours has anything left before `end`."""
        return all(cursor.position >= end for cursor in self.cursors.values())

    def waits_for(self, end: Position) -> list[str]:
        """The sinks that are none of ours and have something left before `end`, as files name them."""
        return [name for name, cursor in self.others.items() if cursor.position < end]

    def remove(self) -> None:
        """Remove the directory."""
        self._close_cursors()
        self._home.remove()

    def release(self) -> None:
        """Leave the directory to whoever comes next."""
        self._close_cursors()
        self._home.release()

    def forget(self) -> None:
        """Close our copies of descriptors; in a forked child, where the lock is the parent's."""
        for cursor in self.cursors.values():
            cursor.forget()
        self._home.forget()

    def _cursor(self, file: str) -> Cursor:
        return Cursor(self.path / file, self._first)

    def _close_cursors(self) -> None:
        for cursor in self.cursors.values():
            cursor.close()


def open_segment(path: Path) -> int:
    """A descriptor that appends to the segment `path`, which is made."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | CLOSE_ON_EXEC, PRIVATE_FILE)


def _sizes(folder: Path) -> dict[int, int]:
    found: dict[int, int] = {}
    for path in folder.glob(f"*{_SEGMENT_SUFFIX}"):
        with contextlib.suppress(OSError):
            if path.stem.isdecimal():
                found[int(path.stem)] = path.stat().st_size
    return dict(sorted(found.items()))
