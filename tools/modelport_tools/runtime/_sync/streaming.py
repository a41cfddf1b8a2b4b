# Derived from tools/modelport_tools/runtime/_async/streaming.py by modelport_tools.unasync; do not edit.
"""Answers whose body is read as it comes, as bytes, text, lines, or items of the document's type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from .. import http
from ..errors import ClientConfigError, find_request_id
from ..exchange import RawResponse, Target, aim, replaced
from ..items import Answer, EventReader, reader_for
from ..lines import TextLines, TooLongError, text_decoder
from ..types import UNSET
from ._shim import abandon
from .transport import Transport

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping
    from os import PathLike
    from typing import Self

    from ..items import Reader
    from ..operation import Operation
    from ..sse import ServerSentEvent
    from ..types import RequestOptions

T = TypeVar("T")


class StreamedResponse(Generic[T]):
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
        self._is_read = False
        self.status = 0
        self.headers: dict[str, str] = {}
        self.attempts = 0

    def __enter__(self) -> Self:
        self._begin(*self._transport.open(self._operation, self._target, self._body, stream=True))
        return self

    def _begin(self, response: Any, attempts: int) -> None:
        self._response = response
        self._is_read = False
        self.status = response.status_code
        self.headers = http.lower_headers(response)
        self.attempts = attempts

    def _send_again(self, headers: Mapping[str, str]) -> None:
        """Send the request once more with other headers; its answer takes the place of this one."""
        self.close()
        target = self._target._replace(headers=replaced(self._target.headers, headers), max_retries=0)
        response, _ = self._transport.open(self._operation, target, self._body, stream=True)
        self._begin(response, self.attempts)

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the connection back, or close it if the body was not read to its end."""
        if self._response is not None:
            self._response.close()

    @property
    def content_type(self) -> str:
        """The ``Content-Type`` with its parameters, as it came; empty if there is none."""
        return self.headers.get("content-type", "")

    @property
    def url(self) -> str:
        """Where the answer comes from, without the query."""
        return http.without_query(self._target.url)

    @property
    def request_id(self) -> str | None:
        """The server's id of the request, if it sent one."""
        return find_request_id(self.headers)

    def iter_bytes(self) -> Generator[bytes]:
        """The decoded body, in chunks as they arrive.

        Raises:
            APIConnectionError: If the connection is cut before the body's end.
            APITimeoutError: If the server pauses for longer than the read timeout.
            ClientConfigError: If the body was read before: it comes once.
        """
        if self._response is None:
            raise ClientConfigError("nothing was sent yet: enter the response with a with block first")
        if self._is_read:
            raise ClientConfigError("the body was read already: it comes once")
        self._is_read = True
        chunks = self._response.iter_bytes()
        try:
            for chunk in chunks:
                yield chunk
        except http.TRANSPORT_ERRORS as error:
            raise http.translated(error, self._operation.method, self.url, self.attempts) from error
        finally:
            chunks.close()

    def iter_text(self) -> Generator[str]:
        """The body as text, in the charset that the answer names, else UTF-8; what does not fit becomes U+FFFD."""
        decoder = text_decoder(self.content_type)
        chunks = self.iter_bytes()
        try:
            for chunk in chunks:
                if text := decoder.decode(chunk):
                    yield text
        finally:
            chunks.close()
        if text := decoder.decode(b"", True):
            yield text

    def iter_lines(self) -> Generator[str]:
        r"""The body as text, line by line and without their ends: ``\n``, ``\r\n`` or ``\r``, and nothing else."""
        lines = TextLines()
        chunks = self.iter_text()
        try:
            for text in chunks:
                for line in lines.feed(text):
                    yield line
                lines.check()
        except TooLongError as error:
            raise self.answer().error(f"a line {error}") from None
        finally:
            chunks.close()
        if rest := lines.rest():
            yield rest

    def read(self) -> bytes:
        """The whole body."""
        return b"".join([chunk for chunk in self.iter_bytes()])

    def save(
        self,
        path: str | PathLike[str],
        *,
        resume: bool = True,
        on_progress: Callable[[int, int | None], object] | None = None,
    ) -> int:
        """Bring the body to a file, and return its size in bytes.

        The file appears whole or not at all, readable by its owner only; an older one stays until then. Where the
        connection is cut, the rest is asked for (``Range`` with ``If-Range``) if the server gives ranges of exactly
        the same content, else all of it, as often as ``max_retries`` allows.

        Args:
            path: Where the file goes; its folder is made if there is none.
            resume: Whether to go on with what an earlier call for the same content left beside the file, and to leave
                that if this one fails (not on Windows).
            on_progress: Called with the bytes that are there, and with the number of all or None.

        Raises:
            SaveError: If the disk is full or refuses.
            APIConnectionError: If the connection was cut, and no attempt is left.
        """
        from .download import Download

        download = Download(self, self._operation, self._target, self._send_again, path, on_progress=on_progress)
        return download.run(resume=resume)

    def parse(self) -> T:
        """The success value: the whole body decoded, or a stream of its items if it is one.

        Raises:
            DecodeError: If the body is not what the document says.
        """
        if self._operation.stream:
            return cast("T", Stream(self, self._operation))
        content = self.read()
        return RawResponse(
            cast("Operation[T]", self._operation), self._response, content=content, attempts=self.attempts
        ).parsed

    def answer(self) -> Answer:
        """What errors about the body say of it."""
        return Answer(self.status, self.content_type, self._operation.method, self.url, self.attempts)


class Stream(Generic[T]):
    """The items of an answer, each as soon as it is there.

    Read it with ``for``. The connection is given back at the end of the stream, on an error, and by `close` or
    the end of an ``with`` block: use one if you may leave the loop early.

    Attributes:
        response: The answer: its status and headers.
    """

    _is_taken = True

    def __init__(self, response: StreamedResponse[Any], operation: Operation[T]) -> None:
        self.response = response
        # A function and no method: a generator that held the stream would keep both alive in a circle.
        self._items = _read(response, reader_for(operation, response.answer()))
        self._is_taken = False

    def __iter__(self) -> Iterator[T]:
        """The items that are left.

        Raises:
            DecodeError: If one is not what the document says; names its line, record or event. The stream is over then.
            APIConnectionError: If the connection is cut; every complete item was given before.
            APITimeoutError: If the server pauses for longer than the read timeout.
        """
        self._is_taken = True
        return self._items

    def __next__(self) -> T:
        self._is_taken = True
        return next(self._items)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop reading, and let the connection go."""
        self._is_taken = True
        self._items.close()
        self.response.close()

    def events(self) -> Iterator[ServerSentEvent]:
        """The server-sent events as they are, in place of the items.

        Raises:
            ClientConfigError: If the answer is no stream of events.
        """
        answer = self.response.answer()
        if answer.media_type != "text/event-stream":
            raise ClientConfigError(f"the answer has no server-sent events, it is {answer.media_type or 'untyped'}")
        self._is_taken = True
        return _read(self.response, EventReader(answer))

    def __del__(self) -> None:
        if not self._is_taken:  # a generator that never ran has nothing to clean up with
            abandon(self.response)


def _read(response: StreamedResponse[Any], reader: Reader[T]) -> Generator[T]:
    chunks = response.iter_bytes()
    try:
        for chunk in chunks:
            for item in reader.read(chunk):
                yield item
            if reader.done:
                return
        for item in reader.end():
            yield item
    finally:
        chunks.close()
        response.close()


def open_stream(transport: Transport, operation: Operation[T], target: Target, body: object) -> Stream[T]:
    """Send an operation; the stream of its items, once the answer has begun.

    Raises:
        DecodeError: If the answer is no stream that the document promises.
    """
    response: StreamedResponse[Any] = StreamedResponse(transport, operation, target, body)
    response.__enter__()
    try:
        return Stream(response, operation)
    except BaseException:
        response.close()
        raise


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
        response: StreamedResponse[Any] = StreamedResponse(self, operation, target, body)
        return response

    def stream(
        self,
        operation: Operation[Any],
        arguments: Mapping[str, Any],
        options: RequestOptions,
        body: object = UNSET,
    ) -> Any:
        """The same as `call`."""
        return self.call(operation, arguments, options, body)
