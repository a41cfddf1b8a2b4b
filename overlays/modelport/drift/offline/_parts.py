"""What is known of a part of the traffic. Parts add up, so any may be scanned before or beside any other."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from modelport.drift.offline._counting import Counted, add

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from modelport.drift.offline._query import Key

__all__ = ["Part", "Parts", "merge", "total"]

_T = TypeVar("_T")


@dataclass(slots=True)
class Part:
    """Sums over a part of the traffic.

    Attributes:
        records: Predictions in it.
        columns: Counts of each column of the baseline.
        numbers: Sums over predictions whose truth is known, where output and truth are numbers.
        scores: Predictions per bin of score: those that were true, and all.
        pairs: Predictions by truth and output, where these are labels.
    """

    records: int = 0
    columns: tuple[Counted, ...] = ()
    numbers: tuple[float, ...] = ()
    scores: dict[int, tuple[int, int]] = field(default_factory=dict[int, "tuple[int, int]"])
    pairs: dict[tuple[str, str], int] = field(default_factory=dict["tuple[str, str]", int])

    def add(self, other: Part) -> None:
        """Take `other` in."""
        self.records += other.records
        self.columns = _longest(self.columns, other.columns, add)
        self.numbers = _longest(self.numbers, other.numbers, lambda one, two: one + two)
        for score, (true, known) in other.scores.items():
            before = self.scores.get(score, (0, 0))
            self.scores[score] = (before[0] + true, before[1] + known)
        for pair, count in other.pairs.items():
            self.pairs[pair] = self.pairs.get(pair, 0) + count


Parts: TypeAlias = "dict[Key, Part]"
"""Parts of the traffic by what they have in common."""


def merge(into: Parts, more: Parts) -> None:
    """Add each part of `more` to the one of the same key."""
    for key, part in more.items():
        into.setdefault(key, Part()).add(part)


def total(parts: Iterable[Part]) -> Part:
    """All of them as one."""
    whole = Part()
    for part in parts:
        whole.add(part)
    return whole


def _longest(one: tuple[_T, ...], two: tuple[_T, ...], combine: Callable[[_T, _T], _T]) -> tuple[_T, ...]:
    if not one or not two:
        return one or two
    return tuple(combine(a, b) for a, b in zip(one, two, strict=True))
