"""Geometry of a feature's chart: training and serving shares side by side, as numbers a template can draw."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec

from modelport.drift.page._words import bin_name, category, edge, number, percent, short

if TYPE_CHECKING:
    from modelport.drift._results import FeatureDrift

__all__ = ["Bar", "Chart", "Tick", "chart_of"]

_WIDTH = 560
_NUMERIC_HEIGHT = 220
_TOP, _RIGHT, _BOTTOM, _LEFT = 10, 22, 34, 46
_LABEL_WIDTH = 132
_ROW_HEIGHT = 26
_MAX_ROWS = 12
_MAX_LABEL = 18
_TICK_PIXELS = 62
_STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5)
_MAX_GRID_LINES = 5


class Bar(msgspec.Struct, frozen=True):
    """A rectangle; `series` is ``baseline`` or ``current``, `text` its tooltip."""

    series: str
    x: float
    y: float
    width: float
    height: float
    text: str


class Tick(msgspec.Struct, frozen=True):
    """A label at a place along an axis."""

    at: float
    text: str


class Chart(msgspec.Struct, frozen=True, kw_only=True):
    """A drawing in pixels: bars, ticks of the share axis and of the bins."""

    horizontal: bool
    width: int
    height: int
    left: float
    right: float
    top: float
    bottom: float
    bars: tuple[Bar, ...]
    share_ticks: tuple[Tick, ...]
    bin_ticks: tuple[Tick, ...]
    title: str
    description: str
    note: str = ""


def chart_of(row: FeatureDrift) -> Chart:
    """Vertical bars over the edges for a numeric feature, a row per category for a categorical one."""
    return _numeric(row) if row.kind == "numeric" else _categorical(row)


def _numeric(row: FeatureDrift) -> Chart:
    plot = _WIDTH - _LEFT - _RIGHT
    bottom = _NUMERIC_HEIGHT - _BOTTOM
    count = len(row.bins)
    slot = plot / count
    width = min(slot * 0.4, 26)
    ticks, scale = _share_axis(row, bottom - _TOP)
    bars: list[Bar] = []
    for index in range(count):
        middle = _LEFT + slot * (index + 0.5)
        for series, share, x in _pair(row, index, middle - width, middle):
            height = scale * share
            bars.append(Bar(series, x, bottom - height, width, height, _tooltip(row, index, series, share)))
    every = max(1, math.ceil(_TICK_PIXELS / slot))
    edges = [Tick(_LEFT + slot * (index + 1), edge(row.bins[index])) for index in range(count - 1)]
    return Chart(
        horizontal=False, width=_WIDTH, height=_NUMERIC_HEIGHT,
        left=_LEFT, right=_WIDTH - _RIGHT, top=_TOP, bottom=bottom, bars=tuple(bars),
        share_ticks=tuple(Tick(bottom - scale * share, f"{100 * share:g} %") for share in ticks),
        bin_ticks=tuple(edges[every // 2 :: every]), title=_title(row), description=_description(row),
    )  # fmt: skip


def _categorical(row: FeatureDrift) -> Chart:
    order = sorted(range(len(row.bins)), key=lambda index: -max(row.baseline_shares[index], number(row.shares[index])))
    kept = sorted(index for index in order[:_MAX_ROWS] if max(row.baseline_shares[index], number(row.shares[index])))
    height = _TOP + _ROW_HEIGHT * max(len(kept), 1) + _BOTTOM
    bottom = height - _BOTTOM
    ticks, scale = _share_axis(row, _WIDTH - _LABEL_WIDTH - _RIGHT)
    bars: list[Bar] = []
    labels: list[Tick] = []
    for place, index in enumerate(kept):
        middle = _TOP + _ROW_HEIGHT * (place + 0.5)
        labels.append(Tick(middle, category(row.bins[index], _MAX_LABEL)))
        for series, share, y in _pair(row, index, middle - 9, middle):
            bars.append(Bar(series, _LABEL_WIDTH, y, scale * share, 8.5, _tooltip(row, index, series, share)))
    hidden = sum(1 for index in order[_MAX_ROWS:] if max(row.baseline_shares[index], number(row.shares[index])))
    return Chart(
        horizontal=True, width=_WIDTH, height=height,
        left=_LABEL_WIDTH, right=_WIDTH - _RIGHT, top=_TOP, bottom=bottom, bars=tuple(bars),
        share_ticks=tuple(Tick(_LABEL_WIDTH + scale * share, f"{100 * share:g} %") for share in ticks),
        bin_ticks=tuple(labels), title=_title(row), description=_description(row),
        note=f"{hidden} smaller categories are in the table only" if hidden else "",
    )  # fmt: skip


def _share_axis(row: FeatureDrift, pixels: float) -> tuple[list[float], float]:
    """Shares to draw grid lines at, and pixels per unit of share."""
    highest = max((number(share) for share in (*row.baseline_shares, *row.shares)), default=0.0) or 1.0
    step = next((step for step in _STEPS if highest / step <= _MAX_GRID_LINES), 0.5)
    lines = math.ceil(highest / step - 1e-9)
    return [step * line for line in range(lines + 1)], pixels / (step * lines)


def _pair(row: FeatureDrift, index: int, first: float, second: float) -> list[tuple[str, float, float]]:
    baseline, current = number(row.baseline_shares[index]), number(row.shares[index])
    return [("baseline", baseline, first), ("current", current, second)]


def _tooltip(row: FeatureDrift, index: int, series: str, share: float) -> str:
    where = bin_name(row, index)
    who = "training" if series == "baseline" else "serving"
    return f"{where}: {who} {percent(share)}"


def _title(row: FeatureDrift) -> str:
    return f"{row.name}: shares in training and in serving"


def _description(row: FeatureDrift) -> str:
    moves = sorted(range(len(row.bins)), key=lambda index: -abs(number(row.shares[index]) - row.baseline_shares[index]))
    told = [
        f"{bin_name(row, index)} from {percent(row.baseline_shares[index])} to {percent(row.shares[index])}"
        for index in moves[:3]
    ]
    return f"PSI {short(row.psi)}. Largest changes: {'; '.join(told)}."
