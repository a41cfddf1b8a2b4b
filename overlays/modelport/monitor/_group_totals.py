"""Figures that several processes add up."""

from __future__ import annotations

from typing import TypeVar

import msgspec

__all__ = ["Totals"]

Number = TypeVar("Number", int, float)


class Totals(msgspec.Struct, array_like=True):
    """What one process, or several together, have counted.

    Attributes:
        counters: Named figures that only grow.
        counts: Counts per bin and the like, in an order that all processes of a group share; or none.
        sums: Sums of values, likewise.
        gauges: Named figures of the moment, which end with their process.
    """

    counters: dict[str, int] = {}
    counts: list[int] = []
    sums: list[float] = []
    gauges: dict[str, int] = {}

    def plus(self, other: Totals, *, gauges: bool) -> Totals:
        """Both together; gauges of `other` only if asked for."""
        return Totals(
            _by_name(self.counters, other.counters),
            _by_place(self.counts, other.counts),
            _by_place(self.sums, other.sums),
            _by_name(self.gauges, other.gauges) if gauges else self.gauges,
        )


def _by_name(one: dict[str, int], two: dict[str, int]) -> dict[str, int]:
    return {name: one.get(name, 0) + two.get(name, 0) for name in {**one, **two}}


def _by_place(one: list[Number], two: list[Number]) -> list[Number]:
    return [first + second for first, second in zip(one, two, strict=True)] if one and two else one or two
