"""Making a baseline at training time: cost, and what one outlier does."""

from __future__ import annotations

from functools import partial

from tests.bench.peers.tables import Bar, Part
from tests.bench.peers.workers import Team, turns

_ROWS = 100_000


def baseline(team: Team, rounds: int = 5) -> Part:
    """100,000 rows of 20 features and an output, and 10,000 normal values with one outlier."""
    asks = {
        "modelport Baseline.from_data and save": partial(team.ask, "modelport", "baseline", _ROWS),
        "Boxkite export_text": partial(team.ask, "boxkite", "baseline", _ROWS),
    }
    found = turns(asks, ("ms", "bins"), rounds=rounds)
    rows: list[tuple[str, ...]] = [
        (f"{name}, {_ROWS:,} x 20", f"{one['ms'].least:.0f} ms", f"{one['bins'].least:.0f}", "")
        for name, one in found.items()
    ]
    least = [one["ms"].least for one in found.values()]
    bars = [Bar("baseline of 100,000 x 20 / Boxkite's", least[0] / least[1], 1)] if len(least) > 1 else []
    for value in (1e6, 1e13, 1e300):
        for peer in ("modelport", "boxkite"):
            rows += _outlier(team, peer, value)
    return Part("Baseline", ("what", "CPU", "bins", "largest bin's share"), rows, bars)


def _outlier(team: Team, peer: str, value: float) -> list[tuple[str, ...]]:
    answer = team.ask(peer, "outlier", 10_000, value=value)
    if answer is None:
        return []
    what = f"{peer}, 10,000 normal values and one of {value:g}"
    if "failed" in answer:
        return [(what, answer["failed"], "none", "")]
    return [(what, f"{answer['ms']:.1f} ms", f"{answer['bins']}", f"{answer['largest']:.1%}")]
