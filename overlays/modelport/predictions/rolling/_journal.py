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
    PRIVATE_FILE,
    append_whole,
    is_there,
    make_private_directory,
    restore_file,
    sync_directories,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from modelport._owned_directory import OwnedDirectory

__all__ = ["Journal", "journals_in", "new_journal", "private_directory"]

SUFFIX = ".journal"

_ID_BYTES = 5

_logger = logging.getLogger("modelport.predictions")


class Journal:
    """One file of JSON lines in a directory of ours. It is open while it is appended to, and then no more.

    Attributes:
        home: The directory, whose lock is the file's too.
        name: Unique: files made from a journal carry it, so that making them again replaces them.
        rows: Records appended by this process; 0 for one taken over.
        size: Bytes of whole batches.
        opened_at: When it was opened, by the monotonic clock.
    """

    def __init__(self, home: OwnedDirectory, path: Path, descriptor: int = -1) -> None:
        self.home = home
        self.path = path
        self.name = path.name.removesuffix(SUFFIX)
        self.rows = 0
        self.size = path.stat().st_size
        self.opened_at = time.monotonic()
        self._descriptor = descriptor
        self._cut = False

    def append(self, lines: bytes, rows: int, *, fsync: bool) -> None:
        """Append whole `lines`, or raise having appended nothing.

        Raises:
            OSError: The disk is full or gone.
        """
        self._restore()
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
            # Up to the one that holds the journals' own.
            sync_directories(self.path.parent, self.home.path.parent.parent)
        self._cut = False
        self.size = start + len(lines)
        self.rows += rows

    def seal(self) -> None:
        """Append no more."""
        # The last moment: once it is closed, what somebody has removed is gone.
        with contextlib.suppress(OSError):
            self._restore()
        self.forget()

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
        """Delete the file: its records have arrived."""
        self.path.unlink(missing_ok=True)

    def forget(self) -> None:
        """Close our copy of the descriptor."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _restore(self) -> None:
        if not is_there(self._descriptor, self.path):
            self.home.restore()
            restore_file(self._descriptor, self.path)
            _logger.warning("somebody has removed %s; it is made again", self.path)


def private_directory(directory: Path) -> None:
    """Make `directory` (mode 0700).

    Raises:
        OSError: It cannot be made.
        PermissionError: It is there and belongs to another user, or another user's link is.
    """
    make_private_directory(directory)
    # A link of our own is fine, as long as it leads to what is ours too.
    if hasattr(os, "getuid") and {directory.lstat().st_uid, directory.stat().st_uid} != {os.getuid()}:
        message = f"the journal directory belongs to another user: {directory}"
        raise PermissionError(message)


def new_journal(home: OwnedDirectory, stem: str) -> Journal:
    """An empty journal in `home`, called `stem` and something random.

    Raises:
        OSError: The directory cannot be written.
    """
    home.restore()
    path = home.path / f"{stem}.{secrets.token_hex(_ID_BYTES)}{SUFFIX}"
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL | CLOSE_ON_EXEC, PRIVATE_FILE)
    return Journal(home, path, descriptor)


def journals_in(home: OwnedDirectory) -> Iterator[Journal]:
    """The journals that a dead process has left in `home`."""
    for path in sorted(home.path.glob(f"*{SUFFIX}")):
        with contextlib.suppress(FileNotFoundError):
            yield Journal(home, path)
