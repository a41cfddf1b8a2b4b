"""The bound of the queue, where threads and signal handlers come between, and what a failing step costs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest

from modelport.predictions._drain import Drain
from modelport.predictions._drops import Drops
from modelport.predictions._gate import Gate
from modelport.predictions._queued import Batch
from tests.unit.predictions.records import Panic


def ids() -> Iterator[str]:
    return map(str, count())


@pytest.fixture
def drops() -> Drops:
    return Drops("queue_full", "closed")


def greedy(gate: Gate) -> list[str]:
    """From now on somebody takes whatever is granted, at the moment it can be taken."""
    taken: list[str] = []

    def take_all(take: Callable[[], str]) -> None:
        while True:
            try:
                taken.append(take())
            except StopIteration:
                return

    gate.on_grant(take_all)
    return taken


@pytest.mark.parametrize("limit", [1, 2, 7, 100])
def test_whoever_asks_for_permits_gets_one_though_others_take_all_of_the_grant(limit: int, drops: Drops) -> None:
    gate = Gate(limit, ids, lambda: None, drops)
    taken = greedy(gate)

    own, admitted = gate.more()

    assert admitted
    assert len({own, *taken}) == len(taken) + 1 <= limit
    assert drops.counts() == {"queue_full": 0, "closed": 0}


def test_a_batch_gets_all_the_room_there_is_though_others_take_what_is_granted(drops: Drops) -> None:
    gate = Gate(10, ids, lambda: None, drops)
    taken = greedy(gate)

    granted, refused = gate.take_many(12)

    assert (len(granted), len(refused), taken) == (10, 2, [])
    assert len({*granted, *refused}) == 12
    assert drops.counts()["queue_full"] == 2


def test_taking_out_and_counting_wait_for_no_thread_in_the_middle_of_putting_in(drops: Drops) -> None:
    # Such a thread may have been interrupted by a signal handler that waits for the queue to be emptied.
    gate = Gate(5000, ids, lambda: None, drops)
    for _ in range(3):
        gate.put_batch(Batch(b"", b"", ["id"] * 1000, 0))
    popped: list[int] = []

    def empty() -> None:
        popped.append(len(gate.pop(1000)))
        drops.add("encode_error", 7)

    with gate._lock, drops._adding:
        thread = threading.Thread(target=empty)
        thread.start()
        thread.join(60)

    assert popped == [1]
    assert gate.waiting == 2000
    assert drops.counts()["encode_error"] == 7


def test_losses_in_many_threads_are_counted_exactly(drops: Drops) -> None:
    def lose() -> None:
        for _ in range(2000):
            drops.add("queue_full")
            drops.add("closed", 3)
            drops.counts()

    threads = [threading.Thread(target=lose) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert drops.counts() == {"queue_full": 16_000, "closed": 48_000}


class Steps:
    """Takes the steps of a drain; fails for the first of them."""

    def __init__(self, error: BaseException) -> None:
        self.error: BaseException | None = error
        self.taken = 0

    def __call__(self, step: list[Any]) -> None:
        error, self.error = self.error, None
        if error is not None:
            raise error
        self.taken += len(step)


@pytest.fixture
def _no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is queued is processed by whoever flushes, and at no other time."""

    def refuse(_thread: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr("threading.Thread.start", refuse)


def log_batch(drain: Drain, rows: int) -> None:
    permits, _ = drain.gate.take_many(rows)
    drain.gate.put_batch(Batch([[1.0]] * rows, [0] * rows, permits, 0))


@pytest.mark.usefixtures("_no_thread")
@pytest.mark.parametrize("error", [ValueError(), Panic()])
def test_a_step_that_fails_costs_its_records_and_no_other(error: BaseException) -> None:
    steps = Steps(error)
    drain = Drain(steps, 10_000, 60, ids)
    log_batch(drain, 600)
    log_batch(drain, 600)

    assert drain.close(time.monotonic() + 20)
    assert steps.taken == 200
    assert drain.dropped()["encode_error"] == 1000


@pytest.mark.parametrize("error", [SystemExit(), Panic()])
def test_the_drains_thread_outlives_whatever_a_step_raises(
    error: BaseException, eventually: Callable[[Callable[[], object]], None]
) -> None:
    steps = Steps(error)
    drain = Drain(steps, 10_000, 0.001, ids)
    log_batch(drain, 10)
    eventually(lambda: drain.dropped()["encode_error"] == 10)
    log_batch(drain, 7)

    eventually(lambda: steps.taken == 7)
    assert drain.close(time.monotonic() + 20)


@pytest.mark.usefixtures("_no_thread")
def test_ctrl_c_during_a_flush_is_passed_on_and_its_loss_is_counted() -> None:
    drain = Drain(Steps(KeyboardInterrupt()), 10_000, 60, ids)
    log_batch(drain, 600)
    log_batch(drain, 600)

    with pytest.raises(KeyboardInterrupt):
        drain.flush(time.monotonic() + 20)

    assert drain.dropped()["encode_error"] == 1200
    assert drain.close(time.monotonic() + 20)
