"""The programs of guides 000 and 001 with only the import changed: run, served, scraped, and their records received.

Once with the packages of their time (`tests/setup/peers/guide001.txt`), once with today's. The collector is a program
of others; what Boxkite itself makes of the same files and predictions is asked of Boxkite itself.
"""

from __future__ import annotations

import contextlib
import math
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families as parse

from modelport.boxkite import ModelMonitoringService
from tests.live.test_fluent_forward import Server
from tests.live.test_fluent_forward import start_server as start_server  # noqa: PLC0414 - a fixture

pytestmark = pytest.mark.live

HERE = Path(__file__).parent
PROGRAMS = HERE / "guide001"
ID = re.compile(r"pod-7/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/[0-9a-f-]{36}")
Series = dict[tuple[str, frozenset[tuple[str, str]]], float]


def peer(root: Path, name: str) -> str:
    python = root / ".cache" / "venvs" / name / "bin" / "python"
    if not python.is_file():
        pytest.skip(f"{name} is not installed: run `make setup-test`")
    return str(python)


@pytest.fixture(params=["of its time", "of today"])
def python(request: pytest.FixtureRequest, root: Path) -> str:
    return peer(root, "guide001") if request.param == "of its time" else sys.executable


@pytest.fixture
def environment(root: Path, tmp_path: Path) -> dict[str, str]:
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(map(str, (root / "overlays", root / "generated"))),
        "MODELPORT_HISTOGRAM_PATH": str(tmp_path / "histogram.prom"),
        "BEDROCK_ENDPOINT_ID": "wild-fog-12",
        "BEDROCK_SERVER_ID": "pod-7",
        "BEDROCK_POD_NAME": "pod-7",
        "BEDROCK_FLUENTD_ADDR": "127.0.0.1:9",
    }


def run(python: str, program: Path | str, environment: dict[str, str], *arguments: str) -> str:
    given = ["-c", program] if isinstance(program, str) else [str(program)]
    return subprocess.run(
        [python, *given, *arguments], env=environment, check=True, stdout=subprocess.PIPE, text=True, timeout=100
    ).stdout


@contextlib.contextmanager
def served(python: str, environment: dict[str, str]) -> Iterator[httpx.Client]:
    """The guide's service on loopback; leaving the block lets its process come to a normal end."""
    process = subprocess.Popen(
        [python, str(PROGRAMS / "serve.py")],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    errors: list[str] = []
    reader = threading.Thread(target=lambda: errors.extend(process.stderr or ()), daemon=True)
    reader.start()
    try:
        port = process.stdout.readline().strip()
        assert port, "".join(errors)
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60) as client:
            yield client
        process.stdin.close()
        assert process.wait(60) == 0, "".join(errors)
    finally:
        process.kill()
        process.wait()
        reader.join(10)
        for stream in (process.stdin, process.stdout, process.stderr):
            stream.close()


def series(text: str, prefixes: tuple[str, ...] = ("feature_", "inference_", "baseline_")) -> Series:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in parse(text)
        for sample in family.samples
        if sample.name.startswith(prefixes) and not sample.name.endswith("_created")
    }


def test_the_two_programs_of_guide_001_run(
    python: str, environment: dict[str, str], start_server: Callable[..., Server]
) -> None:
    collector = start_server()
    environment["BEDROCK_FLUENTD_ADDR"] = f"127.0.0.1:{collector.port}"
    run(python, PROGRAMS / "train.py", environment)

    with served(python, environment) as client:
        scores = [client.post("/", json={"event_id": str(number)}).json()["True"] for number in range(5)]
        scrape = client.get("/metrics")
        one = client.get("/metrics", params={"name[]": "feature_1_value_bucket"})
        deadline = 400
        while "modelport_predictions_total{" not in scrape.text or counted(scrape.text) < 5:
            scrape = client.get("/metrics")
            deadline -= 1
            assert deadline, scrape.text

    # After the process has come to its end, without a call of close.
    entries = collector.wait_for(5)
    assert [entry["tag"] for entry in entries] == ["models.predictions.wild-fog-12.pod-7"] * 5
    for number, (entry, score) in enumerate(zip(entries, scores, strict=True)):
        record = entry["record"]
        made = f"pod-7/.../{record['entity_id']}"
        assert record["request_body"] == {"event_id": str(number)}
        assert (record["features"], record["output"], record["server_id"]) == ([2.1, 18.0], score, "pod-7")
        assert ID.fullmatch(record["prediction_id"])
        assert record["prediction_id"].endswith(made[-36:])
        assert record["created_at"] == entry["time"]["seconds"] == record["timestamp_ns"] // 10**9
    assert len({entry["record"]["entity_id"] for entry in entries}) == 5

    assert scrape.headers["content-type"].startswith("text/plain; version=0.0.4")
    found = series(scrape.text)
    assert found["feature_0_value_count", frozenset()] == found["inference_value_count", frozenset()] == 5
    assert found["feature_1_value_sum", frozenset()] == 5 * 18.0
    assert found["feature_0_value_baseline_count", frozenset()] == 4
    names = {dict(labels)["feature_name"] for name, labels in found if name == "baseline_metrics_info"}
    assert {"income", "age"} < names
    assert {name for name, _ in series(one.text)} == {"feature_1_value_bucket"}


def counted(text: str) -> float:
    return next(
        sample.value
        for family in parse(text)
        for sample in family.samples
        if sample.name == "modelport_predictions_total"
    )


def test_the_program_of_guide_000_runs(
    python: str, environment: dict[str, str], start_server: Callable[..., Server]
) -> None:
    collector = start_server()
    environment["BEDROCK_FLUENTD_ADDR"] = f"127.0.0.1:{collector.port}"
    run(python, PROGRAMS / "store.py", environment)

    for entry in collector.wait_for(3):
        record = entry["record"]
        assert entry["tag"] == "models.predictions.wild-fog-12.pod-7"
        assert record["features"] == [0, 2, 1]
        assert (record["output"], record["request_body"]) == (0.921, '{"event_id": "123"}')


def test_a_program_without_a_collector_comes_to_its_end(python: str, environment: dict[str, str]) -> None:
    # Nobody listens there; the process says so at most a few times, and ends within the time that closing may take.
    answer = subprocess.run(
        [python, str(PROGRAMS / "store.py")], env=environment, check=True, capture_output=True, text=True, timeout=100
    )

    assert len(answer.stderr.splitlines()) < 12


TRAIN_BY_BOXKITE = """
import sys
import numpy as np
from boxkite.monitoring.service import ModelMonitoringService
random = np.random.default_rng(5)
ModelMonitoringService.export_text(
    features=[
        ("income", random.lognormal(10, 1, 3000)),
        ("plan", random.integers(0, 4, 3000)),
        ("z", random.normal(size=3000)),
    ],
    inference=random.choice(["no", "yes", "maybe"], 3000).tolist(),
    path=sys.argv[1],
)
"""

ROWS = [
    ([25_000.5, 1, 0.25], "no"),
    ([1.5, 3.0, -2.0], "yes"),
    ([9e9, 0, 5.5], "maybe"),
    ([22_026.0, 2, 0.0], "no"),
]

SERVE_BY_BOXKITE = f"""
import sys
from boxkite.monitoring.service import BaselineMetricCollector, LogExporter, ModelMonitoringService

class Nowhere(LogExporter):
    def emit(self, prediction):
        pass

monitor = ModelMonitoringService(Nowhere(), BaselineMetricCollector(sys.argv[1]))
for features, output in {ROWS!r}:
    monitor.log_prediction("", features, output)
sys.stdout.write(monitor.export_http()[0].decode())
"""


@pytest.fixture
def by_boxkite(root: Path, tmp_path: Path) -> Callable[..., str]:
    python = peer(root, "boxkite")
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}

    def run_it(program: str) -> str:
        return run(python, program, environment, str(tmp_path / "histogram.prom"))

    return run_it


def ours(path: Path) -> str:
    with ModelMonitoringService(baseline=path, sinks=[]) as monitor:
        for features, output in ROWS:
            monitor.log_prediction("", features, output)
        assert monitor.flush()
        return monitor.export_http()[0].decode()


def by_edge(found: Series) -> dict[tuple[str, Any], float]:
    """Series with edges as numbers: Boxkite spells its own two ways."""
    return {
        (name, float(dict(labels)["le"]) if "le" in dict(labels) else labels): value
        for (name, labels), value in found.items()
    }


def test_over_a_file_of_boxkites_both_show_the_same_series(by_boxkite: Callable[..., str], tmp_path: Path) -> None:
    by_boxkite(TRAIN_BY_BOXKITE)
    theirs = by_edge(series(by_boxkite(SERVE_BY_BOXKITE)))
    mine = by_edge(series(ours(tmp_path / "histogram.prom")))

    extra = {key for key in mine if isinstance(key[1], frozenset) and key[1] & {("bin", "nan"), ("bin", "__other__")}}
    # A count without a sum, as Boxkite has it for negative edges, is no OpenMetrics; the bucket +Inf says the same.
    assert theirs.pop(("feature_2_value_count", frozenset())) == mine["feature_2_value_bucket", math.inf]
    assert mine.keys() - extra == theirs.keys()
    assert {key: mine[key] for key in theirs} == pytest.approx(theirs)
    assert all(mine[key] == 0 for key in extra)


def test_boxkite_serves_over_a_file_of_ours_and_shows_the_same_series(
    by_boxkite: Callable[..., str], tmp_path: Path
) -> None:
    path = tmp_path / "histogram.prom"
    ModelMonitoringService.export_text(
        [
            ("income", [float(n**3) for n in range(300)]),
            ("plan", [n % 4 for n in range(300)]),
            ("z", [n / 100 - 1.5 for n in range(300)]),
        ],
        [["no", "yes", "maybe"][n % 3] for n in range(300)],
        path,
    )
    theirs = by_edge(series(by_boxkite(SERVE_BY_BOXKITE)))
    mine = by_edge(series(ours(path)))

    extra = {key for key in mine if isinstance(key[1], frozenset) and key[1] & {("bin", "nan"), ("bin", "__other__")}}
    # A count without a sum, as Boxkite has it for negative edges, is no OpenMetrics; the bucket +Inf says the same.
    assert theirs.pop(("feature_2_value_count", frozenset())) == mine["feature_2_value_bucket", math.inf]
    assert mine.keys() - extra == theirs.keys()
    assert {key: mine[key] for key in theirs} == pytest.approx(theirs)
