# Derived from tools/modelport_tools/runtime/_async/download.py by modelport_tools.unasync; do not edit.
"""A body brought to disk as it comes, and gone on with where the connection was cut."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import APIConnectionError, APIProtocolError, APIStatusError, APITimeoutError, SaveError
from ..partial import PartialFile
from ..ranges import resource_of
from ..retry import delay_seconds, is_retryable_status
from ._shim import in_thread, sleep

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from os import PathLike

    from ..errors import APIError
    from ..exchange import Target
    from ..operation import Operation
    from ..ranges import Resource
    from .streaming import StreamedResponse

    OnProgress = Callable[[int, int | None], object]

_BUFFER_BYTES = 1 << 20
_PARTIAL = 206
_RANGE_NOT_SATISFIABLE = 416


class Download:
    """One body on its way to a file.

    Args:
        response: The answer, open and unread.
        operation: What it answers.
        target: Where it came from, and how many requests may follow the first.
        send_again: Sends the request again, with some more headers; the answer takes the place of the one before.
        path: Where the file goes.
        on_progress: Called with the bytes that are there, and with the number of all if that is known.
    """

    def __init__(
        self,
        response: StreamedResponse[Any],
        operation: Operation[Any],
        target: Target,
        send_again: Callable[[Mapping[str, str]], None],
        path: str | PathLike[str],
        *,
        on_progress: OnProgress | None,
    ) -> None:
        self._response = response
        self._operation = operation
        self._target = target
        self._send_again = send_again
        self._file = PartialFile(path)
        self._on_progress = on_progress
        self._first_status = response.status
        self._resource = self._described()

    def run(self, *, resume: bool) -> int:
        """The size of the file in bytes, once it is whole and in its place.

        Args:
            resume: Whether to go on with what an earlier call left, and to leave something if this one fails.
        """
        file = self._file
        try:
            self._disk(file.open, self._key() if resume else "")
            if not file.size or file.size != self._resource.total:
                self._fetch()
            self._disk(file.commit)
        except SaveError:
            file.discard()
            raise
        except BaseException:  # what is there is good, whatever went wrong
            file.keep()
            raise
        return file.size

    def _fetch(self) -> None:
        failure: APIConnectionError | APITimeoutError | APIStatusError | None = None
        while True:
            try:
                if failure is not None:
                    self._try_again(failure)
                elif self._file.size:
                    self._take_up()
                self._write()
                if self._resource.total is None or self._file.size >= self._resource.total:
                    return
                raise self._cut()
            except (APIConnectionError, APITimeoutError, APIStatusError) as error:
                if error is failure:
                    raise
                error.attempts = self._response.attempts
                failure = error

    def _write(self) -> None:
        """Write the body of the answer in large pieces; they are few, and each is a turn of another thread."""
        self._tell(0)
        buffer = bytearray()
        try:
            for chunk in self._response.iter_bytes():
                buffer += chunk
                self._tell(len(buffer))
                if len(buffer) >= _BUFFER_BYTES:
                    self._disk(self._file.write, bytes(buffer))
                    buffer.clear()
        finally:
            if buffer:
                self._disk(self._file.write, bytes(buffer))

    def _take_up(self) -> None:
        """Go on with what an earlier call left, if the server says that it gives ranges."""
        if self._resource.accepts_ranges and (self._resource.total is None or self._file.size < self._resource.total):
            self._go_on()
        else:
            self._disk(self._file.restart, self._key())

    def _try_again(self, failure: APIError) -> None:
        """Ask for the rest, or for all of it.

        Raises:
            APIError: The failure, if no attempt is left or a repeat is not safe.
        """
        attempts = self._response.attempts
        status: int = getattr(failure, "status", 0)
        refused = status == _RANGE_NOT_SATISFIABLE and self._file.size > 0
        pause = 0.0 if refused else delay_seconds(attempts, getattr(failure, "headers", None))
        may_help = not status or refused or is_retryable_status(status, idempotent=True)
        if not (may_help and self._operation.idempotent) or attempts > self._target.max_retries or pause is None:
            raise failure
        sleep(pause)
        self._response.attempts += 1
        if self._resource.is_resumable and not refused:
            self._go_on()
        else:
            self._send_again({})
            self._start_anew()

    def _go_on(self) -> None:
        """Ask for the rest; what has changed since comes as a whole."""
        start = self._file.size
        self._send_again(self._resource.headers(start))
        if self._resource.is_rest(self._response.status, self._response.headers, start):
            return
        if self._response.status == _PARTIAL:  # another part, or one of something else
            self._send_again({})
        self._start_anew()

    def _start_anew(self) -> None:
        response = self._response
        if response.status == _PARTIAL != self._first_status:
            raise APIProtocolError(
                "a part of the body came where all of it was asked for",
                method=self._operation.method, url=response.url, attempts=response.attempts,
            )  # fmt: skip
        self._resource = self._described()
        self._disk(self._file.restart, self._key())

    def _described(self) -> Resource:
        return resource_of(self._operation.method, self._response.status, self._response.headers)

    def _key(self) -> str:
        """What tells the content from every other; empty if nothing does."""
        from hashlib import sha256

        if not self._resource.is_resumable:
            return ""
        return sha256(f"{self._target.url}\n{self._resource.validator}".encode()).hexdigest()

    def _cut(self) -> APIConnectionError:
        message = f"the body ended after {self._file.size} of {self._resource.total} bytes"
        response = self._response
        return APIConnectionError(message, method=self._operation.method, url=response.url, attempts=response.attempts)

    def _tell(self, buffered: int) -> None:
        if self._on_progress is not None:
            self._on_progress(self._file.size + buffered, self._resource.total)

    def _disk(self, function: Callable[..., object], *args: Any) -> None:
        try:
            in_thread(function, *args)
        except OSError as error:
            raise SaveError(
                f"cannot write {self._file.place}: {error.strerror or error}", path=self._file.place, errno=error.errno
            ) from error
