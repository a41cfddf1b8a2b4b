from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from typing import Any

import pytest

from modelport.predictions import CallableSink, Record, StdoutSink, StreamGoneError, _stdout_sink
from modelport.predictions._record import to_json_line
from modelport.predictions._worker import SinkWorker

from .records import offer, prediction, truth
from .test_sink_worker import soon


def test_records_are_lines_of_json_on_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    StdoutSink().write([prediction(1, features={"ü": 1}), truth(1)])

    first, second = capsys.readouterr().out.splitlines()
    assert json.loads(first)["features"] == {"ü": 1}
    assert json.loads(second)["label"] is True


def test_standard_error_is_taken_if_told(capsys: pytest.CaptureFixture[str]) -> None:
    StdoutSink("stderr").write([prediction(1)])

    captured = capsys.readouterr()
    assert (captured.out, captured.err.count("\n")) == ("", 1)


@pytest.mark.parametrize("make", [io.StringIO, io.BytesIO])
def test_any_stream_will_do(make: Any) -> None:
    stream = make()

    StdoutSink(stream).write([prediction(1), prediction(2)])

    text = stream.getvalue()
    assert (text if isinstance(text, bytes) else text.encode()) == to_json_line(prediction(1)) + to_json_line(
        prediction(2)
    )


def test_a_raw_stream_that_takes_a_few_bytes_at_a_time_gets_whole_lines() -> None:
    taken = bytearray()

    class Sluggish(io.RawIOBase):
        def writable(self) -> bool:
            return True

        def write(self, data: Any) -> int | None:
            if len(taken) % 3 == 2:
                taken.extend(bytes(data[:1]))
                return 1
            taken.extend(bytes(data[:7]))
            return min(7, len(data))

    StdoutSink(Sluggish()).write([prediction(1)])  # type: ignore[arg-type]

    assert bytes(taken) == to_json_line(prediction(1))


def test_a_cut_line_is_ended_before_the_next() -> None:
    class Full(io.BytesIO):
        room = 10

        def write(self, data: Any) -> int:
            if len(data) > self.room:
                super().write(bytes(data[: self.room]))
                raise OSError(28, "No space left on device")
            return super().write(data)

    stream = Full()
    sink = StdoutSink(stream)
    with pytest.raises(OSError, match="No space"):
        sink.write([prediction(1)])
    stream.room = 10_000
    sink.write([prediction(2)])

    assert stream.getvalue().split(b"\n")[1] + b"\n" == to_json_line(prediction(2))


def test_a_reader_that_has_gone_is_final_and_counted() -> None:
    receiver, sender = os.pipe()
    os.close(receiver)
    stream = os.fdopen(sender, "wb")
    worker = SinkWorker(StdoutSink(stream))
    offer(worker, [prediction(1), prediction(2)])

    assert worker.close(soon())
    assert (worker.delivered, worker.dropped) == (0, 2)
    with pytest.raises(BrokenPipeError):
        stream.close()


@pytest.mark.parametrize("gone", ["closed", "none"])
def test_a_closed_stream_is_final(gone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    stream: Any = io.StringIO()
    stream.close()
    monkeypatch.setattr(sys, "stdout", stream if gone == "closed" else None)

    with pytest.raises(StreamGoneError):
        StdoutSink().write([prediction(1)])


def test_a_pipe_that_is_full_for_a_while_gets_every_line_once() -> None:
    receiver, sender = os.pipe()
    os.set_blocking(sender, False)
    got = bytearray()

    def drain() -> None:
        while piece := os.read(receiver, 1000):
            got.extend(piece)

    thread = threading.Thread(target=drain)
    with os.fdopen(sender, "wb", buffering=0) as stream:
        records = [prediction(n, request_body="x" * 500) for n in range(500)]
        thread.start()
        StdoutSink(stream).write(records)  # type: ignore[arg-type]
    thread.join(30)
    os.close(receiver)

    assert bytes(got) == b"".join(map(to_json_line, records))


class Disk(io.RawIOBase):
    """Takes what it has room for, as a file on a small disk does."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.taken = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        if not self.room:
            raise OSError(28, "No space left on device")
        part = bytes(data)[: self.room]
        self.taken += part
        self.room -= len(part)
        return len(part)


WRAPPED: list[Any] = [lambda raw: raw, io.BufferedWriter, lambda raw: io.TextIOWrapper(io.BufferedWriter(raw))]


def readable(content: bytes) -> list[bytes]:
    """The lines of `content` but for those that were cut and begun anew."""
    return [line for line in content.splitlines(keepends=True) if line.startswith(b"{") and line.endswith(b"}\n")]


@pytest.mark.parametrize("wrap", WRAPPED, ids=["raw", "buffered", "text"])
@pytest.mark.parametrize("one_by_one", [False, True])
def test_a_disk_that_is_full_for_a_while_gets_every_line_once(wrap: Any, one_by_one: bool) -> None:
    disk = Disk(room=50_001)
    stream = wrap(disk)
    sink = StdoutSink(stream)
    records = [prediction(n, request_body="x" * 500) for n in range(300)]
    with pytest.raises(OSError, match="No space"):
        sink.write(records)
    disk.room = 10_000
    with pytest.raises(OSError, match="No space"):
        sink.write(records)
    disk.room = 10**9

    for part in [[record] for record in records] if one_by_one else [records]:
        sink.write(part)

    assert readable(bytes(disk.taken)) == list(map(to_json_line, records))


@pytest.mark.parametrize("buffering", [0, 8192])
def test_a_pipe_that_stalls_beyond_patience_gets_every_line_once(
    monkeypatch: pytest.MonkeyPatch, buffering: int
) -> None:
    monkeypatch.setattr(_stdout_sink, "_PATIENCE_SECONDS", 0.0)
    receiver, sender = os.pipe()
    for end in (receiver, sender):
        os.set_blocking(end, False)
    records = [prediction(n, request_body="x" * 500) for n in range(500)]
    got = bytearray()
    stalls = 0
    with os.fdopen(sender, "wb", buffering=buffering) as stream:
        sink = StdoutSink(stream)
        while True:
            try:
                sink.write(records)
            except BlockingIOError:
                stalls += 1
                got += os.read(receiver, 30_000)
            else:
                break
    while piece := os.read(receiver, 30_000):
        got += piece
    os.close(receiver)

    assert stalls > 2
    assert readable(bytes(got)) == list(map(to_json_line, records))


def test_the_next_batch_is_written_whole_if_the_cut_one_is_given_up() -> None:
    disk = Disk(room=200)
    sink = StdoutSink(disk)  # type: ignore[arg-type]
    with pytest.raises(OSError, match="No space"):
        sink.write([prediction(n) for n in range(9)])
    disk.room = 10_000

    sink.write([prediction(10), prediction(11)])

    assert readable(bytes(disk.taken))[-2:] == [to_json_line(prediction(10)), to_json_line(prediction(11))]


def test_a_program_piped_into_head_ends_as_it_would_have() -> None:
    program = """
from modelport.monitor import ModelMonitor
from modelport.predictions import StdoutSink
with ModelMonitor("e", sinks=[StdoutSink()]) as monitor:
    for n in range(20000):
        monitor.log([n], n)
    monitor.flush(20)
import os, sys
sys.stderr.write(f"dropped: {sum(monitor.dropped.values()) > 0}\\n")
os._exit(0)
"""
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        json.loads(process.stdout.readline())
        process.stdout.close()
        told = process.stderr.read()

    # Not at its end: a thread that goes on through what nobody reads may still tell about it.
    assert "dropped: True" in told


def test_a_function_gets_lists_of_records() -> None:
    got: list[list[Record]] = []
    sink = CallableSink(got.append, name="mine")

    sink.write((prediction(1), truth(1)))

    assert got == [[prediction(1), truth(1)]]
    assert sink.name == "mine"


def test_a_function_that_fails_is_counted_for_those_records_only() -> None:
    kept: list[Record] = []

    def picky(records: list[Record]) -> None:
        if any(record.prediction_id == "p2" for record in records):
            message = "not this one"
            raise ValueError(message)
        kept.extend(records)

    sink = CallableSink(picky)
    worker = SinkWorker(sink)
    offer(worker, [prediction(n) for n in range(5)])

    assert worker.close(soon())
    assert (worker.delivered, worker.dropped, sink.name) == (4, 1, "picky")
    assert [record.prediction_id for record in kept] == ["p0", "p1", "p3", "p4"]


def test_a_function_that_says_later_gets_the_same_records_again() -> None:
    calls: list[Sequence[Record]] = []

    def busy(records: list[Record]) -> None:
        calls.append(records)
        if len(calls) < 3:
            raise ConnectionError

    worker = SinkWorker(CallableSink(busy))
    offer(worker, [prediction(1)])

    assert worker.close(soon())
    assert (worker.delivered, len(calls)) == (1, 3)


def test_what_cannot_be_called_or_would_need_to_be_awaited_is_refused() -> None:
    async def later(records: list[Record]) -> None: ...

    class Awaited:
        async def __call__(self, records: list[Record]) -> None: ...

    for function in (later, Awaited(), 3):
        with pytest.raises(TypeError, match="CallableSink needs"):
            CallableSink(function)  # type: ignore[arg-type]
