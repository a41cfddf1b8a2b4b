"""NannyML's univariate drift over two Parquet files. It has no PSI: Jensen-Shannon, in ten chunks."""

# pyright: reportMissingImports=false

from __future__ import annotations

from typing import Any

from worker import Case
from workload import NAMES, peak_rss_mib, process_ns


def js() -> Case:
    import nannyml
    import pandas as pd

    def run(n: int, *, reference: str, current: str) -> dict[str, Any]:
        old, new = (pd.read_parquet(path) for path in (reference, current))
        start = process_ns()
        calculator = nannyml.UnivariateDriftCalculator(
            column_names=NAMES, continuous_methods=["jensen_shannon"], chunk_number=10
        )
        calculator.fit(old)
        found = calculator.calculate(new)
        spent = process_ns() - start
        table = found.filter(period="analysis").to_df().xs("value", axis=1, level=2)
        values = [float(value) for value in table.iloc[-1].to_numpy()]
        return {
            "rows": len(new), "asked": n, "seconds": spent / 1e9, "whole": process_ns() / 1e9,
            "peak": peak_rss_mib(), "first": values[0], "last": values[-1],
        }  # fmt: skip

    return run


CASES = {"js": js}
