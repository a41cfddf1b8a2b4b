"""Drift of a Parquet file in a process of its own: ``python -m tests.bench.offline_scan FILE ENGINE``.

Prints one line of JSON: engine, rows, CPU seconds (user and system, everything since the interpreter began), wall
seconds of the report, peak resident memory, and the PSI of the first and the last feature.

``python -m tests.bench.offline_scan --make FILE ROWS`` writes the file: 20 features, normal, each shifted a little
more than the one before it, in pyarrow's default format.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

FEATURES = 20
_CHUNK_ROWS = 250_000


def names() -> list[str]:
    """The features of the file."""
    return [f"f{index}" for index in range(FEATURES)]


def make(path: Path, rows: int) -> None:
    """Write the file; the same bytes' worth of rows every time."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    random = np.random.default_rng(1)
    schema = pa.schema([(name, pa.float64()) for name in names()])
    with pq.ParquetWriter(path, schema) as writer:
        for start in range(0, rows, _CHUNK_ROWS):
            count = min(_CHUNK_ROWS, rows - start)
            columns = [random.normal(0.02 * index, 1.0, count) for index in range(FEATURES)]
            writer.write_table(pa.Table.from_arrays(list(map(pa.array, columns)), schema=schema))


def baseline_file(path: Path) -> Path:
    """The baseline beside the data: made apart, so that no measurement pays for it."""
    made = path.with_suffix(".baseline.json")
    if not made.exists():
        import numpy as np

        from modelport.drift import Baseline

        random = np.random.default_rng(0)
        Baseline.from_data({name: random.normal(size=100_000) for name in names()}).save(made)
    return made


def run(path: Path, engine: str) -> dict[str, object]:
    """The report, and what it has cost this process so far."""
    from modelport.drift import Baseline
    from modelport.drift.offline import offline_drift_report

    start = time.perf_counter()
    report = offline_drift_report(Baseline.load(baseline_file(path)), path, engine=engine)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "engine": engine,
        "rows": report.records,
        "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 2),
        "wall_seconds": round(time.perf_counter() - start, 2),
        "peak_mib": usage.ru_maxrss // 1024,
        "psi_first": report.features[0].psi,
        "psi_last": report.features[-1].psi,
    }


def main() -> None:
    """Make a file, or measure."""
    if sys.argv[1] == "--make":
        target = Path(sys.argv[2])
        make(target, int(sys.argv[3]))
        baseline_file(target)
        return
    print(json.dumps(run(Path(sys.argv[1]), sys.argv[2])))


if __name__ == "__main__":
    main()
