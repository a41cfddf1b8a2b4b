"""Drift over logged predictions."""

from __future__ import annotations

import os
from itertools import chain
from typing import TYPE_CHECKING, cast

from msgspec import structs

from modelport._extras import require

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from modelport.drift import Baseline, DriftReport
    from modelport.drift.divergence import Rule
    from modelport.drift.offline import Task
    from modelport.predictions import Prediction

__all__ = ["logged_drift_report"]

_BATCH_ROWS = 65_536


def logged_drift_report(
    baseline: Baseline | str | os.PathLike[str],
    logs: str | os.PathLike[str] | Iterable[Prediction],
    *,
    endpoint: str | None = None,
    model_version: str | None = None,
    start: dt.datetime | None = None,
    end: dt.datetime | None = None,
    window: str | dt.timedelta | None = None,
    segments: Sequence[str] = (),
    max_segments: int = 20,
    task: Task | None = None,
    engine: object = "duckdb",
    rule: Rule = "clamp",
    level: float = 0.99,
    min_values: int = 200,
    batch_rows: int = _BATCH_ROWS,
    on_batch: Callable[[int], None] | None = None,
) -> DriftReport:
    """Compare logged predictions with training, in memory that does not grow with the log.

    The log is read once, a batch at a time; of a batch only its counts are kept. They are those that `LiveCounts`
    makes of the same predictions. Performance is measured where the predictions carry a ``label``: those of a reader
    that joins ground truth do.

    Args:
        baseline: The training side, or the path of a saved one.
        logs: What `read_predictions` reads: the root of the log, on disk or on S3; or the predictions themselves.
        endpoint: Only this endpoint; by default all.
        model_version: Only this version of the model; by default all.
        start: Only predictions made at or after it (aware).
        end: Only predictions made before it (aware).
        window: Compare each such stretch of time too: ``"1h"``, ``"1d"``, ``"1w"`` or a timedelta, aligned to UTC.
        segments: Names of segments whose values are compared each for itself too; so are those of ``endpoint`` and
            ``model_version``, where predictions carry no segment of that name.
        max_segments: Values per segment, the most frequent ones; the others count together, and so does each value
            that is first seen after 1000 others.
        task: ``"classification"`` or ``"regression"``, where the rule of `offline_drift_report` would err.
        engine: ``"duckdb"`` or ``"polars"``, or a DuckDB connection.
        rule: How empty bins count: see `modelport.drift.divergence`.
        level: Confidence of the significance test.
        min_values: Serving values a feature needs before it is judged.
        batch_rows: Predictions in memory at once.
        on_batch: Called with the rows of each batch when it is counted.

    Raises:
        OfflineError: A window or a time that cannot be, outputs that cannot be compared with labels, or an engine
            that does not read batches.
        BaselineError: The baseline cannot be read.
        TypeError: Segments are one text and no list of names.
        FileNotFoundError: There is no such log.
        PermissionError: A store refused the credentials, or a file cannot be read.
        ConnectionError: A store is out of reach.
        MissingExtraError: The engine is not installed.
    """
    # Here, because a service that is only monitored needs none of it.
    from modelport.drift import Baseline
    from modelport.drift.offline._assemble import Assembly
    from modelport.drift.offline._notes import version_note
    from modelport.drift.offline._slicing import parse_window
    from modelport.drift.offline._wish import Wish, nanoseconds, refuse_spark, scan_batches, segment_names
    from modelport.monitor._logged_columns import LABEL, OUTPUT, TIME, LoggedColumns

    require("pyarrow", "offline")
    refuse_spark(engine)
    baseline = Baseline.of(baseline)
    wish = Wish(
        baseline=baseline,
        output=OUTPUT,
        label=LABEL,
        task=task,
        time=TIME,
        span=(nanoseconds(start), nanoseconds(end)),
        window=None if window is None else parse_window(window),
        segments=segment_names(segments),
        max_segments=max_segments,
    )
    predictions = _predictions(logs, endpoint, model_version, start, end)
    as_labels, predictions = _compares_labels(baseline, predictions, task)
    columns = LoggedColumns(baseline, wish.segments, as_labels=as_labels)
    wish = wish.at(columns.places, columns.flags)
    found, dimensions = scan_batches(wish, columns.tables(predictions, batch_rows), engine, on_batch)
    if not found.parts and not columns.uncounted and isinstance(logs, (str, os.PathLike)):
        _expect_a_log(logs)
    report = Assembly(baseline, rule, level, min_values, task, endpoint).report(found, dimensions, columns.uncounted)
    absent = [f"no prediction carries the segment {name!r}" for name in columns.absent_segments if report.records]
    return structs.replace(report, notes=(*version_note(found.versions, baseline), *absent))


def _predictions(
    logs: str | os.PathLike[str] | Iterable[Prediction],
    endpoint: str | None,
    model_version: str | None,
    start: dt.datetime | None,
    end: dt.datetime | None,
) -> Iterator[Prediction]:
    for prediction in _all_predictions(logs, endpoint, start, end):
        if model_version is None or getattr(prediction, "model_version", None) == model_version:
            yield prediction


def _all_predictions(
    logs: str | os.PathLike[str] | Iterable[Prediction],
    endpoint: str | None,
    start: dt.datetime | None,
    end: dt.datetime | None,
) -> Iterator[Prediction]:
    if isinstance(logs, (str, os.PathLike)):
        # Here, because a log that is already in memory needs no reader.
        from modelport.drift.offline import OfflineError
        from modelport.predictions import read_predictions

        try:
            reader = read_predictions(logs, endpoint, start, end)
        except ValueError as error:
            raise OfflineError(str(error)) from None
        yield from reader
        return
    for prediction in logs:
        if endpoint is None or prediction.endpoint == endpoint:
            yield prediction


def _expect_a_log(logs: str | os.PathLike[str]) -> None:
    """An empty report is right for an hour without traffic, and wrong for an address that is misspelled."""
    from modelport.predictions._paths import PREFIX
    from modelport.predictions.reading._sources import source_of

    if not any(True for _ in source_of(logs).folders(None)):
        raise FileNotFoundError(
            f"{os.fspath(logs)}: no log of predictions there: nothing is below {PREFIX}/ "
            "(of data files name a pattern, such as s3://bucket/folder/**/*.parquet)"
        )


def _compares_labels(
    baseline: Baseline, predictions: Iterator[Prediction], task: Task | None
) -> tuple[bool, Iterator[Prediction]]:
    """Whether outputs are classes: as the baseline has it, else as the first prediction has it."""
    if baseline.output is not None:
        return baseline.output.kind == "categorical" and task != "regression", predictions
    first = next(predictions, None)
    if first is None:
        return False, iter(())
    return isinstance(cast("object", first.output), str), chain([first], predictions)
