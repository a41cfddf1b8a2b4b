"""OpenTelemetry's histogram, 20 records a prediction. It refuses negative values, so it is given their magnitude."""

# pyright: reportMissingImports=false

from __future__ import annotations

from typing import Any

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.metrics.view import ExplicitBucketHistogramAggregation, View
from worker import Case
from workload import EDGES, NAMES, ROWS, STEP, in_steps, peak_rss_mib, rss_mib


def _record() -> Any:
    view = View(instrument_name="value", aggregation=ExplicitBucketHistogramAggregation(EDGES))
    provider = MeterProvider(metric_readers=[InMemoryMetricReader()], views=[view])
    histogram = provider.get_meter("bench").create_histogram("value")
    attributes = [{"feature": name} for name in NAMES]

    def record(row: list[float]) -> None:
        for labels, value in zip(attributes, row, strict=True):
            histogram.record(value, labels)

    return record


_MAGNITUDES = [[abs(value) for value in row] for row in ROWS]


def record() -> Case:
    one = _record()

    def step() -> None:
        for row in _MAGNITUDES:
            one(row)

    return lambda n: in_steps(n, step)


def memory() -> Case:
    def run(n: int) -> dict[str, Any]:
        one = _record()
        before = rss_mib()
        for number in range(n):
            one(_MAGNITUDES[number % STEP])
        return {"before": before, "after": rss_mib(), "peak": peak_rss_mib(), "dropped": 0}

    return run


CASES = {"record": record, "memory": memory}
