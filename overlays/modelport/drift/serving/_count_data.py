"""Counting data, in any form that makes a baseline, in the bins of one."""

from __future__ import annotations

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
    columns = {column.name: column for column in baseline.features}
    place = output if isinstance(output, str) else None
    if place is not None and baseline.output is not None:
        columns[place] = baseline.output
    counts, rows = _counted(columns, batches(data, names), "the data lacks")
    target = None
    if baseline.output is not None:
        target = FeatureCounts((0,) * len(baseline.output.counts))
        if place is not None:
            target = counts.pop(place)
        elif output is not None:
            target = _one(baseline.output, cast("Iterable[object]", output))
    return CountsSnapshot(counts, target, rows, attributions=_attributed(baseline, attributions))


def _attributed(baseline: Baseline, attributions: object) -> dict[str, FeatureCounts]:
    if attributions is None:
        return {}
    bare_names = baseline.names if hasattr(attributions, "ndim") and not hasattr(attributions, "columns") else None
    columns = {column.name: column for column in baseline.attributions}
    return _counted(columns, batches(attributions, bare_names), "the attributions lack")[0]


def _one(column: FeatureBaseline, values: Iterable[object]) -> FeatureCounts:
    tally = ColumnTally(column)
    tally.add(values)
    return tally.counts


def _counted(
    columns: dict[str, FeatureBaseline], found: Iterable[Pairs], what: str
) -> tuple[dict[str, FeatureCounts], int]:
    tallies = {name: ColumnTally(column) for name, column in columns.items()}
    ever: set[str] = set()
    rows = 0
    for batch in found:
        seen: set[str] = set()
        for name, values in batch:
            if name in tallies:
                _add(tallies[name], name, values)
                seen.add(name)
        rows = max(tally.size for tally in tallies.values())
        # Of rows as mappings, a name may come up later, or no more.
        for name in tallies.keys() - seen:
            tallies[name].add_missing(rows - tallies[name].size)
        ever |= seen
    absent = [name for name in tallies if name not in ever]
    if absent:
        message = f"{what} features of the baseline: {', '.join(absent)}"
        raise BaselineError(message)
    sizes = {name: tally.size for name, tally in tallies.items()}
    if len(set(sizes.values())) > 1:
        message = f"columns of different length: {sizes}"
        raise BaselineError(message)
    return {name: tally.counts for name, tally in tallies.items()}, rows


def _add(tally: ColumnTally, name: str, values: Iterable[object]) -> None:
    try:
        tally.add(values)
    except (TypeError, ValueError) as error:
        message = f"column {name!r}: {error}"
        raise BaselineError(message) from error
