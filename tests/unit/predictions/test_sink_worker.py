from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from modelport.predictions._frame import Frame
from modelport.predictions._frame_maker import FrameMaker, frames_of
from modelport.predictions._worker import SinkWorker
from tests.unit.conftest import ListSink
from tests.unit.predictions.records import Panic, prediction

Eventually = Callable[[Callable[[], object]], None]


def offer(worker: SinkWorker, count: int, start: int = 0) -> None:
    """As the drain does: frames of at most 1000 records."""
    maker = FrameMaker("e", None, None, raised)
    for first in range(start, start + count, 1000):
        last = min(first + 1000, start + count)
        for frame in maker.make([({}, number, str(number), number) for number in range(first, last)]):
            worker.offer(frame)


def raised(error: Exception) -> None:
    raise error


def soon(seconds: float = 20.0) -> float:
    return time.monotonic() + seconds


def total(worker: SinkWorker) -> int:
    return worker.delivered + worker.dropped + worker.pending


@pytest.fixture
def sink() -> ListSink:
    return ListSink(max_buffer=5000)


@pytest.fixture
def worker(sink: ListSink) -> Iterator[SinkWorker]:
    made = SinkWorker(sink)
    yield made
    sink.gate.set()
    made.close(soon(0.5))


def test_records_arrive_in_order(worker: SinkWorker, sink: ListSink) -> None:
    for start in range(0, 3000, 300):
        offer(worker, 300, start)

    assert worker.flush(soon())
    assert [record.output for record in sink.records] == list(range(3000))


def test_an_outage_shorter_than_the_buffer_loses_nothing(
    worker: SinkWorker, sink: ListSink, eventually: Eventually
) -> None:
    sink.error = ConnectionRefusedError("down")
    offer(worker, 2000)
    eventually(lambda: worker.failures >= 2)
    offer(worker, 2000, 2000)

    sink.error = None

    assert worker.flush(soon())
    assert [record.output for record in sink.records] == list(range(4000))
    assert (worker.delivered, worker.dropped) == (4000, 0)


def test_beyond_the_buffer_new_records_are_dropped_and_counted(worker: SinkWorker, sink: ListSink) -> None:
    sink.error = OSError("down")
    offer(worker, 4000)
    offer(worker, 4000, 4000)
    assert worker.dropped == 3000

    sink.error = None

    assert worker.flush(soon())
    assert [record.output for record in sink.records] == list(range(5000))
    assert total(worker) == 8000


def test_a_record_the_sink_refuses_does_not_hold_up_the_others(worker: SinkWorker, sink: ListSink) -> None:
    sink.refuse = lambda record: record.output in {3, 1500}

    offer(worker, 2000)

    assert worker.flush(soon())
    assert [record.output for record in sink.records] == [n for n in range(2000) if n not in {3, 1500}]
    assert (worker.delivered, worker.dropped) == (1998, 2)


def test_flush_gives_up_at_its_deadline_and_says_so(worker: SinkWorker, sink: ListSink) -> None:
    sink.gate.clear()
    offer(worker, 1)

    assert not worker.flush(soon(0.05))
    assert worker.pending == 1


def test_flush_is_not_ended_early_by_records_that_are_dropped_meanwhile(worker: SinkWorker, sink: ListSink) -> None:
    sink.gate.clear()
    offer(worker, 5000)
    offer(worker, 5000)

    assert worker.dropped == 5000
    assert not worker.flush(soon(0.05))


def test_closing_delivers_what_it_can_and_closes_the_sink_once(sink: ListSink) -> None:
    worker = SinkWorker(sink)
    offer(worker, 10)

    assert worker.close(soon())
    assert len(sink.records) == 10
    assert sink.closed == 1


def test_closing_during_an_outage_counts_what_is_left(sink: ListSink) -> None:
    worker = SinkWorker(sink)
    sink.error = OSError("down")
    offer(worker, 10)

    assert not worker.close(soon(0.1))
    assert (worker.delivered, worker.dropped, worker.pending) == (0, 10, 0)
    assert sink.closed == 1


def test_closing_leaves_a_stuck_batch_to_its_thread(sink: ListSink, eventually: Eventually) -> None:
    worker = SinkWorker(sink)
    sink.gate.clear()
    offer(worker, 2500)
    assert sink.entered.wait(20)

    assert not worker.close(soon(0.05))
    assert total(worker) == 2500
    sink.gate.set()

    eventually(lambda: worker.delivered == 1000 and sink.closed == 1)
    assert (worker.delivered, worker.dropped, worker.pending) == (1000, 1500, 0)


def test_nothing_is_taken_after_closing(sink: ListSink) -> None:
    worker = SinkWorker(sink)
    worker.close(soon())

    offer(worker, 3)

    assert worker.dropped == 3


def test_where_no_thread_can_start_flush_delivers_by_itself(sink: ListSink, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_thread: object) -> None:
        raise RuntimeError("can't create new thread at interpreter shutdown")

    monkeypatch.setattr("threading.Thread.start", refuse)
    worker = SinkWorker(sink)
    offer(worker, 2500)

    assert worker.close(soon())
    assert len(sink.records) == 2500
    assert sink.closed == 1


@pytest.mark.parametrize("kind", [SystemExit, Panic])
def test_a_sink_that_exits_or_panics_costs_the_record_it_does_so_for(
    kind: type[BaseException], worker: SinkWorker, sink: ListSink
) -> None:
    def refuse(record: object) -> bool:
        if getattr(record, "output", None) == 3:
            raise kind
        return False

    sink.refuse = refuse
    offer(worker, 10)
    assert worker.flush(soon())
    offer(worker, 10, 10)

    assert worker.flush(soon())
    assert [record.output for record in sink.records] == [number for number in range(20) if number != 3]
    assert (worker.delivered, worker.dropped) == (19, 1)


def test_whatever_else_happens_costs_the_batch_in_hand_and_no_other(worker: SinkWorker, sink: ListSink) -> None:
    sink.error = KeyboardInterrupt()
    offer(worker, 10)
    assert worker.flush(soon())
    sink.error = None
    offer(worker, 10, 10)

    assert worker.flush(soon())
    assert [record.output for record in sink.records] == list(range(10, 20))
    assert (worker.delivered, worker.dropped, worker.pending) == (10, 10, 0)


class Shaky:
    """A backlog whose first look fails in a way nobody has thought of."""

    def __init__(self, frames: list[Frame]) -> None:
        self.frames = frames
        self.looks = 0

    @property
    def pending(self) -> int:
        return sum(frame.count for frame in self.frames)

    def read(self, records: int) -> list[Frame]:
        self.looks += 1
        if self.looks == 1:
            raise ZeroDivisionError
        return self.frames

    def advance(self) -> None:
        self.frames = []


def test_a_backlog_that_cannot_be_read_for_once_loses_nothing(worker: SinkWorker, sink: ListSink) -> None:
    worker.attach(Shaky(frames_of([prediction(0), prediction(1)])))

    assert worker.flush(soon())
    assert [record.prediction_id for record in sink.records] == ["p0", "p1"]


def test_a_thread_that_has_died_is_replaced(
    worker: SinkWorker, sink: ListSink, monkeypatch: pytest.MonkeyPatch, eventually: Eventually
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(worker, "_run", lambda: None)
        offer(worker, 1)
        eventually(lambda: worker._thread is not None and not worker._thread.is_alive())
    offer(worker, 1, 1)

    assert worker.flush(soon())
    assert [record.output for record in sink.records] == [0, 1]


class Leaving(ListSink):
    """Says at its close whether something stays behind, or does not come back from it."""

    def __init__(self, answer: Callable[[], bool | None]) -> None:
        super().__init__()
        self.answer = answer

    def close(self) -> bool | None:
        super().close()
        return self.answer()


def broken() -> bool | None:
    raise ValueError


@pytest.mark.parametrize(
    ("answer", "clean"), [(lambda: None, True), (lambda: True, True), (lambda: False, False), (broken, False)]
)
@pytest.mark.parametrize("records", [0, 5])
def test_a_sink_that_leaves_records_behind_says_so(
    answer: Callable[[], bool | None], clean: bool, records: int
) -> None:
    sink = Leaving(answer)
    worker = SinkWorker(sink)
    offer(worker, records)

    assert worker.close(soon()) is clean
    assert (len(sink.records), sink.closed) == (records, 1)


def test_a_sink_that_is_still_closing_at_the_deadline_is_not_clean() -> None:
    released = threading.Event()
    sink = Leaving(lambda: released.wait(30) or None)
    worker = SinkWorker(sink)
    offer(worker, 5)
    assert worker.flush(soon())

    assert not worker.close(soon(0.05))
    released.set()
