"""``modelport drift report``."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec
from click.core import ParameterSource

from modelport.cli._drift_answer import (
    fail_on_option,
    html_option,
    level_option,
    min_values_option,
    rule_option,
    tell,
)
from modelport.cli._output import json_option, note
from modelport.cli._progress import Steps

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelport.drift import Baseline, DriftReport

_ATTRIBUTION_MEANS = (
    "mean_attribution_psi", "mean_absolute_attribution", "baseline_mean_absolute_attribution",
)  # fmt: skip
_OF_FILES = {"output_column": "--output-column", "label_column": "--label-column", "time_column": "--time-column"}


def _moment(ctx: click.Context, param: click.Parameter, value: str | None) -> dt.datetime | None:
    """A date or a time; in UTC where it names no zone."""
    if value is None:
        return None
    try:
        moment = dt.datetime.fromisoformat(value)
    except ValueError:
        raise click.BadParameter(
            f"{value!r} is no time such as 2026-11-27 or 2026-11-27T13:00:00Z", ctx, param
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


@click.command("report")
@click.option(
    "--baseline",
    "baseline_file",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A saved baseline (.json, .prom).",
)
@click.option(
    "--logs",
    required=True,
    metavar="PATH",
    help="A log of predictions (its root, on disk or s3://), or Parquet or CSV files: a file, folder or pattern.",
)
@click.option("--endpoint", help="Only predictions of this endpoint.")
@click.option("--model-version", metavar="TEXT", help="Only predictions of this version of the model.")
@click.option(
    "--start",
    metavar="TIME",
    callback=_moment,
    help="Only predictions from this time on (UTC unless it says otherwise).",
)
@click.option("--end", metavar="TIME", callback=_moment, help="Only predictions before this time.")
@click.option("--window", metavar="LENGTH", help="Compare each stretch of time too: 1h, 1d, 1w.")
@click.option(
    "--segment", "segments", multiple=True, metavar="NAME", help="Compare each of its values too; repeatable."
)
@click.option("--max-segments", type=click.IntRange(1), default=20, show_default=True, help="Values per segment.")
@click.option(
    "--engine",
    type=click.Choice(["duckdb", "polars", "spark"]),
    default="duckdb",
    show_default=True,
    help="Who counts.",
)
@click.option("--spark-master", metavar="URL", help="A cluster, such as spark://host:7077; implies --engine spark.")
@click.option("--output-column", default="output", show_default=True, metavar="NAME", help="Of files: the output.")
@click.option("--label-column", metavar="NAME", help="Of files: the ground truth. (Of a log it is joined by itself.)")
@click.option("--time-column", metavar="NAME", help="Of files: the time, if it is not timestamp_ns, timestamp or time.")
@click.option("--task", type=click.Choice(["classification", "regression"]), help="What performance is measured.")
@rule_option
@level_option
@min_values_option
@html_option
@fail_on_option
@json_option
@click.pass_context
def report(
    ctx: click.Context, /, *, baseline_file: Path, html: Path | None, fail_on: str | None, as_json: bool, **options: Any
) -> int:
    """Compare logged predictions, or files of any size, with a baseline.

    One scan counts all columns; DuckDB, Polars and Spark give the same numbers to the digit.
    """
    from modelport.drift import Baseline
    from modelport.drift.offline import OfflineError

    baseline = Baseline.load(baseline_file)
    _check(ctx, **options)
    try:
        with Steps() as steps:
            made = _report(baseline, _Progress(steps), **options)
    except BrokenPipeError:
        raise
    except (OfflineError, FileNotFoundError, PermissionError, ConnectionError) as error:
        raise click.UsageError(str(error)) from error
    if not made.records + made.uncounted:
        _tell_nothing_there(**options)
    elif not (options["start"] or options["end"]) and _is_log(options["logs"]):
        _expect_segments(made, options["segments"])
    for sentence in made.notes:
        note(f"note: {sentence}")
    return tell(made, document=_document(made) if as_json else None, html=html, fail_on=fail_on)


def _check(ctx: click.Context, *, start: dt.datetime | None, end: dt.datetime | None, **options: Any) -> None:
    """Refuse options that contradict each other, or that nothing would heed."""
    if start and end and start >= end:
        raise click.UsageError("--start is not before --end")
    given = {name for name in options if ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE}
    if "spark_master" in given and "engine" in given and options["engine"] != "spark":
        raise click.UsageError(f"--spark-master goes with --engine spark, not {options['engine']}")
    of_files = [told for name, told in _OF_FILES.items() if name in given]
    if of_files and _is_log(options["logs"]):
        raise click.UsageError(f"{of_files[0]} goes with data files; a log of predictions says it by itself")
    if options["time_column"] and not (options["window"] or start or end):
        raise click.UsageError("--time-column goes with --window, --start or --end")


def _expect_segments(made: DriftReport, segments: tuple[str, ...]) -> None:
    """A log has no columns that could be missing: a segment that nothing in all of it carries is misspelled."""
    for name in segments:
        if {part.value for part in made.segments if part.name == name} == {"(none)"}:
            raise click.UsageError(f"no prediction carries the segment {name!r}")


def _tell_nothing_there(
    *,
    logs: str,
    endpoint: str | None,
    model_version: str | None,
    start: dt.datetime | None,
    end: dt.datetime | None,
    **_: Any,
) -> None:
    """A log that is empty is a mistake; a stretch of time without a prediction need not be one."""
    nothing = f"{logs} holds no predictions" + (f" of {endpoint!r}" if endpoint is not None else "")
    nothing += f" of model version {model_version!r}" if model_version is not None else ""
    if start is None and end is None:
        raise click.UsageError(nothing)
    note(f"{nothing} in that time")


class _Progress:
    """Rows counted so far, on stderr."""

    def __init__(self, show: Callable[[str], None]) -> None:
        self._show = show
        self._rows = 0
        show("reading")

    def __call__(self, rows: int) -> None:
        self._rows += rows
        self._show(f"{self._rows:,} rows counted")


def _report(
    baseline: Baseline,
    progress: _Progress,
    *,
    logs: str,
    spark_master: str | None,
    engine: str,
    output_column: str,
    label_column: str | None,
    time_column: str | None,
    **options: Any,
) -> DriftReport:
    engine = spark_master or engine
    if _is_log(logs):
        from modelport.monitor import logged_drift_report

        return logged_drift_report(baseline, logs, engine=engine, on_batch=progress, **options)
    from modelport.drift.offline import offline_drift_report

    names: dict[str, Any] = {"output": output_column, "label": label_column, "time": time_column}
    return offline_drift_report(baseline, logs, engine=engine, on_scan=progress, **names, **options)


def _is_log(logs: str) -> bool:
    """Whether it is the root of a log and not a file, a folder or a pattern of files."""
    if "://" in logs:
        from modelport.drift.offline._sources import format_of

        return format_of(logs) is None
    return (Path(logs) / "models" / "predictions").is_dir()


def _document(made: DriftReport) -> dict[str, Any]:
    document: dict[str, Any] = {**msgspec.to_builtins(made), "mean_psi": made.mean_psi, "verdict": made.verdict}
    attributed = any(row.role == "attribution" for row in made.features)
    return {**document, **{name: getattr(made, name) if attributed else None for name in _ATTRIBUTION_MEANS}}
