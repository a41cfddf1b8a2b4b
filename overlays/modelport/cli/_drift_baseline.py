"""``modelport drift baseline``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from modelport.cli._data_files import open_data
from modelport.cli._drift_data import baseline_from, output_option, require_columns
from modelport.cli._output import note

if TYPE_CHECKING:
    from modelport.drift._baseline import Kind


@click.command("baseline")
@click.argument("data", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("target", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))
@output_option
@click.option("--feature", "features", metavar="NAME", multiple=True, help="Take only these columns, in this order.")
@click.option("--numeric", metavar="NAME", multiple=True, help="These columns are numbers.")
@click.option("--categorical", metavar="NAME", multiple=True, help="These columns are categories.")
@click.option("--model-version", help="Stored with the baseline.")
def make_baseline(
    data: Path,
    target: Path,
    *,
    output_column: str | None,
    features: tuple[str, ...],
    numeric: tuple[str, ...],
    categorical: tuple[str, ...],
    model_version: str | None,
) -> None:
    """Summarise the training DATA (CSV, Parquet or JSON lines) into the baseline FILE.

    A FILE that ends in .prom is written in the form of Boxkite's histogram.prom, any other as JSON.
    """
    file = open_data(data)
    kinds: dict[str, Kind] = {**dict.fromkeys(numeric, "numeric"), **dict.fromkeys(categorical, "categorical")}
    require_columns(file, list(kinds))
    baseline = baseline_from(
        file, output_column=output_column, features=features, kinds=kinds, model_version=model_version
    )
    (baseline.save_prometheus if target.suffix.lower() == ".prom" else baseline.save)(target)
    note(f"{target}: {len(baseline.features)} features of {baseline.rows} rows")
