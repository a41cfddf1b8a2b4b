"""Files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Self

from modelport.errors import DownloadError, InvalidInputError
from modelport_api._runtime.partial import PartialFile

if TYPE_CHECKING:
    from collections.abc import Generator
    from os import PathLike

__all__ = ["MAGIC", "AtomicFile", "download_path"]

MAGIC: dict[str, tuple[bytes, ...]] = {
    "zip": (b"PK\x03\x04", b"PK\x05\x06"),
    "parquet": (b"PAR1",),
}
"""How files of a kind begin: the only thing that tells a result from an error page that came with status 200."""


class AtomicFile(PartialFile):
    """A file under way: written beside its place, readable by its owner only, moved there by `commit`.

    Args:
        path: Its place; an older file there stays until the new one is whole.
        kind: A key of `MAGIC`, to refuse what does not begin like one.
    """

    def __init__(self, path: Path, kind: str | None = None) -> None:
        super().__init__(path)
        self._path = path
        self._kind = kind
        self._head = b""

    def __enter__(self) -> Self:
        with self._disk_errors():
            self.open()
        return self

    def write(self, chunk: bytes) -> None:
        """Add some bytes.

        Raises:
            DownloadError: The disk does not take them, or they are not of the kind asked for.
        """
        if len(self._head) < 4:  # noqa: PLR2004 - the longest magic number
            self._head += chunk[:4]
        with self._disk_errors():
            super().write(chunk)

    def commit(self) -> Path:
        """Move the file to its place, safely on disk, and return that.

        Raises:
            DownloadError: The disk does not take it, or it is not of the kind asked for.
        """
        if self._kind and not self._head.startswith(MAGIC[self._kind]):
            raise DownloadError(
                f"the server sent something that is no {self._kind} file; it begins {self._head[:4]!r}",
                path=str(self._path),
            )
        with self._disk_errors():
            self.flush()
            self._check_end()
            super().commit()
        return self._path

    def __exit__(self, *exc_info: object) -> None:
        self.discard()

    def _check_end(self) -> None:
        """Refuse a file that lost its end where nobody noticed: both kinds keep their index there."""
        with Path(self.part).open("rb") as file:
            if self._kind == "zip":
                import zipfile

                whole = zipfile.is_zipfile(file)
            elif self._kind == "parquet":
                file.seek(-len(MAGIC["parquet"][0]), os.SEEK_END)
                whole = file.read() in MAGIC["parquet"]
            else:
                whole = True
        if not whole:
            raise DownloadError(f"the server sent only a part of a {self._kind} file", path=str(self._path))

    @contextlib.contextmanager
    def _disk_errors(self) -> Generator[None]:
        try:
            yield
        except DownloadError:
            raise
        except OSError as error:
            message = f"cannot write {self._path}: {error.strerror or error}"
            raise DownloadError(message, path=str(self._path), errno=error.errno) from error


def download_path(path: str | PathLike[str], default_name: str) -> Path:
    """Where a download goes: `path` itself, or `default_name` in it if it is a folder (or ends like one).

    Raises:
        InvalidInputError: The path is empty.
    """
    text = os.fspath(path)
    if not text:
        raise InvalidInputError("the path to download to is empty")
    place = Path(text)
    return place / default_name if place.is_dir() or text.endswith(("/", os.sep)) else place
