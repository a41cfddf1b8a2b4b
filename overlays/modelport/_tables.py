"""Rows and tables of features: what is logged, counted and redacted is taken for the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

__all__ = ["is_table"]

_CONTAINERS = frozenset({list, tuple, dict})


def is_table(items: Sequence[object], names: Collection[str]) -> bool:
    """Whether `items` are rows of the features `names`, and not the values of one row.

    Two rows of two features look like one row of two values that are lists. What is in them tells: one of them has
    the length of a row, or one of its names.
    """
    if not items or not _CONTAINERS.issuperset(map(type, items)):
        return False
    return any(_is_row(cast("Collection[object]", item), names) for item in items)


def _is_row(item: Collection[object], names: Collection[str]) -> bool:
    return any(name in item for name in names) if type(item) is dict else len(item) == len(names)
