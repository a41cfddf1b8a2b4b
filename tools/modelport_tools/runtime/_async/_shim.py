"""What differs between the two worlds beyond spelling; written by hand on both sides."""

from __future__ import annotations

from asyncio import sleep
from asyncio import to_thread as in_thread
from typing import TYPE_CHECKING

from ..http import is_async as is_http_client
from ..http import is_sync as is_other_http_client
from ..http import make_async_client as make_http_client

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from typing import IO

__all__ = ["abandon", "chunks_of", "in_thread", "is_http_client", "is_other_http_client", "make_http_client", "sleep"]

_CHUNK_BYTES = 65_536


def abandon(response: object) -> None:
    """Say that an answer was never read: nobody can await its closing any more."""
    import warnings

    message = "an AsyncStream was neither read nor closed, and keeps its connection: use `async with`"
    warnings.warn(message, ResourceWarning, stacklevel=2, source=response)


async def chunks_of(file: IO[bytes]) -> AsyncIterator[bytes]:
    """What is in a file, piece by piece."""
    while chunk := file.read(_CHUNK_BYTES):
        yield chunk
