"""Files that are written whole or not at all, that outlive a power cut, and that are locked by whoever owns them."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows has no advisory locks
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "CLOSE_ON_EXEC",
    "HAS_LOCKS",
    "PRIVATE_DIRECTORY",
    "PRIVATE_FILE",
    "append_whole",
    "is_there",
    "make_private_directory",
    "replace_file",
    "restore_file",
    "sync_directories",
    "try_lock",
    "unlock",
    "write_whole",
]

PRIVATE_FILE = 0o600
"""Mode of files that hold predictions."""

PRIVATE_DIRECTORY = 0o700
"""Mode of directories that hold such files."""

CLOSE_ON_EXEC: int = getattr(os, "O_CLOEXEC", 0)
"""Flag of descriptors that child programs must not get."""

HAS_LOCKS = fcntl is not None
"""Whether `try_lock` can tell the living from the dead."""


def try_lock(descriptor: int, *, shared: bool = False) -> bool:
    """Lock a file for as long as it is open; False if somebody else has. True where there are no locks.

    Raises:
        OSError: The file system knows no locks.
    """
    if fcntl is None:  # pragma: no cover - see the import
        return True
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def unlock(descriptor: int) -> None:
    """Give a lock back. Closing is not enough: a child forked in between holds the same lock through its copy."""
    if fcntl is not None:
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_UN)


def make_private_directory(directory: Path) -> None:
    """Make `directory`, and those above it that are missing, for their owner only; fine if it is there.

    Raises:
        OSError: It cannot be made, or something else has its name.
    """
    try:
        directory.mkdir(mode=PRIVATE_DIRECTORY, exist_ok=True)
    except FileNotFoundError:
        if directory.parent == directory:
            raise
        # mkdir(parents=True) would give those above the usual mode.
        make_private_directory(directory.parent)
        directory.mkdir(mode=PRIVATE_DIRECTORY, exist_ok=True)


def is_there(descriptor: int, path: Path) -> bool:
    """Whether the open file is still the one at `path`: nobody has removed or replaced it.

    Raises:
        OSError: `path` cannot be looked at.
    """
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except (FileNotFoundError, NotADirectoryError):
        return False


def restore_file(descriptor: int, path: Path) -> None:
    """Put an open file back to `path`, from where somebody has removed it, and append there from now on.

    What has been removed can be read for as long as it is open. Its directory must be there.

    Raises:
        OSError: It cannot be written; `descriptor` is what it was.
    """
    replace_file(path, os.pread(descriptor, os.fstat(descriptor).st_size, 0), PRIVATE_FILE)
    new = os.open(path, os.O_RDWR | os.O_APPEND | CLOSE_ON_EXEC)
    try:
        # Under the old number, so that it is never another file's in between.
        os.dup2(new, descriptor, inheritable=False)
    finally:
        os.close(new)


def append_whole(descriptor: int, content: bytes, size: int, sync: Callable[[int], None] | None = None) -> None:
    """Append `content` to a file of `size` bytes and `sync` it; on failure take back what had been written.

    Where that fails too, a part stays, and the file is longer than `size`.

    Raises:
        OSError: The disk is full or gone.
    """
    try:
        written = os.write(descriptor, content)
        while written < len(content):
            written += os.write(descriptor, memoryview(content)[written:])
        if sync is not None:
            sync(descriptor)
    except BaseException:
        with contextlib.suppress(OSError):
            os.ftruncate(descriptor, size)
        raise


def replace_file(target: Path, content: bytes, mode: int | None = None) -> None:
    """Write `target` whole, on the disk and not only in memory, or leave what is there as it is.

    Args:
        target: The file; a link is replaced by one.
        content: All of it.
        mode: Of the file; by default what the process gives new files.

    Raises:
        OSError: The directory cannot be written.
    """
    # Not tempfile, whose files are for the owner only. No reader of logs or metrics looks at such a name.
    temporary = target.with_name(f".{target.name[:100]}.{secrets.token_hex(8)}.tmp")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | CLOSE_ON_EXEC
    descriptor = os.open(temporary, flags, 0o666 if mode is None else PRIVATE_FILE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            if mode is not None:
                temporary.chmod(mode)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_directories(target.parent)


def write_whole(path: str | os.PathLike[str], content: bytes) -> Path:
    """Write a file that people name, or leave what is there as it is; returns `path`.

    A link stays one, and what it leads to is replaced, with its mode. A pipe or a device is written to.

    Raises:
        OSError: It cannot be written; the error names `path`.
    """
    target = Path(os.path.realpath(path))
    try:
        if not target.exists():
            replace_file(target, content)
        elif target.is_file():
            replace_file(target, content, target.stat().st_mode & 0o777)
        else:
            target.write_bytes(content)
    except OSError as error:
        # Not the name of the file that stands in for it, which nobody knows.
        raise OSError(error.errno, error.strerror or str(error), os.fspath(path)) from error
    return Path(path)


def sync_directories(directory: Path, root: Path | None = None) -> None:
    """Put the entries of `directory`, and of those above it up to `root`, on the disk.

    Without it a power cut may take a new file away though its content was synced.

    Raises:
        OSError: A directory cannot be synced.
    """
    if os.name != "posix":  # pragma: no cover - Windows cannot open a directory
        return
    above = [directory, *directory.parents]
    for folder in above[: above.index(root) + 1] if root in above else [directory]:
        descriptor = os.open(folder, os.O_RDONLY | CLOSE_ON_EXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
