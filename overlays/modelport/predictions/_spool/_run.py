"""The files of one process: segments that only grow at the end, a cursor for each sink, a lock while it lives."""

from __future__ import annotations

import contextlib
import os
import secrets
import threading
import time
from typing import TYPE_CHECKING

from modelport._files import CLOSE_ON_EXEC, HAS_LOCKS, PRIVATE_DIRECTORY, PRIVATE_FILE, try_lock, unlock
from modelport.predictions._spool._cursor import Cursor, Position

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["Run", "adopt_run", "names_in", "new_run", "open_segment"]

_LOCK_NAME = "lock"
_SEGMENT_SUFFIX = ".seg"
_CURSOR_SUFFIX = ".cursor"


class Run:
    """A directory of segments that this process has locked: its own, or one that a dead process left.

    Attributes:
        path: The directory.
        cursors: How far each sink has come, by the sink's name.
        freed_bytes: Bytes of the segments that have been removed.
    """

    def __init__(self, path: Path, lock: int, sinks: Iterable[tuple[str, str]]) -> None:
        """`sinks` are the sinks' names with their form in a file name."""
        self.path = path
        self._lock = lock
        first = min(self.segments(), default=0)
        self.cursors = {name: Cursor(path / f"{part}{_CURSOR_SUFFIX}", first) for name, part in sinks}
        self._first = first
        self.freed_bytes = 0
        self._removing = threading.Lock()

    def segments(self) -> list[int]:
        """Numbers of the segments that are there, in order."""
        found: list[int] = []
        with contextlib.suppress(OSError), os.scandir(self.path) as entries:
            found += [int(entry.name[: -len(_SEGMENT_SUFFIX)]) for entry in entries if _is_segment(entry.name)]
        return sorted(found)

    def segment(self, number: int) -> Path:
        """The path of a segment."""
        return self.path / f"{number:012d}{_SEGMENT_SUFFIX}"

    def remove_passed(self, last: int) -> None:
        """Remove segments before `last` that all sinks have passed."""
        with self._removing:
            passed = min([last, *(cursor.position.segment for cursor in self.cursors.values())])
            for number in range(self._first, passed):
                with contextlib.suppress(OSError):
                    path = self.segment(number)
                    size = path.stat().st_size
                    path.unlink()
                    self.freed_bytes += size
            self._first = max(self._first, passed)

    def passed_by_all(self, end: Position) -> bool:
        """Whether no sink has anything left before `end`."""
        return all(cursor.position >= end for cursor in self.cursors.values())

    def remove(self) -> None:
        """Remove the directory; the lock goes with it."""
        for name in names_in(self.path):
            with contextlib.suppress(OSError):
                (self.path / name).unlink()
        with contextlib.suppress(OSError):
            self.path.rmdir()
        self.release()

    def release(self) -> None:
        """Leave the directory to whoever comes next."""
        if self._lock >= 0:
            unlock(self._lock)
        for cursor in self.cursors.values():
            cursor.close()
        self._close_lock()

    def forget(self) -> None:
        """Close our copies of descriptors; in a forked child, where the lock is the parent's."""
        for cursor in self.cursors.values():
            cursor.forget()
        self._close_lock()

    def _close_lock(self) -> None:
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


def new_run(folder: Path, sinks: Iterable[tuple[str, str]]) -> Run:
    """A directory of our own in `folder`, locked before anybody can see it.

    Raises:
        OSError: It cannot be made.
    """
    if not HAS_LOCKS:  # pragma: no cover - Windows
        message = "a spool needs file locks, which this system does not have"
        raise OSError(message)
    name = f"{time.time_ns():x}-{os.getpid()}-{secrets.token_hex(4)}"
    hidden = folder / f".{name}"
    hidden.mkdir(mode=PRIVATE_DIRECTORY, parents=True)
    lock = _open(hidden / _LOCK_NAME)
    try:
        try_lock(lock)
        path = hidden.rename(folder / name)
    except BaseException:
        os.close(lock)
        raise
    return Run(path, lock, sinks)


def adopt_run(path: Path, sinks: Iterable[tuple[str, str]]) -> Run | None:
    """The run in `path`, if the process that made it is dead and nobody else has taken it over."""
    try:
        lock = os.open(path / _LOCK_NAME, os.O_RDWR | CLOSE_ON_EXEC)
    except OSError:
        return None
    try:
        # Between opening and locking another process may have shipped it all and removed it.
        if try_lock(lock) and (path / _LOCK_NAME).stat().st_ino == os.fstat(lock).st_ino:
            return Run(path, lock, sinks)
    except OSError:
        pass
    os.close(lock)
    return None


def open_segment(path: Path) -> int:
    """A descriptor that appends to the segment `path`, which is made."""
    return _open(path, os.O_APPEND)


def _open(path: Path, more: int = 0) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | CLOSE_ON_EXEC | more, PRIVATE_FILE)


def _is_segment(name: str) -> bool:
    return name.endswith(_SEGMENT_SUFFIX) and name[: -len(_SEGMENT_SUFFIX)].isdecimal()


def names_in(folder: Path) -> list[str]:
    """What is in `folder`, in order; nothing if it cannot be read."""
    try:
        return sorted(entry.name for entry in folder.iterdir())
    except OSError:
        return []
