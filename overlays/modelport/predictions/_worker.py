"""One thread per sink: keeps records while the sink is down, offers them again, counts what is lost."""

from __future__ import annotations

import contextlib
import logging
import random
import threading
import time
from typing import TYPE_CHECKING

from modelport.predictions._background import BackgroundThread
from modelport.predictions._buffer import FrameBuffer
from modelport.predictions._delivery import hand_over, told
from modelport.predictions._gently import MAX_STEP, pause, step_size

if TYPE_CHECKING:
    from collections.abc import Generator

    from modelport.predictions._buffer import Backlog
    from modelport.predictions._frame import Frame
    from modelport.predictions._sink import Sink

__all__ = ["SinkWorker"]

_FIRST_PAUSE_SECONDS = 0.05
_MAX_PAUSE_SECONDS = 5.0
_MAX_PAUSE_WHEN_FLUSHING_SECONDS = 0.2
_GRACE_SECONDS = 0.1

_logger = logging.getLogger("modelport.predictions")


class SinkWorker:
    """Ships to one sink. Every record offered ends as delivered, dropped or still pending; the three add up.

    Records come from memory (`offer`) and, with a spool, from a `backlog` on disk, whose records are only passed when
    the sink has taken or refused them.
    """

    def __init__(self, sink: Sink) -> None:
        self.sink = sink
        self._reset()

    def _reset(self) -> None:
        self._changed = threading.Condition()
        self._memory = FrameBuffer(self.sink.max_buffer, self.sink.max_buffer_bytes)
        self._backlog: Backlog | None = None
        self._thread: BackgroundThread | None = None
        self._deadline: float | None = None
        self._hurry = 0
        self.delivered = 0
        self.dropped = 0
        self.failures = 0
        # Delivered, refused or given up; not those there was never room for.
        self._settled = 0
        # The frames being offered, from which source, and how many of their records have been counted one by one.
        self._batch: list[Frame] = []
        self._batch_records = 0
        self._done = 0
        self._from_backlog = False
        self._sink_closed = False
        self._left_behind = False

    @property
    def pending(self) -> int:
        """Records accepted and not yet delivered or dropped."""
        backlog = 0 if self._backlog is None else self._backlog.pending
        return self._memory.records + backlog - self._done

    def attach(self, backlog: Backlog) -> None:
        """Ship from `backlog` as well."""
        with self._changed:
            self._backlog = backlog
        self.notify()

    def offer(self, frame: Frame) -> None:
        """Take as many records of `frame` as the buffer has room for; others are dropped, counted. Never blocks."""
        with self._changed:
            taken = 0 if self._deadline is not None else self._memory.put(frame)
            first_loss = taken < frame.count and self.dropped == 0
            self.dropped += frame.count - taken
            self._start()
            self._changed.notify_all()
        if first_loss:
            _logger.warning("sink %s: buffer of %d records is full, dropping", self.sink.name, self.sink.max_buffer)

    def notify(self) -> None:
        """Look at the backlog: it may have grown."""
        with self._changed:
            if self._has_more() and self._deadline is None:
                self._start()
                self._changed.notify_all()

    def lose(self, records: int) -> None:
        """Count records of the backlog that somebody has removed from the disk."""
        with self._changed:
            self.dropped += records
            self._settled += records
            self._changed.notify_all()

    @contextlib.contextmanager
    def hurried(self) -> Generator[None]:
        """Do not pause for long between attempts: somebody waits for a flush, perhaps of another sink first."""
        with self._changed:
            self._hurry += 1
            self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._hurry -= 1

    def flush(self, deadline: float) -> bool:
        """Wait until everything offered so far is delivered or dropped, or `deadline` (monotonic seconds) passes."""
        with self.hurried(), self._changed:
            goal = self._settled + self.pending
            while self._settled < goal and self._has_more() and (left := deadline - time.monotonic()) > 0:
                if self._start():
                    self._changed.wait(left)
                elif self._sink_closed or not self._step():
                    break
            return self._settled >= goal or not self._has_more()

    def close(self, deadline: float) -> bool:
        """Flush until `deadline`, drop and count what is left in memory, and close the sink.

        Returns:
            True if everything was delivered or refused, and the sink leaves nothing behind. What is left in the spool
            is not lost.
        """
        clean = self.flush(deadline)
        with self._changed:
            self._deadline = deadline
            thread = self._thread
            self._changed.notify_all()
        # What a stuck thread has in hand is left to it: it may still arrive. And it closes the sink as its last act,
        # as a sink is never closed under a write in progress.
        stuck = thread is not None and not thread.wait(max(deadline, time.monotonic()) + _GRACE_SECONDS)
        self._give_up(all_of_it=not stuck)
        if not stuck:
            self._close_sink()
        return clean and not stuck and not self._left_behind

    def after_fork(self) -> None:
        """Start afresh in a forked child: the records belong to the parent, the thread stayed there."""
        self._reset()
        try:
            self.sink.after_fork()
        except Exception as error:  # noqa: BLE001 - a sink is foreign code, and the other sinks must go on
            _logger.warning("sink %s: going on after a fork failed: %s", self.sink.name, told(error))

    def _start(self) -> bool:
        """See to it that the thread runs; False where none can be started, as late in an interpreter's exit."""
        alive = self._thread is not None and not self._thread.ended
        if not alive and self._deadline is None and self._has_more():
            thread = BackgroundThread(self._run, f"modelport-sink-{self.sink.name}")
            try:
                thread.start()
            except RuntimeError:
                return False
            self._thread = thread
            alive = True
        return alive

    def _run(self) -> None:
        wait = _FIRST_PAUSE_SECONDS
        while self._wait():
            if self._step():
                wait = _FIRST_PAUSE_SECONDS
                if not self._hurry and self._deadline is None and self.pending <= self.sink.max_buffer // 4:
                    pause()
                continue
            with self._changed:
                if self._deadline is not None:
                    break
                longest = _MAX_PAUSE_WHEN_FLUSHING_SECONDS if self._hurry else _MAX_PAUSE_SECONDS
                # Jitter keeps many replicas from knocking at a collector that comes back at the same moment.
                self._sleep(min(wait, longest) * random.uniform(0.5, 1.0))  # noqa: S311 - not for secrets
            wait = min(wait * 2, _MAX_PAUSE_SECONDS)
        self._give_up(all_of_it=True)
        self._close_sink()

    def _wait(self) -> bool:
        with self._changed:
            while True:
                more = self._has_more()
                if self._deadline is not None and (not more or time.monotonic() > self._deadline):
                    return False
                if more:
                    return True
                self._changed.wait()

    def _sleep(self, seconds: float) -> None:
        """Sleep with the lock given up; a flush or a close that begins meanwhile cuts it short."""
        end = time.monotonic() + seconds
        hurry = self._hurry
        while self._deadline is None and self._hurry <= hurry and (left := end - time.monotonic()) > 0:
            self._changed.wait(left)

    def _has_more(self) -> bool:
        return self._memory.records > 0 or (self._backlog is not None and self._backlog.pending > 0)

    def _step(self) -> bool:
        """Offer one batch to the sink; False if it is out of reach."""
        try:
            if frames := self._next():
                self._write(frames)
        except OSError as error:
            # The sink's, or of the spool's disk, or no descriptor is free: it may be better later.
            self._failed(error)
            return False
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt) and threading.current_thread() is not self._thread:
                # Meant for whoever is flushing.
                raise
            # This thread must go on, as nobody else ships to this sink; what is in hand would only fail again.
            self._failed(error)
            if not self._batch:
                return False
            self._settle(0)
        with self._changed:
            # What was left of the backlog may have been only damage.
            self._changed.notify_all()
        return True

    def _next(self) -> list[Frame]:
        """The batch in hand, or the next one: from memory first, as that is what a crash would lose."""
        if self._batch:
            return self._batch
        with self._changed:
            size = MAX_STEP if self._hurry or self._deadline is not None else step_size(self.pending)
            self._from_backlog = self._memory.records == 0
            frames = self._memory.peek(size)
        if self._from_backlog and self._backlog is not None:
            frames = self._backlog.read(size)
        with self._changed:
            self._batch = frames
            self._batch_records = sum(frame.count for frame in frames)
        return frames

    def _write(self, frames: list[Frame]) -> None:
        try:
            delivered = hand_over(self.sink, frames, self._done, self._failed, self._settle_one)
        finally:
            for frame in frames:
                # Only the bytes are kept, for this sink while it is down and for others that are.
                frame.forget()
        self._settle(delivered)

    def _settle_one(self, taken: int) -> None:
        """Pass a record of the batch that was offered by itself: 1 if it was taken, 0 if it is lost."""
        with self._changed:
            self._done += 1
            self.delivered += taken
            self.dropped += 1 - taken
            self._settled += 1
            self._changed.notify_all()

    def _settle(self, delivered: int) -> None:
        """Pass the batch: `delivered` records more have arrived, some were counted before, the rest is lost."""
        with self._changed:
            left = self._batch_records - self._done
            self.delivered += delivered
            self.dropped += left - delivered
            self._settled += left
            if not self._from_backlog:
                self._memory.pass_over(len(self._batch))
            elif self._backlog is not None:
                self._backlog.advance()
            self._batch, self._batch_records, self._done = [], 0, 0
            self._changed.notify_all()

    def _give_up(self, *, all_of_it: bool) -> None:
        """Drop what is in memory, but for what a thread has in hand: that may still arrive."""
        with self._changed:
            in_hand = 0 if self._from_backlog else self._batch_records
            keep = 0 if all_of_it else in_hand
            left = self._memory.drop_all_but(keep)
            if not keep and in_hand:
                left -= self._done
                self._batch, self._batch_records, self._done = [], 0, 0
            self.dropped += left
            self._settled += left
        if left:
            _logger.warning("sink %s: %d records were not delivered before closing", self.sink.name, left)

    def _failed(self, error: BaseException) -> None:
        self.failures += 1
        if self.failures & (self.failures - 1) == 0:
            # At powers of two only: an outage of a day must not write a day of log lines.
            _logger.warning("sink %s: attempt failed (%d so far): %s", self.sink.name, self.failures, told(error))

    def _close_sink(self) -> None:
        # Once, though a signal handler may close again what this thread is closing.
        with self._changed:
            if self._sink_closed:
                return
            self._sink_closed = self._left_behind = True
        try:
            self._left_behind = self.sink.close() is False
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - closing must go on to the other sinks
            _logger.warning("sink %s: closing failed: %s", self.sink.name, told(error))
