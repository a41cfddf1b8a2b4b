"""Where logged files lie: a directory, an object store, or a list of files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol, TypeAlias, cast

from modelport._extras import require
from modelport.predictions._paths import PREFIX, endpoint_folders
from modelport.predictions._store import is_store, is_url, label_of, open_store, store_errors, told

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from obstore.store import ObjectStore

__all__ = ["Source", "SourceLike", "source_of"]

SourceLike: TypeAlias = "str | os.PathLike[str] | ObjectStore | Iterable[str | os.PathLike[str]]"

_CHUNK_BYTES = 1024**2


class Source(Protocol):
    """Files that can be listed and read."""

    def folders(self, endpoint: str | None) -> Iterable[str]:
        """The folders of endpoints (of one, if given), sorted."""
        ...

    def files(self, folder: str, first: str, last: str) -> Iterator[str]:
        """The files of `folder` whose ``date/name`` is between `first` and `last` by spelling, sorted."""
        ...

    def chunks(self, path: str) -> Iterator[bytes]:
        """The content in pieces.

        Raises:
            FileNotFoundError: It has gone since it was listed.
            OSError: It cannot be read.
        """
        ...

    def seekable(self, path: str) -> IO[bytes]:
        """The file for reading at any place; errors are those of `chunks`."""
        ...


class LocalSource:
    """A directory with the layout below it."""

    def __init__(self, root: Path) -> None:
        if root.is_file():
            message = f"a file and no directory: {root}; files are read from a list of them"
            raise NotADirectoryError(message)
        if not root.is_dir():
            message = f"no such directory: {root}"
            raise FileNotFoundError(message)
        self._root = root

    def folders(self, endpoint: str | None) -> Iterable[str]:
        """See `Source`."""
        base = self._root / PREFIX
        if endpoint is not None:
            return [str(base / part) for part in endpoint_folders(endpoint)]
        return [str(base / name) for name in _names(base)]

    def files(self, folder: str, first: str, last: str) -> Iterator[str]:
        """See `Source`."""
        for date in _names(Path(folder)):
            if first[: len(date)] <= date <= last:
                for name in _names(Path(folder, date)):
                    if first <= f"{date}/{name}" <= last:
                        yield str(Path(folder, date, name))

    def chunks(self, path: str) -> Iterator[bytes]:
        """See `Source`."""
        return _local_chunks(path)

    def seekable(self, path: str) -> IO[bytes]:
        """See `Source`."""
        return Path(path).open("rb")


class FilesSource:
    """Files that the caller names, in the order given; each is its own folder."""

    def __init__(self, paths: Iterable[str | os.PathLike[str]]) -> None:
        self._paths = [os.fspath(path) for path in paths]
        for path in self._paths:
            if not Path(path).exists():
                message = f"no such file: {path}"
                raise FileNotFoundError(message)
            if Path(path).is_dir():
                message = f"a directory in a list of files: {path}; a directory is read by itself"
                raise IsADirectoryError(message)

    def folders(self, endpoint: str | None) -> Iterable[str]:
        """See `Source`; which endpoint a file is of, its records say."""
        del endpoint
        return [""]

    def files(self, folder: str, first: str, last: str) -> Iterator[str]:
        """See `Source`; all of them, whatever they are called."""
        del folder, first, last
        return iter(self._paths)

    def chunks(self, path: str) -> Iterator[bytes]:
        """See `Source`."""
        return _local_chunks(path)

    def seekable(self, path: str) -> IO[bytes]:
        """See `Source`."""
        return Path(path).open("rb")


class StoreSource:
    """An object store with the layout below its prefix."""

    def __init__(self, store: ObjectStore, label: str) -> None:
        self._obstore: Any = require("obstore", "storage")
        self._store = store
        self._label = label

    def folders(self, endpoint: str | None) -> Iterable[str]:
        """See `Source`."""
        if endpoint is not None:
            return [f"{PREFIX}/{part}" for part in endpoint_folders(endpoint)]
        try:
            listed = self._obstore.list_with_delimiter(self._store, prefix=PREFIX)
        except store_errors() as error:
            raise told(error, f"cannot list {self._label}") from None
        return sorted(cast("list[str]", listed["common_prefixes"]))

    def files(self, folder: str, first: str, last: str) -> Iterator[str]:
        """See `Source`; S3 is asked from `first` on, so that a short window of a long log is found at once."""
        # An offset excludes the key itself, and no key ends as this one does.
        offset = f"{folder}/{first}" if first else None
        ordered = type(self._store).__name__ == "S3Store"
        try:
            for page in self._obstore.list(self._store, prefix=folder, offset=offset):
                for path in sorted(cast("str", item["path"]) for item in page):
                    if path.removeprefix(f"{folder}/") <= last:
                        yield path
                    elif ordered:
                        return
        except store_errors() as error:
            raise told(error, f"cannot list {self._label}") from None

    def chunks(self, path: str) -> Iterator[bytes]:
        """See `Source`."""
        try:
            for chunk in self._obstore.get(self._store, path).stream(min_chunk_size=_CHUNK_BYTES):
                yield bytes(chunk)
        except store_errors() as error:
            raise told(error, f"cannot read {path} of {self._label}") from None

    def seekable(self, path: str) -> IO[bytes]:
        """See `Source`; the object is copied to a temporary file, in memory if it is small."""
        import tempfile

        file = tempfile.SpooledTemporaryFile(max_size=8 * _CHUNK_BYTES)  # noqa: SIM115 - the caller closes it
        try:
            for chunk in self.chunks(path):
                file.write(chunk)
        except BaseException:
            file.close()
            raise
        file.seek(0)
        return cast("IO[bytes]", file)


def source_of(source: SourceLike) -> Source:
    """The source that a caller means: a directory, an ``s3://`` URL, an obstore store or files.

    Raises:
        FileNotFoundError: No such directory, or no such file in a list.
        NotADirectoryError: One file where a directory or a list is meant.
        IsADirectoryError: A directory in a list of files.
        ValueError: A URL that is not ``s3://bucket/prefix``, or an empty text.
        TypeError: Something else.
    """
    # pathlib takes it for the current directory.
    if source == "":
        message = "the source of predictions is empty: name a directory"
        raise ValueError(message)
    if isinstance(source, str) and is_url(source):
        return StoreSource(open_store(source), source)
    if isinstance(source, (str, os.PathLike)):
        return LocalSource(Path(source))
    if is_store(source):
        store = cast("ObjectStore", source)
        return StoreSource(store, label_of(store))
    try:
        return FilesSource(cast("Iterable[str]", source))
    except TypeError:
        message = (
            "predictions are read from a directory, an s3:// URL, an obstore store or a list of files, "
            f"not {type(source).__name__}"
        )
        raise TypeError(message) from None


def _names(folder: Path) -> list[str]:
    try:
        return sorted(os.listdir(folder))  # noqa: PTH208 - names, not paths
    except (FileNotFoundError, NotADirectoryError):
        # An endpoint without predictions, a stray file, or a folder that a clean-up has just removed.
        return []


def _local_chunks(path: str) -> Iterator[bytes]:
    with Path(path).open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk
