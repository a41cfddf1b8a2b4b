"""Local files that hold records until they have arrived elsewhere, and that outlive their process."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import time
from typing import IO, TYPE_CHECKING

from modelport._files import (
    CLOSE_ON_EXEC,
    HAS_LOCKS,
    PRIVATE_DIRECTORY,
    PRIVATE_FILE,
    append_whole,
    sync_directories,
    try_lock,
    unlock,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Journal", "adopted", "new_journal", "private_directory"]

SUFFIX = ".journal"

_ID_BYTES = 5

_logger = logging.getLogger("modelport.predictions")


class Journal:
    """One file of JSON lines, locked by the process that owns it for as long as that lives.

    Attributes:
        name: Unique: files made from a journal carry it, so that making them again replaces them.
        rows: Records appended by this process; 0 for one taken over.
        size: Bytes of whole batches.
        opened_at: When it was opened, by the monotonic clock.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self.name = path.name.removesuffix(SUFFIX)
        self.rows = 0
        self.size = os.fstat(descriptor).st_size
        self.opened_at = time.monotonic()
        self._descriptor = descriptor
        self._cut = False

    def append(self, lines: bytes, rows: int, *, fsync: bool) -> None:
        """Append whole `lines`, or raise having appended nothing.

        Raises:
            OSError: The disk is full or gone.
        """
        if self._cut:
            # What could not be taken back must not run into the first of these lines.
            lines = b"\n" + lines
        start = os.fstat(self._descriptor).st_size
        try:
            append_whole(self._descriptor, lines, start, os.fsync if fsync else None)
        except BaseException:
            self._cut = self._cut or os.fstat(self._descriptor).st_size != start
            raise
        if fsync and not start:
            sync_directories(self.path.parent, self.path.parent.parent)
        self._cut = False
        self.size = start + len(lines)
        self.rows += rows

    def lines(self) -> Iterator[bytes]:
        """Yield the lines, each ended; what a killed process has written of a batch as far as whole lines go.

        Raises:
            FileNotFoundError: Somebody has deleted the file.
        """
        # Opened here and not at the first line, so that the caller hears of it where it asks.
        file = self.path.open("rb")
        return self._whole_lines(file)

    def _whole_lines(self, file: IO[bytes]) -> Iterator[bytes]:
        with file:
            for line in file:
                if line.endswith(b"\n"):
                    if line != b"\n":
                        yield line
                elif line.strip(b"\0"):
                    _logger.warning("%s: its last line is cut short and left out", self.path)

    def remove(self) -> None:
        """Delete the file: its records have arrived. Then give it up."""
        self.path.unlink(missing_ok=True)
        self.let_go()

    def let_go(self) -> None:
        """Leave the file where it is, free to be taken over."""
        if self._descriptor >= 0:
            unlock(self._descriptor)
        self.forget()

    def forget(self) -> None:
        """Close our copy of the descriptor; in a forked child, where file and lock are the parent's."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def private_directory(directory: Path) -> None:
    """Make `directory` (mode 0700).

    Raises:
        OSError: It cannot be made.
        PermissionError: It is there and belongs to another user, or is a link.
    """
    directory.mkdir(mode=PRIVATE_DIRECTORY, parents=True, exist_ok=True)
    status = directory.lstat()
    if hasattr(os, "getuid") and status.st_uid != os.getuid():
        message = f"the journal directory belongs to another user: {directory}"
        raise PermissionError(message)


def new_journal(directory: Path, stem: str) -> Journal:
    """An empty journal of this process in `directory`, called `stem` and something random.

    Raises:
        OSError: The directory cannot be written.
    """
    while True:
        path = directory / f"{stem}.{secrets.token_hex(_ID_BYTES)}{SUFFIX}"
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL | CLOSE_ON_EXEC
        descriptor = os.open(path, flags, PRIVATE_FILE)
        # Another process may have taken the file over between its birth and its lock: then try another name.
        if try_lock(descriptor) and os.fstat(descriptor).st_nlink > 0:
            return Journal(path, descriptor)
        os.close(descriptor)


def adopted(directory: Path) -> Iterator[Journal]:
    """Take over the journals of processes that are gone."""
    if not HAS_LOCKS:  # pragma: no cover - without locks the living cannot be told from the dead
        return
    for path in sorted(directory.glob(f"*{SUFFIX}")):
        with contextlib.suppress(FileNotFoundError):
            descriptor = os.open(path, os.O_RDWR | os.O_APPEND | CLOSE_ON_EXEC)
            if try_lock(descriptor) and os.fstat(descriptor).st_nlink > 0:
                yield Journal(path, descriptor)
            else:
                os.close(descriptor)
