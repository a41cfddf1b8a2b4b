"""Where the windows of a report lie in time, and what stands for a run of them.

Windows lie where their times say, so that a window that is not there is a gap too. Where times are not known, they
follow one another evenly.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

import msgspec

from modelport.drift._verdict import MAJOR_PSI, MODERATE_PSI
from modelport.drift.page._words import moment, short

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelport.drift._results import DriftSlice, FeatureDrift
    from modelport.drift.page._ranking import Series

__all__ = ["LEVELS", "TOP_PSI", "Place", "places_of", "told", "worst_row"]

LEVELS = (MODERATE_PSI, MAJOR_PSI)
"""PSI from which a shift is called moderate and major, if it is more than noise."""
TOP_PSI = 2 * MAJOR_PSI
"""The PSI at which bars, strips and blocks end."""

_LABEL_CHARACTERS = 16


class Place(msgspec.Struct, frozen=True):
    """Where a run of windows lies between 0 and 1, which windows it holds, and what it is called."""

    start: float
    end: float
    first: int
    last: int
    text: str


def places_of(windows: Sequence[DriftSlice], most: int) -> list[Place]:
    """At most `most` runs of neighbouring windows, and where they lie."""
    bounds = _bounds(windows)
    size = max(1, math.ceil(len(windows) / most))
    return [
        Place(bounds[at][0], bounds[last][1], at, last, _called(windows, at, last))
        for at in range(0, len(windows), size)
        for last in (min(at + size, len(windows)) - 1,)
    ]


def worst_row(series: Series, place: Place) -> FeatureDrift | None:
    """The row that stands for a run of windows: the highest PSI that may be judged, else the highest there is."""
    rows = [row for row in series.rows[place.first : place.last + 1] if row is not None and not math.isnan(row.psi)]
    return max(rows, key=lambda row: (row.verdict != "too few values", row.psi), default=None)


def told(name: str, places: Sequence[Place], rows: Sequence[FeatureDrift | None]) -> str:
    """A column's PSI over time in one sentence."""
    known = [(place, row) for place, row in zip(places, rows, strict=True) if row is not None]
    if not known:
        return f"{name}: no values in any window."
    place, worst = max(known, key=lambda pair: (pair[1].verdict != "too few values", pair[1].psi))
    last = known[-1][1]
    gaps = len(places) - len(known)
    drifted = sum(row.verdict in {"major", "moderate"} for _, row in known)
    peak = f"highest {short(worst.psi)} at {place.text}, last {short(last.psi)}"
    ending = f"; {gaps} without values." if gaps else "."
    return f"PSI of {name}: {peak}; {drifted} of {len(known)} drifted{ending}"


def _bounds(windows: Sequence[DriftSlice]) -> list[tuple[float, float]]:
    times = [(window.start_ns, window.end_ns) for window in windows]
    known = [(start, end) for start, end in times if start is not None and end is not None and start < end]
    rising = all(before[1] <= after[0] for before, after in pairwise(known))
    if len(known) == len(times) and rising and known:
        first, whole = known[0][0], known[-1][1] - known[0][0]
        return [((start - first) / whole, (end - first) / whole) for start, end in known]
    return [(index / len(windows), (index + 1) / len(windows)) for index in range(len(windows))]


def _called(windows: Sequence[DriftSlice], first: int, last: int) -> str:
    names = [
        window.value[:_LABEL_CHARACTERS] or str(index + 1) if window.start_ns is None else moment(window.start_ns)
        for index, window in ((first, windows[first]), (last, windows[last]))
    ]
    return names[0] if first == last else f"{names[0]} to {names[1]}"
