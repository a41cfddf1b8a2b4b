"""Bring the body of an answer to disk as it comes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from modelport._downloads import AtomicFile
from modelport._io._async._shim import to_thread
from modelport.errors import DownloadError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

__all__ = ["AsyncStreamedBody", "save"]

_BUFFER_BYTES = 1 << 20


class AsyncStreamedBody(Protocol):
    """What the ``with_streaming_response`` of every generated client gives, once it is entered."""

    headers: dict[str, str]

    def iter_bytes(self) -> AsyncIterator[bytes]:
        """The body as it comes."""
        ...


async def save(
    response: AbstractAsyncContextManager[AsyncStreamedBody], path: Path, *, kind: str | None = None
) -> Path:
    """`path`, once the whole body is there.

    Nothing of it is seen before that, and an older file stays if anything goes wrong.

    Args:
        kind: ``zip`` or ``parquet`` refuses a body that does not begin like one.

    Raises:
        DownloadError: The disk is full or refuses, or the body is not of the kind asked for.
        APIConnectionError: The connection was cut.
    """
    async with response as opened:
        if opened.headers.get("content-type", "").startswith("text/html"):
            raise DownloadError("the server sent a web page in place of a file", path=str(path))
        with AtomicFile(path, kind) as file:
            buffer = bytearray()
            async for chunk in opened.iter_bytes():
                buffer += chunk
                if len(buffer) >= _BUFFER_BYTES:
                    await to_thread(file.write, bytes(buffer))
                    buffer.clear()
            await to_thread(file.write, bytes(buffer))
            return await to_thread(file.commit)
