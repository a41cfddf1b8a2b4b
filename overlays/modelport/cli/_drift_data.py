"""What the commands of ``modelport drift`` make of data files: baselines, and counts in the bins of a baseline."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from modelport._extras import require

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from modelport.cli._data_files import DataFile
    from modelport.drift import Baseline, CountsSnapshot, FeatureBaseline, FeatureCounts
    from modelport.drift._baseline import Kind

__all__ = ["baseline_from", "count_file", "data_file", "is_baseline", "load_baseline", "output_option", "with_counts"]

# Of the numbers of training data all are needed at once, to find their quantiles: 8 bytes each.
_NUMBERS_AT_ONCE = 50_000_000

data_file = click.Path(exists=True, path_type=Path)
output_option = click.option("--output-column", metavar="NAME", help="The column that holds the model's output.")


def is_baseline(path: Path) -> bool:
    """Whether the file is named as a saved baseline, not as data."""
    return path.suffix.lower() in {".json", ".prom"}


def load_baseline(path: Path) -> Baseline:
    """A saved baseline."""
    from modelport.drift import Baseline

    return Baseline.load(path)


def baseline_from(
    file: DataFile,
    *,
    output_column: str | None = None,
    features: Sequence[str] = (),
    kinds: Mapping[str, Kind] | None = None,
    model_version: str | None = None,
) -> Baseline:
    """The baseline of a data file, a few columns at a time if it is large."""
    from modelport.drift import Baseline, BaselineError
    from modelport.drift.training._tables import Batches

    names = wanted(file, features, output_column)
    made: list[FeatureBaseline] = []
    output: FeatureBaseline | None = None
    rows = file.measure(names) if names else 0
    if not rows:
        raise click.UsageError(f"{file.path} holds no rows")
    for group in _groups(rows, names):
        try:
            part = Baseline.from_data(
                Batches(batch.items() for batch in file.typed(group)),
                kinds={name: kind for name, kind in (kinds or {}).items() if name in group},
            )
        except BaselineError as error:
            raise click.UsageError(f"{file.path}: {error}") from error
        made += [column for column in part.features if column.name != output_column]
        for column in part.features:
            if column.name == output_column:
                output = msgspec.structs.replace(column, name="output", role="output")
    return Baseline(features=tuple(made), output=output, model_version=model_version, rows=rows)


def wanted(file: DataFile, features: Sequence[str], output_column: str | None) -> list[str]:
    """The columns to read: the features (all columns, unless some are named), and the output's."""
    names = list(features) or [name for name in file.names if name != output_column]
    if output_column is not None:
        names.append(output_column)
    require_columns(file, names)
    return names


def require_columns(file: DataFile, names: Sequence[str]) -> None:
    """Refuse a file that lacks one of the columns."""
    lacking = [name for name in names if name not in file.names]
    if lacking:
        told = ", ".join(map(repr, lacking))
        raise click.UsageError(f"{file.path} has no column {told}; it has: {', '.join(file.names)}")


def with_counts(shape: Baseline, file: DataFile, output_column: str | None) -> Baseline:
    """The same bins, with the counts of the file."""
    counts = count_file(shape, file, output_column)
    columns = [
        msgspec.structs.replace(
            column, counts=found.counts, missing=found.missing, unseen=_out_of_bins(column, found), sum=found.sum
        )
        for column, found in zip(shape.columns, counts.columns, strict=True)
    ]
    width = len(shape.features)
    return msgspec.structs.replace(
        shape,
        features=tuple(columns[:width]),
        output=columns[width] if shape.output is not None else None,
        attributions=(),
        rows=counts.records,
    )


def count_file(baseline: Baseline, file: DataFile, output_column: str | None) -> CountsSnapshot:
    """Counts of the baseline's columns in the file."""
    require("numpy", "drift")
    from modelport.drift import CountsSnapshot
    from modelport.drift.serving._column_tally import ColumnTally

    tallies = [ColumnTally(column) for column in baseline.columns]
    places = [output_column if tally.column.role == "output" else tally.column.name for tally in tallies]
    names = [name for name in places if name is not None]
    require_columns(file, names)
    rows = 0
    for batch in file.batches(list(dict.fromkeys(names))):
        rows += len(next(iter(batch.values())))
        for tally, name in zip(tallies, names, strict=True):
            _add(tally, file, name, batch[name])
    if not rows:
        raise click.UsageError(f"{file.path} holds no rows")
    for tally, name in zip(tallies, names, strict=True):
        if tally.column.kind == "numeric" and tally.counts.unseen and not tally.counts.total:
            raise click.UsageError(f"{file.path}: column {name!r} holds no numbers, which the baseline has there")
    counts = [tally.counts for tally in tallies]
    features = dict(zip(baseline.names, counts[: len(baseline.features)], strict=True))
    return CountsSnapshot(features, None if baseline.output is None else counts[-1], rows)


def _add(tally: Any, file: DataFile, name: str, column: Any) -> None:
    numeric = tally.column.kind == "numeric"
    try:
        tally.add(file.numbers(column) if numeric else file.labels(column, frozenset(tally.column.categories)))
    except ValueError as error:
        raise click.UsageError(f"{file.path}: column {name!r}: {error}") from error


def _out_of_bins(column: FeatureBaseline, found: FeatureCounts) -> int:
    # A baseline's unseen values are in no bin; those of a category without a bin are in the last one.
    return found.unseen - (found.counts[-1] if column.kind == "categorical" else 0)


def _groups(rows: int, names: Sequence[str]) -> Iterator[list[str]]:
    size = max(1, _NUMBERS_AT_ONCE // rows)
    for start in range(0, len(names), size):
        yield list(names[start : start + size])
