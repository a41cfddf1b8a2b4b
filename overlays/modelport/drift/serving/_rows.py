"""How to get at a baseline's columns in what callers log: mappings, sequences, arrays, tables, one row or many."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any, NamedTuple, TypeAlias, cast

from modelport._plain import plain
from modelport._tables import is_table

__all__ = ["Row", "RowReader", "Rows", "getter"]

Row: TypeAlias = "Sequence[object]"
_CONTAINERS = frozenset({list, tuple, dict})


class Rows(NamedTuple):
    """Predictions as sequences in the baseline's order, with their outputs, and how many were no rows."""

    rows: list[Row]
    outputs: list[object]
    uncounted: int


class RowReader:
    """Reads what callers log as rows of the named features."""

    def __init__(self, names: tuple[str, ...], *, pair_outputs: bool) -> None:
        """`pair_outputs`: a batch needs as many outputs as rows, because they are counted too."""
        self._names = names
        self._width = len(names)
        self._by_name = getter(names)
        self._pair_outputs = pair_outputs

    def read(self, features: Sequence[object], outputs: Sequence[object]) -> Rows:
        """The rows of all predictions; a batch (a table of several rows, logged as one) gives as many as it has."""
        rows: list[Row] = []
        answers: list[object] = []
        uncounted = 0
        for given, answer in zip(features, outputs, strict=True):
            row = self._row(given)
            if row is not None:
                rows.append(row)
                answers.append(answer)
                continue
            batch = self._batch(given, answer)
            rows += batch.rows
            answers += batch.outputs
            uncounted += batch.uncounted
        return Rows(rows, answers, uncounted)

    def _row(self, given: object) -> Row | None:
        kind = type(given)
        if kind is dict:
            try:
                return self._by_name(cast("dict[str, object]", given))
            except KeyError:
                return self._from_mapping(cast("dict[str, object]", given))
        if (kind is list or kind is tuple) and len(cast("Row", given)) == self._width:
            row = cast("Row", given)
            # One item that is a container may itself be the row.
            if not row or type(row[0]) not in _CONTAINERS or not (self._width == 1 or is_table(row, self._names)):
                return row
        try:
            return self._unusual(given)
        except Exception:  # noqa: BLE001 - whatever it is, it is no row
            return None

    def _unusual(self, given: object) -> Row | None:
        if isinstance(given, Mapping):
            return self._from_mapping(cast("Mapping[str, object]", given))
        if getattr(given, "ndim", 0) == 1 and not hasattr(given, "to_dict"):
            value = cast("Any", given).tolist()
            return cast("Row", value) if len(value) == self._width else None
        value = plain(given)
        if isinstance(value, list) and len(value) == 1 and isinstance(value[0], (list, dict)):
            value = value[0]
        if isinstance(value, dict):
            return self._from_mapping(value)
        if not isinstance(value, list) or len(value) != self._width:
            return None
        return None if is_table(value, self._names) else value

    def _from_mapping(self, given: Mapping[str, object]) -> Row | None:
        row = tuple([given.get(name) for name in self._names])
        # A mapping that shares no name with the baseline is something else, not a row of missing values.
        return row if any(name in given for name in self._names) else None

    def _batch(self, given: object, answer: object) -> Rows:
        try:
            table = _table(given)
            answers = _answers(answer, len(table)) if self._pair_outputs else [None] * len(table)
        except Exception:  # noqa: BLE001 - whatever it is, it is no table
            return Rows([], [], 1)
        if answers is None:
            return Rows([], [], len(table))
        found = [(row, item) for row, item in zip(map(self._row, table), answers, strict=True) if row is not None]
        return Rows([row for row, _ in found], [item for _, item in found], len(table) - len(found))


def _table(given: object) -> list[Any]:
    """The rows of a table.

    Raises:
        TypeError: Not a table of at least one row.
    """
    table = plain(given)
    if not isinstance(table, list) or not table or not all(isinstance(row, (list, dict)) for row in table):
        message = "not a table"
        raise TypeError(message)
    return table


def _answers(answer: object, rows: int) -> list[Any] | None:
    answers = plain(answer)
    return answers if isinstance(answers, list) and len(answers) == rows else None


def getter(keys: Sequence[Any]) -> Callable[[Any], Row]:
    """A function that takes the items `keys` out of a container."""
    if len(keys) > 1:
        return cast("Callable[[Any], Row]", itemgetter(*keys))
    return lambda container: tuple([container[key] for key in keys])
