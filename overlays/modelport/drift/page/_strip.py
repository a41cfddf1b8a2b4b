"""Geometry of a strip: one column's PSI over time as a row of bars."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from modelport.drift.page._places import LEVELS, TOP_PSI, told, worst_row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelport.drift.page._places import Place
    from modelport.drift.page._ranking import Series

__all__ = ["STRIP_HEIGHT", "STRIP_WIDTH", "Strip", "bar_height", "strip_of"]

STRIP_WIDTH, STRIP_HEIGHT = 600, 30
_LEAST_BAR = 1.5
_FEW_BAR = 3.0


class Strip(msgspec.Struct, frozen=True):
    """Bars of PSI over time: a path for each verdict, one for the marks of those cut off, one for the ground."""

    paths: tuple[tuple[str, str], ...]
    over: str
    ground: str
    levels: tuple[float, ...]
    description: str


def strip_of(series: Series, places: Sequence[Place]) -> Strip:
    """One column's PSI as bars whose height is the PSI, up to 0.5."""
    rows = [worst_row(series, place) for place in places]
    paths: dict[str, list[str]] = {}
    over: list[str] = []
    ground: list[str] = []
    for place, row in zip(places, rows, strict=True):
        if row is None:
            continue
        x, width = _bar(place)
        ground.append(f"M{x:.1f},{STRIP_HEIGHT - 0.5}h{width:.1f}")
        few = row.verdict == "too few values"
        height = _FEW_BAR if few else bar_height(row.psi)
        paths.setdefault(row.verdict, []).append(f"M{x:.1f},{STRIP_HEIGHT}h{width:.1f}v-{height:.1f}h-{width:.1f}z")
        if row.psi > TOP_PSI and not few:
            over.append(f"M{x:.1f},0h{width:.1f}v2h-{width:.1f}z")
    return Strip(
        paths=tuple((verdict, "".join(parts)) for verdict, parts in sorted(paths.items())),
        over="".join(over),
        ground="".join(ground),
        levels=tuple(STRIP_HEIGHT * (1 - level / TOP_PSI) for level in LEVELS),
        description=told(series.name, places, rows),
    )


def bar_height(psi: float) -> float:
    """Pixels of a strip's bar: in proportion to PSI, full from 0.5, never too low to be seen."""
    return max(_LEAST_BAR, STRIP_HEIGHT * min(psi / TOP_PSI, 1.0))


def _bar(place: Place) -> tuple[float, float]:
    x, width = STRIP_WIDTH * place.start, STRIP_WIDTH * (place.end - place.start)
    gap = min(1.0, width / 4)
    return x + gap / 2, width - gap
