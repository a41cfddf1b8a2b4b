"""A file under way, which appears under its name whole or not at all, and may be gone on with later."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from os import PathLike

_NAME_CHARACTERS = 80
_KEY_SUFFIX = ".key"


class PartialFile:
    """Written beside its place, readable by its owner only, and moved there by `commit`. Raises bare `OSError`.

    Args:
        place: Where the whole file goes; an older one there stays until then.

    Attributes:
        size: How many bytes it has.
        part: Where it is until then.
    """

    def __init__(self, place: str | PathLike[str]) -> None:
        self.place: str = os.path.abspath(os.fspath(place))  # noqa: PTH100 - pathlib would cost every import of the runtime
        self.size = 0
        self.part = ""
        self._file: Any = None
        self._key_file = ""

    def open(self, key: str = "") -> None:
        """Make it, or with a key take up the one that `keep` left for the same key.

        Only one process at a time can take it up, and only where the system has locks; another begins its own.
        """
        folder, name = os.path.split(self.place)
        os.makedirs(folder, exist_ok=True)  # noqa: PTH103 - see above
        if os.path.isdir(self.place):  # noqa: PTH112
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), self.place)
        self.part = os.path.join(folder, f".{name[:_NAME_CHARACTERS]}.part")  # noqa: PTH118
        self._file = _locked(self.part) if key else None
        if self._file is not None:
            self._key_file = self.part + _KEY_SUFFIX
            if _text(self._key_file) == key:
                self.size = self._file.seek(0, os.SEEK_END)
            else:
                self.restart(key)
            return
        import tempfile  # loads half of the standard library

        descriptor, self.part = tempfile.mkstemp(prefix=f".{name[:_NAME_CHARACTERS]}.", suffix=".part", dir=folder)
        self._file = os.fdopen(descriptor, "wb")

    def restart(self, key: str = "") -> None:
        """Throw away what is there. The key, if there is one, says what follows."""
        self._file.seek(0)
        self._file.truncate()
        self.size = 0
        if self._key_file:
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
            with os.fdopen(os.open(self._key_file, flags, 0o600), "w", encoding="ascii") as file:
                file.write(key)

    def write(self, chunk: bytes) -> None:
        """Add some bytes."""
        if self._file is None:
            raise ValueError("the file is not open")
        self._file.write(chunk)
        self.size += len(chunk)

    def flush(self) -> None:
        """Hand everything to the system, where others can read it."""
        if self._file is None:
            raise ValueError("the file is not open")
        self._file.flush()

    def commit(self) -> object:
        """Move it to its place, safely on disk, and return that."""
        self.flush()
        os.fsync(self._file.fileno())
        if not self._key_file:  # a file with a lock is moved first: nobody may take it up in between
            self._file.close()
        os.replace(self.part, self.place)  # noqa: PTH105
        self._file.close()
        self._file = None
        self._forget_key()
        return self.place

    def keep(self) -> None:
        """Leave what is there for a later `open` with the same key, if it had one."""
        if self._file is None or not self._key_file or not self.size:
            self.discard()
            return
        self._file.close()
        self._file = None

    def discard(self) -> None:
        """Leave nothing."""
        if self._file is None:
            return
        file, self._file = self._file, None
        # Closing flushes, so a full disk can fail here once more; the first error is the one to tell.
        with contextlib.suppress(OSError):
            os.unlink(self.part)  # noqa: PTH108
            self._forget_key()
        with contextlib.suppress(OSError):
            file.close()
        with contextlib.suppress(OSError):  # where an open file cannot be unlinked
            os.unlink(self.part)  # noqa: PTH108

    def _forget_key(self) -> None:
        if self._key_file:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._key_file)  # noqa: PTH108


def _locked(path: str) -> IO[bytes] | None:
    """A file of a fixed name, open for this process alone; None if that cannot be, or would not be safe."""
    try:
        import fcntl
    except ImportError:  # Windows
        return None
    descriptor = -1
    try:
        # In a folder that others write to, the name may be theirs: never follow a link, never use another's file.
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        found, named = os.fstat(descriptor), os.lstat(path)
        is_ours = found.st_uid == os.geteuid() and found.st_nlink == 1 and found.st_ino == named.st_ino
        if is_ours and stat.S_ISREG(found.st_mode):
            os.fchmod(descriptor, 0o600)
            return os.fdopen(descriptor, "r+b")
    except OSError:
        pass  # told by what follows, if it is of any concern
    if descriptor >= 0:
        os.close(descriptor)
    return None


def _text(path: str) -> str:
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), encoding="ascii", errors="replace") as file:
            return file.read(256)
    except OSError:
        return ""
