"""What a sink has not taken yet: in memory, bounded in records and in bytes, or on disk."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from modelport.predictions._frame import Frame

__all__ = ["Backlog", "FrameBuffer"]


class Backlog(Protocol):
    """Frames on disk that one sink has still to take."""

    @property
    def pending(self) -> int:
        """Records in it."""
        ...

    def read(self, records: int) -> list[Frame]:
        """The next frames, of together at most `records` records, but at least one; the same until `advance`."""
        ...

    def advance(self) -> None:
        """Pass what `read` gave last, for good."""
        ...


class FrameBuffer:
    """Frames in the order they came. Not safe by itself: its owner holds a lock.

    Attributes:
        records: Records in it.
        size_bytes: Bytes of their payloads.
    """

    def __init__(self, max_records: int, max_bytes: int) -> None:
        self._frames: deque[Frame] = deque()
        self._max_records = max_records
        self._max_bytes = max_bytes
        self.records = 0
        self.size_bytes = 0

    def put(self, frame: Frame) -> int:
        """Take as many records of `frame`, from its first, as there is room for, and say how many."""
        room = self._max_records - self.records
        if room <= 0 or (self._frames and self.size_bytes + len(frame.payload) > self._max_bytes):
            return 0
        if frame.count > room:
            frame = frame.head(room)
        self._frames.append(frame)
        self.records += frame.count
        self.size_bytes += len(frame.payload)
        return frame.count

    def peek(self, records: int) -> list[Frame]:
        """The first frames, of together at most `records` records, but at least one."""
        found: list[Frame] = []
        for frame in self._frames:
            records -= frame.count
            if found and records < 0:
                break
            found.append(frame)
        return found

    def pass_over(self, frames: int) -> None:
        """Forget the first `frames` frames."""
        for _ in range(min(frames, len(self._frames))):
            self._forget(self._frames.popleft())

    def drop_all_but(self, keep: int) -> int:
        """Forget what lies behind the first `keep` records (as whole frames), and say how many records that were."""
        dropped = 0
        while self._frames and self.records > keep:
            frame = self._frames.pop()
            self._forget(frame)
            dropped += frame.count
        return dropped

    def _forget(self, frame: Frame) -> None:
        self.records -= frame.count
        self.size_bytes -= len(frame.payload)
