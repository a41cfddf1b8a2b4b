"""The way into the queue: ids are handed out as long as there is room, so the usual call checks nothing else."""

from __future__ import annotations

import threading
from collections import deque
from itertools import islice
from typing import TYPE_CHECKING

from modelport.predictions._queued import Batch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from modelport.predictions._drops import Drops
    from modelport.predictions._queued import Queued

__all__ = ["Gate"]


class Gate:
    """A bounded queue whose bound costs the request path nothing.

    An id is a permit for one record. `take` hands out a limited number of ids and then raises StopIteration; only then
    does the caller ask `more`, which looks at the queue and grants half the room that is left. So a queue that fills
    wakes its drain at half, three quarters and so on, and never holds more than `limit` records, plus at most one for
    each thread that is between its id and its append.

    Attributes:
        queue: What waits. Appending to it is what a permit allows.
        take: The next id; replaced with each grant, so callers that keep it must ask for `on_grant`.
    """

    def __init__(self, limit: int, source: Callable[[], Iterator[str]], wake: Callable[[], None], drops: Drops) -> None:
        """`source` makes an endless supply of ids; `wake` sees to it that somebody empties the queue."""
        self.queue: deque[Queued] = deque()
        self.closed = False
        self._limit = limit
        self._make_source = source
        self._wake = wake
        self._listeners: list[Callable[[Callable[[], str]], None]] = []
        self._renew(drops)

    def reset(self, drops: Drops) -> None:
        """Begin with an empty queue and new ids, in a forked child."""
        self.queue.clear()
        self._renew(drops)

    def _renew(self, drops: Drops) -> None:
        # Reentrant: a signal handler may log while this thread is being granted permits.
        self._lock = threading.RLock()
        self._drops = drops
        self._source = self._make_source()
        # Records of batches beyond one for each entry of the queue: put in, and taken out again. Two numbers, because
        # taking out must not wait for a lock: its holder may have been interrupted by a signal handler that flushes.
        self._surplus = 0
        self._surplus_popped = 0
        self._grant(0)

    def on_grant(self, listener: Callable[[Callable[[], str]], None]) -> None:
        """Call `listener` with the new `take` now and after each change."""
        self._listeners.append(listener)
        listener(self.take)

    def more(self) -> tuple[str, bool]:
        """An id when `take` has none, and whether it is a permit; if it is not, the loss has been counted."""
        with self._lock:
            for granted in self._permits:
                # Another thread was granted some in the meantime.
                return granted, True
            if self.closed:
                self._drops.add("closed")
                return next(self._source), False
            self._wake()
            room = self._room()
            if room <= 0:
                self._drops.add("queue_full")
                return next(self._source), False
            # Our own comes first: once others know of a grant, they may take all of it before we come to it.
            own = next(self._source)
            self._grant((room + 1) // 2 - 1)
            return own, True

    def take_many(self, count: int) -> tuple[list[str], list[str]]:
        """Ids for `count` records: permits for as many as there is room for, and the rest, whose loss is counted."""
        granted = list(islice(self._permits, count))
        if len(granted) == count:
            return granted, []
        with self._lock:
            if not self.closed:
                self._wake()
                # Not by a grant, of which other threads might take a part.
                room = max(0, self._room() - len(granted))
                granted += islice(self._source, min(count - len(granted), room))
            refused = list(islice(self._source, count - len(granted)))
            if refused:
                self._drops.add("closed" if self.closed else "queue_full", len(refused))
        return granted, refused

    def put_batch(self, batch: Batch) -> None:
        """Append a batch; each of its ids must be a permit."""
        with self._lock:
            self._surplus += len(batch.ids) - 1
        self.queue.append(batch)

    def pop(self, rows: int) -> list[Queued]:
        """Take entries of together at least `rows` records out of the queue, or all there are; one thread at a time."""
        queue = self.queue
        step = [queue.popleft() for _ in range(min(len(queue), rows))]
        if Batch in set(map(type, step)):
            step = self._without_surplus(step, rows)
        return step

    @property
    def waiting(self) -> int:
        """Records in the queue."""
        return len(self.queue) + self._surplus - self._surplus_popped

    def close(self) -> None:
        """Hand out no more permits."""
        with self._lock:
            self.closed = True
            self._grant(0)

    def _without_surplus(self, step: list[Queued], rows: int) -> list[Queued]:
        kept = 0
        count = 0
        surplus = 0
        while kept < len(step) and count < rows:
            queued = step[kept]
            size = len(queued.ids) if isinstance(queued, Batch) else 1
            count += size
            surplus += size - 1
            kept += 1
        self.queue.extendleft(reversed(step[kept:]))
        self._surplus_popped += surplus
        return step[:kept]

    def _room(self) -> int:
        return self._limit - self.waiting

    def _grant(self, count: int) -> None:
        self._permits = islice(self._source, count)
        self.take = self._permits.__next__
        for listener in self._listeners:
            listener(self.take)
