"""What logging a prediction costs the request, and what it costs the process: CPU per prediction of 20 floats.

``python tests/bench/bench_monitor.py`` prints this table alone. The measure is a bare ``deque.append`` of a tuple, as
cheap as keeping anything can be: warm, where the queue is emptied each thousand records, and with 100,000 records kept
alive, which is what a queue does and costs memory that is not in a cache. And 20 ``Histogram.observe`` of
prometheus-client, which is the usual way to count.
"""

from __future__ import annotations

import gc
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import prometheus_client

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from modelport import ModelMonitor
from modelport.drift import Baseline, LiveCounts
from modelport.predictions import FileSink, Spool
from modelport.predictions._frame_maker import FrameMaker
from tests.bench.measure import Row, minima
from tests.bench.run import table

FEATURES = 20
STEP = 1000
STEPS = 20
ALIVE = 100_000
NAMES = [f"f{index}" for index in range(FEATURES)]
ROWS = np.random.default_rng(1).normal(size=(STEP, FEATURES))
LISTS: list[object] = ROWS.tolist()
TUPLES: list[object] = [tuple(row) for row in ROWS.tolist()]
MAPPINGS: list[object] = [dict(zip(NAMES, row, strict=True)) for row in ROWS.tolist()]
ARRAYS: list[object] = list(ROWS)
OUTPUTS = [0.5] * STEP
BASELINE = Baseline.from_data(ROWS, names=NAMES, output=ROWS[:, 0])

APPEND = "deque.append of a tuple"
OBSERVE = "20 x Histogram.observe"
BAR = 2.0
"""The issue's: twice a bare append. A Python function that reads the clock and makes an id is above it by itself."""
ALL_IN_NS = 1500.0


def main() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        request = minima(_per_prediction(_request_cases(stack), time.thread_time_ns))
        alive = minima(_alive_cases(stack), rounds=5)
        spooled = minima(_per_prediction(_spool_cases(stack, Path(folder)), time.thread_time_ns))
        whole = minima(_per_prediction(_whole_cases(stack, Path(folder)), time.process_time_ns))
    append, observe = request[APPEND], request[OBSERVE]
    queued, framed, listed = _sizes()
    return [
        Row("memory: a record in the queue / 20 floats in a list", queued, listed, 1.0, unit="B"),
        Row("memory: a record in a sink's buffer or spool / 20 floats in a list", framed, listed, 0.5, unit="B"),
        _row("request: log(list), warm / append", request["list"], append, BAR),
        _row("request: log(tuple), warm / append", request["tuple"], append, BAR),
        _row("request: log(mapping), warm / append", request["mapping"], append, BAR),
        _row("request: log(numpy row), warm / append", request["array"], append, BAR),
        _row("request: log(list), no copy, warm / append", request["no copy"], append, BAR),
        _row("request: log_many(1000 x 20 array), per row, warm / append", request["many"], append, BAR),
        _row("request: log(list), 100 000 alive / append, alive", alive["list"], alive[APPEND], BAR),
        _row("request: log(list), no copy, alive / append, alive", alive["no copy"], alive[APPEND], BAR),
        _row("request: log_many, alive / append, alive", alive["many"], alive[APPEND], BAR),
        _row("request: a function that stamps and appends / append", request["least"], append, BAR),
        _row("request: log(list) / 20 observe", request["list"], observe, 0.06),
        _row("request: log(list), spool by record / 20 observe", spooled["record"], observe, 0.3),
        _row("process: LiveCounts.update(lists) / 20 observe", whole["count lists"], observe, 0.1),
        _row("process: LiveCounts.update(mappings) / 20 observe", whole["count mappings"], observe, 0.12),
        _row("process: LiveCounts.update(numpy rows) / 20 observe", whole["count arrays"], observe, 0.16),
        _row("process: log and count / 20 observe", whole["log, count"], observe, 0.2),
        _row("process: log and write JSON / 20 observe", whole["log, file"], observe, 0.5),
        _row("process: log, count and write JSON / 20 observe", whole["log, count, file"], observe, 0.7),
        _row("process: all in (bins, msgpack, files) / 1500 ns", whole["all in"], ALL_IN_NS, 1.0),
        _row("process: all in, by log_many / 1500 ns", whole["all in, many"], ALL_IN_NS, 1.0),
        _row("process: all in, spool by batch / 1500 ns", whole["batch"], ALL_IN_NS, 1.0),
        _row("process: all in, spool by batch+fdatasync / 1500 ns", whole["batch+fdatasync"], ALL_IN_NS, 1.5),
        _row("process: all in, spool by record / 20 observe", whole["record"], observe, 1.0),
    ]


def _sizes() -> tuple[float, float, float]:
    """Bytes of a record of 20 floats in the queue and in a frame of 1000; and of the floats in a list by themselves."""
    with ModelMonitor("bench", baseline=BASELINE, interval=3600) as monitor:
        for row in LISTS:
            monitor.log(row, 0.5)
        entries: list[Any] = list(monitor._drain.gate.queue)
        (frame,) = FrameMaker("bench", None, tuple(NAMES), print).make(entries)
    size = sys.getsizeof
    queued = sum(size(entry) + sum(map(size, entry)) for entry in entries) / STEP
    listed = sum(size(row) + sum(map(size, row)) for row in ROWS.tolist()) / STEP
    return queued, len(frame.payload) / STEP, listed


def _row(what: str, measured: float, against: float, bar: float) -> Row:
    return Row(what, measured, against, bar, unit="ns")


def _per_prediction(cases: dict[str, Callable[[], None]], clock: Callable[[], int]) -> dict[str, Callable[[], float]]:
    """The cost of a step of 1000, divided by 1000; between steps the queue is emptied, as the drain would."""

    def timed(case: Callable[[], None]) -> Callable[[], float]:
        case()

        def run() -> float:
            start = clock()
            for _ in range(STEPS):
                case()
            return (clock() - start) / STEPS / STEP

        return run

    return {name: timed(case) for name, case in cases.items()}


def _request_cases(stack: ExitStack) -> dict[str, Callable[[], None]]:
    return {
        APPEND: _appending,
        "least": _stamping(),
        "list": _logging(stack, LISTS),
        "tuple": _logging(stack, TUPLES),
        "mapping": _logging(stack, MAPPINGS),
        "array": _logging(stack, ARRAYS),
        "no copy": _logging(stack, LISTS, copy=False),
        "many": _logging_many(stack),
        OBSERVE: _observing(),
    }


def _alive_cases(stack: ExitStack) -> dict[str, Callable[[], float]]:
    """The cost of 100 000 records that all stay."""

    def alive(fill: Callable[[], object], queue: deque[Any]) -> Callable[[], float]:
        def run() -> float:
            queue.clear()
            gc.collect()
            start = time.thread_time_ns()
            for _ in range(ALIVE // STEP):
                fill()
            return (time.thread_time_ns() - start) / ALIVE

        return run

    bare: deque[object] = deque()

    def append_all() -> None:
        append = bare.append
        for row in LISTS:
            append((1, row, 0.5))

    def log_all(monitor: ModelMonitor) -> Callable[[], object]:
        def run() -> None:
            log = monitor.log
            for row in LISTS:
                log(row, 0.5)

        return run

    copying, referring, batching = (_idle(stack, copy=copy) for copy in (True, False, True))
    return {
        APPEND: alive(append_all, bare),
        "list": alive(log_all(copying), copying._drain.gate.queue),
        "no copy": alive(log_all(referring), referring._drain.gate.queue),
        "many": alive(lambda: batching.log_many(ROWS, OUTPUTS), batching._drain.gate.queue),
    }


def _spool_cases(stack: ExitStack, folder: Path) -> dict[str, Callable[[], None]]:
    spool = Spool(str(folder / "caller"), mode="record")
    monitor = ModelMonitor(
        "bench", sinks=[FileSink(folder / "caller", format="msgpack")], spool=spool, interval=3600, max_queue=10**7
    )
    stack.callback(monitor.close, 600)

    def run() -> None:
        log = monitor.log
        for row in LISTS:
            log(row, 0.5)
        monitor._drain.gate.queue.clear()

    return {"record": run}


def _whole_cases(stack: ExitStack, folder: Path) -> dict[str, Callable[[], None]]:
    live = LiveCounts(BASELINE)

    def frames(name: str) -> FileSink:
        return FileSink(folder / name, format="msgpack")

    def spooled(name: str, mode: Any) -> ModelMonitor:
        return ModelMonitor(
            "bench", baseline=BASELINE, sinks=[frames(name)], spool=Spool(str(folder / name / "spool"), mode=mode)
        )

    many = ModelMonitor("bench", baseline=BASELINE, sinks=[frames("many")])
    return {
        "count lists": lambda: live.update(LISTS, OUTPUTS),
        "count mappings": lambda: live.update(MAPPINGS, OUTPUTS),
        "count arrays": lambda: live.update(ARRAYS, OUTPUTS),
        "log, count": _flushing(stack, ModelMonitor("bench", baseline=BASELINE)),
        "log, file": _flushing(stack, ModelMonitor("bench", sinks=[FileSink(folder / "a")])),
        "log, count, file": _flushing(stack, ModelMonitor("bench", baseline=BASELINE, sinks=[FileSink(folder / "b")])),
        "all in": _flushing(stack, ModelMonitor("bench", baseline=BASELINE, sinks=[frames("c")])),
        "all in, many": _flushing(stack, many, lambda: many.log_many(ROWS, OUTPUTS)),
        "batch": _flushing(stack, spooled("d", "batch")),
        "batch+fdatasync": _flushing(stack, spooled("e", "batch+fdatasync")),
        "record": _flushing(stack, spooled("f", "record")),
    }


def _appending() -> None:
    queue: deque[object] = deque()
    append = queue.append
    for row in LISTS:
        append((1, row, 0.5))


def _stamping() -> Callable[[], None]:
    """The least that a logger in Python can do: a call, the time, an id, an append. No bound, no copy, no options."""
    queue: deque[object] = deque()
    append, next_id, now = queue.append, map(str, range(10**12)).__next__, time.time_ns

    def log(features: object, output: object) -> str:
        made = next_id()
        append((features, output, made, now()))
        return made

    def run() -> None:
        for row in LISTS:
            log(row, 0.5)
        queue.clear()

    return run


def _idle(stack: ExitStack, *, copy: bool = True) -> ModelMonitor:
    # The thread sleeps through the measurement: its work is measured apart.
    monitor = ModelMonitor("bench", max_queue=10**7, interval=3600, copy_features=copy)
    stack.callback(monitor.close)
    return monitor


def _logging(stack: ExitStack, rows: Sequence[object], *, copy: bool = True) -> Callable[[], None]:
    monitor = _idle(stack, copy=copy)

    def run() -> None:
        log = monitor.log
        for row in rows:
            log(row, 0.5)
        monitor._drain.gate.queue.clear()

    return run


def _logging_many(stack: ExitStack) -> Callable[[], None]:
    monitor = _idle(stack)

    def run() -> None:
        monitor.log_many(ROWS, OUTPUTS)
        monitor._drain.gate.pop(STEP)

    return run


def _flushing(stack: ExitStack, monitor: ModelMonitor, log: Callable[[], object] | None = None) -> Callable[[], None]:
    stack.callback(monitor.close)

    def log_lists() -> None:
        for row in LISTS:
            monitor.log(row, 0.5)

    def run() -> None:
        (log or log_lists)()
        if not monitor.flush(600):
            raise RuntimeError("not flushed in ten minutes")

    return run


def _observing() -> Callable[[], None]:
    registry = prometheus_client.CollectorRegistry()
    buckets = BASELINE.features[0].edges
    family = prometheus_client.Histogram("bench", "x", ["feature"], registry=registry, buckets=buckets)
    children = [family.labels(name) for name in NAMES]

    def run() -> None:
        for row in ROWS.tolist():
            for child, value in zip(children, row, strict=True):
                child.observe(value)

    return run


if __name__ == "__main__":
    print(table(main()))
