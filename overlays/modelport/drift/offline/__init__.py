"""Drift of logged data of any size: the bins of a baseline counted in SQL, by DuckDB, Polars or Spark.

    report = offline_drift_report(baseline, "logs/**/*.parquet", window="1d", segments=["country"])

Each table is read in one scan, and the SQL text is the same on all engines.
"""

from modelport.drift.offline._errors import OfflineError
from modelport.drift.offline._report import counts_sql, offline_drift_report
from modelport.drift.offline._truth import Task

__all__ = ["OfflineError", "Task", "counts_sql", "offline_drift_report"]
