"""The one thread that empties the queue between the request path and everything else."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, cast

from modelport.predictions._background import BackgroundThread
from modelport.predictions._batches import expand
from modelport.predictions._delivery import told
from modelport.predictions._drops import Drops
from modelport.predictions._gate import Gate
from modelport.predictions._gently import MAX_STEP, pause, step_size
from modelport.predictions._queued import Batch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from modelport.predictions._queued import Queued, Single

__all__ = ["Drain"]

_REASONS = ("queue_full", "encode_error", "closed")

_logger = logging.getLogger("modelport.predictions")


class Drain:
    """Takes what waits behind a `Gate` and hands it to `process`, record by record, in a thread of its own.

    The thread starts with the first permit that is asked for. It wakes each `interval`, or when the queue is half full.
    """

    def __init__(
        self,
        process: Callable[[list[Single]], None],
        max_queue: int,
        interval: float,
        ids: Callable[[], Iterator[str]],
        *,
        stepped: Callable[[], None] = lambda: None,
        idle: Callable[[], None] = lambda: None,
        started: Callable[[], None] = lambda: None,
    ) -> None:
        """Prepare a drain.

        Args:
            process: Takes up to 1000 records. What it raises costs no more than these.
            max_queue: Records that may wait.
            interval: Seconds between two looks at the queue.
            ids: Makes an endless supply of ids.
            stepped: Called after each step.
            idle: Called by the thread at each look at the queue.
            started: Called when the thread has been started, in the thread that has logged.
        """
        self._process = process
        self._stepped = stepped
        self._idle = idle
        self._started = started
        self._pressing = max_queue // 4
        self._interval = interval
        self._renew()
        self.gate = Gate(max_queue, ids, self._wake_up, self.drops)

    @property
    def closed(self) -> bool:
        """Whether records are refused."""
        return self.gate.closed

    def reset(self) -> None:
        """Begin with an empty queue and no thread, in a forked child."""
        self._renew()
        self.gate.reset(self.drops)

    def dropped(self) -> dict[str, int]:
        """Records lost before any sink saw them, by reason."""
        counts = self.drops.counts()
        if self._finished:
            # Threads that had their permit before the gate closed and appended after the last step.
            counts["closed"] += self.gate.waiting
        return counts

    def flush(self, deadline: float) -> bool:
        """Process, in the caller's thread, what is queued now; False if `deadline` (monotonic seconds) came first.

        It needs no thread, so it also works at the interpreter's exit and in a forked child.
        """
        left: int | None = None
        while left is None or left > 0:
            # With the lock in hand, as a step of the thread may be under way, whose records are queued no more.
            if not self._draining.acquire(timeout=max(0.0, deadline - time.monotonic())):
                return False
            try:
                if self._drainer:
                    # A signal handler has interrupted this very method; it cannot wait for itself.
                    return False
                left = len(self.gate.queue) if left is None else min(left, len(self.gate.queue))
                if left and time.monotonic() > deadline:
                    return False
                left -= self._step() if left else 0
            finally:
                self._draining.release()
        return True

    def close(self, deadline: float) -> bool:
        """Refuse new records, flush, and stop the thread."""
        self.gate.close()
        self.flush(deadline)
        self._wake.put(None)
        if self._thread is not None:
            self._thread.wait(deadline)
        # A thread that had its permit before the gate closed may have appended since.
        done = self.flush(deadline)
        self._finished = True
        return done

    def _renew(self) -> None:
        self.drained = 0
        self.drops = Drops(*_REASONS)
        # A SimpleQueue and not an Event: its put may be called again from a signal handler that interrupts it.
        self._wake: SimpleQueue[None] = SimpleQueue()
        self._woken = False
        self._start_lock = threading.RLock()
        # Reentrant, so that a signal handler finds out that it has interrupted a step instead of waiting for itself.
        self._draining = threading.RLock()
        self._drainer = 0
        self._finished = False
        self._thread: BackgroundThread | None = None

    def _wake_up(self) -> None:
        if self._thread is None:
            self._start()
        elif not self._woken:
            self._woken = True
            self._wake.put(None)

    def _start(self) -> None:
        with self._start_lock:
            if self._thread is not None or self.closed:
                return
            thread = BackgroundThread(self._run, "modelport-drain")
            # Known before it runs: a signal handler that logs while it starts must not start another.
            self._thread = thread
            try:
                thread.start()
            except RuntimeError as error:
                # Late in an interpreter's exit, or out of threads: flush still empties the queue, and the next grant
                # tries again.
                self._thread = None
                _logger.warning("cannot start the drain thread: %s", error)
                return
            self._started()

    def _run(self) -> None:
        while not self.closed:
            with contextlib.suppress(Empty):
                self._wake.get(timeout=self._interval)
            self._woken = False
            # What waits at this moment and no more: beside a steady stream there would always be a little.
            left = self.gate.waiting
            while left > 0 and self.gate.queue and not self.closed:
                size = step_size(left)
                with self._draining:
                    self._step(size)
                if left <= self._pressing:
                    pause()
                left -= size
            self._keep_up(self._idle)

    def _step(self, size: int = MAX_STEP) -> int:
        """Process up to about `size` records; the caller holds the lock. Returns how many entries were taken."""
        self._drainer = threading.get_ident()
        try:
            entries = self.gate.pop(size)
            if entries:
                self._handle(self._singles(entries))
                self._keep_up(self._stepped)
            return len(entries)
        finally:
            self._drainer = 0

    def _handle(self, records: list[Single]) -> None:
        for start in range(0, len(records), MAX_STEP):
            step = records[start : start + MAX_STEP]
            try:
                self._process(step)
            except BaseException as error:
                # Whatever it is, this thread must go on: nobody else empties the queue.
                passed_on = self._is_callers(error)
                self.drops.add("encode_error", len(records) - start if passed_on else len(step), error)
                if passed_on:
                    raise

    def _singles(self, entries: list[Queued]) -> list[Single]:
        """Batches taken apart; one that refuses is lost alone."""
        if Batch not in set(map(type, entries)):
            return cast("list[Single]", entries)
        records: list[Single] = []
        for entry in entries:
            if not isinstance(entry, Batch):
                records.append(entry)
                continue
            try:
                records += list(expand(entry))
            except BaseException as error:
                self.drops.add("encode_error", len(entry.ids), error)
                if self._is_callers(error):
                    raise
        return records

    def _keep_up(self, task: Callable[[], None]) -> None:
        try:
            task()
        except BaseException as error:
            if self._is_callers(error):
                raise
            _logger.warning("upkeep of predictions failed: %s", told(error))

    def _is_callers(self, error: BaseException) -> bool:
        """Whether it is meant for whoever called `flush`, as Ctrl-C is, or a signal handler's `sys.exit`."""
        return isinstance(error, (KeyboardInterrupt, SystemExit)) and threading.current_thread() is not self._thread
