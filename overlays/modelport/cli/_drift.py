"""``modelport drift``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from modelport._extras import require
from modelport.cli._output import json_option, note, print_json, print_table

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelport.drift import Baseline, DriftReport

_COLUMNS = ("name", "role", "n", "psi", "js", "ks", "missing_rate", "verdict")
_DRIFTED = 1
_VERDICTS = {"moderate": {"moderate", "major"}, "major": {"major"}}

data_file = click.Path(exists=True, path_type=Path)
output_option = click.option("--output-column", metavar="NAME", help="The column that holds the model's output.")


@click.group()
def drift() -> None:
    """Compare data with a baseline."""


@drift.command("baseline")
@click.argument("data", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("target", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))
@output_option
@click.option("--model-version", help="Stored with the baseline.")
def make_baseline(data: Path, target: Path, *, output_column: str | None, model_version: str | None) -> None:
    """Summarise the training DATA (CSV, Parquet or JSON lines) into the baseline FILE."""
    baseline = _baseline_from(data, output_column, model_version)
    baseline.save(target)
    note(f"{target}: {len(baseline.features)} features of {baseline.rows} rows")


@drift.command("compare")
@click.option("--baseline", "before", required=True, type=data_file, help="A baseline (.json), or training data.")
@click.option(
    "--current", "now", required=True, type=data_file, help="Data of now, or a directory of logged predictions."
)
@output_option
@click.option("--endpoint", help="With logged predictions: only those of this endpoint.")
@click.option(
    "--html", type=click.Path(dir_okay=False, path_type=Path), help="Write a report to open in a browser too."
)
@click.option("--fail-on", type=click.Choice(list(_VERDICTS)), help="Exit 1 when a feature has drifted this far.")
@json_option
def compare(
    *,
    before: Path,
    now: Path,
    output_column: str | None,
    endpoint: str | None,
    html: Path | None,
    fail_on: str | None,
    as_json: bool,
) -> int:
    """Compare data with a baseline, feature by feature, the most drifted first.

    Data is CSV, Parquet or JSON lines.
    """
    from modelport.drift import Baseline

    baseline = Baseline.load(before) if before.suffix == ".json" else _baseline_from(before, output_column, None)
    report = _compare(baseline, now, output_column, endpoint)
    _tell(report, as_json=as_json)
    if html is not None:
        html.write_text(report.to_html(), encoding="utf-8")
        note(f"report: {html}")
    return _DRIFTED if fail_on and any(row.verdict in _VERDICTS[fail_on] for row in report.features) else 0


def _compare(baseline: Baseline, now: Path, output_column: str | None, endpoint: str | None) -> DriftReport:
    from modelport.drift import drift_report

    if now.is_dir():
        from modelport.predictions import read_predictions

        return drift_report(baseline, read_predictions(now, endpoint))
    if endpoint is not None:
        raise click.UsageError("--endpoint goes with a directory of logged predictions")
    frame, output = _read(now, output_column)
    try:
        return drift_report(baseline, frame, output=output)
    except ValueError as error:
        raise click.UsageError(f"{now}: {error}") from error


def _baseline_from(data: Path, output_column: str | None, model_version: str | None) -> Baseline:
    from modelport.drift import Baseline

    frame, output = _read(data, output_column)
    return Baseline.from_data(frame, output=output, model_version=model_version)


def _read(path: Path, output_column: str | None) -> tuple[Any, Any]:
    """The features and the output of a data file."""
    pandas: Any = require("pandas", "training")
    readers: dict[str, Callable[[Path], Any]] = {
        ".csv": pandas.read_csv,
        ".parquet": pandas.read_parquet,
        ".jsonl": lambda file: pandas.read_json(file, lines=True),
    }
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise click.UsageError(f"{path}: not a kind of data that is known here: {', '.join(readers)}")
    try:
        frame = reader(path)
    except (ValueError, OSError) as error:
        raise click.UsageError(f"{path} cannot be read: {error}") from error
    if output_column is None:
        return frame, None
    if output_column not in frame:
        raise click.UsageError(f"{path} has no column {output_column!r}; it has: {', '.join(map(str, frame))}")
    return frame.drop(columns=output_column), frame[output_column]


def _tell(report: DriftReport, *, as_json: bool) -> None:
    if as_json:
        print_json({**{name: getattr(report, name) for name in _SUMMARY}, "features": report.to_rows()})
        return
    print_table([{name: getattr(row, name) for name in _COLUMNS} for row in report.by_psi], _COLUMNS)
    note(f"{len(report.drifted)} of {len(report.features)} drifted; {report.records} rows compared")


_SUMMARY = ("rule", "level", "min_values", "records", "uncounted", "baseline_rows", "model_version", "mean_psi")
