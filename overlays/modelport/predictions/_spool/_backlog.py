"""What one sink has still to take from the disk."""

from __future__ import annotations

import logging
from typing import IO, TYPE_CHECKING, cast

from modelport.predictions._frame_file import HEAD_BYTES, iter_frames
from modelport.predictions._spool._cursor import Position

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from modelport.predictions._frame import Frame
    from modelport.predictions._spool._run import Run

__all__ = ["RunReader", "SinkBacklog"]

_logger = logging.getLogger("modelport.predictions")


class _Limited:
    """The part of a file that is known to be whole."""

    def __init__(self, file: IO[bytes], left: int | None) -> None:
        self._file = file
        self._left = left

    def read(self, size: int) -> bytes:
        if self._left is None:
            return self._file.read(size)
        data = self._file.read(min(size, self._left))
        self._left -= len(data)
        return data


class RunReader:
    """Reads the frames of one run for one sink, from its cursor on.

    Attributes:
        run: Where they are.
    """

    def __init__(
        self,
        run: Run,
        sink: str,
        end: Callable[[], Position],
        records: Callable[[], int],
        passed: Callable[[], None],
    ) -> None:
        """Prepare to read.

        Args:
            run: Where the frames are.
            sink: The name its cursor goes by.
            end: Up to where they are whole, at this moment.
            records: How many records there are up to there, from the cursor as it is now.
            passed: Called when the cursor has moved.
        """
        self.run = run
        self._cursor = run.cursors[sink]
        self._end = end
        self._records = records
        self._passed = passed
        self._next = self._cursor.position
        self._scanned_to = self._next
        self._frames: Iterator[tuple[Position, Frame]] | None = None
        self._held: tuple[Position, Frame] | None = None
        self._in_hand = 0
        self._taken = 0

    @property
    def pending(self) -> int:
        """Records left; at least 1 while anything is, even if it is only damage."""
        return 0 if self._cursor.position >= self._end() else max(1, self._records() - self._taken)

    def read(self, records: int) -> list[Frame]:
        """The next frames, of together at most `records` records, but at least one if there is any.

        Raises:
            OSError: A file cannot be read now; nothing is passed over.
        """
        frames: list[Frame] = []
        while (item := self._peek(quietly=bool(frames))) is not None:
            after, frame = item
            records -= frame.count
            if frames and records < 0:
                break
            frames.append(frame)
            self._in_hand += frame.count
            self._held = None
            self._next = after
        if not frames and self._next < self._scanned_to:
            # Nothing but damage, or the turn to another segment, lies between.
            self._next = self._scanned_to
            self.advance()
        return frames

    def advance(self) -> None:
        """Pass what `read` gave."""
        self._taken += self._in_hand
        self._in_hand = 0
        if self._next != self._cursor.position:
            self._cursor.move(self._next)
            self._passed()

    def _peek(self, *, quietly: bool) -> tuple[Position, Frame] | None:
        """The next frame; with `quietly`, None too where it cannot be read, as the frames before it come first."""
        if self._held is None:
            if self._frames is None:
                self._scanned_to = self._end()
                self._frames = self._scan(self._next, self._scanned_to)
            try:
                self._held = next(self._frames, None)
            except OSError:
                # The scan has ended with it, which must not be taken for the end of what there is.
                self._frames = None
                if not quietly:
                    raise
                return None
            if self._held is None:
                self._frames = None
        return self._held

    def _scan(self, start: Position, end: Position) -> Iterator[tuple[Position, Frame]]:
        for number in range(start.segment, end.segment + 1):
            begin = start.offset if number == start.segment else 0
            try:
                file = self.run.segment(number).open("rb")
            except FileNotFoundError:
                # Not made yet, or removed by hand. No other error: a process without a free descriptor, say, must not
                # take what it cannot open for shipped.
                continue
            with file:
                file.seek(begin)
                whole = _Limited(file, end.offset - begin if number == end.segment else None)
                for offset, frame in iter_frames(cast("IO[bytes]", whole), on_error=self._damaged):
                    yield Position(number, begin + offset + HEAD_BYTES + len(frame.payload)), frame

    def _damaged(self, offset: int, error: Exception) -> None:
        _logger.warning("spool %s: damage passed over at byte %d: %s", self.run.path.name, offset, error)


class SinkBacklog:
    """All runs that this process ships from, for one sink: its own, and those of dead processes."""

    def __init__(self) -> None:
        # By run, as threads of all sinks come and go here: each of these calls is one step of the interpreter.
        self._readers: dict[Run, RunReader] = {}
        self._reading: RunReader | None = None

    def add(self, reader: RunReader) -> None:
        """Ship from `reader` as well."""
        self._readers[reader.run] = reader

    def leave(self, run: Run) -> None:
        """Ship from `run` no longer."""
        self._readers.pop(run, None)

    @property
    def pending(self) -> int:
        """Records in it."""
        return sum(reader.pending for reader in tuple(self._readers.values()))

    def read(self, records: int) -> list[Frame]:
        """See `Backlog`."""
        for reader in tuple(self._readers.values()):
            frames = reader.read(records)
            if frames:
                self._reading = reader
                return frames
        return []

    def advance(self) -> None:
        """See `Backlog`."""
        if self._reading is not None:
            self._reading.advance()
            self._reading = None
