"""What differs between the two worlds beyond spelling; written by hand on both sides."""

from __future__ import annotations

from time import sleep
from typing import TYPE_CHECKING

from ..http import is_async as is_other_http_client
from ..http import is_sync as is_http_client
from ..http import make_client as make_http_client

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import IO, Any

__all__ = ["abandon", "chunks_of", "in_thread", "is_http_client", "is_other_http_client", "make_http_client", "sleep"]

_CHUNK_BYTES = 65_536


def abandon(response: Any) -> None:
    """Close an answer that was never read."""
    from contextlib import suppress

    with suppress(Exception):  # nobody is there to be told
        response.close()


def in_thread(function: Callable[..., Any], *args: Any) -> Any:
    """Call a function that blocks: nothing else waits for this thread."""
    return function(*args)


def chunks_of(file: IO[bytes]) -> Iterator[bytes]:
    """What is in a file, piece by piece."""
    while chunk := file.read(_CHUNK_BYTES):
        yield chunk
