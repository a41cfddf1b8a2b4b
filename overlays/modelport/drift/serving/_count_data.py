"""Counting data, in any form that makes a baseline, in the bins of one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

from modelport.drift._errors import BaselineError
from modelport.drift.serving._column_tally import ColumnTally
from modelport.drift.serving._snapshot import CountsSnapshot, FeatureCounts
from modelport.drift.training._tables import batches

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from modelport.drift._baseline import Baseline, FeatureBaseline
    from modelport.drift.training._tables import Pairs

__all__ = ["count_data"]


def count_data(
    baseline: Baseline, data: object, *, output: object, attributions: object, names: Sequence[str] | None
) -> CountsSnapshot:
    """The counts that `LiveCounts` makes of the same rows; data that comes in batches is not kept.

    Raises:
        BaselineError: Another form, data that lacks a feature of the baseline, or columns of different length.
    """
    named = [(column.name, column) for column in baseline.features]
    expected = baseline.output
    if expected is not None and isinstance(output, str):
        named.append((output, expected))
    counts, rows = _counted(named, batches(data, names), "the data lacks")
    features = dict(zip(baseline.names, counts[: len(baseline.features)], strict=True))
    target = None
    if expected is not None:
        target = counts[-1] if isinstance(output, str) else _outputs(expected, output, rows)
    return CountsSnapshot(features, target, rows, attributions=_attributed(baseline, attributions))


def _attributed(baseline: Baseline, attributions: object) -> dict[str, FeatureCounts]:
    if attributions is None:
        return {}
    bare_names = baseline.names if hasattr(attributions, "ndim") and not hasattr(attributions, "columns") else None
    named = [(column.name, column) for column in baseline.attributions]
    counts, _ = _counted(named, batches(attributions, bare_names), "the attributions lack")
    return dict(zip((name for name, _ in named), counts, strict=True))


def _outputs(column: FeatureBaseline, values: object, rows: int) -> FeatureCounts:
    """Outputs beside the data; without them, no counts."""
    tally = ColumnTally(column)
    if values is not None:
        _add(tally, column.name, cast("Iterable[object]", values))
        if tally.size != rows:
            message = f"{tally.size} outputs beside {rows} rows of data"
            raise BaselineError(message)
    return tally.counts


def _counted(
    named: Sequence[tuple[str, FeatureBaseline]], found: Iterable[Pairs], what: str
) -> tuple[list[FeatureCounts], int]:
    """Counts of each column, from the column of the data that goes by that name; several may want the same."""
    tallies = [(name, ColumnTally(column)) for name, column in named]
    by_name: dict[str, list[ColumnTally]] = {}
    for name, tally in tallies:
        by_name.setdefault(name, []).append(tally)
    ever: set[str] = set()
    rows = 0
    for batch in found:
        seen: set[str] = set()
        for name, values in batch:
            if name in by_name:
                _add_all(by_name[name], name, values)
                seen.add(name)
        rows = max(tally.size for _, tally in tallies)
        # Of rows as mappings, a name may come up later, or no more.
        for name, tally in tallies:
            if name not in seen:
                tally.add_missing(rows - tally.size)
        ever |= seen
    absent = [name for name in by_name if name not in ever]
    if absent:
        message = f"{what} features of the baseline: {', '.join(absent)}"
        raise BaselineError(message)
    sizes = {name: tally.size for name, tally in tallies}
    if len(set(sizes.values())) > 1:
        message = f"columns of different length: {sizes}"
        raise BaselineError(message)
    return [tally.counts for _, tally in tallies], rows


def _add_all(tallies: Sequence[ColumnTally], name: str, values: Iterable[object]) -> None:
    # An iterator passes but once.
    several = list(values) if isinstance(values, Iterator) else values
    for tally in tallies:
        _add(tally, name, several)


def _add(tally: ColumnTally, name: str, values: Iterable[object]) -> None:
    try:
        tally.add(values)
    except (TypeError, ValueError) as error:
        message = f"column {name!r}: {error}"
        raise BaselineError(message) from error
