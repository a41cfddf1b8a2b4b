"""Records that wait on disk: outages, restarts, full disks, damaged files, several processes."""

from __future__ import annotations

import errno
import os
import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from modelport.drift import Baseline
from modelport.monitor import ModelMonitor
from modelport.predictions import GroundTruth, Spool
from modelport.predictions._frame_maker import FrameMaker
from modelport.predictions._spool import Spooler, SpoolMode, _writer
from modelport.predictions._spool._backlog import SinkBacklog
from tests.unit.conftest import ListSink

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs file locks")

Eventually = Callable[[Callable[[], object]], None]
BASELINE = Baseline.from_data({"a": [float(n) for n in range(100)]}, output=[0.0, 1.0] * 50)
MODES: tuple[SpoolMode, ...] = ("batch", "record", "batch+fdatasync")


def outputs(sink: ListSink) -> list[Any]:
    return [record.output for record in sink.records]


def left(directory: Path) -> list[Path]:
    return [path for path in directory.rglob("*") if path.is_file()]


def drained(monitor: ModelMonitor) -> None:
    assert monitor._drain.flush(time.monotonic() + 60)


def out_of_reach() -> ListSink:
    """A sink that takes nothing for now."""
    sink = ListSink()
    sink.error = OSError("down")
    return sink


def log_one_by_one(monitor: ModelMonitor, numbers: Iterable[int]) -> None:
    """Log each number as a step, and so a frame, of its own."""
    for number in numbers:
        monitor.log([number], number)
        drained(monitor)


def abandon(monitor: ModelMonitor) -> None:
    """As if the process had died: nothing is shipped or closed, and the lock is gone."""
    spooler = monitor._pipeline.spooler
    assert spooler is not None
    drained(monitor)
    monitor._drain.gate.close()
    monitor._pipeline.spooler = None
    for worker in monitor._pipeline.workers:
        worker._backlog = None
    for run in (spooler._own, *spooler._adopted):
        run.release()


@pytest.mark.parametrize("mode", MODES)
def test_with_a_spool_everything_arrives_once_and_in_order_and_nothing_is_left(mode: SpoolMode, tmp_path: Path) -> None:
    sink = ListSink()
    with ModelMonitor("e", baseline=BASELINE, sinks=[sink], spool=Spool(str(tmp_path), mode=mode)) as monitor:
        ids = [monitor.log([float(number)], number) for number in range(3000)]
        ids += monitor.log_many(np.zeros((10, 1)), list(range(3000, 3010)))

    assert [record.prediction_id for record in sink.records] == ids
    assert outputs(sink) == list(range(3010))
    assert sink.records[5].features == {"a": 5.0}
    assert monitor.counts is not None
    assert (monitor.counts.records, sum(monitor.dropped.values())) == (3010, 0)
    assert left(tmp_path) == []


@pytest.mark.parametrize("mode", MODES)
def test_an_outage_longer_than_the_buffer_loses_nothing(
    mode: SpoolMode, tmp_path: Path, eventually: Eventually
) -> None:
    down, up = ListSink("down", max_buffer=10), ListSink("up", max_buffer=10)
    down.error = OSError("down")
    monitor = ModelMonitor("e", sinks=[down, up], spool=Spool(str(tmp_path), mode=mode), interval=0.001)
    for number in range(5000):
        monitor.log([number], number)
    eventually(lambda: len(up.records) == 5000)
    assert monitor._pipeline.workers[0].pending == 5000

    down.error = None

    assert monitor.close(60)
    assert outputs(down) == outputs(up) == list(range(5000))
    assert sum(monitor.dropped.values()) == 0
    assert left(tmp_path) == []


@pytest.mark.parametrize("mode", MODES)
def test_what_one_process_leaves_the_next_one_ships(mode: SpoolMode, tmp_path: Path) -> None:
    spool = Spool(str(tmp_path), mode=mode)
    first = ListSink()
    first.error = OSError("down")
    monitor = ModelMonitor("e", model_version="1", sinks=[first], spool=spool)
    ids = [monitor.log([number], number, segments={"n": str(number)}) for number in range(10)]
    monitor.log_ground_truth(ids[0], "yes")
    assert not monitor.close(0.2)
    assert sum(monitor.dropped.values()) == 0
    assert {path.stat().st_mode & 0o777 for path in left(tmp_path)} == {0o600}

    second = ListSink()
    with ModelMonitor("e", model_version="2", sinks=[second], spool=spool) as monitor:
        assert monitor.flush(30)

    assert [record.prediction_id for record in second.records] == [*ids, ids[0]]
    assert {record.model_version for record in second.records[:10]} == {"1"}
    assert second.records[3].segments == {"n": "3"}
    assert isinstance(second.records[10], GroundTruth)
    assert left(tmp_path) == []


def test_a_sink_that_had_its_share_is_not_given_it_again(tmp_path: Path) -> None:
    good, bad = ListSink("good"), ListSink("bad")
    bad.error = OSError("down")
    monitor = ModelMonitor("e", sinks=[good, bad], spool=tmp_path)
    for number in range(10):
        monitor.log([number], number)
    monitor.close(0.2)

    good, bad = ListSink("good"), ListSink("bad")
    with ModelMonitor("e", sinks=[good, bad], spool=tmp_path) as monitor:
        monitor.log([10], 10)

    assert outputs(good) == [10]
    assert sorted(outputs(bad)) == list(range(11))
    assert left(tmp_path) == []


def test_a_live_neighbours_files_are_left_alone_until_it_dies(tmp_path: Path) -> None:
    sink, other = ListSink(), ListSink()
    sink.error = OSError("down")
    neighbour = ModelMonitor("e", sinks=[sink], spool=tmp_path)
    neighbour.log([1], 1)
    assert not neighbour.flush(0.1)
    monitor = ModelMonitor("e", sinks=[other], spool=tmp_path)
    assert monitor.flush(30)
    assert other.records == []

    abandon(neighbour)
    assert monitor._pipeline.spooler is not None
    assert monitor._pipeline.spooler.adopt() == 1

    assert monitor.close(30)
    assert outputs(other) == [1]


def test_endpoints_share_a_directory_and_nothing_else(tmp_path: Path) -> None:
    down = ListSink()
    down.error = OSError("down")
    monitor = ModelMonitor("one", sinks=[down], spool=tmp_path)
    monitor.log([1], 1)
    monitor.close(0.1)

    sink = ListSink()
    ModelMonitor("two", sinks=[sink], spool=tmp_path).close()

    assert sink.records == []
    assert left(tmp_path)


def test_a_spool_that_is_full_drops_the_new_and_counts_exactly(tmp_path: Path, eventually: Eventually) -> None:
    sink = out_of_reach()
    monitor = ModelMonitor("e", sinks=[sink], spool=Spool(str(tmp_path), max_bytes=20_000), interval=0.001)
    for number in range(3000):
        monitor.log([number], number)
        if number % 10 == 0:
            drained(monitor)
    drained(monitor)
    lost = monitor.dropped["spool_full"]
    assert 0 < lost < 3000
    assert sum(path.stat().st_size for path in tmp_path.rglob("*.seg")) <= 20_000
    assert 'reason="spool_full"' in monitor.metrics_text()

    sink.error = None
    assert monitor.flush(30)
    monitor.log([-1], -1)

    assert monitor.close(30)
    assert len(sink.records) == 3000 - lost + 1
    assert outputs(sink)[-1] == -1
    assert sum(monitor.dropped.values()) == lost


@pytest.mark.parametrize("mode", ["batch", "record"])
def test_a_full_disk_costs_no_record_while_there_is_memory(
    mode: SpoolMode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sink = out_of_reach()
    monitor = ModelMonitor("e", sinks=[sink], spool=Spool(str(tmp_path), mode=mode))
    real = os.write

    def fail(descriptor: int, content: bytes) -> int:
        # Half of it goes in before the disk is full.
        real(descriptor, bytes(content)[: len(content) // 2])
        raise OSError(errno.ENOSPC, "no space")

    for number in range(30):
        if number == 10:
            monkeypatch.setattr(_writer.os, "write", fail)
        if number == 20:
            monkeypatch.setattr(_writer.os, "write", real)
        monitor.log([number], number)
        drained(monitor)
    sink.error = None

    assert monitor.close(30)
    assert sorted(outputs(sink)) == list(range(30))
    assert sum(monitor.dropped.values()) == 0
    assert monitor._pipeline.spooler is not None
    failures = monitor._pipeline.spooler.failures
    assert failures >= 10
    assert f"}} {failures}\n" in monitor.metrics_text().partition("modelport_spool_failures_total{")[2]


@pytest.mark.parametrize("cut", [1, 10, 40])
def test_a_cut_tail_costs_the_last_frame_and_no_other(cut: int, tmp_path: Path) -> None:
    sink = out_of_reach()
    monitor = ModelMonitor("e", sinks=[sink], spool=tmp_path)
    log_one_by_one(monitor, range(10))
    abandon(monitor)
    (segment,) = tmp_path.rglob("*.seg")
    os.truncate(segment, segment.stat().st_size - cut)

    sink = ListSink()
    with ModelMonitor("e", sinks=[sink], spool=tmp_path) as monitor:
        assert monitor.flush(30)

    assert outputs(sink) == list(range(9))
    assert left(tmp_path) == []


def test_damage_in_the_middle_costs_one_frame(tmp_path: Path) -> None:
    sink = out_of_reach()
    monitor = ModelMonitor("e", sinks=[sink], spool=tmp_path)
    log_one_by_one(monitor, range(10))
    abandon(monitor)
    (segment,) = tmp_path.rglob("*.seg")
    content = bytearray(segment.read_bytes())
    content[len(content) // 2] ^= 0xFF
    segment.write_bytes(content)
    for cursor in tmp_path.rglob("*.cursor"):
        cursor.write_bytes(b"nonsense")

    sink = ListSink()
    with ModelMonitor("e", sinks=[sink], spool=tmp_path) as monitor:
        assert monitor.flush(30)

    assert len(set(outputs(sink))) == 9
    assert outputs(sink) == sorted(outputs(sink))


@pytest.mark.parametrize("mode", ["batch", "record"])
def test_eight_threads_over_many_segments_lose_and_repeat_nothing(mode: SpoolMode, tmp_path: Path) -> None:
    sink = ListSink()
    spool = Spool(str(tmp_path), mode=mode, segment_bytes=4000)
    monitor = ModelMonitor("e", baseline=BASELINE, sinks=[sink], spool=spool, interval=0.001)
    ids: list[list[str]] = [[] for _ in range(8)]

    def work(place: int) -> None:
        for number in range(500):
            ids[place].append(monitor.log([float(number % 100)], place))

    threads = [threading.Thread(target=work, args=(place,)) for place in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert monitor.close(60)
    found = Counter(record.prediction_id for record in sink.records)
    assert found == Counter(prediction_id for made in ids for prediction_id in made)
    assert monitor.counts is not None
    assert monitor.counts.records == 4000
    assert left(tmp_path) == []


def test_a_record_the_sink_refuses_for_good_is_dropped_and_counted_once(tmp_path: Path) -> None:
    sink = ListSink()
    sink.refuse = lambda record: record.output in {3, 7}
    monitor = ModelMonitor("e", sinks=[sink], spool=tmp_path)
    for number in range(10):
        monitor.log([number], number)

    assert monitor.close(30)
    assert outputs(sink) == [0, 1, 2, 4, 5, 6, 8, 9]
    assert monitor.dropped["sink_error"] == 2
    assert left(tmp_path) == []


def test_a_record_without_a_form_is_counted_in_the_caller_and_does_not_raise(tmp_path: Path) -> None:
    sink = ListSink()
    with ModelMonitor("e", sinks=[sink], spool=Spool(str(tmp_path), mode="record")) as monitor:
        assert monitor.log(object(), 1)
        assert monitor.log([1], 1j)
        monitor.log_ground_truth("id", object())
        monitor.log([2**70], 5, prediction_id="mine", timestamp=7)

    assert monitor.dropped["encode_error"] == 3
    assert [(record.prediction_id, record.timestamp_ns, record.features) for record in sink.records] == [
        ("mine", 7, [2**70])
    ]


def test_by_record_a_full_queue_costs_counts_and_no_record(tmp_path: Path) -> None:
    sink = ListSink()
    monitor = ModelMonitor(
        "e", baseline=BASELINE, sinks=[sink], spool=Spool(str(tmp_path), mode="record"), max_queue=10, interval=60
    )
    with monitor._drain._draining:
        for number in range(100):
            monitor.log([float(number)], number)

    assert monitor.close(30)
    assert outputs(sink) == list(range(100))
    assert monitor.counts is not None
    assert (monitor.counts.records, monitor.dropped["queue_full"]) == (10, 90)


def test_a_spool_without_a_sink_or_a_place_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="there is none"):
        ModelMonitor("e", spool=tmp_path)
    (tmp_path / "file").write_text("x")
    with pytest.raises(OSError, match="file"):
        ModelMonitor("e", sinks=[ListSink()], spool=tmp_path / "file")


@pytest.mark.parametrize(
    "bad", [{"mode": "often"}, {"max_bytes": 0}, {"segment_bytes": 0}], ids=["mode", "max_bytes", "segment_bytes"]
)
def test_settings_that_cannot_work_are_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(bad))):
        Spool("x", **bad)


def test_a_run_that_was_removed_by_hand_harms_nobody(tmp_path: Path) -> None:
    sink = out_of_reach()
    monitor = ModelMonitor("e", sinks=[sink], spool=tmp_path)
    monitor.log([1], 1)
    drained(monitor)
    (segment,) = tmp_path.rglob("*.seg")
    segment.unlink()
    sink.error = None

    assert monitor.close(30)


@pytest.mark.parametrize("mode", MODES)
def test_a_spool_that_is_removed_is_made_again_and_what_is_gone_is_counted(mode: SpoolMode, tmp_path: Path) -> None:
    sink = out_of_reach()
    spool = Spool(str(tmp_path / "spool"), mode=mode, segment_bytes=1000)
    monitor = ModelMonitor("e", sinks=[sink], spool=spool)
    log_one_by_one(monitor, range(100))

    shutil.rmtree(tmp_path / "spool")

    log_one_by_one(monitor, range(100, 200))
    assert not monitor.flush(0.1)
    found = left(tmp_path)
    sink.error = None

    assert monitor.close(60)
    assert {path.suffix for path in found} == {"", ".seg", ".cursor"}
    lost = monitor.dropped["sink_error"]
    assert 0 < lost < 100
    assert len(outputs(sink)) == 200 - lost
    # What could still be read is not lost: the segment that was open, and all that came later.
    assert outputs(sink) == sorted(outputs(sink))
    assert set(outputs(sink)) >= set(range(99, 200))
    assert left(tmp_path) == []


def test_what_is_logged_into_a_spool_that_has_been_removed_survives_the_process(tmp_path: Path) -> None:
    sink = out_of_reach()
    monitor = ModelMonitor("e", sinks=[sink], spool=tmp_path / "spool")
    monitor.log([0], 0)
    drained(monitor)
    shutil.rmtree(tmp_path / "spool")
    monitor.log([1], 1)
    assert not monitor.flush(0.1)
    abandon(monitor)

    sink = ListSink()
    with ModelMonitor("e", sinks=[sink], spool=tmp_path / "spool") as monitor:
        assert monitor.flush(30)

    assert outputs(sink) == [0, 1]


def test_a_segment_that_is_gone_from_what_a_dead_process_left_harms_no_other(tmp_path: Path) -> None:
    sink = out_of_reach()
    monitor = ModelMonitor("e", sinks=[sink], spool=Spool(str(tmp_path), segment_bytes=1000))
    log_one_by_one(monitor, range(100))
    abandon(monitor)
    sink = ListSink()
    successor = ModelMonitor("e", sinks=[sink], spool=tmp_path)
    assert successor._pipeline.spooler is not None
    assert successor._pipeline.spooler.adopt() == 1
    sorted(tmp_path.rglob("*.seg"))[1].unlink()

    assert successor.close(60)
    lost = successor.dropped["sink_error"]
    assert 0 < lost < 100
    assert len(outputs(sink)) == 100 - lost


def test_what_a_sink_has_not_taken_waits_for_it_though_another_process_without_it_comes_first(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def start(*names: str) -> tuple[ModelMonitor, list[ListSink]]:
        sinks = [ListSink(name) for name in names]
        return ModelMonitor("e", sinks=sinks, spool=tmp_path), sinks

    monitor, (quick, slow, never) = start("quick", "slow", "never")
    slow.error = never.error = OSError("down")
    for number in range(10):
        monitor.log([number], number)
    assert not monitor.flush(0.2)
    assert outputs(quick) == list(range(10))
    abandon(monitor)

    monitor, (quick,) = start("quick")
    monitor.log([10], 10)
    assert monitor.close(30)
    assert outputs(quick) == [10]
    assert "keeps records for never, slow, which this process has not" in caplog.text

    monitor, (slow, never) = start("slow", "never")
    never.error = OSError("down")
    monitor.flush(0.2)
    never.error = None
    assert monitor.close(30)
    assert outputs(slow) == outputs(never) == list(range(10))
    assert left(tmp_path) == []


def test_what_is_taken_over_counts_against_the_bound_so_restarts_do_not_fill_the_disk(tmp_path: Path) -> None:
    lost = 0
    for _ in range(4):
        sink = out_of_reach()
        monitor = ModelMonitor("e", sinks=[sink], spool=Spool(str(tmp_path), max_bytes=20_000))
        log_one_by_one(monitor, range(300))
        lost += monitor.dropped["spool_full"]
        abandon(monitor)
    assert sum(path.stat().st_size for path in tmp_path.rglob("*.seg")) <= 20_000

    sink = ListSink()
    with ModelMonitor("e", sinks=[sink], spool=Spool(str(tmp_path), max_bytes=20_000)) as monitor:
        assert monitor.flush(30)
        monitor.log([-1], -1)
    assert len(outputs(sink)) == 4 * 300 - lost + 1
    assert sum(monitor.dropped.values()) == 0


def test_a_process_takes_over_no_more_than_it_has_room_for(tmp_path: Path) -> None:
    def start() -> ModelMonitor:
        sink = out_of_reach()
        monitor = ModelMonitor("e", sinks=[sink], spool=Spool(str(tmp_path), max_bytes=20_000))
        log_one_by_one(monitor, range(100))
        return monitor

    one, other = start(), start()
    abandon(one)
    spooler = other._pipeline.spooler
    assert spooler is not None
    assert spooler.adopt() == 0
    abandon(other)

    successors = [Spooler(Spool(str(tmp_path), max_bytes=20_000), "e", ["list"]) for _ in range(2)]
    assert [spooler.adopt() for spooler in successors] == [1, 1]
    for spooler in successors:
        spooler.close()


def test_two_adopters_ship_an_orphan_once(tmp_path: Path) -> None:
    sink = out_of_reach()
    monitor = ModelMonitor("e", sinks=[sink], spool=tmp_path)
    monitor.log([1], 1)
    abandon(monitor)

    first, second = (Spooler(Spool(str(tmp_path)), "e", ["list"]) for _ in range(2))

    assert (first.adopt(), second.adopt()) == (1, 0)
    first.close()
    assert second.adopt() == 1
    second.close()


@pytest.mark.parametrize("error", [errno.EMFILE, errno.EIO, errno.EACCES])
def test_what_cannot_be_opened_now_is_read_later_and_not_taken_for_shipped(
    error: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spooler = Spooler(Spool(str(tmp_path), segment_bytes=200), "e", ["s"])
    maker = FrameMaker("e", None, None, lambda _: None)
    for number in range(20):
        for frame in maker.make([([number], number, str(number), number)]):
            spooler.append(frame)
    real, failing = Path.open, [True]

    def fail(path: Path, *args: Any, **kwargs: Any) -> Any:
        if path.suffix == ".seg" and failing:
            raise OSError(error, os.strerror(error))
        return real(path, *args, **kwargs)

    monkeypatch.setattr(Path, "open", fail)
    backlog, found = spooler.backlogs["s"], list[Any]()
    while backlog.pending:
        failing[:] = [] if len(found) % 2 else [True]
        try:
            frames = backlog.read(3)
        except OSError:
            failing.clear()
            frames = backlog.read(1)
        found += [record.as_dict()["output"] for frame in frames for record in frame.records()]
        backlog.advance()
    spooler.close()

    assert found == list(range(20))
    assert left(tmp_path) == []


def test_a_spool_that_cannot_be_read_for_a_while_holds_up_its_sink_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sink = ListSink()
    monitor = ModelMonitor("e", sinks=[sink], spool=tmp_path, interval=0.001)
    real, tries = SinkBacklog.read, list[int]()

    def fail(backlog: SinkBacklog, records: int) -> Any:
        tries.append(records)
        if len(tries) < 3:
            raise OSError(errno.EMFILE, "no descriptor is free")
        return real(backlog, records)

    monkeypatch.setattr(SinkBacklog, "read", fail)
    monitor.log([1], 1)

    assert monitor.close(60)
    assert outputs(sink) == [1]


def test_an_orphan_that_cannot_be_read_yet_is_left_to_a_later_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead = ListSink()
    dead.error = OSError("down")
    first = ModelMonitor("e", sinks=[dead], spool=tmp_path)
    first.log([1.0], 1)
    abandon(first)
    real, failing = Path.open, [True]

    def fail(path: Path, *args: Any, **kwargs: Any) -> Any:
        if path.suffix == ".seg" and failing:
            raise OSError(errno.EMFILE, "no descriptor is free")
        return real(path, *args, **kwargs)

    monkeypatch.setattr(Path, "open", fail)
    sink = ListSink()
    monitor = ModelMonitor("e", sinks=[sink], spool=tmp_path)
    assert monitor.flush(20)
    failing.clear()
    assert monitor._pipeline.spooler is not None
    assert monitor._pipeline.spooler.adopt() == 1

    assert monitor.close(60)
    assert outputs(sink) == [1]
    assert left(tmp_path) == []
