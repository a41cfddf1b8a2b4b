"""Where whole files go: a local directory or an object store."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from modelport._extras import require
from modelport._files import PRIVATE_FILE, make_private_directory, replace_file, sync_directories
from modelport.predictions._store import is_store, is_url, label_of, open_store, store_errors, told

if TYPE_CHECKING:
    from obstore.store import ObjectStore

__all__ = ["Destination", "LocalDestination", "StoreDestination", "destination_of"]


class Destination(Protocol):
    """Takes whole files."""

    label: str

    def put(self, path: str, content: bytes) -> None:
        """Write `content` to `path` whole or not at all; an older file of that name is replaced.

        Raises:
            OSError: It could not be written.
        """
        ...


class LocalDestination:
    """A directory. Files appear under their name by a rename, mode 0600."""

    def __init__(self, directory: str | os.PathLike[str]) -> None:
        self.directory = Path(directory)
        self.label = str(self.directory)

    def put(self, path: str, content: bytes) -> None:
        """See `Destination`. The bytes have reached the disk when it returns."""
        target = self.directory / path
        make_private_directory(target.parent)
        # The journal is deleted next, so neither the file nor its folders must be in memory only.
        replace_file(target, content, PRIVATE_FILE)
        sync_directories(target.parent, self.directory)


class StoreDestination:
    """An object store behind obstore. One put per file."""

    def __init__(self, store: ObjectStore, label: str) -> None:
        self._obstore: Any = require("obstore", "storage")
        # Here and not in the thread that puts: a child forked amid an import waits for it for ever.
        self._errors = store_errors()
        self._store = store
        self.label = label

    def put(self, path: str, content: bytes) -> None:
        """See `Destination`; errors are those of `modelport.predictions._store.told`."""
        try:
            # In one request: an upload in parts that dies half-way is paid for and never seen.
            self._obstore.put(self._store, path, content, use_multipart=False)
        except self._errors as error:
            raise told(error, f"cannot write to {self.label}") from None


def destination_of(target: str | os.PathLike[str] | ObjectStore) -> Destination:
    """The destination that `target` means: an ``s3://`` URL, an obstore store or a directory."""
    if isinstance(target, str) and is_url(target):
        return StoreDestination(open_store(target), target)
    if isinstance(target, (str, os.PathLike)):
        return LocalDestination(target)
    if not is_store(target):
        message = f"a destination is a directory, an s3:// URL or an obstore store, not {type(target).__name__}"
        raise TypeError(message)
    return StoreDestination(target, label_of(target))
