"""whylogs' rolling logger, which is its way for services: one row at a time, or frames of 1000."""

# pyright: reportMissingImports=false

from __future__ import annotations

import tempfile
from typing import Any

import pandas as pd
import whylogs
from worker import Case
from workload import NAMES, ROWS, STEP, peak_rss_mib, process_ns, rss_mib, thread_ns

_MAPPINGS = [dict(zip(NAMES, row, strict=True)) for row in ROWS]


def _logger() -> Any:
    logger = whylogs.logger(mode="rolling", interval=60, when="M", base_name="bench")
    logger.append_writer("local", base_dir=tempfile.mkdtemp(prefix="whylogs-bench-"))
    return logger


def rows() -> Case:
    logger = _logger()

    def run(n: int) -> dict[str, Any]:
        start, whole = thread_ns(), process_ns()
        for number in range(n):
            logger.log(row=_MAPPINGS[number % STEP])
        return {"ns": (thread_ns() - start) / n, "process_ns": (process_ns() - whole) / n}

    return run


def frames() -> Case:
    logger, frame = _logger(), pd.DataFrame(ROWS, columns=NAMES)

    def run(n: int) -> dict[str, Any]:
        start = process_ns()
        for _ in range(n // STEP):
            logger.log(frame)
        return {"ns": (process_ns() - start) / (n // STEP) / STEP}

    return run


def memory() -> Case:
    def run(n: int) -> dict[str, Any]:
        logger, frame = _logger(), pd.DataFrame(ROWS, columns=NAMES)
        before = rss_mib()
        for _ in range(n // STEP):
            logger.log(frame)
        return {"before": before, "after": rss_mib(), "peak": peak_rss_mib(), "dropped": 0}

    return run


CASES = {"rows": rows, "frames": frames, "memory": memory}
