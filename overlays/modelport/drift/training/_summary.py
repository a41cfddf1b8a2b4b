"""From training data to a baseline."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple, cast

import numpy as np

from modelport.drift import _kernel
from modelport.drift._baseline import OUTPUT_NAME, Baseline, BaselineError, FeatureBaseline
from modelport.drift.training._collect import ColumnData
from modelport.drift.training._tables import RECORD_OUTPUT, batches

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from modelport.drift._baseline import Kind, Role
    from modelport.drift.training._tables import Pairs

__all__ = ["Limits", "summarise"]

_MIN_BINS = 2


class Limits(NamedTuple):
    """How many bins a column gets at most, before tail edges are added; whether columns must be of one length."""

    bins: int
    max_categories: int
    aligned: bool = True


def summarise(
    data: object,
    *,
    output: object,
    attributions: object,
    names: Sequence[str] | None,
    kinds: Mapping[str, Kind],
    model_version: str | None,
    limits: Limits,
) -> Baseline:
    """See `Baseline.from_data`."""
    if limits.bins < _MIN_BINS or limits.max_categories < 1:
        message = "bins must be at least 2 and max_categories at least 1"
        raise BaselineError(message)
    _check_kinds(kinds)
    columns, target = _collect(data, output, names, kinds, aligned=limits.aligned)
    beside = _collect_attributions(attributions, list(columns))
    unknown = {"kinds": set(kinds) - {*columns, OUTPUT_NAME}, "attributions": set(beside) - set(columns)}
    for what, extra in unknown.items():
        if extra:
            message = f"{what} for no column: {sorted(extra)}"
            raise BaselineError(message)
    sizes = {f"feature {name}": column.size for name, column in columns.items()}
    sizes |= {OUTPUT_NAME: target.size} if target is not None else {}
    sizes |= {f"attribution {name}": column.size for name, column in beside.items()}
    rows = _rows(sizes, aligned=limits.aligned)
    if not rows:
        message = "no data: the columns are empty"
        raise BaselineError(message)
    return Baseline(
        features=tuple(_feature(name, "feature", column, limits) for name, column in columns.items()),
        output=None if target is None else _feature(OUTPUT_NAME, "output", target, limits),
        attributions=tuple(_feature(name, "attribution", beside[name], limits) for name in columns if name in beside),
        model_version=model_version,
        rows=rows,
    )


def _check_kinds(kinds: Mapping[str, Kind]) -> None:
    for name, kind in kinds.items():
        if kind not in {"numeric", "categorical"}:
            message = f"kinds[{name!r}] is 'numeric' or 'categorical', not {kind!r}"
            raise BaselineError(message)


def _collect(
    data: object, output: object, names: Sequence[str] | None, kinds: Mapping[str, Kind], *, aligned: bool
) -> tuple[dict[str, ColumnData], ColumnData | None]:
    """The features, and the output: a column of the data, of logged predictions, or given beside it."""
    place = output if isinstance(output, str) else RECORD_OUTPUT
    all_kinds: dict[str, Kind] = dict(kinds)
    if OUTPUT_NAME in kinds:
        all_kinds[place] = kinds[OUTPUT_NAME]
    columns = _read(batches(data, names), all_kinds, aligned=aligned)
    target = columns.pop(place, None)
    if isinstance(output, str) and target is None:
        message = f"output={output!r} is no column of the data; there is: {', '.join(columns)}"
        raise BaselineError(message)
    if output is not None and not isinstance(output, str):
        target = _read([[(OUTPUT_NAME, cast("Iterable[object]", output))]], kinds)[OUTPUT_NAME]
    if not columns:
        message = "data has no columns"
        raise BaselineError(message)
    return columns, target


def _collect_attributions(attributions: object, names: Sequence[str]) -> dict[str, ColumnData]:
    if attributions is None:
        return {}
    is_bare_array = hasattr(attributions, "ndim") and not hasattr(attributions, "columns")
    return _read(batches(attributions, names if is_bare_array else None), None)


def _read(found: Iterable[Pairs], kinds: Mapping[str, Kind] | None, *, aligned: bool = True) -> dict[str, ColumnData]:
    """Every column of all batches; without `kinds` they are all numeric."""
    columns: dict[str, ColumnData] = {}
    rows = 0
    for batch in found:
        sizes: dict[str, int] = {}
        for name, values in batch:
            if name in sizes:
                message = f"a name occurs twice: {name!r}"
                raise BaselineError(message)
            if name not in columns:
                columns[name] = ColumnData("numeric" if kinds is None else kinds.get(name))
                columns[name].add_missing(rows)
            sizes[name] = _add(columns[name], name, values)
        rows += _rows(sizes, aligned=aligned)
    return columns


def _add(column: ColumnData, name: str, values: Iterable[object]) -> int:
    try:
        return column.add(values)
    except (TypeError, ValueError) as error:
        where = "output" if name == RECORD_OUTPUT else name
        message = f"column {where!r}: {error}"
        raise BaselineError(message) from error


def _rows(sizes: Mapping[str, int], *, aligned: bool) -> int:
    if aligned and len(set(sizes.values())) > 1:
        message = f"columns of different length: {dict(sizes)}"
        raise BaselineError(message)
    return max(sizes.values(), default=0)


def _feature(name: str, role: Role, data: ColumnData, limits: Limits) -> FeatureBaseline:
    if data.kind == "categorical":
        labels = data.labels
        categories = _kernel.top_categories(labels, limits.max_categories)
        counts = [labels[label] for label in categories]
        counts.append(sum(labels.values()) - sum(counts))
        return FeatureBaseline(
            name=name, kind="categorical", counts=tuple(counts), categories=categories, missing=data.missing,
            unseen=data.bad, role=role,
        )  # fmt: skip
    numbers = data.numbers
    edges = _kernel.quantile_edges(numbers, limits.bins)
    total = _kernel.finite_sum(numbers)
    absolute = _kernel.finite_sum(np.abs(numbers)) if role == "attribution" else math.inf
    return FeatureBaseline(
        name=name, kind="numeric", counts=_kernel.count_numbers(numbers, edges), edges=edges, missing=data.missing,
        unseen=data.bad, sum=total if math.isfinite(total) else 0.0, role=role,
        absolute_sum=absolute if math.isfinite(absolute) else None,
    )  # fmt: skip
