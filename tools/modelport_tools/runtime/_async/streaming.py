"""Answers whose body is read as it comes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import http
from ..exchange import Target, aim
from ..types import UNSET
from .transport import AsyncTransport

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from typing import Self

    from ..operation import Operation
    from ..types import RequestOptions


class AsyncStreamedResponse:
    """An answer whose body is read as it comes. Made by ``with_streaming_response``, used in a ``with`` block.

    Attributes:
        status: The status, a plain int.
        headers: By lower-case name.
        attempts: How many times the request was sent.
    """

    def __init__(
        self,
        transport: AsyncTransport,
        operation: Operation[Any],
        target: Target,
        body: object,
    ) -> None:
        self._transport = transport
        self._operation = operation
        self._target = target
        self._body = body
        self._response: Any = None
        self.status = 0
        self.headers: dict[str, str] = {}
        self.attempts = 0

    async def __aenter__(self) -> Self:
        self._response, self.attempts = await self._transport.open(
            self._operation, self._target, self._body, stream=True
        )
        self.status = self._response.status_code
        self.headers = http.lower_headers(self._response)
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._response.aclose()

    async def iter_bytes(self) -> AsyncIterator[bytes]:
        """The decoded body, in chunks as they arrive.

        Raises:
            APIConnectionError: If the connection is cut before the body's end.
            APITimeoutError: If the server pauses for longer than the read timeout.
        """
        try:
            async for chunk in self._response.aiter_bytes():
                yield chunk
        except http.TRANSPORT_ERRORS as error:
            url = http.without_query(self._target.url)
            raise http.translated(error, self._operation.method, url, self.attempts) from error

    async def read(self) -> bytes:
        """The whole body."""
        return b"".join([chunk async for chunk in self.iter_bytes()])


class AsyncStreamTransport(AsyncTransport):
    """Returns an answer to be read as it comes in place of the success value."""

    async def call(
        self,
        operation: Operation[Any],
        arguments: Mapping[str, Any],
        options: RequestOptions,
        body: object = UNSET,
    ) -> Any:
        """An answer to enter with ``with``; nothing is sent before that."""
        target = aim(self.settings, operation, arguments, **options)
        return AsyncStreamedResponse(self, operation, target, body)
