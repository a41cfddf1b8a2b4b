"""What every peer is given: the same rows in every interpreter, and the clocks. Standard library only."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

FEATURES = 20
STEP = 1000
NAMES = [f"f{index}" for index in range(FEATURES)]
OUTPUT = 0.5

# Deciles of the standard normal and the 0.1, 1, 99 and 99.9 % tails: the bins that our baseline has by default.
EDGES = [-3.09, -2.326, -1.282, -0.842, -0.524, -0.253, 0.0, 0.253, 0.524, 0.842, 1.282, 2.326, 3.09]

_random = random.Random(1)  # noqa: S311 - data, not secrets
ROWS = [[_random.gauss(0, 1) for _ in range(FEATURES)] for _ in range(STEP)]

thread_ns = time.thread_time_ns
process_ns = time.process_time_ns


def columns(rows: int, *, shift: float = 0.0) -> list[list[float]]:
    """Normal columns; column i is moved by ``shift * i``."""
    draw = random.Random(2).gauss  # noqa: S311 - data, not secrets
    return [[draw(shift * index, 1) for _ in range(rows)] for index in range(FEATURES)]


def in_steps(
    n: int, step: Callable[[], object], after: Callable[[], object] = lambda: None, clock: Callable[[], int] = thread_ns
) -> dict[str, Any]:
    """CPU per prediction of `step`, which does 1000; `after` each of them, `after` is run on nobody's account."""
    spent = 0
    for _ in range(max(1, n // STEP)):
        start = clock()
        step()
        spent += clock() - start
        after()
    return {"ns": spent / max(1, n // STEP) / STEP}


def scrapes(n: int, scrape: Callable[[], tuple[bytes, str]], more: Callable[[], object]) -> dict[str, Any]:
    """CPU of a scrape; `more` is logged before each, so that what was said last time is not the answer."""
    spent, body = 0, b""
    for _ in range(n):
        more()
        start = thread_ns()
        body, _ = scrape()
        spent += thread_ns() - start
    return {"ns": spent / n, "bytes": len(body)}


def rss_mib() -> float:
    """Resident memory of this process."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def peak_rss_mib() -> float:
    """The most that it has been."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return rss_mib()


def paced(
    log: Callable[[list[float], float], object],
    n: int,
    *,
    rate: float,
    rows: list[list[float]] = ROWS,
    watch: Callable[[], object] = lambda: None,
) -> float:
    """Call `log` n times at `rate` a second, in bursts of a millisecond; what was reached in fact, per second."""
    burst = max(1, int(rate / 1000))
    start = time.perf_counter()
    for first in range(0, n, burst):
        for number in range(first, min(n, first + burst)):
            log(rows[number % STEP], OUTPUT)
        watch()
        ahead = start + (first + burst) / rate - time.perf_counter()
        if ahead > 0:
            time.sleep(ahead)
    return n / (time.perf_counter() - start)
