"""Appending to the segments of a run, whole or not at all."""

from __future__ import annotations

import errno
import logging
import os
import threading
from typing import TYPE_CHECKING

from modelport._files import append_whole, is_there, restore_file, sync_directories
from modelport.predictions._spool._cursor import Position
from modelport.predictions._spool._run import open_segment

if TYPE_CHECKING:
    from collections.abc import Collection

    from modelport.predictions._spool._run import Run

__all__ = ["SpoolFullError", "Writer"]

_logger = logging.getLogger("modelport.predictions")

# Not on macOS.
_sync = getattr(os, "fdatasync", os.fsync)


class SpoolFullError(Exception):
    """The spool holds as much as it may."""


class Writer:
    """Appends to a run of this process.

    Attributes:
        records: Records written.
        segment_bytes: Bytes after which another segment follows.
    """

    def __init__(
        self, run: Run, *, max_bytes: int, segment_bytes: int, sync: bool, beside: Collection[Run] = ()
    ) -> None:
        """Prepare to write to `run`; what lies in the runs `beside` counts against `max_bytes` too."""
        # Reentrant: in mode "record" a signal handler may log while its thread is writing.
        self._lock = threading.RLock()
        self._run = run
        self._max_bytes = max_bytes
        self._beside = beside
        # Room comes back by whole segments, so one must not be all there is.
        self.segment_bytes = min(segment_bytes, max(1, max_bytes // 4))
        self._sync = sync
        self._descriptor = -1
        self._written_bytes = 0
        self._spoilt = False
        self._closed = False
        self._number = 0
        self._offset = 0
        # Records in each segment that another has followed, and in all of them.
        self._finished: dict[int, int] = {}
        self._finished_records = 0
        self.records = 0

    @property
    def used_bytes(self) -> int:
        """Bytes on disk, ours and those taken over."""
        beside = sum(run.left_bytes for run in tuple(self._beside))
        return self._written_bytes - self._run.freed_bytes + beside

    @property
    def end(self) -> Position:
        """Where the next write begins. Everything before it is whole, so readers go so far and no further."""
        while True:
            number, offset = self._number, self._offset
            if number == self._number:
                # No turn to another segment came between the two.
                return Position(number, offset)

    def append(self, content: bytes, records: int) -> None:
        """Append a frame.

        Raises:
            SpoolFullError: There is no room left by our own measure.
            OSError: There is none by the disk's; nothing is left of the frame.
        """
        with self._lock:
            if self._closed:
                raise OSError("the spool is closed")
            # No lock for what is freed: the thread that frees it may be waited for by a signal handler, which has
            # interrupted this very method in its own thread.
            used = self._written_bytes - self._run.freed_bytes + len(content)
            if used > self._max_bytes or (self._beside and self.used_bytes + len(content) > self._max_bytes):
                raise SpoolFullError
            descriptor = self._segment()
            try:
                # The next write goes to the new end: the descriptor appends.
                append_whole(descriptor, content, self._offset, _sync if self._sync else None)
            except BaseException:
                # Half a frame stays at the end of this segment; what follows goes into another.
                self._spoilt = os.fstat(descriptor).st_size != self._offset
                raise
            self._written_bytes += len(content)
            self.records += records
            self._offset += len(content)

    def records_in(self, segment: int) -> int:
        """Records written to a segment that not all sinks have passed."""
        finished = self._finished.get(segment)
        return self.records - self._finished_records if finished is None else finished

    def restore(self) -> None:
        """Make the open segment again, with all that is in it, if somebody has removed it.

        Raises:
            OSError: It cannot be made; ``BlockingIOError`` while another thread writes.
        """
        # Without waiting: the thread that writes may be the one that waits for ours, in a signal handler.
        if not self._lock.acquire(blocking=False):
            raise BlockingIOError(errno.EAGAIN, "another thread is writing")
        try:
            if not self._closed:
                self._restore()
        finally:
            self._lock.release()

    def close(self) -> None:
        """Close the segment, for good."""
        with self._lock:
            self.forget()

    def forget(self) -> None:
        """As `close`, in a forked child, where the lock may be held by a thread that is not there."""
        self._closed = True
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _segment(self) -> int:
        if self._descriptor < 0:
            self._restore()
            self._descriptor = self._opened(self._number)
        elif self._spoilt or self._offset >= self.segment_bytes:
            # The last moment: once it is closed, what somebody has removed is gone.
            self._restore()
            descriptor = self._opened(self._number + 1)
            os.close(self._descriptor)
            self._descriptor = descriptor
            self._spoilt = False
            self._finish_segment()
            # In this order: a reader that comes between finds the old segment's beginning, which is too little.
            self._offset = 0
            self._number += 1
        return self._descriptor

    def _finish_segment(self) -> None:
        sizes = self._run.sizes
        sizes[self._number] = self._offset
        kept = {number: records for number, records in self._finished.items() if number in sizes}
        self._finished = {**kept, self._number: self.records_in(self._number)}
        self._finished_records = self.records

    def _restore(self) -> None:
        self._run.restore()
        path = self._run.segment(self._number)
        if self._descriptor >= 0 and not is_there(self._descriptor, path):
            restore_file(self._descriptor, path)
            _logger.warning("spool: somebody has removed %s; it is made again", path)

    def _opened(self, number: int) -> int:
        path = self._run.segment(number)
        descriptor = open_segment(path)
        try:
            if self._sync:
                # Up to the spool's own folder: else a power cut takes the file away as a whole.
                sync_directories(path.parent, path.parent.parent.parent)
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor
