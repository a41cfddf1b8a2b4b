"""One SQL text: aggregates over expressions over the view, by group."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from modelport.drift.offline._columns import VIEW, Table, View

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Key", "Query"]

Key: TypeAlias = "tuple[int | None, ...]"
"""What a group stands for: a number per dimension, None where a row has none."""

_CONSTANT = "0"


@dataclass(slots=True)
class Query:
    """What is asked of a table in one scan.

    Attributes:
        view: The columns it reads.
        groups: Expressions over the view to group by.
        inner: Further expressions over the view, by name.
        outer: Aggregates over the names of `inner`; the text ``0`` is answered without asking.
        where: Conditions over the view.
    """

    view: View
    groups: tuple[str, ...] = ()
    inner: dict[str, str] = field(default_factory=dict[str, str])
    outer: list[str] = field(default_factory=list[str])
    where: list[str] = field(default_factory=list[str])

    def sql(self) -> str:
        """The text, in what DuckDB, Polars and Spark have in common.

        The values are cast once, in the inner query, and compared many times in the outer one.
        """
        asked = [aggregate for aggregate in self.outer if aggregate != _CONSTANT]
        outer = [*self.keys, "COUNT(*) AS n", *(f"{aggregate} AS a{place}" for place, aggregate in enumerate(asked))]
        by = f" GROUP BY {', '.join(self.keys)}" if self.keys else ""
        return f"SELECT {', '.join(outer)} FROM ({self.source()}) AS t{by}"

    @property
    def keys(self) -> list[str]:
        """The names of the groups in the outer query."""
        return [f"g{place}" for place in range(len(self.groups))]

    def source(self) -> str:
        """The inner query."""
        named = dict(zip(self.keys, self.groups, strict=True)) | self.inner
        columns = ", ".join(f"{expression} AS {name}" for name, expression in named.items())
        where = f" WHERE {' AND '.join(f'({condition})' for condition in self.where)}" if self.where else ""
        return f"SELECT {columns} FROM {VIEW}{where}"

    def run(self, table: Table) -> Iterator[tuple[Key, int, list[Any]]]:
        """Each group's key, its rows and its aggregates."""
        width = len(self.groups)
        for row in table.query(self.sql(), self.view.columns):
            key = tuple([None if value is None else int(value) for value in row[:width]])
            answers = iter(row[width + 1 :])
            values = [0 if aggregate == _CONSTANT else next(answers) for aggregate in self.outer]
            yield key, int(row[width] or 0), values
