"""What one sink has still to take from the disk."""

from __future__ import annotations

import logging
from typing import IO, TYPE_CHECKING, Protocol, cast

from modelport.predictions._frame_file import HEAD_BYTES, iter_frames
from modelport.predictions._spool._cursor import Position

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from modelport.predictions._frame import Frame
    from modelport.predictions._spool._run import Run

__all__ = ["Left", "RunReader", "SinkBacklog", "Written"]

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


class Written(Protocol):
    """What there is to read for one sink, from its cursor on as that was at first."""

    @property
    def end(self) -> Position:
        """Up to where frames are whole, at this moment."""
        ...

    @property
    def records(self) -> int:
        """Records up to there."""
        ...

    def records_in(self, segment: int) -> int:
        """Those of them in one segment that the sink has not passed."""
        ...

    def restore(self) -> None:
        """Put back what somebody has removed, as far as that can be done.

        Raises:
            OSError: Not now.
        """
        ...


class Left:
    """What a dead process has left: it grows no more, and what is removed is gone."""

    def __init__(self, end: Position) -> None:
        self.end = end
        self.records = 0
        self._by_segment: dict[int, int] = {}

    def add(self, segment: int, records: int) -> None:
        """Count records that have been found."""
        self.records += records
        self._by_segment[segment] = self.records_in(segment) + records

    def records_in(self, segment: int) -> int:
        """See `Written`."""
        return self._by_segment.get(segment, 0)

    def restore(self) -> None:
        """See `Written`."""


class RunReader:
    """Reads the frames of one run for one sink, from its cursor on.

    Attributes:
        run: Where they are.
    """

    def __init__(
        self, run: Run, sink: str, written: Written, passed: Callable[[], None], lost: Callable[[str, int], None]
    ) -> None:
        """Prepare to read.

        Args:
            run: Where the frames are.
            sink: The name its cursor goes by.
            written: What there is to read.
            passed: Called when the cursor has moved.
            lost: Called with the sink and a number of records that are gone from the disk before it had them.
        """
        self.run = run
        self._sink = sink
        self._cursor = run.cursors[sink]
        self._written = written
        self._passed = passed
        self._lost = lost
        self._next = self._cursor.position
        self._scanned_to = self._next
        self._frames: Iterator[tuple[Position, Frame]] | None = None
        self._held: tuple[Position, Frame] | None = None
        self._in_hand = 0
        self._taken = 0
        # Read of the segment in which `_next` lies.
        self._of_segment = 0
        self._gone: set[int] = set()

    @property
    def pending(self) -> int:
        """Records left; at least 1 while anything is, even if it is only damage."""
        return 0 if self._cursor.position >= self._written.end else max(1, self._written.records - self._taken)

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
            self._of_segment = frame.count + (self._of_segment if after.segment == self._next.segment else 0)
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
                self._scanned_to = self._written.end
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
            if Position(number, begin) >= end:
                # Not made yet, or nothing new in it.
                return
            file = self._opened(number)
            if file is None:
                continue
            with file:
                file.seek(begin)
                whole = _Limited(file, end.offset - begin if number == end.segment else None)
                for offset, frame in iter_frames(cast("IO[bytes]", whole), on_error=self._damaged):
                    yield Position(number, begin + offset + HEAD_BYTES + len(frame.payload)), frame

    def _opened(self, number: int) -> IO[bytes] | None:
        """A segment, put back if need be; None if somebody has removed it for good.

        No other error means that: a process without a free descriptor, say, must not take what it cannot open for
        shipped.
        """
        path = self.run.segment(number)
        try:
            return path.open("rb")
        except FileNotFoundError:
            self._written.restore()
        try:
            return path.open("rb")
        except FileNotFoundError:
            self._lose(number)
            return None

    def _lose(self, number: int) -> None:
        if number in self._gone:
            return
        # A scan that an error has ended comes by again.
        self._gone.add(number)
        records = self._written.records_in(number) - (self._of_segment if number == self._next.segment else 0)
        self._taken += records
        _logger.warning(
            "spool: %s is gone, and with it %d records for %s", self.run.segment(number), records, self._sink
        )
        self._lost(self._sink, records)

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
