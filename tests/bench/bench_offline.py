"""Drift of 20 features over ten million rows: CPU of a fresh process, everything from the interpreter on.

``python tests/bench/bench_offline.py`` prints this table alone, and what each process said of itself. The file (1.6 GB)
is made once, by a seeded script, in ``.cache/bench``.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.bench.measure import Row
from tests.bench.offline_scan import baseline_file, make
from tests.bench.run import table

ROOT = Path(__file__).resolve().parents[2]
ROWS = 10_000_000
ROUNDS = 3
BARS = {"polars": 3.0, "duckdb": 15.0}


def main() -> list[Row]:
    data = _data(ROWS)
    best: dict[str, float] = dict.fromkeys(BARS, float("inf"))
    for _ in range(ROUNDS):
        for engine in BARS:
            said = measure(data, engine)
            print(json.dumps(said))
            best[engine] = min(best[engine], float(said["cpu_seconds"]))
    return [
        Row(f"offline: {engine}, 20 features x 10M rows / 1 s of CPU", best[engine], 1.0, bar, unit="s")
        for engine, bar in BARS.items()
    ]


def measure(data: Path, engine: str) -> dict[str, str]:
    """What a fresh process said of itself."""
    command = [sys.executable, "-m", "tests.bench.offline_scan", str(data), engine]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    answer: dict[str, str] = json.loads(done.stdout)
    return answer


def _data(rows: int) -> Path:
    path = ROOT / ".cache" / "bench" / f"offline-{rows}.parquet"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        make(partial, rows)
        partial.rename(path)
    baseline_file(path)
    return path


if __name__ == "__main__":
    print(table(main()))
