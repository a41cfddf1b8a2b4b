"""Drift of data of any size."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import structs

from modelport.drift._baseline import Baseline
from modelport.drift.offline._assemble import Assembly
from modelport.drift.offline._columns import Column, Layout, View
from modelport.drift.offline._csv_tables import CsvTables
from modelport.drift.offline._engines import is_spark, open_table
from modelport.drift.offline._notes import notes
from modelport.drift.offline._scan import counts_query
from modelport.drift.offline._slicing import parse_window
from modelport.drift.offline._sources import BatchSource, FileSource, source_of
from modelport.drift.offline._wish import Wish, nanoseconds, refuse_spark, scan_batches, segment_names

if TYPE_CHECKING:
    import datetime as dt
    import os
    from collections.abc import Callable, Mapping, Sequence

    from modelport.drift._results import DriftReport
    from modelport.drift.divergence import Rule
    from modelport.drift.offline._columns import ColumnKind
    from modelport.drift.offline._truth import Task

__all__ = ["counts_sql", "offline_drift_report"]


# A job of Spark costs about a second, however little it reads.
_SPARK_BLOCK_BYTES = 1 << 26


def offline_drift_report(
    baseline: Baseline | str | os.PathLike[str],
    data: object,
    *,
    engine: object = "duckdb",
    columns: Mapping[str, str] | None = None,
    output: str = "output",
    label: str | None = None,
    task: Task | None = None,
    time: str | None = None,
    start: dt.datetime | None = None,
    end: dt.datetime | None = None,
    window: str | dt.timedelta | None = None,
    segments: Sequence[str] = (),
    max_segments: int = 20,
    endpoint: str | None = None,
    model_version: str | None = None,
    rule: Rule = "clamp",
    level: float = 0.99,
    min_values: int = 200,
    storage_options: Mapping[str, str] | None = None,
    on_scan: Callable[[int], None] | None = None,
) -> DriftReport:
    """Compare data of any size with training, in SQL.

    The counts are those that `LiveCounts` would make of the same rows, so all numbers are the same. Of files of
    `ParquetSink`, what is not seen here (values that fit no column, ground truth) is told in `DriftReport.notes`.

    Args:
        baseline: The training side, or the path of a saved one.
        data: Parquet or CSV files (a path, a pattern, a folder, an ``s3://`` address), an Arrow table or reader, a
            pandas, polars or Spark data frame, or an iterable of Arrow batches.
        engine: ``"duckdb"``, ``"polars"``, ``"spark"``, ``"spark://host:port"``, a DuckDB connection, or a
            SparkSession.
        columns: Column by feature, where it is neither the feature's name nor that behind ``feature_``.
        output: The column of the model's output.
        label: The column of the ground truth, to measure performance by.
        task: ``"classification"`` or ``"regression"``, where the rule would err: text is a classification, and so are
            numbers where each truth is 0 or 1 and each output lies between.
        time: The column of time: timestamps (UTC where they have no zone) or nanoseconds since 1970.
        start: Only rows at or after it (aware).
        end: Only rows before it (aware).
        window: Compare each such stretch of time too: ``"1h"``, ``"1d"``, ``"1w"`` or a timedelta, aligned to UTC.
        segments: Columns whose labels are compared each for itself too.
        max_segments: Labels per segment; the rarer ones count together.
        endpoint: Only rows with this text in the column ``endpoint``.
        model_version: Only rows with this text in the column ``model_version``.
        rule: How empty bins count: see `modelport.drift.divergence`.
        level: Confidence of the significance test.
        min_values: Serving values a feature needs before it is judged.
        storage_options: How to reach S3: ``aws_access_key_id``, ``aws_secret_access_key``, ``aws_endpoint_url``, ...
        on_scan: Called with the number of rows whenever a scan, or the scan of a batch, is done.

    Raises:
        OfflineError: The data cannot be read or lacks a column.
        BaselineError: The baseline cannot be read.
        TypeError: Segments are one text and no list of names.
        MissingExtraError: The engine is not installed.
    """
    baseline = Baseline.of(baseline)
    wish = Wish(
        baseline=baseline,
        columns=columns,
        output=output,
        label=label,
        task=task,
        time=time,
        span=(nanoseconds(start), nanoseconds(end)),
        window=None if window is None else parse_window(window),
        segments=segment_names(segments),
        max_segments=max_segments,
        endpoint=endpoint,
        model_version=model_version,
    )
    assembly = Assembly(baseline, rule, level, min_values, task, endpoint)
    source = source_of(data, storage_options)
    if isinstance(source, FileSource) and source.format == "csv":
        csv = CsvTables(source, wish)
        tables = csv.tables(_SPARK_BLOCK_BYTES if is_spark(engine) else None)
        found, dimensions = scan_batches(csv.wish, tables, engine, on_scan)
    elif isinstance(source, BatchSource):
        refuse_spark(engine)
        found, dimensions = scan_batches(wish, source.batches, engine, on_scan)
    else:
        table = open_table(source, engine)
        scan = wish.scan(table)
        found, dimensions = scan.run(table, on_scan), scan.dimensions
    return structs.replace(assembly.report(found, dimensions), notes=notes(found, source, baseline, label))


def counts_sql(baseline: Baseline, kinds: Mapping[str, ColumnKind] | None = None) -> str:
    """The SQL that counts all columns of `baseline` in one scan, the same on every engine.

    It reads a table ``modelport_logs`` with the columns ``k0``, ``k1``, ... in the order of `Baseline.columns`.

    Args:
        baseline: The bins.
        kinds: The kind of a column (``integer``, ``float``, ``boolean``, ``text``) by feature, where it is neither
            ``float`` for a numeric nor ``text`` for a categorical feature.
    """
    usual: dict[str, ColumnKind] = {"numeric": "float", "categorical": "text"}
    places = [
        Column(f"{column.role} {column.name}", (kinds or {}).get(column.name, usual[column.kind]))
        for column in baseline.columns
    ]
    query, _ = counts_query(baseline, Layout(tuple(places)), View())
    return query.sql()
