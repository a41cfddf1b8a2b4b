"""``modelport drift baseline``."""

from __future__ import annotations

from pathlib import Path

import click

from modelport.cli._drift_data import baseline_from, output_option
from modelport.cli._output import note


@click.command("baseline")
@click.argument("data", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("target", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))
@output_option
@click.option("--model-version", help="Stored with the baseline.")
def make_baseline(data: Path, target: Path, *, output_column: str | None, model_version: str | None) -> None:
    """Summarise the training DATA (CSV, Parquet or JSON lines) into the baseline FILE."""
    baseline = baseline_from(data, output_column, model_version)
    baseline.save(target)
    note(f"{target}: {len(baseline.features)} features of {baseline.rows} rows")
