"""What stands between a call and the wire: functions of the caller's that see every attempt. Types only, no I/O."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from .http import url_with_query

if TYPE_CHECKING:
    from .operation import Operation


class HTTPRequest(Protocol):
    """A request before it is sent, as the HTTP client has it."""

    method: str
    url: Any

    @property
    def headers(self) -> MutableMapping[str, str]:
        """What is sent, credentials included; change it in place."""
        ...

    @property
    def content(self) -> bytes:
        """The body; of a file that is sent in pieces it must be read first."""
        ...

    def read(self) -> bytes:
        """The body, of a file too, which then lies in memory."""
        ...

    async def aread(self) -> bytes:
        """The same as ``read``, for async clients."""
        ...


class HTTPResponse(Protocol):
    """An answer, as the HTTP client has it; one of your own making serves as well."""

    status_code: int

    @property
    def headers(self) -> MutableMapping[str, str]:
        """What came before the body."""
        ...

    @property
    def content(self) -> bytes:
        """The body; not there yet if the call streams it."""
        ...


class Attempt:
    """One sending of a call's request, credentials in their places and body ready.

    Attributes:
        request: What will be sent; its headers can be changed.
        operation: The operation as ``tag.operation_id``.
        method: The HTTP method, in capitals.
        path_template: The path as the document has it, such as ``/things/{id}``.
        number: 1 for the first sending of the call; repeats with a fresh token count too.
        is_streamed: Whether the caller reads the body as it comes: then a success reaches middleware unread.
    """

    __slots__ = ("is_streamed", "method", "number", "operation", "path_template", "request")

    def __init__(self, request: HTTPRequest, operation: Operation[Any], number: int, *, is_streamed: bool) -> None:
        self.request = request
        self.operation = operation.name
        self.method = operation.method
        self.path_template = operation.path
        self.number = number
        self.is_streamed = is_streamed

    @property
    def url(self) -> str:
        """Where the request goes, with its query, which may hold a secret: to sign it, not to log it."""
        return url_with_query(self.request)

    def __repr__(self) -> str:
        return f"<Attempt {self.number} of {self.operation}: {self.method} {self.path_template}>"


Send: TypeAlias = Callable[[Attempt], HTTPResponse]
"""Sends an attempt on its way: to the next middleware, or to the server."""

AsyncSend: TypeAlias = Callable[[Attempt], Awaitable[HTTPResponse]]
"""The same as `Send`, awaited."""

Middleware: TypeAlias = Callable[[Attempt, Send], HTTPResponse]
"""Called once an attempt: ``def fn(attempt, send): return send(attempt)`` and whatever is to happen around it."""

AsyncMiddleware: TypeAlias = Callable[[Attempt, AsyncSend], Awaitable[HTTPResponse]]
"""The same as `Middleware`, awaited."""
