"""The comparison with other projects, measured in turns in one run: ``python -m tests.bench.peers.run [PART...]``.

``make bench-peers`` installs the peers, each into an environment of its own, and runs this; a peer that is missing is
named and skipped. ``--markdown`` prints the tables as docs/monitoring-performance.md has them. Exit code 1 when a bar
is missed.
"""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Callable, Sequence

from tests.bench import losses
from tests.bench.peers import baselines, offline, request, service
from tests.bench.peers.tables import Part, bars_table, render
from tests.bench.peers.workers import Team, team


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
    markdown = "--markdown" in arguments
    wanted = [name for name in arguments if not name.startswith("--")] or list(_PARTS)
    if unknown := set(wanted) - set(_PARTS):
        print(f"no part {', '.join(sorted(unknown))}: there is {', '.join(_PARTS)}", file=sys.stderr)
        return 2
    start, before, parts = time.monotonic(), os.getloadavg()[0], list[Part]()
    with team() as peers:
        for name in wanted:
            print(f"measuring: {name}", file=sys.stderr, flush=True)
            parts.append(_PARTS[name](peers))
        missing = dict(peers.missing)
    print(bars_table(parts, markdown=markdown))
    print("\n".join(render(part, markdown=markdown) for part in parts))
    for name, reason in missing.items():
        print(f"left out: {name} ({reason})")
    bars = [bar for part in parts for bar in part.bars]
    print(f"{sum(bar.met for bar in bars)} of {len(bars)} bars met, in {time.monotonic() - start:.0f} s.")
    print(
        f"Python {platform.python_version()}, {os.cpu_count()} cores, load {before:.1f} before and "
        f"{os.getloadavg()[0]:.1f} after."
    )
    return 0 if all(bar.met for bar in bars) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
