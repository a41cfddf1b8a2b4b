# Derived from tools/modelport_tools/runtime/_async/streaming.py by modelport_tools.unasync; do not edit.
"""Answers whose body is read as it comes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import http
from ..exchange import Target, aim
from ..types import UNSET
from .transport import Transport

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Self

    from ..operation import Operation
    from ..types import RequestOptions


class StreamedResponse:
    """An answer whose body is read as it comes. Made by ``with_streaming_response``, used in a ``with`` block.

    Attributes:
        status: The status, a plain int.
        headers: By lower-case name.
        attempts: How many times the request was sent.
    """

    def __init__(
        self,
        transport: Transport,
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

    def __enter__(self) -> Self:
        self._response, self.attempts = self._transport.open(self._operation, self._target, self._body, stream=True)
        self.status = self._response.status_code
        self.headers = http.lower_headers(self._response)
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._response.close()

    def iter_bytes(self) -> Iterator[bytes]:
        """The decoded body, in chunks as they arrive.

        Raises:
            APIConnectionError: If the connection is cut before the body's end.
            APITimeoutError: If the server pauses for longer than the read timeout.
        """
        try:
            for chunk in self._response.iter_bytes():
                yield chunk
        except http.TRANSPORT_ERRORS as error:
            url = http.without_query(self._target.url)
            raise http.translated(error, self._operation.method, url, self.attempts) from error

    def read(self) -> bytes:
        """The whole body."""
        return b"".join([chunk for chunk in self.iter_bytes()])


class StreamTransport(Transport):
    """Returns an answer to be read as it comes in place of the success value."""

    def call(
        self,
        operation: Operation[Any],
        arguments: Mapping[str, Any],
        options: RequestOptions,
        body: object = UNSET,
    ) -> Any:
        """An answer to enter with ``with``; nothing is sent before that."""
        target = aim(self.settings, operation, arguments, **options)
        return StreamedResponse(self, operation, target, body)
