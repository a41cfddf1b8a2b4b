"""Predictions as lines of JSON on a stream, for collectors that read a container's output."""

from __future__ import annotations

import errno
import io
import sys
import time
from itertools import accumulate
from typing import IO, TYPE_CHECKING, Any, Literal

from modelport.predictions._progress import Progress
from modelport.predictions._record import to_json_line
from modelport.predictions._sink import DEFAULT_MAX_BUFFER, Sink

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from modelport.predictions._record import Record

__all__ = ["StdoutSink", "StreamGoneError"]

_PATIENCE_SECONDS = 5.0
_PAUSE_SECONDS = 0.01
_GONE = {errno.EPIPE, errno.EBADF}
# What a buffered stream keeps whole, whatever becomes of it: more is taken in parts, and how many nobody says.
_UNIT_BYTES = io.DEFAULT_BUFFER_SIZE


class StreamGoneError(RuntimeError):
    """Nobody reads the stream any more. Final: the records are dropped and counted."""


class StdoutSink(Sink):
    """Write predictions as lines of JSON to standard output, standard error or any other stream.

    Some lines at a time are written and flushed in one go, so that lines of other writers of the stream fall between
    them, but where the operating system splits them (a pipe keeps 4096 bytes together). A batch that the stream takes
    in part goes on with its next line; a line that could not be finished is ended first and then written again.
    """

    def __init__(
        self,
        stream: Literal["stdout", "stderr"] | IO[str] | IO[bytes] = "stdout",
        *,
        max_buffer: int = DEFAULT_MAX_BUFFER,
        name: str = "stdout",
    ) -> None:
        """Prepare a sink.

        Args:
            stream: ``"stdout"`` or ``"stderr"``, looked up anew for every batch, or an open text or binary stream,
                which is never closed.
            max_buffer: Records kept while the stream takes nothing.
            name: How metrics call this sink.
        """
        self.name = name
        self.max_buffer = max_buffer
        self._stream = stream
        self._progress = Progress()
        self._cut = False

    def write(self, records: Sequence[Record]) -> None:
        """Write `records`.

        Raises:
            OSError: The disk behind a redirection is full, or a pipe that does not block stays full for 5 seconds.
            StreamGoneError: The stream is closed, or its reader is gone.
        """
        lines = list(map(to_json_line, records))
        done = self._progress.passed(lines)
        deadline = time.monotonic() + _PATIENCE_SECONDS
        try:
            stream = self._open_stream(deadline)
            for unit in _units(lines[done:]):
                taken, error = self._put(stream, unit, deadline)
                done += taken
                if error is not None:
                    raise error
                _flush(stream, deadline)
        except ValueError as error:
            message = f"the stream is closed: {error}"
            raise StreamGoneError(message) from error
        except OSError as error:
            if error.errno in _GONE:
                message = "nobody reads the stream any more"
                raise StreamGoneError(message) from error
            self._progress.keep(lines[:done])
            raise

    def after_fork(self) -> None:
        """Leave a batch that broke off to the parent."""
        self._progress = Progress()
        self._cut = False

    def _open_stream(self, deadline: float) -> IO[Any]:
        # Programs replace them, and a program without a console has None.
        stream: IO[Any] | None = getattr(sys, self._stream) if isinstance(self._stream, str) else self._stream
        if stream is None or stream.closed:
            message = "it is not open"
            raise ValueError(message)
        # What the program has printed so far comes first, and what a buffer has kept of an earlier attempt.
        _flush(stream, deadline)
        return getattr(stream, "buffer", stream) if isinstance(stream, io.TextIOBase) else stream

    def _put(self, stream: IO[Any], unit: list[bytes], deadline: float) -> tuple[int, OSError | None]:
        """Write whole lines; how many the stream has taken, and why not all."""
        lead = b"\n" if self._cut else b""
        taken, error = _offer(stream, lead + b"".join(unit), deadline)
        taken -= len(lead)
        ends = [end for end in accumulate(map(len, unit)) if end <= taken]
        # A stream that fails, and not only stalls, may have taken more than it says.
        stalled = error is None or isinstance(error, BlockingIOError)
        self._cut = not stalled or taken != (ends[-1] if ends else 0)
        return len(ends), error


def _units(lines: list[bytes]) -> Iterator[list[bytes]]:
    unit: list[bytes] = []
    size = 0
    for line in lines:
        if unit and size + len(line) > _UNIT_BYTES:
            yield unit
            unit, size = [], 0
        unit.append(line)
        size += len(line)
    if unit:
        yield unit


def _offer(stream: IO[Any], content: bytes, deadline: float) -> tuple[int, OSError | None]:
    """Write `content`; how many of its bytes the stream has taken, and why not all."""
    if isinstance(stream, io.TextIOBase):
        try:
            stream.write(content.decode())
        except OSError as error:
            return 0, error
        return len(content), None
    taken = 0
    while taken < len(content):
        try:
            # A raw stream may take a part only, and None if it would block.
            count = stream.write(memoryview(content)[taken:]) or 0
        except BlockingIOError as error:
            count = error.characters_written
        except OSError as error:
            return taken, error
        taken += count
        if not count and not _waited(deadline):
            return taken, BlockingIOError(errno.EAGAIN, "the stream takes nothing")
    return taken, None


def _flush(stream: IO[Any], deadline: float) -> None:
    while True:
        try:
            stream.flush()
        except BlockingIOError:
            if not _waited(deadline):
                raise
        else:
            return


def _waited(deadline: float) -> bool:
    """Pause; False once patience is at its end."""
    if time.monotonic() > deadline:
        return False
    time.sleep(_PAUSE_SECONDS)
    return True
