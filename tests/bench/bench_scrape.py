"""What a scrape costs: CPU of `export_http` for 20 features and the output, beside the real Boxkite's, in turns.

``python -m tests.bench.bench_scrape`` prints this table alone. Boxkite runs in a process of its own, on its own Python
(``make setup-test`` makes .cache/venvs/boxkite). Counts change before every scrape, so nothing live can be cached.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from modelport import ModelMonitor
from modelport.drift import Baseline
from tests.bench.measure import Row, minima
from tests.bench.run import table

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".cache" / "venvs" / "boxkite" / "bin" / "python"
PROGRAM = Path(__file__).with_name("scrape_boxkite.py")

FEATURES = 20
TRAINING_ROWS = 20_000
SCRAPES = 10
TEXT = "text/plain;version=0.0.4"
OPENMETRICS = "application/openmetrics-text;version=1.0.0"
COLUMNS = np.random.default_rng(1).normal(size=(FEATURES, TRAINING_ROWS))


def main() -> list[Row]:
    if not PYTHON.is_file():
        print(f"no {PYTHON.relative_to(ROOT)}: run `make setup-test`", file=sys.stderr)
        return []
    names = [f"f{index}" for index in range(FEATURES)]
    baseline = Baseline.from_data(COLUMNS.T, names=names, output=COLUMNS[0], model_version="1")
    with ModelMonitor("bench", baseline=baseline, interval=0.001) as monitor, tempfile.TemporaryDirectory() as folder:
        rows: list[Row] = []
        for what, accept in (("text", TEXT), ("OpenMetrics", OPENMETRICS)):
            with _boxkite(Path(folder) / "histogram.prom", accept) as child:
                cost = minima({"ours": _ours(monitor, accept), "boxkite": lambda child=child: _asked(child)})
            rows.append(Row(f"scrape of {FEATURES} features, {what} / boxkite", cost["ours"], cost["boxkite"], 0.5))
    return rows


def _ours(monitor: ModelMonitor, accept: str) -> Callable[[], float]:
    logged = COLUMNS[:, :50].T.tolist()

    def measure() -> float:
        best = float("inf")
        for _ in range(SCRAPES):
            monitor.log_many(logged, [row[0] for row in logged])
            monitor.flush()
            start = time.thread_time_ns()
            body, _ = monitor.export_http({"Accept": accept})
            best = min(best, (time.thread_time_ns() - start) / 1e6)
            assert b"modelport_feature_psi{" in body
        return best

    return measure


def _boxkite(file: Path, accept: str) -> subprocess.Popen[str]:
    child = subprocess.Popen(
        [str(PYTHON), str(PROGRAM), str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdin is not None
    child.stdin.write(json.dumps({"columns": COLUMNS.tolist(), "scrapes": SCRAPES, "accept": accept}) + "\n")
    return child


def _asked(child: subprocess.Popen[str]) -> float:
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write("\n")
    child.stdin.flush()
    return float(child.stdout.readline())


if __name__ == "__main__":
    print(table(main()))
