"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

__all__ = ["write_whole"]


def write_whole(path: str | os.PathLike[str], content: bytes) -> Path:
    """Write the file, or leave what is there as it is; returns `path`.

    A link stays one, and what it leads to is replaced. A pipe or a device is written to.

    Raises:
        OSError: It cannot be written; the error names `path`.
    """
    target = Path(os.path.realpath(path))
    try:
        if target.exists() and not target.is_file():
            target.write_bytes(content)
        else:
            _replace(target, content)
    except OSError as error:
        # Not the name of the file that stands in for it, which nobody knows.
        raise OSError(error.errno, error.strerror or str(error), os.fspath(path)) from error
    return Path(path)


def _replace(target: Path, content: bytes) -> None:
    # Not tempfile: its files are for the owner only, and these are often read by another user than the one who writes.
    temporary = target.with_name(f".{target.name[:100]}.{secrets.token_hex(8)}")
    try:
        with temporary.open("xb") as file:
            if target.exists():
                temporary.chmod(target.stat().st_mode & 0o777)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
