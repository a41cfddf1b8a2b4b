"""Boxkite's own service, as its documentation has it: no-op exporter, or fluentd with a sink that answers."""

# pyright: reportMissingImports=false, reportAttributeAccessIssue=false

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import Any

from boxkite.monitoring.collector import BaselineMetricCollector
from boxkite.monitoring.exporter import FluentdExporter
from boxkite.monitoring.exporter.type import LogExporter
from boxkite.monitoring.service import ModelMonitoringService
from lateness import lateness
from worker import Case
from workload import NAMES, OUTPUT, ROWS, STEP, columns, in_steps, peak_rss_mib, process_ns, rss_mib, scrapes, thread_ns

_BATCH = 90


class _NoExporter(LogExporter):  # type: ignore[misc]
    def emit(self, prediction: object) -> None:
        """Nowhere."""


def _baseline() -> Any:
    path = str(Path(tempfile.mkdtemp(prefix="boxkite-bench-")) / "histogram.prom")
    features = zip(NAMES, columns(10_000), strict=True)
    ModelMonitoringService.export_text(features=features, inference=columns(10_000)[0], path=path)
    return BaselineMetricCollector(path=path)


def _service(exporter: Any = None) -> Any:
    return ModelMonitoringService(log_exporter=exporter or _NoExporter(), baseline_collector=_baseline())


def log() -> Case:
    service = _service()

    def step() -> None:
        for row in ROWS:
            service.log_prediction(request_body="", features=row, output=OUTPUT)

    return lambda n: in_steps(n, step)


def fluent() -> Case:
    """CPU of the caller's thread, and of the process, with a wait each 90 until its queue of 100 is empty.

    Without the wait it drops most of them, which is cheaper than sending them.
    """

    def run(n: int, *, port: int) -> dict[str, Any]:
        os.environ["BEDROCK_FLUENTD_ADDR"] = f"127.0.0.1:{port}"
        exporter = FluentdExporter()
        service = _service(exporter)
        start, asked = process_ns(), 0
        for first in range(0, n, _BATCH):
            request = thread_ns()
            for number in range(first, min(n, first + _BATCH)):
                service.log_prediction(request_body="", features=ROWS[number % STEP], output=float(number))
            asked += thread_ns() - request
            while not exporter._sender._queue.empty():
                time.sleep(0.001)
        exporter._sender.close()
        return {"ns": (process_ns() - start) / n, "request_ns": asked / n}

    return run


def scrape() -> Case:
    service = _service()

    def more() -> None:
        for row in ROWS[:50]:
            service.log_prediction(request_body="", features=row, output=OUTPUT)

    return lambda n: scrapes(n, service.export_http, more)


def loop() -> Case:
    services: dict[int, Any] = {}

    def run(n: int, *, rate: float, port: int) -> dict[str, Any]:
        os.environ["BEDROCK_FLUENTD_ADDR"] = f"127.0.0.1:{port}"
        service = services.setdefault(port, None) or _service(FluentdExporter())
        services[port] = service

        def write(row: list[float], output: float) -> None:
            service.log_prediction(request_body="", features=row, output=output)

        return lateness(write, n, rate)

    return run


def memory() -> Case:
    def run(n: int) -> dict[str, Any]:
        service = _service()
        before = rss_mib()
        for number in range(n):
            service.log_prediction(request_body="", features=ROWS[number % STEP], output=OUTPUT)
        return {"before": before, "after": rss_mib(), "peak": peak_rss_mib(), "dropped": 0}

    return run


def make_baseline() -> Case:
    import numpy as np

    def run(n: int) -> dict[str, Any]:
        draw = np.random.default_rng(7)
        data = [(name, draw.normal(size=n)) for name in NAMES]
        output = draw.normal(size=n)
        path = tempfile.mkdtemp() + "/histogram.prom"
        start = process_ns()
        ModelMonitoringService.export_text(features=iter(data), inference=output, path=path)
        spent = (process_ns() - start) / 1e6
        bins = Path(path).read_text(encoding="utf-8").count("feature_0_value_baseline_bucket")
        return {"ms": spent, "bins": bins}

    return run


def outlier() -> Case:
    import numpy as np
    from boxkite.utils.histogram import fast_histogram

    def run(n: int, *, value: float) -> dict[str, Any]:
        data = np.append(np.random.default_rng(7).normal(size=n), value)
        start = process_ns()
        try:
            counts = [int(count) for count in fast_histogram(data).values()]
        except (MemoryError, ValueError) as error:
            return {"ms": (process_ns() - start) / 1e6, "failed": f"{type(error).__name__}: {error}"[:60]}
        spent = (process_ns() - start) / 1e6
        return {"ms": spent, "bins": len(counts), "largest": max(counts) / sum(counts)}

    return run


CASES = {
    "log": log,
    "fluent": fluent,
    "scrape": scrape,
    "loop on": loop,
    "memory": memory,
    "baseline": make_baseline,
    "outlier": outlier,
}
