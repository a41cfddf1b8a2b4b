"""Sums that must be equal: what writers sent, what files hold, what metrics say, bin by bin, with drops added.

The counts are made again here with numpy from the rows that were sent, by no code of ours. Writers are real threads,
tasks, processes and forks; ends are real signals; the collector is a process that is killed and started again.
"""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

from modelport.drift import Baseline
from modelport.predictions import read_predictions
from tests.bench.peers.collector import Collector
from tests.live import monitoring_crowd as crowd
from tests.live import monitoring_service as service

pytestmark = pytest.mark.live

PROCESSES = 4
PATIENCE_SECONDS = 60.0


def run_crowd(folder: Path, count: int, max_queue: int) -> list[dict[str, Any]]:
    """What each process and each forked child reports."""
    output = [place % 7 / 7 for place in range(5000)]
    Baseline.from_data(crowd.training(), output=output).save(folder / "baseline.json")
    program = Path(crowd.__file__)
    running = [
        subprocess.Popen(
            [sys.executable, str(program), str(number), str(count), str(max_queue), str(folder)],
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(PROCESSES)
    ]
    said = [process.communicate(timeout=100)[0] for process in running]
    assert [process.returncode for process in running] == [0] * PROCESSES
    return [json.loads(line) for text in said for line in text.splitlines()]


def sent(count: int) -> dict[str, tuple[dict[str, Any], float]]:
    """Every row and its output, by prediction id."""
    return {
        crowd.id_of(process, writer, place): (row, place % 7 / 7)
        for process in range(PROCESSES)
        for writer in range(crowd.WRITERS)
        for place, row in enumerate(crowd.rows_of(process, writer, count))
    }


def summed(reports: list[dict[str, Any]], name: str, *labels: str) -> Counter[tuple[str, ...]]:
    """The metric `name` over all processes, by `labels`."""
    total: Counter[tuple[str, ...]] = Counter()
    for report in reports:
        for family in text_string_to_metric_families(report["metrics"]):
            for sample in family.samples:
                if sample.name == name:
                    total[tuple(sample.labels[label] for label in labels)] += int(sample.value)
    return total


def counted(
    rows: list[tuple[dict[str, Any], float]], baseline: Baseline
) -> tuple[Counter[tuple[str, ...]], Counter[tuple[str, ...]], Counter[tuple[str, ...]]]:
    """Values per role, column and bin; missing and unseen values per role and column: by numpy, not by ours."""
    bins: Counter[tuple[str, ...]] = Counter()
    missing: Counter[tuple[str, ...]] = Counter()
    unseen: Counter[tuple[str, ...]] = Counter()
    for column in baseline.columns:
        key = (column.role, column.name)
        values = [output if column.role == "output" else row[column.name] for row, output in rows]
        present = [value for value in values if value is not None and value == value]  # noqa: PLR0124 - NaN
        missing[key] += len(values) - len(present)
        if column.kind == "categorical":
            known = set(column.categories)
            bins.update((*key, text if text in known else column.labels[-1]) for text in map(str, present))
            unseen[key] += sum(text not in known for text in map(str, present))
            continue
        numbers = np.array([value for value in present if not isinstance(value, str)], float)
        unseen[key] += len(present) - len(numbers)
        places = np.searchsorted(np.array(column.edges), numbers, side="left")
        for place, number in zip(*np.unique(places, return_counts=True), strict=True):
            bins[(*key, column.labels[place])] += int(number)
    return bins, missing, unseen


@pytest.mark.parametrize(("count", "max_queue"), [(100, 1_000_000), (100, 300)], ids=["room for all", "too small"])
def test_threads_tasks_processes_and_forks_add_up_bin_by_bin(tmp_path: Path, count: int, max_queue: int) -> None:
    reports = run_crowd(tmp_path, count, max_queue)

    everything = sent(count)
    found = Counter(record.prediction_id for record in read_predictions(tmp_path, "crowd"))
    dropped = sum(sum(report["dropped"].values()) for report in reports)
    assert len(reports) == 2 * PROCESSES
    assert all(report["ok"] for report in reports)
    assert set(found.values()) == {1}
    assert set(found) <= set(everything)
    assert len(found) + dropped == len(everything) == PROCESSES * crowd.WRITERS * count
    assert (dropped > 0) == (max_queue < 1000)
    assert summed(reports, "modelport_predictions_dropped_total")[()] == dropped
    assert summed(reports, "modelport_predictions_total")[()] == len(found)
    assert summed(reports, "modelport_sink_delivered_total")[()] == len(found)

    baseline = Baseline.load(tmp_path / "baseline.json")
    bins, missing, unseen = counted([everything[made] for made in found], baseline)
    assert +summed(reports, "modelport_feature_bin_total", "role", "feature", "bin") == bins
    assert +summed(reports, "modelport_feature_missing_total", "role", "feature") == +missing
    assert +summed(reports, "modelport_feature_unseen_total", "role", "feature") == +unseen


def test_what_files_hold_is_what_was_sent(tmp_path: Path) -> None:
    run_crowd(tmp_path, 40, 1_000_000)

    everything = sent(40)
    for record in read_predictions(tmp_path, "crowd"):
        row, output = everything[record.prediction_id]
        assert record.output == output
        assert record.features == {name: as_written(value) for name, value in row.items()}


def as_written(value: object) -> object:
    if isinstance(value, float) and not np.isfinite(value):
        return None if np.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
    return value


class Soak:
    """Services that come and go, and a collector that does, for as long as a test likes."""

    def __init__(self, folder: Path, sink: str, mode: str, seed: int) -> None:
        self.folder = folder
        self.sink = sink
        self.mode = mode
        self.random = random.Random(seed)  # noqa: S311 - chance, not secrets
        self.ends: dict[str, signal.Signals] = {}
        self.received = folder / "received"
        self.collector: Collector | None = Collector(file=self.received)
        self.port = self.collector.port

    def start(self) -> tuple[str, subprocess.Popen[bytes]]:
        name = f"s{len(self.ends)}"
        self.ends[name] = self.random.choice([signal.SIGTERM, signal.SIGKILL])
        program = Path(service.__file__)
        command = [sys.executable, str(program), name, self.sink, str(self.folder), str(self.port), self.mode]
        return name, subprocess.Popen(command)

    def toggle_collector(self) -> None:
        if self.collector is not None:
            self.collector.stop()
            self.collector = None
        else:
            self.collector = Collector(self.port, file=self.received)

    def run(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            running = [self.start() for _ in range(2)]
            for name, process in running:
                wait_until(lambda name=name: self.logged(name) > service.BURST)
                time.sleep(self.random.uniform(0.1, 2.0))
                if self.random.random() < 0.5:
                    self.toggle_collector()
                process.send_signal(self.ends[name])
            if self.collector is None:
                # A monitor that is told to end waits for it, up to its timeout.
                self.toggle_collector()
            for name, process in running:
                assert -process.wait(90) == self.ends[name]

        if self.mode == "record":
            self.last_start()

    def last_start(self) -> None:
        """What the killed have left on disk is shipped by the next that starts."""
        name, process = self.start()
        self.ends[name] = signal.SIGTERM
        wait_until(lambda: self.logged(name) > service.BURST)
        process.send_signal(signal.SIGTERM)
        assert -process.wait(90) == signal.SIGTERM

    def logged(self, name: str) -> int:
        page = self.folder / f"{name}.page"
        return service.Page.read(page)[0] if page.exists() and page.stat().st_size else 0

    def found(self) -> Counter[str]:
        if self.sink == "file":
            return Counter(record.prediction_id for record in read_predictions(self.folder, service.ENDPOINT))
        return Counter(json.loads(line) for line in self.received.read_text(encoding="utf-8").splitlines())


@pytest.fixture(params=["file plain", "fluent plain", "file record", "fluent record"])
def soak(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Soak]:
    sink, mode = request.param.split()
    made = Soak(tmp_path, sink, mode, seed=4)
    yield made
    if made.collector is not None:
        made.collector.stop()


def wait_until(condition: Any) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_minute_of_kills_outages_and_forks_loses_only_what_the_documents_allow(soak: Soak) -> None:
    soak.run(30)
    children = list(soak.folder.glob("*-child.page"))
    for page in children:
        wait_until(lambda page=page: service.Page.read(page)[2])

    assert children
    assert set(soak.ends.values()) == {signal.SIGTERM, signal.SIGKILL}
    found = soak.found()
    repeated = {made for made, times in found.items() if times > 1}
    # Acknowledged delivery may repeat a batch, and so may a spool after a crash; files without one never do.
    assert (soak.sink, soak.mode) != ("file", "plain") or repeated == set()
    for name, how in soak.ends.items():
        logged, flushed, _ = service.Page.read(soak.folder / f"{name}.page")
        numbers = sorted(int(made.partition("/")[2]) for made in found if made.startswith(f"{name}/"))
        # What arrived has no holes, so only the newest can be missing; one more may arrive than the page tells of.
        assert numbers == list(range(len(numbers)))
        assert flushed <= len(numbers) <= logged + 1
        if how == signal.SIGTERM or soak.mode == "record":
            assert len(numbers) >= logged
    for page in children:
        name = page.stem
        assert sum(made.startswith(f"{name}/") for made in found) == service.CHILD_ROWS
