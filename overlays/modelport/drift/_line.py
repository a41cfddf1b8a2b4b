"""Geometry of a line over time: gaps stay gaps, what too few values say is hollow, noise is an area."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec

from modelport.drift._chart import Tick
from modelport.drift._places import LEVELS, told, worst_row
from modelport.drift._words import short

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from modelport.drift._places import Place
    from modelport.drift._ranking import Series

__all__ = ["Dot", "Line", "line_of", "metric_line", "psi_line"]

_WIDTH, _HEIGHT = 560, 190
_TOP, _RIGHT, _BOTTOM, _LEFT = 12, 14, 30, 46
_TICK_GAP = 11
_X_TICKS = 5
_LONG_LABEL = 10
_MOST_DOTS = 60
_NICE = (1.0, 2.0, 2.5, 5.0, 10.0)


class Dot(msgspec.Struct, frozen=True):
    """A point; hollow if it is not `firm`, that is, from too few values to judge."""

    x: float
    y: float
    firm: bool
    text: str


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A drawing in pixels: lines between gaps, areas of noise, dots, ticks. Points are ``x,y x,y ...``."""

    width: int
    height: int
    left: float
    right: float
    top: float
    bottom: float
    lines: tuple[str, ...]
    areas: tuple[str, ...]
    dots: tuple[Dot, ...]
    y_ticks: tuple[Tick, ...]
    x_ticks: tuple[Tick, ...]
    levels: tuple[float, ...]
    title: str
    description: str


def psi_line(series: Series, places: Sequence[Place]) -> Line:
    """One column's PSI as a line, with what noise alone reaches as an area below it."""
    rows = [worst_row(series, place) for place in places]
    judged = [row.psi for row in rows if row is not None and row.verdict != "too few values"]
    highest = max([psi for psi in judged if math.isfinite(psi)] + [LEVELS[1] * 1.2])
    return line_of(
        [math.nan if row is None else row.psi for row in rows],
        places,
        title=f"{series.name}: PSI over time",
        description=told(series.name, places, rows),
        top=_nice_above(highest),
        firm=[row is not None and row.verdict != "too few values" for row in rows],
        noise=[math.nan if row is None else row.psi_threshold for row in rows],
        levels=LEVELS,
    )


def line_of(
    values: Sequence[float],
    places: Sequence[Place],
    *,
    title: str,
    description: str,
    top: float,
    bottom: float = 0.0,
    firm: Sequence[bool] = (),
    noise: Sequence[float] = (),
    levels: Sequence[float] = (),
) -> Line:
    """Values over time between `bottom` and `top`; NaN is a gap, what lies outside is drawn on the border.

    Args:
        values: One for each place.
        places: Where they lie.
        title: The drawing's name.
        description: What it shows, in words.
        top: Value of the upper border.
        bottom: Value of the lower border.
        firm: Whether a value may be judged; all of them if not given.
        noise: Upper borders of the area of noise.
        levels: Values that get a line of their own.
    """
    xs = [_LEFT + (place.start + place.end) / 2 * (_WIDTH - _LEFT - _RIGHT) for place in places]
    scale = _scale(bottom, top)
    points = [None if math.isnan(value) else (x, scale(value)) for x, value in zip(xs, values, strict=True)]
    known = [index for index, point in enumerate(points) if point is not None]
    weak = [index for index in known if firm and not firm[index]]
    # A line through what may not be judged would lead the eye to it.
    solid = [None if firm and not firm[index] else point for index, point in enumerate(points)]
    alone = [i for i in known if (i == 0 or solid[i - 1] is None) and (i + 1 == len(solid) or solid[i + 1] is None)]
    drawn = known if len(known) <= _MOST_DOTS else sorted({*alone, *weak})
    return Line(
        width=_WIDTH, height=_HEIGHT, left=_LEFT, right=_WIDTH - _RIGHT, top=_TOP, bottom=_HEIGHT - _BOTTOM,
        lines=tuple(_joined(run) for run in _unbroken(solid) if len(run) > 1),
        areas=tuple(_area(xs, noise, scale)),
        dots=tuple(
            Dot(*point, not firm or firm[index], f"{places[index].text}: {short(values[index])}")
            for index in drawn
            if (point := points[index]) is not None
        ),
        y_ticks=tuple(_y_ticks(bottom, top, levels, scale)),
        x_ticks=tuple(_x_ticks(xs, places)),
        levels=tuple(scale(level) for level in levels if bottom < level < top),
        title=title, description=description,
    )  # fmt: skip


def metric_line(name: str, values: Sequence[float], places: Sequence[Place]) -> Line:
    """A measure of performance over time, between round numbers around it."""
    known = [value for value in values if math.isfinite(value)]
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    margin = (high - low) * 0.15 or abs(high) * 0.1 or 1.0
    step = _nice_above((high - low + 2 * margin) / 4)
    bottom, top = math.floor((low - margin) / step) * step, math.ceil((high + margin) / step) * step
    last = known[-1] if known else math.nan
    text = f"{name} between {short(low)} and {short(high)}, last {short(last)}." if known else f"{name} is not known."
    return line_of(values, places, title=f"{name} over time", description=text, top=top, bottom=min(bottom, top - step))


def _scale(bottom: float, top: float) -> Callable[[float], float]:
    ground, height = _HEIGHT - _BOTTOM, _HEIGHT - _BOTTOM - _TOP
    return lambda value: ground - height * min(max((value - bottom) / (top - bottom), 0.0), 1.0)


def _unbroken(points: Sequence[tuple[float, float] | None]) -> list[list[tuple[float, float]]]:
    runs: list[list[tuple[float, float]]] = [[]]
    for point in points:
        if point is None:
            runs.append([])
        else:
            runs[-1].append(point)
    return [run for run in runs if run]


def _joined(run: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in run)


def _area(xs: Sequence[float], noise: Sequence[float], scale: Callable[[float], float]) -> list[str]:
    points = [None if math.isnan(value) else (x, scale(value)) for x, value in zip(xs, noise, strict=False)]
    ground = scale(-math.inf)
    return [_joined([(run[0][0], ground), *run, (run[-1][0], ground)]) for run in _unbroken(points) if len(run) > 1]


def _y_ticks(bottom: float, top: float, levels: Sequence[float], scale: Callable[[float], float]) -> list[Tick]:
    step = _nice_above((top - bottom) / 4)
    steps = [bottom + step * count for count in range(math.floor((top - bottom) / step + 1e-9) + 1)]
    wanted = [*reversed(levels), bottom, top] if levels else steps
    ticks: list[Tick] = []
    for value in wanted:
        at = scale(value)
        if all(abs(at - tick.at) >= _TICK_GAP for tick in ticks):
            ticks.append(Tick(at, f"{value:.4g}"))
    return ticks


def _x_ticks(xs: Sequence[float], places: Sequence[Place]) -> list[Tick]:
    if not places:
        return []
    most = _X_TICKS if len(_first(places[0])) <= _LONG_LABEL else _X_TICKS - 1
    count = min(most, len(places))
    chosen = sorted({round((len(places) - 1) * step / max(count - 1, 1)) for step in range(count)})
    # The outer labels stay inside the drawing, whatever their length.
    return [Tick(min(max(xs[index], _LEFT + 30), _WIDTH - _RIGHT - 34), _first(places[index])) for index in chosen]


def _first(place: Place) -> str:
    return place.text.split(" to ")[0]


def _nice_above(value: float) -> float:
    """The next of 1, 2, 2.5, 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(nice * power for nice in _NICE if nice * power >= value * (1 - 1e-12))
