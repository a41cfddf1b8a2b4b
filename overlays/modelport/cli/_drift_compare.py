"""``modelport drift compare``."""

from __future__ import annotations

from collections import Counter
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
    from collections.abc import Iterator, Sequence

    from modelport.drift import Baseline, CountsSnapshot, DriftReport

_SUMMARY = (
    "verdict",
    "rule",
    "level",
    "min_values",
    "records",
    "uncounted",
    "baseline_rows",
    "model_version",
    "mean_psi",
)


@click.command("compare")
@click.option("--baseline", "before", required=True, type=data_file, help="A baseline (.json, .prom) or training data.")
@click.option(
    "--current", "now", required=True, type=data_file, help="Data of now, or a directory of logged predictions."
)
@click.option(
    "--edges", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Bins for both sides; see above."
)
@rule_option
@output_option
@click.option("--feature", "features", metavar="NAME", multiple=True, help="Compare only these features.")
@click.option("--endpoint", help="With logged predictions: only those of this endpoint.")
@click.option("--model-version", metavar="TEXT", help="With logged predictions: only those of this version.")
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
    model_version: str | None,
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
    whole, names = _baseline(before, edges, output_column, features, by_position=now.is_dir())
    baseline = _selected(whole, names, output_column)
    if edges is not None:
        _tell_useless(baseline, before)
    if now.is_dir():
        current = _of_columns(_logged_counts(whole, now, endpoint, model_version), baseline)
    elif endpoint is not None or model_version is not None:
        option = "--endpoint" if endpoint is not None else "--model-version"
        raise click.UsageError(f"{option} goes with a directory of logged predictions")
    else:
        file = open_data(now)
        current = count_file(baseline, file, output_column)
        if not features:
            _tell_extra(baseline, file.names, output_column)
    from modelport.drift import drift_report

    report = drift_report(baseline, current, rule=rule, level=level, min_values=min_values)
    document = _document(report, baseline, current) if as_json else None
    return tell(report, document=document, html=html, fail_on=fail_on)


def _baseline(
    before: Path, edges: Path | None, output_column: str | None, features: Sequence[str], *, by_position: bool
) -> tuple[Baseline, Sequence[str]]:
    """The baseline, and which of its features to compare: all if none is named.

    It has all features where it is `by_position` that values may be given.
    """
    if edges is not None:
        shape = _selected(read_edges(edges, output_column), features, output_column)
        if not is_baseline(before):
            return with_counts(shape, open_data(before), output_column), shape.names
        whole = load_baseline(before)
        other = bins_differ(shape.columns, _selected(whole, shape.names, output_column).columns)
        if other is not None:
            raise click.UsageError(f"{before} counts {other!r} in other bins than {edges}; give the training data")
        return whole, shape.names
    if is_baseline(before):
        return load_baseline(before), features
    wanted = () if by_position else features
    return baseline_from(open_data(before), output_column=output_column, features=wanted), features


def _selected(baseline: Baseline, features: Sequence[str], output_column: str | None) -> Baseline:
    """Those features of the baseline, and its output if it is known where the other side has it."""
    unknown = [name for name in features if name not in baseline.names]
    if unknown:
        raise click.UsageError(f"the baseline has no feature {unknown[0]!r}; it has: {', '.join(baseline.names)}")
    kept = [column for column in baseline.features if not features or column.name in features]
    output = baseline.output if output_column is not None else None
    return msgspec.structs.replace(baseline, features=tuple(kept), output=output, attributions=())


def _logged_counts(baseline: Baseline, log: Path, endpoint: str | None, model_version: str | None) -> CountsSnapshot:
    from modelport.drift import LiveCounts
    from modelport.drift.offline._notes import version_note
    from modelport.predictions import Prediction, read_predictions

    versions: Counter[str] = Counter()

    def wanted() -> Iterator[Prediction]:
        for record in read_predictions(log, endpoint):
            if model_version is None or record.model_version == model_version:
                versions.update([] if record.model_version is None else [record.model_version])
                yield record

    live = LiveCounts(baseline)
    live.update_from(wanted())
    snapshot = live.snapshot()
    if not snapshot.records + snapshot.uncounted:
        of = f" of {endpoint!r}" if endpoint is not None else ""
        of += f" of model version {model_version!r}" if model_version is not None else ""
        raise click.UsageError(f"{log} holds no predictions{of}")
    for text in version_note(versions, baseline):
        note(text)
    return snapshot


def _of_columns(counts: CountsSnapshot, baseline: Baseline) -> CountsSnapshot:
    """Those of the columns that `baseline` has kept."""
    features = {name: counts.features[name] for name in baseline.names}
    output = counts.output if baseline.output is not None else None
    return msgspec.structs.replace(counts, features=features, output=output, attributions={})


def _tell_useless(baseline: Baseline, before: Path) -> None:
    for column in baseline.columns:
        if column.total and max(column.counts) == column.total:
            kind = "edges" if column.kind == "numeric" else "categories"
            note(f"the {kind} of {column.name!r} do not part the values of {before}: all of them are in one bin")


def _tell_extra(baseline: Baseline, names: Sequence[str], output_column: str | None) -> None:
    extra = [name for name in names if name not in baseline.names and name != output_column]
    if extra:
        note(f"passed over, for the baseline does not have them: {', '.join(extra)}")


def _document(report: DriftReport, baseline: Baseline, counts: CountsSnapshot) -> dict[str, Any]:
    rows = [
        {
            **row,
            "edges": list(column.edges) if column.kind == "numeric" else None,
            "baseline_n": column.total,
            "baseline_counts": column.counts,
            "baseline_missing": column.missing,
            "counts": now.counts,
        }
        for row, column, now in zip(report.to_rows(), baseline.columns, counts.columns, strict=True)
    ]
    return {**{name: getattr(report, name) for name in _SUMMARY}, "features": rows}
