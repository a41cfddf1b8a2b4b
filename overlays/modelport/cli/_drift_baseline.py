"""``modelport drift baseline``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from modelport.cli._data_files import open_data
from modelport.cli._drift_data import baseline_from, is_baseline, output_option, require_columns
from modelport.cli._output import note, print_table

if TYPE_CHECKING:
    from modelport.drift._baseline import FeatureBaseline, Kind

_COLUMNS = ("column", "kind", "bins", "values", "missing", "unseen")
_MOST = 0.8


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
    """Summarise the training DATA (CSV, Parquet or JSON lines) into the baseline FILE, and print what it holds.

    A FILE that ends in .prom is written in the form of Boxkite's histogram.prom, one in .json as JSON.
    """
    if not is_baseline(target):
        raise click.UsageError(f"{target}: the name of a baseline ends in .json or .prom")
    if both := sorted({*numeric} & {*categorical}):
        raise click.UsageError(f"column {both[0]!r} is either numeric or categorical")
    file = open_data(data)
    kinds: dict[str, Kind] = {**dict.fromkeys(numeric, "numeric"), **dict.fromkeys(categorical, "categorical")}
    require_columns(file, list(kinds))
    baseline = baseline_from(
        file, output_column=output_column, features=features, kinds=kinds, model_version=model_version
    )
    (baseline.save_prometheus if target.suffix.lower() == ".prom" else baseline.save)(target)
    print_table([_row(column) for column in baseline.columns], _COLUMNS)
    for column in baseline.columns:
        if column.name not in categorical and (odd := _oddity(column)):
            note(f"{column.name}: {odd}")
    from modelport.drift.page._words import plural

    note(f"{target}: {plural(len(baseline.features), 'feature')} of {plural(baseline.rows, 'row')}")


def _row(column: FeatureBaseline) -> dict[str, object]:
    counted = {"values": column.total, "missing": column.missing, "unseen": column.unseen}
    return {"column": column.name, "kind": column.kind, "bins": len(column.counts), **counted}


def _oddity(column: FeatureBaseline) -> str:
    """What of a column is hardly meant so."""
    if not column.total:
        return "no value is a number" if column.unseen else "there is no value"
    if column.kind == "numeric":
        return ""
    numbers = sum(map(_is_number, column.categories))
    # Numbers alone are categories only if they are few.
    if numbers > _MOST * len(column.categories) and max(len(column.categories) - numbers, column.counts[-1]):
        return "categorical, though most of its values are numbers; with --numeric the others count as unseen"
    if column.counts[-1] > _MOST * column.total:
        return f"{column.counts[-1] / column.total:.0%} of the values share one bin; is it an identifier?"
    return ""


def _is_number(label: str) -> bool:
    try:
        float(label)
    except ValueError:
        return False
    return True
