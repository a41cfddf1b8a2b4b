"""Directories that belong to one process each for as long as it lives, and then to whoever takes them over."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import secrets
import time
from typing import TYPE_CHECKING

from modelport._files import (
    CLOSE_ON_EXEC,
    HAS_LOCKS,
    PRIVATE_FILE,
    is_there,
    make_private_directory,
    try_lock,
    unlock,
)

if TYPE_CHECKING:
    from collections.abc import Container, Iterator
    from pathlib import Path

__all__ = ["OwnedDirectory", "left_behind"]

_LOCK_NAME = "lock"
_ABANDONED_SECONDS = 60.0

_logger = logging.getLogger("modelport.predictions")


class OwnedDirectory:
    """A directory with a file in it that this process has locked, so that nobody takes it for a dead one's.

    One lock stands for all files beside it: they need no descriptor while nobody reads or writes them.

    Attributes:
        path: The directory.
    """

    def __init__(self, path: Path, lock: int) -> None:
        """`lock` is the descriptor of the locked file, which is ours from now on."""
        self.path = path
        self._lock = lock

    @classmethod
    def make(cls, folder: Path) -> OwnedDirectory:
        """A new one in `folder`, locked before anybody can see it.

        Raises:
            OSError: It cannot be made.
        """
        path = folder / f"{time.time_ns():x}-{os.getpid()}-{secrets.token_hex(4)}"
        # Without locks nobody takes anything over, and a directory with an open file cannot be renamed.
        first = path.with_name(f".{path.name}") if HAS_LOCKS else path
        make_private_directory(first)
        lock = _open(first / _LOCK_NAME)
        try:
            try_lock(lock)
            if first != path:
                first.rename(path)
        except BaseException:
            os.close(lock)
            raise
        return cls(path, lock)

    @classmethod
    def take_over(cls, path: Path) -> OwnedDirectory | None:
        """The one in `path`, if the process that made it is dead and nobody else has taken it over.

        Raises:
            OSError: That cannot be found out.
        """
        lock_path = path / _LOCK_NAME
        try:
            lock = os.open(lock_path, os.O_RDWR | CLOSE_ON_EXEC)
        except (FileNotFoundError, NotADirectoryError):
            # Something else, or one whose last file has just been removed.
            return None
        try:
            # Between opening and locking another process may have emptied and removed it.
            if try_lock(lock) and is_there(lock, lock_path):
                return cls(path, lock)
        except BaseException:
            os.close(lock)
            raise
        os.close(lock)
        return None

    def restore(self) -> bool:
        """Make directory and lock again if somebody has removed them, and say whether that was so.

        Raises:
            OSError: They cannot be made, or another process has been quicker.
        """
        lock_path = self.path / _LOCK_NAME
        if self._lock < 0 or is_there(self._lock, lock_path):
            return False
        make_private_directory(self.path)
        lock = _open(lock_path)
        try:
            if not try_lock(lock):
                raise BlockingIOError(errno.EAGAIN, "another process has taken it over", str(self.path))
            # Under the old number, so that it is never another file's in between.
            os.dup2(lock, self._lock, inheritable=False)
        finally:
            os.close(lock)
        _logger.warning("somebody has removed %s; it is made again", self.path)
        return True

    def remove(self) -> None:
        """Remove the directory and the files in it, the lock last."""
        for path in sorted(_paths_in(self.path), key=lambda path: path.name == _LOCK_NAME):
            with contextlib.suppress(OSError):
                path.unlink()
        with contextlib.suppress(OSError):
            self.path.rmdir()
        self.release()

    def release(self) -> None:
        """Leave the directory to whoever comes next."""
        if self._lock >= 0:
            unlock(self._lock)
        self.forget()

    def forget(self) -> None:
        """Close our copy of the descriptor; in a forked child, where the lock is the parent's."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


def left_behind(folder: Path, but: Container[Path] = ()) -> Iterator[OwnedDirectory]:
    """Take over what dead processes have left in `folder`, save for the directories in `but`."""
    if not HAS_LOCKS:  # pragma: no cover - without locks the living cannot be told from the dead
        return
    for path in _paths_in(folder):
        if path in but or (path.name.startswith(".") and not _abandoned(path)):
            continue
        try:
            found = OwnedDirectory.take_over(path)
        except OSError as error:
            _logger.warning("cannot take over yet what a process has left: %r", error)
            continue
        if found is not None:
            yield found


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | CLOSE_ON_EXEC, PRIVATE_FILE)


def _abandoned(hidden: Path) -> bool:
    """Whether the making of a directory was cut short by a death, not just by our looking."""
    try:
        return time.time() - hidden.stat().st_mtime > _ABANDONED_SECONDS
    except OSError:
        return False


def _paths_in(folder: Path) -> list[Path]:
    """What is in `folder`, in order; nothing if it cannot be read."""
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []
