"""``modelport drift compare``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from modelport.cli._drift_data import baseline_from, data_file, output_option, read
from modelport.cli._output import json_option, note, print_json, print_table

if TYPE_CHECKING:
    from modelport.drift import Baseline, DriftReport

_COLUMNS = ("name", "role", "n", "psi", "js", "ks", "missing_rate", "verdict")
_DRIFTED = 1
_VERDICTS = {"moderate": {"moderate", "major"}, "major": {"major"}}


@click.command("compare")
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

    baseline = Baseline.load(before) if before.suffix == ".json" else baseline_from(before, output_column, None)
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
    frame, output = read(now, output_column)
    try:
        return drift_report(baseline, frame, output=output)
    except ValueError as error:
        raise click.UsageError(f"{now}: {error}") from error


def _tell(report: DriftReport, *, as_json: bool) -> None:
    if as_json:
        print_json({**{name: getattr(report, name) for name in _SUMMARY}, "features": report.to_rows()})
        return
    print_table([{name: getattr(row, name) for name in _COLUMNS} for row in report.by_psi], _COLUMNS)
    note(f"{len(report.drifted)} of {len(report.features)} drifted; {report.records} rows compared")


_SUMMARY = ("rule", "level", "min_values", "records", "uncounted", "baseline_rows", "model_version", "mean_psi")
