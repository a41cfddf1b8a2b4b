"""``modelport drift report``."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from modelport.cli._output import json_option, note, print_json
from modelport.cli._progress import Steps

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelport.drift import Baseline, DriftReport

_DRIFTED = 1
_VERDICTS = {"moderate": {"moderate", "major"}, "major": {"major"}}
_DATA_SUFFIXES = (".parquet", ".pq", ".csv")


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
    help="A baseline (.json).",
)
@click.option(
    "--logs",
    required=True,
    metavar="PATH",
    help="A log of predictions (its root, on disk or s3://), or Parquet or CSV files: a file, folder or pattern.",
)
@click.option("--endpoint", help="Only predictions of this endpoint.")
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
@click.option("--rule", type=click.Choice(["clamp", "raw"]), default="clamp", show_default=True, help="Empty bins.")
@click.option(
    "--html", type=click.Path(dir_okay=False, path_type=Path), help="Write a report to open in a browser too."
)
@click.option("--fail-on", type=click.Choice(list(_VERDICTS)), help="Exit 1 when a feature has drifted this far.")
@json_option
def report(*, baseline_file: Path, html: Path | None, fail_on: str | None, as_json: bool, **options: Any) -> int:
    """Compare logged predictions, or files of any size, with a baseline.

    One scan counts all columns; DuckDB, Polars and Spark give the same numbers to the digit.
    """
    from modelport.drift import Baseline
    from modelport.drift.offline import OfflineError

    baseline = Baseline.load(baseline_file)
    try:
        with Steps() as steps:
            made = _report(baseline, _Progress(steps), **options)
    except BrokenPipeError:
        raise
    except (OfflineError, FileNotFoundError, PermissionError, ConnectionError) as error:
        raise click.UsageError(str(error)) from error
    _tell(made, as_json=as_json)
    for sentence in made.notes:
        note(f"note: {sentence}")
    if html is not None:
        html.write_text(made.to_html(), encoding="utf-8")
        note(f"report: {html}")
    return _DRIFTED if fail_on and any(row.verdict in _VERDICTS[fail_on] for row in made.features) else 0


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
        return not logs.endswith(_DATA_SUFFIXES)
    return (Path(logs) / "models" / "predictions").is_dir()


def _tell(made: DriftReport, *, as_json: bool) -> None:
    if as_json:
        import msgspec

        print_json({**msgspec.to_builtins(made), "mean_psi": made.mean_psi})
        return
    from modelport.cli._drift_view import print_report

    print_report(made)
