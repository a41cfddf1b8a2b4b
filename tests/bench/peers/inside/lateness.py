"""How late an event loop's timers are while predictions are logged on it, at a steady rate."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from workload import OUTPUT, ROWS, STEP

_TICK_SECONDS = 0.001


def lateness(log: Callable[[list[float], float], object], n: int, rate: float) -> dict[str, Any]:
    """Milliseconds by which ``asyncio.sleep(0.001)`` is late, while the same loop logs `n` at `rate` a second."""
    late: list[float] = []
    asyncio.run(_both(log, n, rate, late))
    late.sort()
    return {
        "p50": _share(late, 0.5),
        "p99": _share(late, 0.99),
        "p999": _share(late, 0.999),
        "worst": late[-1],
        "ticks": len(late),
    }


async def _both(log: Callable[[list[float], float], object], n: int, rate: float, late: list[float]) -> None:
    logging = asyncio.ensure_future(_log(log, n, rate))
    loop = asyncio.get_running_loop()
    while not logging.done():
        due = loop.time() + _TICK_SECONDS
        await asyncio.sleep(_TICK_SECONDS)
        late.append((loop.time() - due) * 1000)
    await logging


async def _log(log: Callable[[list[float], float], object], n: int, rate: float) -> None:
    # As requests would come: a few per turn of the loop, those that are overdue all at once.
    loop = asyncio.get_running_loop()
    start, done = loop.time(), 0
    while done < n:
        due = min(n, int((loop.time() - start) * rate) + 1)
        for number in range(done, due):
            log(ROWS[number % STEP], OUTPUT)
        done = max(done, due)
        await asyncio.sleep(_TICK_SECONDS)


def _share(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
