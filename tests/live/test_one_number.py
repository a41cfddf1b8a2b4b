"""The page of a process, PromQL over its counters and the report over its logs give one number: that of numpy."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

from modelport import ModelMonitor
from modelport.drift import Baseline, DriftReport
from modelport.drift.rules import RuleOptions, drift_rules
from modelport.monitor import logged_drift_report
from modelport.predictions import FileSink, ParquetSink
from tests.live.metrics_server import MetricsServer
from tests.live.prometheus import Prometheus, free_ports, until

pytestmark = pytest.mark.live

EXACT = 1e-9
ROWS = 4000
RANDOM = np.random.default_rng(11)
TRAINED = {
    "income": RANDOM.lognormal(14, 1.5, 5000),  # edges from 1e5 to 1e8: spelled with and without an exponent
    "age": RANDOM.integers(18, 90, 5000).astype(float),
    "visits": np.where(RANDOM.random(5000) < 0.7, 0.0, RANDOM.exponential(3, 5000)),
}
SERVED = {
    "income": RANDOM.lognormal(14.3, 1.5, ROWS),
    "age": RANDOM.integers(25, 97, ROWS).astype(float),
    "visits": np.where(RANDOM.random(ROWS) < 0.6, 0.0, RANDOM.exponential(4, ROWS)),
}
SERVED["income"][:5] = (math.inf, -math.inf, 1e300, math.nan, math.nan)
PLANS_TRAINED = RANDOM.choice(["a", "b", "c"], 5000, p=[0.5, 0.3, 0.2])
PLANS_SERVED = RANDOM.choice(["a", "b", "new"], ROWS, p=[0.4, 0.4, 0.2])
SCORES_TRAINED = RANDOM.beta(2, 5, 5000)
SCORES_SERVED = RANDOM.beta(3, 5, ROWS)


def numpy_psi(edges: np.ndarray, trained: np.ndarray, served: np.ndarray) -> float:
    """Right-closed bins, shares of what is not missing, clamped at 1e-4."""

    def share(values: np.ndarray) -> np.ndarray:
        present = values[~np.isnan(values)]
        counts = np.bincount(np.searchsorted(edges, present, side="left"), minlength=len(edges) + 1)
        return np.maximum(counts / len(present), 1e-4)

    p, q = share(trained), share(served)
    return float(np.sum((q - p) * np.log(q / p)))


def expected(baseline: Baseline) -> dict[str, float]:
    made = {
        column.name: numpy_psi(np.array(column.edges), TRAINED[column.name], SERVED[column.name])
        for column in baseline.features
        if column.name in TRAINED
    }
    assert baseline.output is not None
    made["output"] = numpy_psi(np.array(baseline.output.edges), SCORES_TRAINED, SCORES_SERVED)
    p = np.array([np.mean(PLANS_TRAINED == plan) for plan in "abc"] + [1e-4])
    q = np.array([np.mean(PLANS_SERVED == plan) for plan in "ab"] + [1e-4, np.mean(PLANS_SERVED == "new")])
    made["plan"] = float(np.sum((q - p) * np.log(q / p)))
    return made


@pytest.fixture(scope="module")
def baseline() -> Baseline:
    return Baseline.from_data({**TRAINED, "plan": PLANS_TRAINED}, output=SCORES_TRAINED, model_version="3")


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("log")


@pytest.fixture(scope="module")
def monitor(baseline: Baseline, log: Path) -> Iterator[ModelMonitor]:
    with ModelMonitor(
        "churn", baseline=baseline, sinks=[FileSink(log / "lines"), ParquetSink(log / "parquet")]
    ) as made:
        yield made


def log_everything(monitor: ModelMonitor) -> None:
    rows = zip(*SERVED.values(), PLANS_SERVED, strict=True)
    for row, score in zip(rows, SCORES_SERVED, strict=True):
        monitor.log(dict(zip((*SERVED, "plan"), row, strict=True)), score)
    assert monitor.flush(60)


@pytest.fixture(scope="module")
def scraped(monitor: ModelMonitor, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """A Prometheus that has seen the service before its first prediction and after its last one."""
    (port,) = free_ports(1)
    with contextlib.closing(MetricsServer(monitor, port)) as service:
        rules = {"drift.yml": drift_rules(RuleOptions(window="10m", interval="1s"))}
        server = Prometheus(tmp_path_factory.mktemp("prometheus"), [port], rules)
        until(lambda: service.scrapes >= 2)
        log_everything(monitor)
        seen = service.scrapes
        until(lambda: service.scrapes >= seen + 2)
        yield server
        server.stop()


def of_report(report: DriftReport) -> dict[str, float]:
    return {row.name: row.psi for row in report.features}


def of_page(monitor: ModelMonitor) -> dict[str, float]:
    families = text_string_to_metric_families(monitor.metrics_text())
    samples = [sample for family in families for sample in family.samples]
    return {sample.labels["feature"]: sample.value for sample in samples if sample.name == "modelport_feature_psi"}


def of_prometheus(server: Prometheus, wanted: dict[str, float]) -> dict[str, float]:
    """What the recording rules say, once they have seen the last scrape."""
    query = 'modelport:feature:psi{endpoint="churn"}'

    def settled() -> dict[str, float] | None:
        values = {labels["feature"]: value for labels, value in server.query(query)}
        sizes = {value for _, value in server.query('modelport:feature:values{endpoint="churn", feature="age"}')}
        return values if sizes == {float(ROWS)} and values.keys() == wanted.keys() else None

    values: dict[str, float] = until(settled)
    return values


def test_page_prometheus_and_logs_agree_with_numpy(
    scraped: Prometheus, monitor: ModelMonitor, baseline: Baseline, log: Path
) -> None:
    wanted = expected(baseline)
    assert monitor.close(60)
    ways: dict[str, Callable[[], Any]] = {
        "page": lambda: of_page(monitor),
        "prometheus": lambda: of_prometheus(scraped, wanted),
        "lines, duckdb": lambda: of_report(logged_drift_report(baseline, log / "lines", endpoint="churn")),
        "lines, polars": lambda: of_report(logged_drift_report(baseline, log / "lines", engine="polars")),
        "parquet, duckdb": lambda: of_report(logged_drift_report(baseline, log / "parquet", endpoint="churn")),
    }

    for way, numbers in ways.items():
        assert numbers() == pytest.approx(wanted, rel=EXACT, abs=EXACT), way
