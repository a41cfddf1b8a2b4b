"""The items of a stream: which framing the answer has, and each piece decoded into the type of the document."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, Protocol, TypeVar, cast

from .errors import DecodeError
from .lines import Splitter, TooLongError, framing
from .sse import EventParser, ServerSentEvent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from .lines import Framing
    from .operation import Operation

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

DONE = "[DONE]"
"""What ends a stream of server-sent events whose data is JSON.

The OpenAI API documents it ("terminated by a ``data: [DONE]`` message", of the parameter ``stream``), and the servers
that speak its language (vLLM, llama.cpp, TGI) follow.
"""

_NO_CONTENT = 204
_SNIPPET_CHARACTERS = 120
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_RECORD_SEPARATOR = b"\x1e"
_WHITE_SPACE = b" \t\r\n"
_SELF_DELIMITED = b'{["'
_REFUSALS = (ValueError, RecursionError)
"""What a decoder ends in."""


class Answer(NamedTuple):
    """What is known of an answer beside its body."""

    status: int
    content_type: str
    method: str = ""
    url: str = ""
    attempts: int = 1

    @property
    def media_type(self) -> str:
        """The content type without its parameters."""
        return self.content_type.split(";", 1)[0].strip().lower()

    def error(self, message: str, content: bytes = b"") -> DecodeError:
        """The error for a body that is not what the document says."""
        return DecodeError(
            message, status=self.status, raw_body=content, method=self.method, url=self.url, attempts=self.attempts
        )


class Reader(Protocol[T_co]):
    """Makes items out of the chunks of a body."""

    done: bool
    """Whether the stream said that it is over; the rest of the body is of no interest."""

    def read(self, chunk: bytes) -> Iterable[T_co]:
        """The items that a chunk completes."""
        ...

    def end(self) -> Iterable[T_co]:
        """What the end of the body completes."""
        ...


def reader_for(operation: Operation[T], answer: Answer) -> Reader[T]:
    """What reads the items of an answer.

    Raises:
        DecodeError: If the answer is no stream that the document promises.
    """
    media = operation.documented(answer.status)
    if media is None:
        media = operation.success()
    if answer.status == _NO_CONTENT or not media:
        return _Nothing()
    chosen, kind = _chosen(media, answer)
    if kind == "events" and operation.stream == "raw":
        return cast("Reader[T]", EventReader(answer))
    decode = _decoder(operation, media[chosen], as_json=kind != "events" or operation.stream == "json")
    if kind == "events":
        return _DecodedEvents(operation.stream, decode, answer)
    return _Lines(decode, answer) if kind == "lines" else _Records(decode, answer)


def items_of(operation: Operation[T], answer: Answer, content: bytes) -> list[T]:
    """The items of a body that is there as a whole."""
    reader = reader_for(operation, answer)
    return [*reader.read(content), *(() if reader.done else reader.end())]


def _chosen(media: Mapping[str, str], answer: Answer) -> tuple[str, Framing]:
    """The documented media type that the answer is read as."""
    found = answer.media_type
    kind = framing(found)
    if kind is not None:
        same = [one for one in media if framing(one) == kind]
        if same:
            return (found if found in same else same[0]), kind
    first = next(iter(media))
    promised = framing(first)
    # Lines of JSON come under all kinds of names; of events, everything but their own would read as nothing at all.
    if promised is None or promised == "events" or kind is not None or found == "text/html":
        came = found or "an answer without a content type"
        raise answer.error(f"{came} came where the document promises {' or '.join(media)}")
    return first, promised


def _decoder(operation: Operation[Any], expression: str, *, as_json: bool) -> Callable[[Any], Any]:
    from .decode import JSONDecoder, decoder_for

    key = (expression, as_json)
    decoder = operation.cache.get(key)
    if decoder is None:
        decoder = JSONDecoder(expression, operation.names) if as_json else decoder_for(expression, operation.names)
        operation.cache[key] = decoder
    return cast("Callable[[Any], Any]", decoder)


def _refusal(error: Exception, content: bytes | str | ServerSentEvent, answer: Answer, what: str) -> DecodeError:
    """The error for an item that could not be decoded."""
    from .decode import Mismatch

    raw = _raw(content)
    if isinstance(error, Mismatch):
        return answer.error(f"{what} does not fit the document at {error}", raw)
    if isinstance(error, RecursionError):
        return answer.error(f"{what} is nested too deeply", raw)
    text = " ".join(raw[: 4 * _SNIPPET_CHARACTERS].decode("utf-8", "replace").split())[:_SNIPPET_CHARACTERS]
    return answer.error(f"{what} is not JSON: {text!r}", raw)


def _raw(content: bytes | str | ServerSentEvent) -> bytes:
    text = content.data if isinstance(content, ServerSentEvent) else content
    return text if isinstance(text, bytes) else text.encode("utf-8", "replace")


class _Nothing:
    """An answer without a body."""

    done = False

    def read(self, chunk: bytes) -> Iterable[Any]:  # noqa: ARG002 - as of every reader
        return ()

    def end(self) -> Iterable[Any]:
        return ()


class _Lines(Generic[T]):
    """Lines of JSON; blank ones hold nothing, and the last one may lack its line feed."""

    done = False

    def __init__(self, decode: Callable[[bytes], T], answer: Answer) -> None:
        self._decode = decode
        self._answer = answer
        self._splitter = Splitter(b"\n")
        self._number = 0

    def read(self, chunk: bytes) -> Iterator[T]:
        yield from self._items(self._splitter.feed(chunk))
        try:
            self._splitter.check()
        except TooLongError as error:
            raise self._answer.error(f"line {self._number + 1} {error}", self._splitter.rest()) from None

    def end(self) -> Iterator[T]:
        yield from self._items([self._splitter.take()])

    def _items(self, lines: list[bytes]) -> Iterator[T]:
        decode = self._decode
        if lines and not self._number:
            lines[0] = lines[0].removeprefix(_BYTE_ORDER_MARK)
        for line in lines:
            self._number += 1
            if not line or line.isspace():
                continue
            try:
                item = decode(line)
            except _REFUSALS as error:
                raise _refusal(error, line, self._answer, f"line {self._number}") from None
            yield item


class _Records(Generic[T]):
    """A JSON text sequence (RFC 7464): each text between a record separator and a line feed."""

    done = False

    def __init__(self, decode: Callable[[bytes], T], answer: Answer) -> None:
        self._decode = decode
        self._answer = answer
        self._splitter = Splitter(_RECORD_SEPARATOR)
        self._number = 0
        self._next_look = 0

    def read(self, chunk: bytes) -> Iterator[T]:
        for record in self._splitter.feed(chunk):
            self._next_look = 0
            yield from self._item(record)
        # The separator stands before a text: waiting for the next one would hold every item back. A text that has
        # line feeds within is looked at again when it has doubled, so that the looks cost no more than the text.
        if chunk.endswith(b"\n"):
            rest = self._splitter.rest()
            if len(rest) >= self._next_look:
                whole = _is_whole(rest)
                self._next_look = 0 if whole else 2 * len(rest)
                if whole:
                    yield from self._item(self._splitter.take())
        try:
            self._splitter.check()
        except TooLongError as error:
            raise self._answer.error(f"record {self._number + 1} {error}", self._splitter.rest()) from None

    def end(self) -> Iterator[T]:
        yield from self._item(self._splitter.take())

    def _item(self, record: bytes) -> Iterator[T]:
        text = record.strip(_WHITE_SPACE)
        if not text:
            return
        self._number += 1
        # Section 2.4: a number or literal without white space behind it may have been cut, and must be dropped.
        if text[:1] in _SELF_DELIMITED or record[-1:] in _WHITE_SPACE:
            try:
                item = self._decode(text)
            except _REFUSALS as error:
                raise _refusal(error, text, self._answer, f"record {self._number}") from None
            yield item


def _is_whole(record: bytes) -> bool:
    from .json_bytes import parse_json

    try:
        parse_json(record)
    except ValueError:
        return False
    return True


class EventReader:
    """Server-sent events as they are."""

    done = False

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._parser = EventParser()
        self._number = 0

    def read(self, chunk: bytes) -> Iterator[ServerSentEvent]:
        """The events that a chunk completes."""
        events = self._parser.feed(chunk)
        self._number += len(events)
        yield from events
        _check(self._parser, self._number, self._answer)

    def end(self) -> Iterable[ServerSentEvent]:
        """Nothing: an event that no blank line ends is not dispatched."""
        return ()


def _check(parser: EventParser, number: int, answer: Answer) -> None:
    try:
        parser.check()
    except TooLongError as error:
        raise answer.error(f"event {number + 1} {error}") from None


class _DecodedEvents(Generic[T]):
    """Server-sent events as the document types them: their data, or the event as an object."""

    def __init__(self, mode: str, decode: Callable[[Any], T], answer: Answer) -> None:
        self.done = False
        self._mode = mode
        self._is_text = mode in {"text", "event-text"}
        self._decode = decode
        self._answer = answer
        self._parser = EventParser()
        self._number = 0

    def read(self, chunk: bytes) -> Iterator[T]:
        as_json = self._mode == "json"
        as_data = as_json or self._mode == "text"
        decode, from_object = self._decode, self._from_object
        for event in self._parser.feed(chunk):
            self._number += 1
            data = event.data
            if not (data or self._is_text):
                continue  # without data it is a sign of life
            if as_json and data == DONE:
                self.done = True
                return
            try:
                item = decode(data.encode() if as_json else data) if as_data else from_object(event)
            except _REFUSALS as error:
                if data == DONE and not self._is_text:  # no event that the document describes
                    self.done = True
                    return
                raise _refusal(error, event, self._answer, f"event {self._number}") from None
            yield item
        _check(self._parser, self._number, self._answer)

    def end(self) -> Iterable[T]:
        return ()

    def _from_object(self, event: ServerSentEvent) -> T:
        """The event as the document describes it: an object with the fields that it has."""
        fields: dict[str, Any] = {"event": event.event, "data": event.data}
        if event.id:
            fields["id"] = event.id
        if event.retry is not None:
            fields["retry"] = event.retry
        if self._mode == "event":
            with contextlib.suppress(ValueError):  # else it is a text, as the last event of a stream may be
                return self._decode({**fields, "data": event.json()})
        return self._decode(fields)
