"""Values too long to be labels: which of them stand behind the labels that a digest cuts short."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelport.drift._values import KEPT_LABEL_CHARACTERS, MAX_LABEL_CHARACTERS, to_label
from modelport.drift.offline import _literals
from modelport.drift.offline._columns import View
from modelport.drift.offline._errors import OfflineError
from modelport.drift.offline._query import Query

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from modelport.drift._baseline import Baseline
    from modelport.drift.offline._columns import Column, Layout, Table

__all__ = ["long_values"]

_MOST = 100_000
# The smallest number of so many digits; below zero a sign comes before them.
_LONG_NUMBER = _literals.double(10.0 ** (MAX_LABEL_CHARACTERS - 1))


def long_values(
    table: Table, baseline: Baseline, layout: Layout, conditions: Callable[[View], list[str]]
) -> list[Mapping[str, Any]]:
    """For each column the values behind cut labels, by label. Scans a column only if the baseline has such a label.

    Raises:
        OfflineError: Too many values begin as such a label does.
    """
    pairs = zip(baseline.columns, layout.columns, strict=True)
    return [
        _of_column(table, column, cut, conditions)
        if column is not None and (cut := {label for label in known.categories if _is_cut(label)})
        else {}
        for known, column in pairs
    ]


def _is_cut(label: str) -> bool:
    return len(label) == MAX_LABEL_CHARACTERS and label[KEPT_LABEL_CHARACTERS] == "~"


def _of_column(
    table: Table, column: Column, labels: set[str], conditions: Callable[[View], list[str]]
) -> Mapping[str, Any]:
    view = View()
    plain = view.add(column, column.kind)
    if column.kind == "text":
        starts = {label[:KEPT_LABEL_CHARACTERS] for label in labels}
        escaped = any(map(_literals.needs_escape, starts))
        shown = view.add(column, "text", escaped=escaped)
        literals = [_literals.text(start, escaped=escaped) for start in sorted(starts)]
        begins = " OR ".join(f"SUBSTR({shown}, 1, {len(literal) - 2}) = {literal}" for literal in literals)
        long = [f"LENGTH({plain}) > {MAX_LABEL_CHARACTERS}", begins]
    elif column.kind == "float":
        plain = f"CAST({plain} AS DOUBLE)"
        long = [f"ABS({plain}) >= {_LONG_NUMBER} AND ABS({plain}) < {_literals.INFINITY}"]
    else:
        return {}
    query = Query(view, inner={"v": plain}, where=[*long, *conditions(view)])
    sql = f"SELECT v, COUNT(*) AS n FROM ({query.source()}) AS t GROUP BY v LIMIT {_MOST + 1}"
    values = [row[0] for row in table.query(sql, view.columns)]
    if len(values) > _MOST:
        raise OfflineError(
            f"the column {column.name!r} has more than {_MOST} long values that begin as a category does"
        )
    made = {to_label(value): value for value in values}
    return {label: made[label] for label in labels & made.keys()}
