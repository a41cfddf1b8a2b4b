"""What logging a prediction costs the request, and what it costs the process: CPU per prediction of 20 floats.

``python tests/bench/bench_monitor.py`` prints this table alone. The measure is a bare ``deque.append`` of a tuple, as
cheap as keeping anything can be, and 20 ``Histogram.observe`` of prometheus-client, which is the usual way to count.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import prometheus_client

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from modelport import ModelMonitor
from modelport.drift import Baseline, LiveCounts
from modelport.predictions import FileSink
from tests.bench.measure import Row, minima
from tests.bench.run import table

FEATURES = 20
STEP = 1000
STEPS = 20
NAMES = [f"f{index}" for index in range(FEATURES)]
ROWS = np.random.default_rng(1).normal(size=(STEP, FEATURES))
LISTS: list[object] = ROWS.tolist()
MAPPINGS: list[object] = [dict(zip(NAMES, row, strict=True)) for row in ROWS.tolist()]
ARRAYS: list[object] = list(ROWS)
BASELINE = Baseline.from_data(ROWS, names=NAMES, output=ROWS[:, 0])

APPEND = "deque.append of a tuple"
OBSERVE = "20 x Histogram.observe"


def main() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        request = minima(_per_prediction(_request_cases(stack), time.thread_time_ns))
        whole = minima(_per_prediction(_whole_cases(stack, Path(folder)), time.process_time_ns))
    append, observe = request[APPEND], request[OBSERVE]
    return [
        _row("request: log(list) / deque.append", request["list"], append, 18),
        _row("request: log(mapping) / deque.append", request["mapping"], append, 18),
        _row("request: log(numpy row) / deque.append", request["array"], append, 25),
        _row("request: log(list), no copy / deque.append", request["no copy"], append, 12),
        _row("request: log(list) / 20 observe", request["list"], observe, 0.06),
        _row("process: LiveCounts.update(lists) / 20 observe", whole["count lists"], observe, 0.1),
        _row("process: LiveCounts.update(mappings) / 20 observe", whole["count mappings"], observe, 0.12),
        _row("process: LiveCounts.update(numpy rows) / 20 observe", whole["count arrays"], observe, 0.16),
        _row("process: log and count / 20 observe", whole["log, count"], observe, 0.2),
        _row("process: log and write files / 20 observe", whole["log, file"], observe, 0.5),
        _row("process: log, count and write files / 20 observe", whole["log, count, file"], observe, 0.7),
    ]


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
        "list": _logging(stack, LISTS),
        "mapping": _logging(stack, MAPPINGS),
        "array": _logging(stack, ARRAYS),
        "no copy": _logging(stack, LISTS, copy=False),
        OBSERVE: _observing(),
    }


def _whole_cases(stack: ExitStack, folder: Path) -> dict[str, Callable[[], None]]:
    live = LiveCounts(BASELINE)
    outputs = [0.5] * STEP
    return {
        "count lists": lambda: live.update(LISTS, outputs),
        "count mappings": lambda: live.update(MAPPINGS, outputs),
        "count arrays": lambda: live.update(ARRAYS, outputs),
        "log, count": _flushing(stack, ModelMonitor("bench", baseline=BASELINE)),
        "log, file": _flushing(stack, ModelMonitor("bench", sinks=[FileSink(folder / "a")])),
        "log, count, file": _flushing(stack, ModelMonitor("bench", baseline=BASELINE, sinks=[FileSink(folder / "b")])),
    }


def _appending() -> None:
    queue: deque[object] = deque()
    append = queue.append
    for row in LISTS:
        append((1, row, 0.5))


def _logging(stack: ExitStack, rows: Sequence[object], *, copy: bool = True) -> Callable[[], None]:
    # The thread sleeps through the measurement: its work is measured apart.
    monitor = ModelMonitor("bench", max_queue=10**7, interval=3600, copy_features=copy)
    stack.callback(monitor.close)

    def run() -> None:
        log = monitor.log
        for row in rows:
            log(row, 0.5)
        monitor._drain.gate.queue.clear()

    return run


def _flushing(stack: ExitStack, monitor: ModelMonitor) -> Callable[[], None]:
    stack.callback(monitor.close)

    def run() -> None:
        for row in LISTS:
            monitor.log(row, 0.5)
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
