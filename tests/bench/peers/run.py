"""The comparison with other projects, measured in turns in one run: ``python -m tests.bench.peers.run [PART...]``.

``make bench-peers`` installs the peers, each into an environment of its own, and runs this; a peer that is missing is
named and skipped. Exit code 1 when a bar is missed.

``--runs 3`` does all of it three times and prints the range of each bar, with the tables of the last run;
``--markdown`` prints Markdown, and ``--into FILE`` puts that between the two marks of a document.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.bench import losses
from tests.bench.peers import baselines, offline, request, service
from tests.bench.peers.tables import Part, bars_of, bars_table, render
from tests.bench.peers.workers import Team, team

_BEGIN, _END = "<!-- printed by the command above: begin -->", "<!-- end -->"


def _losses(team: Team) -> Part:
    part, missing = losses.losses()
    team.missing.update(missing)
    return part


_PARTS: dict[str, Callable[[Team], Part]] = {
    "request": request.request,
    "whole": request.whole,
    "scrape": request.scrape,
    "loop": service.loop,
    "drain": service.drain,
    "memory": service.memory,
    "baseline": baselines.baseline,
    "offline": offline.offline,
    "large": offline.large,
    "losses": _losses,
}


def main(arguments: Sequence[str]) -> int:
    asked = _parsed(arguments)
    start, before = time.monotonic(), os.getloadavg()[0]
    runs: list[list[Part]] = []
    missing: dict[str, str] = {}
    for number in range(asked.runs):
        with team() as peers:
            runs.append([_measured(name, number, peers) for name in asked.parts or _PARTS])
            missing.update(peers.missing)
    markdown = asked.markdown or asked.into is not None
    bars = bars_of(runs)
    text = "\n".join(
        [
            bars_table(bars, markdown=markdown),
            *(render(part, markdown=markdown) for part in runs[-1]),
            *(f"Left out: {name} ({reason}).\n" for name, reason in missing.items()),
            _ending(sum(bar.met for bar in bars), len(bars), asked.runs, before, time.monotonic() - start),
        ]
    )
    if asked.into is None:
        print(text)
    else:
        _put(text, asked.into)
    return 0 if all(bar.met for bar in bars) else 1


def _parsed(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.peers.run", description=f"Parts: {', '.join(_PARTS)}.")
    parser.add_argument("parts", nargs="*", metavar="PART", help="only these; by default all")
    parser.add_argument("--runs", type=int, default=1, help="how often; bars are then ranges")
    parser.add_argument("--markdown", action="store_true", help="tables in Markdown")
    parser.add_argument("--into", type=Path, metavar="FILE", help="put the tables between the marks of this document")
    asked = parser.parse_args(arguments)
    if unknown := set(asked.parts) - set(_PARTS):
        parser.error(f"no part {', '.join(sorted(unknown))}: there is {', '.join(_PARTS)}")
    if asked.into is not None and not (asked.into.is_file() and _BEGIN in asked.into.read_text(encoding="utf-8")):
        parser.error(f"{asked.into} has no mark {_BEGIN}")
    return asked


def _measured(name: str, number: int, peers: Team) -> Part:
    print(f"measuring: {name}, run {number + 1}", file=sys.stderr, flush=True)
    return _PARTS[name](peers)


def _ending(met: int, bars: int, runs: int, load: float, seconds: float) -> str:
    times = "one run" if runs == 1 else f"{runs} runs, of which the tables above show the last"
    return (
        f"{met} of {bars} bars met, in {seconds:.0f} s; {times}. {time.strftime('%Y-%m-%d')}, "
        f"Python {platform.python_version()}, {os.cpu_count()} cores, load {load:.1f} before and "
        f"{os.getloadavg()[0]:.1f} after."
    )


def _put(text: str, file: Path) -> None:
    head, _, rest = file.read_text(encoding="utf-8").partition(_BEGIN)
    tail = rest.partition(_END)[2]
    file.write_text(f"{head}{_BEGIN}\n\n{text}\n\n{_END}{tail}", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
