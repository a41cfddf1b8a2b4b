"""Predictions as lines of JSON on a stream, for collectors that read a container's output."""

from __future__ import annotations

import errno
import io
import sys
import time
from typing import IO, TYPE_CHECKING, Any, Literal, cast

from modelport.predictions._record import to_json_line
from modelport.predictions._sink import DEFAULT_MAX_BUFFER, Sink

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelport.predictions._record import Record

__all__ = ["StdoutSink", "StreamGoneError"]

_PATIENCE_SECONDS = 5.0
_PAUSE_SECONDS = 0.01
_GONE = {errno.EPIPE, errno.EBADF}


class StreamGoneError(RuntimeError):
    """Nobody reads the stream any more. Final: the records are dropped and counted."""


class StdoutSink(Sink):
    """Write predictions as lines of JSON to standard output, standard error or any other stream.

    A batch is written and flushed in one go, so that lines of other writers of the stream fall between its lines at
    most where the operating system splits it (a pipe keeps 4096 bytes together). A line that could not be finished
    is ended before the next one.
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
        self._cut = False

    def write(self, records: Sequence[Record]) -> None:
        """Write `records`.

        Raises:
            OSError: The disk behind a redirection is full, or a pipe that does not block stays full for 5 seconds.
            StreamGoneError: The stream is closed, or its reader is gone.
        """
        lines = b"".join(map(to_json_line, records))
        stream = self._open_stream()
        try:
            self._put(stream, b"\n" + lines if self._cut else lines)
        except ValueError as error:
            message = f"the stream is closed: {error}"
            raise StreamGoneError(message) from error
        except OSError as error:
            self._cut = True
            if error.errno in _GONE:
                message = "nobody reads the stream any more"
                raise StreamGoneError(message) from error
            raise
        self._cut = False

    def _open_stream(self) -> IO[Any]:
        # Programs replace them, and a program without a console has None.
        stream: IO[Any] | None = getattr(sys, self._stream) if isinstance(self._stream, str) else self._stream
        if stream is None or stream.closed:
            message = "the stream is closed"
            raise StreamGoneError(message)
        return stream

    def _put(self, stream: IO[Any], lines: bytes) -> None:
        if isinstance(stream, io.TextIOBase):
            binary = getattr(stream, "buffer", None)
            if binary is None:
                stream.write(lines.decode())
                stream.flush()
                return
            # What the program has printed so far comes first.
            stream.flush()
            stream = cast("IO[bytes]", binary)
        _write_all(stream, lines)


def _write_all(stream: IO[bytes], lines: bytes) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    rest = memoryview(lines)
    while True:
        try:
            while rest:
                # A raw stream may take a part only, and None if it would block.
                rest = rest[stream.write(rest) or 0 :]
                _give_up_after(deadline)
            stream.flush()
        except BlockingIOError as error:
            rest = rest[error.characters_written :]
            if time.monotonic() > deadline:
                raise
            time.sleep(_PAUSE_SECONDS)
        else:
            return


def _give_up_after(deadline: float) -> None:
    if time.monotonic() > deadline:
        raise BlockingIOError(errno.EAGAIN, "the stream takes nothing", 0)
