"""The usual way to count without a library for it: one ``Histogram.observe`` a feature."""

from __future__ import annotations

from typing import Any

import prometheus_client
from worker import Case
from workload import EDGES, NAMES, ROWS, STEP, in_steps, peak_rss_mib, rss_mib


def _observe() -> Any:
    registry = prometheus_client.CollectorRegistry()
    family = prometheus_client.Histogram("value", "Values.", ["feature"], registry=registry, buckets=EDGES)
    children = [family.labels(name) for name in NAMES]

    def observe(row: list[float]) -> None:
        for child, value in zip(children, row, strict=True):
            child.observe(value)

    return observe


def observe() -> Case:
    one = _observe()

    def step() -> None:
        for row in ROWS:
            one(row)

    return lambda n: in_steps(n, step)


def memory() -> Case:
    def run(n: int) -> dict[str, Any]:
        one = _observe()
        before = rss_mib()
        for number in range(n):
            one(ROWS[number % STEP])
        return {"before": before, "after": rss_mib(), "peak": peak_rss_mib(), "dropped": 0}

    return run


CASES = {"observe": observe, "memory": memory}
