# Derived from overlays/modelport/_io/_async/download.py by modelport_tools.unasync; do not edit.
"""Bring the body of an answer to disk as it comes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from modelport._downloads import AtomicFile
from modelport._io._sync._shim import to_thread
from modelport.errors import DownloadError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

__all__ = ["StreamedBody", "save"]

_BUFFER_BYTES = 1 << 20


class StreamedBody(Protocol):
    """What the ``with_streaming_response`` of every generated client gives, once it is entered."""

    headers: dict[str, str]

    def iter_bytes(self) -> Iterator[bytes]:
        """The body as it comes."""
        ...


def save(response: AbstractContextManager[StreamedBody], path: Path, *, kind: str | None = None) -> Path:
    """`path`, once the whole body is there.

    Nothing of it is seen before that, and an older file stays if anything goes wrong.

    Args:
        kind: ``zip`` or ``parquet`` refuses a body that does not begin like one.

    Raises:
        DownloadError: The disk is full or refuses, or the body is not of the kind asked for.
        APIConnectionError: The connection was cut.
    """
    with response as opened:
        if opened.headers.get("content-type", "").startswith("text/html"):
            raise DownloadError("the server sent a web page in place of a file", path=str(path))
        with AtomicFile(path, kind) as file:
            buffer = bytearray()
            for chunk in opened.iter_bytes():
                buffer += chunk
                if len(buffer) >= _BUFFER_BYTES:
                    to_thread(file.write, bytes(buffer))
                    buffer.clear()
            to_thread(file.write, bytes(buffer))
            return to_thread(file.commit)
