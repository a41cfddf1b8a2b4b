"""Reads answers into memory, up to a limit."""

from __future__ import annotations

from typing import Any

from ..errors import ResponseTooLargeError
from ..exchange import is_error
from ..http import body_size, keep_content, unpack_slowly

ERROR_BODY_LIMIT_BYTES = 1024 * 1024
"""How much of an error's body is read; the rest is cut off, and its connection closed."""


async def read_within(response: Any, limit: int | None, *, stream: bool) -> None:
    """Read an answer whole, counting what it unpacks to; its connection goes back to the pool.

    Args:
        response: An answer that is still open; one that was read already stays as it is.
        limit: In bytes; None for no limit. The body of an error is cut there.
        stream: Whether the caller reads a success by itself: then it stays open.

    Raises:
        ResponseTooLargeError: If a success is larger; its connection is closed.
    """
    is_failure = is_error(response.status_code)
    if stream and not is_failure:
        return
    if is_failure:
        limit = ERROR_BODY_LIMIT_BYTES if limit is None else min(limit, ERROR_BODY_LIMIT_BYTES)
    try:
        if limit is None or body_size(response).most <= limit:
            await response.aread()
        else:
            await _read_counting(response, limit, is_failure=is_failure)
    except BaseException:
        await response.aclose()
        raise


async def _read_counting(response: Any, limit: int, *, is_failure: bool) -> None:
    size = body_size(response)
    chunks: list[bytes] = []
    count = 0
    unpack_slowly(response, is_stacked=size.is_stacked)
    async for chunk in response.aiter_bytes():
        chunks.append(chunk)
        count += len(chunk)
        # What is announced counts once there is a body: an answer to HEAD announces one and has none.
        if count <= limit and (size.least <= limit or is_failure):
            continue
        if not is_failure:
            raise ResponseTooLargeError(
                f"the answer is larger than max_response_bytes, which is {limit}: stream it (with_streaming_response), "
                "or give the client a larger max_response_bytes (None: no limit)",
                status=response.status_code,
                limit_bytes=limit,
            )
        await response.aclose()
        keep_content(response, b"".join(chunks)[:limit])
        return
    keep_content(response, b"".join(chunks))
