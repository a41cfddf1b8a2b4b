"""Arrow batches that come one after the other: each is scanned and forgotten, only its counts stay."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from modelport._extras import require
from modelport.drift._values import to_label
from modelport.drift.offline._arrow import plain_columns
from modelport.drift.offline._columns import Column
from modelport.drift.offline._errors import OfflineError
from modelport.drift.offline._parts import Parts, merge
from modelport.drift.offline._scan import Found
from modelport.drift.offline._slicing import Segment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelport.drift.offline._scan import Dimension

__all__ = ["Codes", "arrow_table", "keep_most_frequent"]

MAX_CODES = 1000
"""Labels of a segment counted apart while batches come in; later ones count as "other"."""


class Codes:
    """Numbers for the labels of one segment, given as they appear."""

    def __init__(self, name: str, place: int) -> None:
        self.name = name
        self.column = Column(f"modelport_code_{place}", "integer")
        self._known: dict[str, int] = {}

    def append(self, table: Any, column: Column) -> Any:
        """`table` with the column of numbers beside that of the labels."""
        pa: Any = require("pyarrow", "parquet")
        encoded = pa.array(table.column(column.name).combine_chunks()).dictionary_encode()
        if hasattr(encoded, "combine_chunks"):
            encoded = encoded.combine_chunks()
        codes = pa.array([self._code(label) for label in encoded.dictionary.to_pylist()], pa.int64())
        return table.append_column(self.column.name, codes.take(encoded.indices))

    def segment(self) -> Segment:
        """What the numbers stand for so far."""
        return Segment(self.name, self.column, tuple(self._known), coded=True)

    def _code(self, value: object) -> int | None:
        label = to_label(value)
        if label is None:
            return None
        if label not in self._known and len(self._known) >= MAX_CODES:
            return MAX_CODES
        return self._known.setdefault(label, len(self._known))


def arrow_table(batch: Any) -> Any:
    """`batch` as a ``pyarrow.Table``.

    Raises:
        OfflineError: It is no batch.
    """
    pa: Any = require("pyarrow", "parquet")
    if isinstance(batch, pa.Table):
        return plain_columns(batch)
    if isinstance(batch, pa.RecordBatch):
        return plain_columns(pa.Table.from_batches([batch]))
    raise OfflineError(f"an item is a pyarrow.Table or RecordBatch, not {type(batch).__name__}")


def keep_most_frequent(
    found: Found, dimensions: Sequence[Dimension], limit: int
) -> tuple[Found, tuple[Dimension, ...]]:
    """Only the `limit` most frequent labels of each segment (ties by label); the others as one."""
    made: list[Dimension] = []
    for place, dimension in enumerate(dimensions):
        if isinstance(dimension, Segment):
            kept = _most_frequent(found, place, dimension, limit)
            found = _renumber(found, place, {old: new for new, old in enumerate(kept)}, len(kept))
            made.append(replace(dimension, values=tuple(dimension.values[code] for code in kept)))
        else:
            made.append(dimension)
    return found, tuple(made)


def _most_frequent(found: Found, place: int, segment: Segment, limit: int) -> list[int]:
    records: Counter[int] = Counter()
    for grouping, parts in found.parts.items():
        if place in grouping:
            for key, part in parts.items():
                code = key[grouping.index(place)]
                if code is not None and code < len(segment.values):
                    records[code] += part.records
    return sorted(records, key=lambda code: (-records[code], str(segment.values[code])))[:limit]


def _renumber(found: Found, place: int, codes: dict[int, int], others: int) -> Found:
    made = Found(untold=found.untold, versions=found.versions)
    for grouping, parts in found.parts.items():
        if place not in grouping:
            made.parts[grouping] = parts
            continue
        at = grouping.index(place)
        renumbered: Parts = {}
        for key, part in parts.items():
            old = key[at]
            new = None if old is None else codes.get(old, others)
            merge(renumbered, {(*key[:at], new, *key[at + 1 :]): part})
        made.parts[grouping] = renumbered
    return made
