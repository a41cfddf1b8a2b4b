# Derived from tools/modelport_tools/runtime/_async/chain.py by modelport_tools.unasync; do not edit.
"""The way of one attempt through the middleware."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import ClientConfigError
from ..http import is_response

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..middleware import Attempt, Middleware, Send


def through(middleware: Sequence[Middleware], attempt: Attempt, wire: Send) -> Any:
    """Send an attempt through every middleware, the first outermost, to the wire.

    Answers of the wire that the middleware does not hand on are closed.

    Raises:
        ClientConfigError: If what comes back is no answer.
    """
    came: list[Any] = []

    def last(attempt: Attempt) -> Any:
        came.append(wire(attempt))
        return came[-1]

    send: Send = last
    for one in reversed(middleware):
        send = _link(one, send)
    response: Any = None
    try:
        response = send(attempt)
    finally:
        for other in came:
            if other is not response:
                other.close()
    if not is_response(response):
        name = getattr(middleware[0], "__qualname__", type(middleware[0]).__name__)
        raise ClientConfigError(f"the middleware {name} returned a {type(response).__name__}, not a response")
    return response


def _link(middleware: Middleware, following: Send) -> Send:
    def send(attempt: Attempt) -> Any:
        return middleware(attempt, following)

    return send
