"""Our own cases: the request path, everything, scrapes, an event loop, memory."""

from __future__ import annotations

import inspect
import itertools
import tempfile
import threading
from collections import deque
from collections.abc import Sequence
from typing import Any

from lateness import lateness
from worker import Case
from workload import (
    NAMES,
    OUTPUT,
    ROWS,
    STEP,
    columns,
    in_steps,
    paced,
    peak_rss_mib,
    process_ns,
    rss_mib,
    scrapes,
    thread_ns,
)

from modelport import ModelMonitor
from modelport.drift import Baseline
from modelport.predictions import FileSink, FluentSink, Sink

_PATIENCE_SECONDS = 600
_KEPT = 100_000

FORMAT = "msgpack" if "format" in inspect.signature(FileSink.__init__).parameters else "json"


def baseline() -> Baseline:
    return Baseline.from_data(dict(zip(NAMES, columns(10_000), strict=True)), output=columns(10_000)[0])


def file_sink() -> FileSink:
    options: dict[str, Any] = {"format": FORMAT} if FORMAT != "json" else {}
    return FileSink(tempfile.mkdtemp(prefix="modelport-bench-"), **options)


def append(kept: int = 0) -> Case:
    """The measure: a bare ``deque.append`` of a tuple, emptied each 1000, or only after `kept`."""

    def run(n: int) -> dict[str, Any]:
        queue: deque[object] = deque()
        put = queue.append

        def step() -> None:
            for row in ROWS:
                put((1, row, OUTPUT))

        return in_steps(kept or n, step, after=(lambda: None) if kept else queue.clear)

    return run


def log(kept: int = 0, **options: Any) -> Case:
    """``ModelMonitor.log`` as a request sees it: the CPU time of its thread."""
    monitor = ModelMonitor("bench", max_queue=10**7, interval=3600, **options)

    def step() -> None:
        write = monitor.log
        for row in ROWS:
            write(row, OUTPUT)

    def run(n: int) -> dict[str, Any]:
        answer = in_steps(kept or n, step, after=(lambda: None) if kept else monitor.flush)
        monitor.flush(_PATIENCE_SECONDS)
        return answer

    return run


def all_in(*, counted: bool = True, written: bool = True, free: bool = False) -> Case:
    """The process's CPU time: log, count against the baseline, encode, write files. Free: threads in their own time."""
    monitor = ModelMonitor(
        "bench",
        baseline=baseline() if counted else None,
        sinks=[file_sink()] if written else [],
        max_queue=10**7,
    )

    def step() -> None:
        for row in ROWS:
            monitor.log(row, OUTPUT)
        if not free and not monitor.flush(_PATIENCE_SECONDS):
            raise TimeoutError

    def run(n: int) -> dict[str, Any]:
        start = process_ns()
        for _ in range(n // STEP):
            step()
        if not monitor.flush(_PATIENCE_SECONDS):
            raise TimeoutError
        spent = process_ns() - start
        if sum(monitor.dropped.values()):
            raise RuntimeError(monitor.dropped)
        return {"ns": spent / n, "format": FORMAT}

    return run


def all_in_fluent() -> Case:
    """The same with a collector instead of files; logged at the speed at which it takes them."""

    def run(n: int, *, port: int) -> dict[str, Any]:
        monitor = ModelMonitor(
            "bench", baseline=baseline(), sinks=[FluentSink("127.0.0.1", port, max_buffer=10**7)], max_queue=10**7
        )
        start, request = process_ns(), thread_ns()
        for number in range(n):
            monitor.log(ROWS[number % STEP], number)
        asked = thread_ns() - request
        if not monitor.flush(_PATIENCE_SECONDS):
            raise TimeoutError
        spent = process_ns() - start
        monitor.close()
        return {"ns": spent / n, "request_ns": asked / n}

    return run


def scrape() -> Case:
    monitor = ModelMonitor("bench", baseline=baseline(), max_queue=10**7)

    def more() -> None:
        for row in ROWS[:50]:
            monitor.log(row, OUTPUT)
        monitor.flush(_PATIENCE_SECONDS)

    return lambda n: scrapes(n, monitor.export_http, more)


def loop(*, on: bool) -> Case:
    monitor = ModelMonitor("bench", baseline=baseline(), sinks=[file_sink()]) if on else None

    def nothing(row: list[float], output: float) -> None:
        del row, output

    def run(n: int, *, rate: float) -> dict[str, Any]:
        return lateness(nothing if monitor is None else monitor.log, n, rate)

    return run


def drain() -> Case:
    """Does the thread keep up with a steady rate? What was dropped, how long the queue got, memory."""

    def run(n: int, *, rate: float) -> dict[str, Any]:
        with ModelMonitor("bench", baseline=baseline(), sinks=[file_sink()]) as monitor:
            monitor.log(ROWS[0], OUTPUT)
            monitor.flush(_PATIENCE_SECONDS)
            before, start = rss_mib(), process_ns()
            most = [before]
            steps = itertools.count()

            def watch() -> None:
                if next(steps) % 100 == 0:
                    most[0] = max(most[0], rss_mib())

            reached = paced(monitor.log, n, rate=rate, watch=watch)
            cores = (process_ns() - start) / 1e9 * reached / n
            monitor.flush(_PATIENCE_SECONDS)
            dropped = sum(monitor.dropped.values())
        return {"reached": reached, "dropped": dropped, "cores": cores, "before": before, "most": most[0]}

    return run


def memory() -> Case:
    """A service that lives on: predictions at full speed with a pause each 10 000, so that nothing is dropped."""

    def run(n: int) -> dict[str, Any]:
        monitor = ModelMonitor("bench", baseline=baseline(), sinks=[file_sink()])
        before = rss_mib()
        for number in range(n):
            monitor.log(ROWS[number % STEP], OUTPUT)
            if number % 10_000 == 0:
                monitor.flush(_PATIENCE_SECONDS)
        monitor.flush(_PATIENCE_SECONDS)
        dropped = sum(monitor.dropped.values())
        return {"before": before, "after": rss_mib(), "peak": peak_rss_mib(), "dropped": dropped}

    return run


class _Stalled(Sink):
    name = "stalled"

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.taken = 0

    def write(self, records: Sequence[object]) -> None:
        self.go_on.wait()
        self.taken += len(records)


def stalled() -> Case:
    """A sink that hangs: what is kept, what is dropped and counted, and how much memory that is."""

    def run(n: int) -> dict[str, Any]:
        sink = _Stalled()
        monitor = ModelMonitor("bench", baseline=baseline(), sinks=[sink])
        before = rss_mib()

        def log(row: list[float], output: float) -> None:
            # Floats of their own, as each request has: shared ones would weigh nothing.
            monitor.log([value * 1.5 for value in row], output)

        paced(log, n, rate=50_000)
        monitor.flush(0.5)
        after, dropped = rss_mib(), sum(monitor.dropped.values())
        sink.go_on.set()
        monitor.close(60)
        lost = n - sink.taken - sum(monitor.dropped.values())
        return {"before": before, "after": after, "dropped": dropped, "arrived": sink.taken, "lost": lost}

    return run


def make_baseline() -> Case:
    import numpy as np

    def run(n: int) -> dict[str, Any]:
        draw = np.random.default_rng(7)
        data = {name: draw.normal(size=n) for name in NAMES}
        output = draw.normal(size=n)
        start = process_ns()
        made = Baseline.from_data(data, output=output)
        made.save(tempfile.mkdtemp() + "/baseline.json")
        return {"ms": (process_ns() - start) / 1e6, "bins": len(made.features[0].counts)}

    return run


def outlier() -> Case:
    import numpy as np

    def run(n: int, *, value: float) -> dict[str, Any]:
        data = np.append(np.random.default_rng(7).normal(size=n), value)
        start = process_ns()
        (column,) = Baseline.from_data({"a": data}).features
        spent = (process_ns() - start) / 1e6
        return {"ms": spent, "bins": len(column.counts), "largest": max(column.counts) / column.total}

    return run


CASES = {
    "append": append,
    "append, kept": lambda: append(_KEPT),
    "log": log,
    "log, kept": lambda: log(_KEPT),
    "log, no copy": lambda: log(copy_features=False),
    "all in": all_in,
    "all in, free": lambda: all_in(free=True),
    "all in, counts only": lambda: all_in(written=False),
    "all in, files only": lambda: all_in(counted=False),
    "all in, fluent": all_in_fluent,
    "scrape": scrape,
    "loop off": lambda: loop(on=False),
    "loop on": lambda: loop(on=True),
    "drain": drain,
    "memory": memory,
    "stalled": stalled,
    "baseline": make_baseline,
    "outlier": outlier,
}
