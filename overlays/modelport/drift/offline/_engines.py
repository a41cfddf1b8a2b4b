"""Which engine opens which data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelport.drift.offline._errors import OfflineError
from modelport.drift.offline._sources import ArrowSource, FileSource, SparkSource

if TYPE_CHECKING:
    from modelport.drift.offline._columns import Table

__all__ = ["is_spark", "open_table"]


def is_spark(engine: object) -> bool:
    """Whether `engine` names or is Spark."""
    if isinstance(engine, str):
        return engine.partition("://")[0] == "spark"
    return _package(engine) == "pyspark"


def open_table(source: FileSource | ArrowSource | SparkSource, engine: object) -> Table:
    """The data in the engine that `engine` names or is.

    Raises:
        OfflineError: No such engine, or it cannot read the data.
        MissingExtraError: The engine is not installed.
    """
    # Each imported here, because each is an extra.
    if isinstance(source, SparkSource):
        from modelport.drift.offline._spark import SparkTable

        return SparkTable(source)
    if engine == "duckdb" or _package(engine) == "duckdb":
        from modelport.drift.offline._duckdb import DuckTable

        return DuckTable(source, None if engine == "duckdb" else engine)
    if engine == "polars":
        from modelport.drift.offline._polars import PolarsTable

        return PolarsTable(source)
    if is_spark(engine):
        from modelport.drift.offline._spark import SparkTable, spark_session

        if isinstance(engine, str):
            return SparkTable(source, spark_session(engine if "://" in engine else None))
        return SparkTable(source, engine)
    raise OfflineError(
        f"no engine {engine!r}; there is duckdb, polars, spark, spark://host:port, a DuckDB connection, a SparkSession"
    )


def _package(engine: object) -> str:
    return type(engine).__module__.partition(".")[0].lstrip("_")
