"""Many writers on one monitor: ``python monitoring_crowd.py PROCESS ROWS QUEUE FOLDER``.

Eight threads, then a hundred asyncio tasks, then a forked child log ROWS each; parent and child print what their
metrics say at the end, as a line of JSON. Which writer logs which row is told by `rows_of`, so that a test can count
the same rows by itself.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

THREADS = 8
TASKS = 100
CHILD = THREADS + TASKS
WRITERS = CHILD + 1
NAMES = ("normal", "heavy", "steps", "plan")
PATIENCE_SECONDS = 60.0

_PLANS = ("basic", "pro", "new", None)
_ODD = (float("nan"), float("inf"), float("-inf"), None, "text")


def training() -> dict[str, Any]:
    draw = np.random.default_rng(0)
    return {
        "normal": draw.normal(size=5000),
        "heavy": draw.standard_t(1.5, 5000),
        "steps": draw.integers(0, 100, 5000).astype(float),
        "plan": draw.choice(["basic", "pro", "team"], 5000),
    }


def rows_of(process: int, writer: int, count: int) -> list[dict[str, Any]]:
    """Floats, values on the edges (``steps``), and every 13th row something odd in each column."""
    draw = np.random.default_rng([process, writer])
    rows = [
        {"normal": normal, "heavy": heavy, "steps": float(step), "plan": _PLANS[plan]}
        for normal, heavy, step, plan in zip(
            draw.normal(0.3, 1.2, count).tolist(),
            draw.standard_t(1.2, count).tolist(),
            draw.integers(-5, 110, count).tolist(),
            draw.integers(0, len(_PLANS), count).tolist(),
            strict=True,
        )
    ]
    for place in range(writer % 13, count, 13):
        rows[place].update(normal=_ODD[place % 5], heavy=_ODD[(place + 1) % 5], steps=_ODD[(place + 2) % 5])
    return rows


def id_of(process: int, writer: int, place: int) -> str:
    return f"{process}-{writer}-{place}"


def _writes(monitor: Any, process: int, writer: int, count: int) -> Iterator[None]:
    for place, row in enumerate(rows_of(process, writer, count)):
        monitor.log(row, place % 7 / 7, prediction_id=id_of(process, writer, place))
        yield


def _thread(monitor: Any, process: int, writer: int, count: int) -> None:
    for _ in _writes(monitor, process, writer, count):
        pass


async def _task(monitor: Any, process: int, writer: int, count: int) -> None:
    for _ in _writes(monitor, process, writer, count):
        await asyncio.sleep(0)


async def _tasks(monitor: Any, process: int, count: int) -> None:
    await asyncio.gather(*(_task(monitor, process, THREADS + number, count) for number in range(TASKS)))


def _report(monitor: Any) -> str:
    flushed = monitor.flush(PATIENCE_SECONDS)
    text = monitor.export_http()[0].decode()
    closed = monitor.close(PATIENCE_SECONDS)
    return json.dumps({"metrics": text, "dropped": monitor.dropped, "ok": flushed and closed}) + "\n"


def main(process: int, count: int, max_queue: int, folder: Path) -> None:
    from modelport import ModelMonitor
    from modelport.drift import Baseline
    from modelport.predictions import FileSink

    baseline = Baseline.load(folder / "baseline.json")
    monitor = ModelMonitor("crowd", baseline=baseline, sinks=[FileSink(folder)], max_queue=max_queue, interval=0.01)
    sys.setswitchinterval(1e-5)
    threads = [threading.Thread(target=_thread, args=(monitor, process, number, count)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    asyncio.run(_tasks(monitor, process, count))
    # No flush before: what the parent has queued is the parent's, and must not come twice.
    child = os.fork()
    if child == 0:
        _thread(monitor, process, CHILD, count)
        os.write(1, _report(monitor).encode())
        return
    os.write(1, _report(monitor).encode())
    os.waitpid(child, 0)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
