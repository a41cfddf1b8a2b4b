"""The way of one attempt through the middleware."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import ClientConfigError
from ..http import is_response

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..middleware import AsyncMiddleware, AsyncSend, Attempt


async def through(middleware: Sequence[AsyncMiddleware], attempt: Attempt, wire: AsyncSend) -> Any:
    """Send an attempt through every middleware, the first outermost, to the wire.

    Answers of the wire that the middleware does not hand on are closed.

    Raises:
        ClientConfigError: If what comes back is no answer.
    """
    came: list[Any] = []

    async def last(attempt: Attempt) -> Any:
        came.append(await wire(attempt))
        return came[-1]

    send: AsyncSend = last
    for one in reversed(middleware):
        send = _link(one, send)
    response: Any = None
    try:
        response = await send(attempt)
    finally:
        for other in came:
            if other is not response:
                await other.aclose()
    if not is_response(response):
        name = getattr(middleware[0], "__qualname__", type(middleware[0]).__name__)
        raise ClientConfigError(f"the middleware {name} returned a {type(response).__name__}, not a response")
    return response


def _link(middleware: AsyncMiddleware, following: AsyncSend) -> AsyncSend:
    async def send(attempt: Attempt) -> Any:
        return await middleware(attempt, following)

    return send
