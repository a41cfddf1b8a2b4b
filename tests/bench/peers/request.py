"""What logging one prediction costs the request, and what it costs the process, beside the peers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from tests.bench.peers.collector import Collector
from tests.bench.peers.tables import Bar, Part, micro
from tests.bench.peers.workers import Samples, Team, turns

_APPEND, _APPEND_KEPT = "deque.append of a tuple", "deque.append, 100,000 kept"
_LOG, _LOG_KEPT = "ModelMonitor.log", "ModelMonitor.log, 100,000 kept"
_BOXKITE, _BOXKITE_FLUENT = "Boxkite log_prediction, no exporter", "Boxkite log_prediction, fluentd"
_ALL_IN, _FREE = "modelport: bins and files, in steps of 1000", "modelport: bins and files, full speed"
_ALL_FLUENT = "modelport: bins and acknowledged fluentd"
_Ask = Callable[[], dict[str, Any] | None]


def request(team: Team, rounds: int = 7) -> Part:
    """CPU time of the caller's thread."""
    asks: dict[str, _Ask] = {
        _APPEND: partial(team.ask, "modelport", "append", 20_000),
        _LOG: partial(team.ask, "modelport", "log", 20_000),
        "ModelMonitor.log, copy_features=False": partial(team.ask, "modelport", "log, no copy", 20_000),
        _APPEND_KEPT: partial(team.ask, "modelport", "append, kept"),
        _LOG_KEPT: partial(team.ask, "modelport", "log, kept"),
        "prometheus_client, 20 x observe": partial(team.ask, "prometheus", "observe", 2000),
        _BOXKITE: partial(team.ask, "boxkite", "log", 1000),
        "OpenTelemetry, 20 x record (values >= 0)": partial(team.ask, "opentelemetry", "record", 1000),
        "whylogs, one row": partial(team.ask, "whylogs", "rows", 200),
    }
    found = {name: figures["ns"] for name, figures in turns(asks, rounds=rounds).items()}
    floor = found[_APPEND].least
    rows = [_row(name, samples, floor) for name, samples in found.items()]
    bars = [
        Bar("request: log / deque.append, warm", found[_LOG].least / floor, 2),
        Bar("request: log / deque.append, 100,000 kept", found[_LOG_KEPT].least / found[_APPEND_KEPT].least, 2),
    ]
    note = "CPU of the caller's thread per prediction of 20 floats; the cheapest round, and the median."
    return Part("Request path", ("what", "least", "median", "x append"), rows, bars, note)


def whole(team: Team, rounds: int = 5) -> Part:
    """CPU time of the whole process."""
    collector = Collector()
    try:
        asks: dict[str, _Ask] = {
            _ALL_IN: partial(team.ask, "modelport", "all in", 20_000),
            _FREE: partial(team.ask, "modelport", "all in, free", 20_000),
            "modelport: bins only": partial(team.ask, "modelport", "all in, counts only", 20_000),
            "modelport: files only": partial(team.ask, "modelport", "all in, files only", 20_000),
            _ALL_FLUENT: partial(team.ask, "modelport", "all in, fluent", 20_000, port=collector.port),
            _BOXKITE: partial(team.ask, "boxkite", "log", 1000),
            _BOXKITE_FLUENT: partial(team.ask, "boxkite", "fluent", 2000, port=collector.port),
            "prometheus_client, 20 x observe (bins only)": partial(team.ask, "prometheus", "observe", 2000),
            "OpenTelemetry, 20 x record (bins only)": partial(team.ask, "opentelemetry", "record", 1000),
            "whylogs, one row": partial(team.ask, "whylogs", "rows", 200),
            "whylogs, frames of 1000": partial(team.ask, "whylogs", "frames", 2000),
        }
        found = {name: figures["ns"] for name, figures in turns(asks, rounds=rounds).items()}
    finally:
        collector.stop()
    ours = found[_ALL_IN].least
    bars = [Bar("all in: bins and files", ours / 1000, 1.5, "µs")]
    bars += [
        Bar(f"all in: {name} / ours", found[name].least / ours, 25, least=True)
        for name in (_BOXKITE_FLUENT, _BOXKITE)
        if name in found
    ]
    written = (team.ask("modelport", "all in", 1000) or {}).get("format", "?")
    note = (
        f"CPU of the process per prediction of 20 floats. Our files are {written}. "
        "Boxkite waits each 90 predictions for its queue of 100, else it drops."
    )
    return Part(
        "All in", ("what", "least", "median", "x ours"), [_row(n, s, ours) for n, s in found.items()], bars, note
    )


def scrape(team: Team, rounds: int = 7) -> Part:
    """CPU time of one scrape of 20 features and an output."""
    asks: dict[str, _Ask] = {
        "modelport export_http": partial(team.ask, "modelport", "scrape", 10),
        "Boxkite export_http": partial(team.ask, "boxkite", "scrape", 10),
    }
    found = turns(asks, ("ns", "bytes"), rounds=rounds)
    rows = [
        (name, f"{one['ns'].least / 1e6:.2f} ms", f"{one['ns'].median / 1e6:.2f} ms", f"{one['bytes'].median:,.0f}")
        for name, one in found.items()
    ]
    times = [one["ns"].least for one in found.values()]
    bars = [Bar("scrape of 20 features / Boxkite's", times[0] / times[1], 0.5)] if len(times) > 1 else []
    return Part("Scrape of 20 features", ("what", "least", "median", "bytes"), rows, bars)


def _row(name: str, samples: Samples, against: float) -> tuple[str, ...]:
    return name, micro(samples.least), micro(samples.median), f"{samples.least / against:.3g}"
