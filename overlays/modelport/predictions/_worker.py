"""One thread per sink: keeps records while the sink is down, offers them again, counts what is lost."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections import deque
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelport.predictions._record import Prediction
    from modelport.predictions._sink import Sink

__all__ = ["MAX_BATCH", "SinkWorker"]

MAX_BATCH = 1000
_FIRST_PAUSE_SECONDS = 0.05
_MAX_PAUSE_SECONDS = 5.0
_MAX_PAUSE_WHEN_FLUSHING_SECONDS = 0.2
_GRACE_SECONDS = 0.1

_logger = logging.getLogger("modelport.predictions")


class SinkWorker:
    """Ships to one sink. Every record offered ends as delivered, dropped or still pending; the three add up."""

    def __init__(self, sink: Sink) -> None:
        self.sink = sink
        self._reset()

    def _reset(self) -> None:
        self._changed = threading.Condition()
        self._buffer: deque[Prediction] = deque()
        self._thread: threading.Thread | None = None
        self._deadline: float | None = None
        self._hurry = 0
        self.delivered = 0
        self.dropped = 0
        self.failures = 0
        self._writing = 0
        self._settled = 0

    @property
    def pending(self) -> int:
        """Records accepted and not yet delivered or dropped."""
        return len(self._buffer)

    def offer(self, records: Sequence[Prediction]) -> None:
        """Take as many of `records` as the buffer has room for; the others are dropped and counted. Never blocks."""
        with self._changed:
            room = 0 if self._deadline is not None else max(0, self.sink.max_buffer - len(self._buffer))
            taken = min(room, len(records))
            self._buffer.extend(islice(records, taken))
            first_loss = taken < len(records) and self.dropped == 0
            self.dropped += len(records) - taken
            self._start()
            self._changed.notify_all()
        if first_loss:
            _logger.warning("sink %s: buffer of %d records is full, dropping", self.sink.name, self.sink.max_buffer)

    def flush(self, deadline: float) -> bool:
        """Wait until everything offered so far is delivered or dropped, or `deadline` (monotonic seconds) passes."""
        with self._changed:
            self._hurry += 1
            self._changed.notify_all()
            goal = self._settled + len(self._buffer)
            try:
                while self._settled < goal and (left := deadline - time.monotonic()) > 0:
                    if self._start():
                        self._changed.wait(left)
                    elif not self._step():
                        break
                return self._settled >= goal
            finally:
                self._hurry -= 1

    def close(self, deadline: float) -> bool:
        """Flush until `deadline`, then drop and count the rest and close the sink. True if nothing was lost by it."""
        clean = self.flush(deadline)
        with self._changed:
            self._deadline = deadline
            thread = self._thread
            self._changed.notify_all()
        if thread is None:
            self._close_sink()
        else:
            # The thread closes the sink as its last act: a sink is never closed under a write in progress.
            thread.join(max(0.0, deadline - time.monotonic()) + _GRACE_SECONDS)
        # What a stuck thread has in hand is left to it: it may still arrive.
        self._give_up(keep=self._writing)
        return clean

    def after_fork(self) -> None:
        """Start afresh in a forked child: the records belong to the parent, the thread stayed there."""
        self._reset()
        self.sink.after_fork()

    def _start(self) -> bool:
        """See to it that the thread runs; False where none can be started, as late in an interpreter's exit."""
        if self._thread is None and self._buffer:
            name = f"modelport-sink-{self.sink.name}"
            thread = threading.Thread(target=self._run, name=name, daemon=True)
            try:
                thread.start()
            except RuntimeError:
                return False
            self._thread = thread
        return self._thread is not None

    def _run(self) -> None:
        pause = _FIRST_PAUSE_SECONDS
        while self._wait():
            if self._step():
                pause = _FIRST_PAUSE_SECONDS
                continue
            with self._changed:
                if self._deadline is not None:
                    break
                longest = _MAX_PAUSE_WHEN_FLUSHING_SECONDS if self._hurry else _MAX_PAUSE_SECONDS
                # Jitter keeps many replicas from knocking at a collector that comes back at the same moment.
                self._sleep(min(pause, longest) * random.uniform(0.5, 1.0))  # noqa: S311 - not for secrets
            pause = min(pause * 2, _MAX_PAUSE_SECONDS)
        self._give_up(keep=0)
        self._close_sink()

    def _wait(self) -> bool:
        with self._changed:
            while not self._buffer:
                if self._deadline is not None:
                    return False
                self._changed.wait()
            return True

    def _sleep(self, seconds: float) -> None:
        """Sleep with the lock given up; a flush or a close that begins meanwhile cuts it short."""
        end = time.monotonic() + seconds
        hurry = self._hurry
        while self._deadline is None and self._hurry <= hurry and (left := end - time.monotonic()) > 0:
            self._changed.wait(left)

    def _step(self) -> bool:
        """Offer one batch to the sink; False if it is out of reach."""
        with self._changed:
            batch = list(islice(self._buffer, MAX_BATCH))
            self._writing = len(batch)
        try:
            return self._write(batch)
        finally:
            self._writing = 0

    def _write(self, batch: list[Prediction]) -> bool:
        try:
            self.sink.write(batch)
        except OSError as error:
            self._failed(error)
            return False
        except Exception as error:  # noqa: BLE001 - a sink is foreign code, and its thread must outlive it
            self._failed(error)
            if len(batch) > 1:
                return all(self._write([record]) for record in batch)
            self._settle(1, delivered=False)
            return True
        self._settle(len(batch), delivered=True)
        return True

    def _give_up(self, keep: int) -> None:
        with self._changed:
            left = max(0, len(self._buffer) - keep)
            for _ in range(left):
                self._buffer.pop()
            self.dropped += left
            self._settled += left
        if left:
            _logger.warning("sink %s: %d records were not delivered before closing", self.sink.name, left)

    def _settle(self, count: int, *, delivered: bool) -> None:
        with self._changed:
            for _ in range(count):
                self._buffer.popleft()
            self._writing -= count
            self._settled += count
            if delivered:
                self.delivered += count
            else:
                self.dropped += count
            self._changed.notify_all()

    def _failed(self, error: Exception) -> None:
        self.failures += 1
        if self.failures & (self.failures - 1) == 0:
            # At powers of two only: an outage of a day must not write a day of log lines.
            _logger.warning("sink %s: attempt failed (%d so far): %r", self.sink.name, self.failures, error)

    def _close_sink(self) -> None:
        try:
            self.sink.close()
        except Exception as error:  # noqa: BLE001 - closing must go on to the other sinks
            _logger.warning("sink %s: closing failed: %r", self.sink.name, error)
