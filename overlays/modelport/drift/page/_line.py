"""Geometry of a line over time: gaps stay gaps, what too few values say is hollow, noise is an area."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

import msgspec

from modelport.drift.page._chart import Tick
from modelport.drift.page._places import LEVELS, told, worst_row
from modelport.drift.page._words import short

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from modelport.drift.page._places import Place
    from modelport.drift.page._ranking import Series

__all__ = ["Dot", "Line", "line_of", "metric_line", "psi_line"]

_WIDTH, _HEIGHT = 560, 190
_TOP, _RIGHT, _BOTTOM, _LEFT = 12, 14, 30, 46
_TICK_GAP = 15
_X_TICKS = 5
_LETTER = 8.2
"""Pixels of a letter of a label, at most: on a narrow page, where labels are larger."""
_SPILL = 12
_TOUCHING = 1e-9
_ROUNDING = 1e-9
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d( [\d:]+)?")
_YEAR, _DAY = len("2025-"), len("2025-03-01")
_MOST_DOTS = 60
_NICE = (1.0, 2.0, 2.5, 5.0, 10.0)


class Dot(msgspec.Struct, frozen=True):
    """A point; hollow if it is not `firm`, that is, from too few values to judge; an arrow if it is `over` the top."""

    x: float
    y: float
    firm: bool
    over: bool
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
    runs = _unbroken(solid, places)
    alone = [run[0] for run in runs if len(run) == 1]
    drawn = known if len(known) <= _MOST_DOTS else sorted({*alone, *weak})
    return Line(
        width=_WIDTH, height=_HEIGHT, left=_LEFT, right=_WIDTH - _RIGHT, top=_TOP, bottom=_HEIGHT - _BOTTOM,
        lines=tuple(_joined([(xs[index], scale(values[index])) for index in run]) for run in runs if len(run) > 1),
        areas=tuple(_areas(xs, noise, places, scale)),
        dots=tuple(
            Dot(*point, not firm or firm[index], values[index] > top, f"{places[index].text}: {short(values[index])}")
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
    spread = high - low if high - low > _ROUNDING * abs(high) else 0.0
    margin = spread * 0.15 or abs(high) * 0.1 or 1.0
    step = _nice_above((spread + 2 * margin) / 4)
    bottom, top = math.floor((low - margin) / step) * step, math.ceil((high + margin) / step) * step
    if low >= 0 and high <= 1:
        # A share: its scale ends where shares do.
        bottom, top = max(bottom, 0.0), min(top, 1.0)
    last = known[-1] if known else math.nan
    text = f"{name} between {short(low)} and {short(high)}, last {short(last)}." if known else f"{name} is not known."
    return line_of(values, places, title=f"{name} over time", description=text, top=top, bottom=bottom)


def _scale(bottom: float, top: float) -> Callable[[float], float]:
    ground, height = _HEIGHT - _BOTTOM, _HEIGHT - _BOTTOM - _TOP
    return lambda value: ground - height * min(max((value - bottom) / (top - bottom), 0.0), 1.0)


def _unbroken(points: Sequence[object], places: Sequence[Place]) -> list[list[int]]:
    """Indexes of the points that a line may join: neither a missing point nor a missing window is between them."""
    runs: list[list[int]] = []
    for index, point in enumerate(points):
        if point is None:
            continue
        if runs and runs[-1][-1] == index - 1 and places[index].start - places[index - 1].end < _TOUCHING:
            runs[-1].append(index)
        else:
            runs.append([index])
    return runs


def _joined(run: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in run)


def _areas(
    xs: Sequence[float], noise: Sequence[float], places: Sequence[Place], scale: Callable[[float], float]
) -> list[str]:
    points = [None if math.isnan(value) else (x, scale(value)) for x, value in zip(xs, noise, strict=False)]
    ground = scale(-math.inf)
    return [
        _joined([(xs[run[0]], ground), *((xs[index], scale(noise[index])) for index in run), (xs[run[-1]], ground)])
        for run in _unbroken(points, places)
        if len(run) > 1
    ]


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
    texts = _short_moments([place.text.partition(" to ")[0] for place in places])
    half = max((len(text) for text in texts), default=0) * _LETTER / 2
    left, right = _LEFT - _SPILL + half, _WIDTH - half
    most = max(1, min(_X_TICKS, int((right - left) / (2 * half + _SPILL)) + 1))
    count = min(most, len(places))
    ticks: list[Tick] = []
    for step in range(count):
        index = round((len(places) - 1) * step / max(count - 1, 1))
        at = min(max(xs[index], left), right)
        if not ticks or at - ticks[-1].at >= 2 * half + _SPILL:
            ticks.append(Tick(at, texts[index]))
    return ticks


def _short_moments(texts: Sequence[str]) -> list[str]:
    """Times of one day without the day; of several without the year where they have a time of day."""
    days = {text[:_DAY] for text in texts}
    if not all(_MOMENT.fullmatch(text) for text in texts) or all(len(text) == _DAY for text in texts):
        return list(texts)
    return [text[_DAY + 1 :] or "00:00" for text in texts] if len(days) == 1 else [text[_YEAR:] for text in texts]


def _nice_above(value: float) -> float:
    """The next of 1, 2, 2.5, 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(nice * power for nice in _NICE if nice * power >= value * (1 - 1e-12))
