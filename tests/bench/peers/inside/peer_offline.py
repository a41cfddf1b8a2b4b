"""Our drift of logged data over one Parquet file, as one who has the baseline of the model runs it."""

from __future__ import annotations

from typing import Any

from worker import Case
from workload import NAMES, peak_rss_mib, process_ns


def psi() -> Case:
    def run(n: int, *, baseline: str, current: str, engine: str) -> dict[str, Any]:
        from modelport.drift import Baseline
        from modelport.drift.offline import offline_drift_report

        __import__(engine)
        start = process_ns()
        report = offline_drift_report(Baseline.load(baseline), current, engine=engine)
        spent = process_ns() - start
        values = {row.name: row.psi for row in report.features}
        counted = {row.n for row in report.features if row.name in NAMES}
        if counted != {n}:
            raise ValueError(f"{counted} of {n} rows counted")
        return {
            "seconds": spent / 1e9, "whole": process_ns() / 1e9, "peak": peak_rss_mib(),
            "first": values[NAMES[0]], "last": values[NAMES[-1]],
        }  # fmt: skip

    return run


def read() -> Case:
    """Polars alone: read every column and add it up."""

    def run(n: int, *, current: str) -> dict[str, Any]:
        import polars as pl

        del n
        start = process_ns()
        pl.scan_parquet(current).select(pl.all().sum()).collect(engine="streaming")
        return {"seconds": (process_ns() - start) / 1e9, "whole": process_ns() / 1e9, "peak": peak_rss_mib()}

    return run


CASES = {"psi": psi, "read": read}
