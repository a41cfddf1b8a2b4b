"""``modelport drift compare``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click
import msgspec

from modelport.cli._data_files import open_data
from modelport.cli._drift_answer import (
    fail_on_option,
    html_option,
    level_option,
    min_values_option,
    rule_option,
    tell,
)
from modelport.cli._drift_data import (
    baseline_from,
    count_file,
    data_file,
    is_baseline,
    load_baseline,
    output_option,
    with_counts,
)
from modelport.cli._drift_edges import bins_differ, read_edges
from modelport.cli._output import json_option, note

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelport.drift import Baseline, DriftReport, FeatureCounts

_SUMMARY = ("rule", "level", "min_values", "records", "uncounted", "baseline_rows", "model_version", "mean_psi")


@click.command("compare")
@click.option("--baseline", "before", required=True, type=data_file, help="A baseline (.json, .prom) or training data.")
@click.option(
    "--current", "now", required=True, type=data_file, help="Data of now, or a directory of logged predictions."
)
@click.option(
    "--edges", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Bins for both sides; see below."
)
@rule_option
@output_option
@click.option("--feature", "features", metavar="NAME", multiple=True, help="Compare only these features.")
@click.option("--endpoint", help="With logged predictions: only those of this endpoint.")
@level_option
@min_values_option
@html_option
@fail_on_option
@json_option
def compare(
    *,
    before: Path,
    now: Path,
    edges: Path | None,
    rule: Literal["raw", "clamp"],
    output_column: str | None,
    features: tuple[str, ...],
    endpoint: str | None,
    level: float,
    min_values: int,
    html: Path | None,
    fail_on: str | None,
    as_json: bool,
) -> int:
    """Compare data with a baseline, feature by feature, the most drifted first.

    Data is CSV, Parquet or JSON lines, and read in batches. Columns that the baseline does not have are passed over.

    The file of --edges is a saved baseline, or JSON with a list of edges (numbers) or categories (text) by feature.
    Without it the bins are those of the baseline, or the quantiles of the training data.

    JSON has every number in full; infinities and NaN are the texts "Infinity", "-Infinity" and "NaN", and null is
    what does not apply.
    """
    baseline = _baseline(before, edges, output_column, features)
    current, records, uncounted = _counts(baseline, now, output_column, features, endpoint)
    report = _report(baseline, current, rule=rule, level=level, min_values=min_values)
    report = msgspec.structs.replace(report, records=records, uncounted=uncounted)
    document = _document(report, baseline, current) if as_json else None
    return tell(report, document=document, html=html, fail_on=fail_on)


def _baseline(before: Path, edges: Path | None, output_column: str | None, features: Sequence[str]) -> Baseline:
    if edges is not None:
        shape = _selected(read_edges(edges, output_column), features, output_column)
        if not is_baseline(before):
            return with_counts(shape, open_data(before), output_column)
        made = _selected(load_baseline(before), shape.names, output_column)
        other = bins_differ(shape.columns, made.columns)
        if other is not None:
            raise click.UsageError(f"{before} counts {other!r} in other bins than {edges}; give the training data")
        return made
    if is_baseline(before):
        return _selected(load_baseline(before), features, output_column)
    return baseline_from(open_data(before), output_column=output_column, features=features)


def _selected(baseline: Baseline, features: Sequence[str], output_column: str | None) -> Baseline:
    """Those features of the baseline, and its output if it is known where the other side has it."""
    unknown = [name for name in features if name not in baseline.names]
    if unknown:
        raise click.UsageError(f"the baseline has no feature {unknown[0]!r}; it has: {', '.join(baseline.names)}")
    kept = [column for column in baseline.features if not features or column.name in features]
    output = baseline.output if output_column is not None else None
    return msgspec.structs.replace(baseline, features=tuple(kept), output=output, attributions=())


def _counts(
    baseline: Baseline, now: Path, output_column: str | None, features: Sequence[str], endpoint: str | None
) -> tuple[Sequence[FeatureCounts], int, int]:
    """Counts of the baseline's columns, records counted, and records that were no rows."""
    if not now.is_dir():
        if endpoint is not None:
            raise click.UsageError("--endpoint goes with a directory of logged predictions")
        file = open_data(now)
        counts, rows = count_file(baseline, file, output_column)
        if not features:
            _tell_extra(baseline, file.names, output_column)
        return counts, rows, 0
    from modelport.drift import LiveCounts
    from modelport.predictions import read_predictions

    live = LiveCounts(baseline)
    live.update_from(read_predictions(now, endpoint))
    snapshot = live.snapshot()
    if not snapshot.records + snapshot.uncounted:
        raise click.UsageError(f"{now} holds no predictions" + (f" of {endpoint!r}" if endpoint is not None else ""))
    return snapshot.columns, snapshot.records, snapshot.uncounted


def _tell_extra(baseline: Baseline, names: Sequence[str], output_column: str | None) -> None:
    extra = [name for name in names if name not in baseline.names and name != output_column]
    if extra:
        note(f"passed over, for the baseline does not have them: {', '.join(extra)}")


def _report(
    baseline: Baseline,
    counts: Sequence[FeatureCounts],
    *,
    rule: Literal["raw", "clamp"],
    level: float,
    min_values: int,
) -> DriftReport:
    from modelport.drift import DriftReport
    from modelport.drift._report import feature_drift

    rows = [
        feature_drift(column, now, rule=rule, level=level, min_values=min_values)
        for column, now in zip(baseline.columns, counts, strict=False)
    ]
    return DriftReport(
        features=tuple(rows), rule=rule, level=level, min_values=min_values, records=0,
        baseline_rows=baseline.rows, model_version=baseline.model_version,
    )  # fmt: skip


def _document(report: DriftReport, baseline: Baseline, counts: Sequence[FeatureCounts]) -> dict[str, Any]:
    rows = [
        {
            **row,
            "edges": list(column.edges) if column.kind == "numeric" else None,
            "baseline_n": column.total,
            "baseline_counts": column.counts,
            "baseline_missing": column.missing,
            "counts": now.counts,
        }
        for row, column, now in zip(report.to_rows(), baseline.columns, counts, strict=True)
    ]
    return {**{name: getattr(report, name) for name in _SUMMARY}, "features": rows}
