"""The bounded queue between the request path and everything else, and the one thread that empties it."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections import Counter, deque
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Drain", "Drops", "QueuedPrediction"]

QueuedPrediction: TypeAlias = tuple[object, object, object, object, object, object]
"""Id, time, features, output, request body, segments: as the caller gave them."""

_MAX_STEP = 1000
"""Records per step. One conversion of 50 000 would hold the interpreter for a tenth of a second."""

_LOG_EVERY_SECONDS = 60.0

_logger = logging.getLogger("modelport.predictions")


class Drops:
    """Exact counts of lost predictions per reason, and one log line a minute about each."""

    def __init__(self, *reasons: str) -> None:
        # Reentrant: a signal handler may log a prediction while this thread is counting one.
        self._lock = threading.RLock()
        self._counts: Counter[str] = Counter(dict.fromkeys(reasons, 0))
        self._told: dict[str, float] = {}

    def add(self, reason: str, count: int = 1, error: BaseException | None = None) -> None:
        """Count `count` lost predictions."""
        with self._lock:
            self._counts[reason] += count
            total = self._counts[reason]
            now = time.monotonic()
            tell = now - self._told.get(reason, -_LOG_EVERY_SECONDS) >= _LOG_EVERY_SECONDS
            if tell:
                self._told[reason] = now
        if tell:
            cause = "" if error is None else f", last: {error!r}"
            _logger.warning("predictions dropped (%s): %d so far%s", reason, total, cause)

    def counts(self) -> dict[str, int]:
        """Lost predictions by reason."""
        with self._lock:
            return dict(self._counts)


class Drain:
    """A deque that request threads append to, emptied in steps by a thread of its own.

    The request path reads `queue` and `soft_limit` and appends; only at the limit does it call `admit`. The limit is
    0 until the thread runs and after closing, half the queue in between, so the usual case is one comparison.
    """

    def __init__(self, process: Callable[[list[QueuedPrediction]], None], max_queue: int, interval: float) -> None:
        self._process = process
        self._max_queue = max_queue
        self._interval = interval
        self.closed = False
        self.reset()

    def reset(self) -> None:
        """Begin with an empty queue and no thread: at first, and in a forked child."""
        self.queue: deque[QueuedPrediction] = deque()
        self.soft_limit = 0
        self.drained = 0
        self.drops = Drops("queue_full", "encode_error", "closed")
        # A SimpleQueue and not an Event: its put may be called again from a signal handler that interrupts it.
        self._wake: SimpleQueue[None] = SimpleQueue()
        self._woken = False
        self._start_lock = threading.Lock()
        self._draining = threading.Lock()
        self._drainer = 0
        self._thread: threading.Thread | None = None

    def admit(self) -> bool:
        """At the soft limit: start or wake the thread, and say whether there is room for one more."""
        if self.closed:
            self.drops.add("closed")
            return False
        if self._thread is None:
            self._start()
        elif not self._woken:
            self._woken = True
            self._wake.put(None)
        if len(self.queue) < self._max_queue:
            return True
        self.drops.add("queue_full")
        return False

    def flush(self, deadline: float) -> bool:
        """Process, in the caller's thread, what is queued now; False if `deadline` (monotonic seconds) came first.

        It needs no thread, so it also works at the interpreter's exit and in a forked child.
        """
        left = len(self.queue)
        while left > 0:
            if self._drainer == threading.get_ident():
                # A signal handler has interrupted this very loop; it cannot wait for itself.
                return False
            if time.monotonic() > deadline or not self._draining.acquire(timeout=max(0.0, deadline - time.monotonic())):
                return False
            try:
                taken = self._step()
            finally:
                self._draining.release()
            left = min(left - taken, len(self.queue))
        # A step of the thread may still be under way; what it took counts as queued when flush began.
        if self._drainer == threading.get_ident() or not self._draining.acquire(
            timeout=max(0.0, deadline - time.monotonic())
        ):
            return False
        self._draining.release()
        return True

    def close(self, deadline: float) -> bool:
        """Refuse new records, flush, and stop the thread."""
        self.closed = True
        self.soft_limit = 0
        self.flush(deadline)
        self._wake.put(None)
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(max(0.0, deadline - time.monotonic()))
        # A thread that had passed the limit's check before it fell may have appended since.
        return self.flush(deadline)

    def _start(self) -> None:
        with self._start_lock:
            if self._thread is not None or self.closed:
                return
            thread = threading.Thread(target=self._run, name="modelport-drain", daemon=True)
            self.soft_limit = max(1, self._max_queue // 2)
            try:
                thread.start()
            except RuntimeError as error:
                # Late in an interpreter's exit, or out of threads: flush still empties the queue, and the next call
                # at the limit tries again.
                _logger.warning("cannot start the drain thread: %s", error)
                return
            self._thread = thread

    def _run(self) -> None:
        while not self.closed:
            with contextlib.suppress(Empty):
                self._wake.get(timeout=self._interval)
            self._woken = False
            while self.queue and not self.closed:
                with self._draining:
                    self._step()

    def _step(self) -> int:
        """Process up to 1000 records; the caller holds the lock."""
        self._drainer = threading.get_ident()
        try:
            queue = self.queue
            batch = [queue.popleft() for _ in range(min(len(queue), _MAX_STEP))]
            if batch:
                self.drained += len(batch)
                self._guarded(batch)
            return len(batch)
        finally:
            self._drainer = 0

    def _guarded(self, batch: list[QueuedPrediction]) -> None:
        try:
            self._process(batch)
        except Exception as error:  # noqa: BLE001 - this thread must go on: nobody else empties the queue
            self.drops.add("encode_error", len(batch), error)
