"""Which records are lost when a service comes to its end: ``python -m tests.bench.losses [--markdown] [ROUNDS]``.

Counts, not times: real processes that log, a real forward server in a process of its own, real signals. Boxkite sends
to its Fluentd; ours is measured with acknowledged Fluentd and with files, with and without a spool. Of several rounds
the worst is shown, and the range of what was lost.
"""

from __future__ import annotations

import json
import signal
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelport.predictions import read_predictions
from tests.bench.peers.collector import Collector
from tests.bench.peers.tables import Bar, Part, bars_table, render
from tests.bench.peers.workers import MissingPeerError, interpreter

_PROGRAM = Path(__file__).parent / "peers" / "inside" / "losing.py"
_ROUNDS = 3
_KILL_AFTER_SECONDS = 1.0
_INTERVAL_RECORDS = 2000  # one drain interval of 0.1 s at 20,000 a second
_HEADER = ("what happens", "library", "logged", "arrived", "twice", "lost", "counted by it")

_LIBRARIES = {
    "boxkite": "Boxkite, Fluentd",
    "fluent": "modelport, Fluentd",
    "file": "modelport, files",
    "fluent+spool": "modelport, Fluentd, spool per record",
    "file+spool": "modelport, files, spool per record",
}
_SHIPPED = ("boxkite", "fluent", "fluent+spool")


@dataclass(frozen=True)
class Outcome:
    """What came of one service."""

    logged: int
    arrived: int
    different: int
    told: int | None

    @property
    def lost(self) -> int:
        # One more than logged may arrive: the call whose end the signal prevented.
        return max(0, self.logged - self.different)


@dataclass(frozen=True)
class End:
    """One way to end. `lose_none`: what ours promises there, by library."""

    how: str
    what: str
    lose_none: Sequence[str] = ()
    libraries: Sequence[str] = tuple(_LIBRARIES)

    @property
    def promise(self) -> str:
        """Which of ours promise it."""
        return "" if any("+" not in what for what in self.lose_none) else "with a spool, "


_OURS = ("fluent", "file", "fluent+spool", "file+spool")
_ENDS = (
    End("speed", "20,000 at full speed, then closed", _OURS),
    End("paced", "2000, one a millisecond, then closed", _OURS),
    End("leave", "the interpreter ends, nothing was closed", _OURS),
    End("fork", "made before a fork, the child logs (preload)", _OURS),
    End("outage", "the collector is down for 4000, then back", _OURS, _SHIPPED),
    End("close without collector", "closed while the collector is down", ("fluent+spool",), _SHIPPED),
    End("term", "SIGTERM (ours: install_signal_handlers)", _OURS),
    End("plain sigterm", "SIGTERM, Python's default", ("fluent+spool", "file+spool")),
    End("kill", "SIGKILL", ("fluent+spool", "file+spool")),
)


class Service:
    """The program in a process of its own."""

    def __init__(self, what: str, how: str, collector: Collector, folder: Path) -> None:
        self.page = folder / "page"
        command = [str(_PROGRAM), what, how, str(collector.port), str(folder), str(self.page)]
        python = interpreter("boxkite" if what == "boxkite" else "modelport")
        self._process = subprocess.Popen(
            [python, "-W", "ignore", *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def heard(self) -> Any:
        """The next thing it says, or None at its end."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        return json.loads(line) if line else None

    def go_on(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def ended(self) -> int | None:
        """Wait for the end; what it said to have dropped."""
        last: Any = None
        while (said := self.heard()) is not None:
            last = said
        if self._process.wait(120) > 0:
            raise MissingPeerError(f"its service ended with {self._process.returncode}")
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
        return last["told"] if isinstance(last, dict) else None

    def logged(self) -> int:
        content = self.page.read_bytes()
        return int(struct.unpack("q", content)[0]) if content else 0


def outcome(what: str, end: End) -> Outcome:
    """Let one service come to its end and see what arrived."""
    with tempfile.TemporaryDirectory(prefix="modelport-losses-") as name:
        folder, collector = Path(name), Collector()
        before = (0, 0)
        try:
            service = Service(what, end.how, collector, folder)
            if end.how in {"outage", "close without collector"}:
                service.heard()
                had = collector.stop()
                before = had.records, had.different
                service.go_on()
            if end.how == "outage":
                service.heard()
                collector = Collector(collector.port)
                service.go_on()
            if end.how in {"term", "plain sigterm", "kill"}:
                service.heard()
                time.sleep(_KILL_AFTER_SECONDS)
                service.send(signal.SIGKILL if end.how == "kill" else signal.SIGTERM)
            told, logged = service.ended(), service.logged()
            if end.how == "close without collector":
                collector = Collector(collector.port)
            if what.endswith("+spool"):
                Service(what, "recover", collector, folder / "").ended()
            arrived, different = _arrived(what, collector, folder)
        finally:
            collector.stop()
    return Outcome(logged, arrived + before[0], different + before[1], told)


def _arrived(what: str, collector: Collector, folder: Path) -> tuple[int, int]:
    if what in _SHIPPED:
        have = collector.settled()
        return have.records, have.different
    outputs = [record.output for record in read_predictions(folder / "log")] if (folder / "log").exists() else []
    return len(outputs), len(set(map(str, outputs)))


def losses(rounds: int = _ROUNDS, *, libraries: Sequence[str] = tuple(_LIBRARIES)) -> tuple[Part, dict[str, str]]:
    """The table, and what was left out with the reason."""
    rows: list[tuple[str, ...]] = []
    bars: list[Bar] = []
    missing: dict[str, str] = {}
    for end in _ENDS:
        lost: dict[str, int] = {}
        for what in [name for name in libraries if name in end.libraries and name not in missing]:
            print(f"{end.what}: {what}", file=sys.stderr, flush=True)
            try:
                outcomes = sorted((outcome(what, end) for _ in range(rounds)), key=lambda one: one.lost)
            except MissingPeerError as error:
                missing[what] = str(error)
                continue
            rows.append(_row(end, what, outcomes))
            lost[what] = outcomes[-1].lost
        bars += _bars(end, lost)
    return Part(f"Lost records, {rounds} rounds", _HEADER, rows, bars), missing


def _bars(end: End, lost: Mapping[str, int]) -> list[Bar]:
    """What ours promises: none lost, and at SIGKILL without a spool no more than one interval."""
    none = [lost[what] for what in end.lose_none if what in lost]
    some = [lost[what] for what in _OURS if what in lost and what not in end.lose_none and end.how == "kill"]
    bars = [Bar(f"lost by ours, {end.promise}{end.what}", max(none), 0, "")] if none else []
    return bars + ([Bar(f"lost by ours without a spool, {end.what}", max(some), _INTERVAL_RECORDS, "")] if some else [])


def _row(end: End, what: str, outcomes: Sequence[Outcome]) -> tuple[str, ...]:
    """The worst of the rounds, and what the others lost."""
    worst, least = outcomes[-1], outcomes[0].lost
    lost = f"{worst.lost:,}" if least == worst.lost else f"{least:,} to {worst.lost:,}"
    told = "nothing" if worst.told is None else f"{worst.told:,}"
    counts = (worst.logged, worst.different, worst.arrived - worst.different)
    return end.what, _LIBRARIES[what], *(f"{count:,}" for count in counts), lost, told


def main(arguments: Sequence[str], show: Callable[[str], None] = print) -> int:
    markdown = "--markdown" in arguments
    counts = [int(word) for word in arguments if word.isdecimal()]
    part, missing = losses(*counts)
    show(render(part, markdown=markdown))
    show(bars_table(part.bars, markdown=markdown))
    for name, reason in missing.items():
        show(f"left out: {name} ({reason})")
    return 0 if all(bar.met for bar in part.bars) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
