"""Evidently's PSI preset over two Parquet files."""

# pyright: reportMissingImports=false

from __future__ import annotations

from typing import Any

from worker import Case
from workload import NAMES, peak_rss_mib, process_ns


def psi() -> Case:
    import pandas as pd
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset

    def run(n: int, *, reference: str, current: str) -> dict[str, Any]:
        tables = [pd.read_parquet(path) for path in (current, reference)]
        start = process_ns()
        definition = DataDefinition(numerical_columns=NAMES)
        data = [Dataset.from_pandas(table, data_definition=definition) for table in tables]
        found = Report([DataDriftPreset(num_method="psi")]).run(*data)
        spent = process_ns() - start
        values = [float(metric["value"]) for metric in found.dict()["metrics"][1:]]
        return {
            "rows": len(tables[0]), "asked": n, "seconds": spent / 1e9, "whole": process_ns() / 1e9,
            "peak": peak_rss_mib(), "first": values[0], "last": values[-1],
        }  # fmt: skip

    return run


CASES = {"psi": psi}
