"""What a living service sees: its event loop, a steady stream, memory."""

from __future__ import annotations

from typing import Any

from tests.bench.peers.collector import Collector
from tests.bench.peers.tables import Bar, Part
from tests.bench.peers.workers import Samples, Team, fresh, turns

_RATE = 10_000
_SECONDS = 2
_KEYS = ("p50", "p99", "p999", "worst")
_OFF, _ON, _BOXKITE = "nothing logged", "ModelMonitor, bins and files", "Boxkite, fluentd"
_MEMORY = (
    ("modelport", "modelport, bins and files", 1_000_000),
    ("prometheus", "prometheus_client, 20 x observe", 100_000),
    ("boxkite", "Boxkite, no exporter", 100_000),
    ("opentelemetry", "OpenTelemetry, 20 x record", 20_000),
    ("whylogs", "whylogs, frames of 1000", 100_000),
)


def loop(team: Team, rounds: int = 8) -> Part:
    """Lateness of an event loop that logs 10,000 predictions a second."""
    collector = Collector()
    n = _RATE * _SECONDS
    asks = {
        _OFF: lambda: team.ask("modelport", "loop off", n, rate=_RATE),
        _ON: lambda: team.ask("modelport", "loop on", n, rate=_RATE),
        _BOXKITE: lambda: team.ask("boxkite", "loop on", n, rate=_RATE, port=collector.port),
    }
    try:
        found = turns(asks, _KEYS, rounds=rounds)
    finally:
        collector.stop()
    rows = [(name, *(_spread(one[key]) for key in _KEYS)) for name, one in found.items()]
    off, on = found[_OFF]["p99"], found[_ON]["p99"]
    bars = [Bar("event loop: median p99 while logging / the worst p99 of rounds without", on.median / off.most, 1)]
    note = f"Milliseconds, median (least to most) of {rounds} rounds of {_SECONDS} s, in turns."
    return Part(f"Event loop beside {_RATE:,} predictions a second", ("what", *_NAMES), rows, bars, note)


_NAMES = ("p50", "p99", "p99.9", "worst")


def drain(team: Team, seconds: float = 3) -> Part:
    """Whether the thread keeps up with a steady stream."""
    rows: list[tuple[str, ...]] = []
    bars: list[Bar] = []
    for rate in (10_000, 50_000, 100_000):
        answer = team.ask("modelport", "drain", int(rate * seconds), rate=rate)
        if answer is None:
            continue
        rows.append(
            (
                f"{rate:,}",
                f"{answer['reached']:,.0f}",
                f"{answer['dropped']:,}",
                f"{answer['cores']:.2f}",
                f"{answer['before']:.0f} MiB",
                f"{answer['most'] - answer['before']:+.0f} MiB",
            )
        )
        if rate < 100_000:
            bars.append(Bar(f"drain at {rate:,} a second: dropped", answer["dropped"], 0, ""))
    header = ("asked per second", "reached", "dropped", "cores", "memory before", "at most")
    return Part("Steady stream, bins and files", header, rows, bars)


def memory(team: Team) -> Part:
    """Memory after many predictions, each in a fresh interpreter; and beside a sink that hangs."""
    rows: list[tuple[str, ...]] = []
    bars: list[Bar] = []
    for peer, what, n in _MEMORY:
        answer = _fresh(team, peer, "memory", n)
        if answer is not None:
            rows.append(_memory_row(what, n, answer, f"{answer['dropped']:,.0f} dropped"))
            if peer == "modelport":
                bars.append(Bar("memory: growth over 1,000,000 predictions", _growth(answer), 64, "MiB"))
    stalled = _fresh(team, "modelport", "stalled", 1_000_000)
    if stalled is not None:
        end = (
            f"{stalled['dropped']:,} dropped and counted, {stalled['arrived']:,} arrived, {stalled['lost']} unaccounted"
        )
        rows.append(_memory_row("modelport, a sink that hangs", 1_000_000, stalled, end))
        bars.append(Bar("memory: records unaccounted beside a sink that hangs", abs(stalled["lost"]), 0, ""))
    return Part("Memory", ("what", "predictions", "before", "after", "growth", "records"), rows, bars)


def _fresh(team: Team, peer: str, case: str, n: int) -> dict[str, Any] | None:
    with fresh(team) as alone:
        return alone.ask(peer, case, n)


def _memory_row(what: str, n: int, answer: dict[str, Any], records: str) -> tuple[str, ...]:
    before, after = answer["before"], answer["after"]
    return what, f"{n:,}", f"{before:.0f} MiB", f"{after:.0f} MiB", f"{after - before:+.0f} MiB", records


def _growth(answer: dict[str, Any]) -> float:
    return float(answer["after"] - answer["before"])


def _spread(samples: Samples) -> str:
    return f"{samples.median:.2f} ({samples.least:.2f} to {samples.most:.2f})"
