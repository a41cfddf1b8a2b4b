"""A service that logs until it is told to end: ``python monitoring_service.py NAME SINK FOLDER PORT MODE``.

How many predictions were logged, and up to which of them `flush` has said that all is delivered, stands in the page
``FOLDER/NAME.page``, which survives any death. Half-way it forks; the child logs under a name of its own and ends
normally. MODE ``plain`` has no spool, ``record`` one that is written with every prediction.
"""

from __future__ import annotations

import mmap
import os
import struct
import sys
import time
from pathlib import Path
from typing import Any

FORK_AT = 3000
CHILD_ROWS = 500
BURST = 50
ENDPOINT = "soak"
_LAYOUT = struct.Struct("qqq")


class Page:
    """Logged, flushed, and whether the writer came to its own end."""

    def __init__(self, path: Path) -> None:
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR)
        os.ftruncate(descriptor, _LAYOUT.size)
        self._page = mmap.mmap(descriptor, _LAYOUT.size)

    def set(self, logged: int, flushed: int, ended: int = 0) -> None:
        self._page[:] = _LAYOUT.pack(logged, flushed, ended)

    @staticmethod
    def read(path: Path) -> tuple[int, int, int]:
        logged, flushed, ended = _LAYOUT.unpack(path.read_bytes())
        return logged, flushed, ended


def monitor_of(sink: str, folder: Path, port: int, mode: str) -> Any:
    from modelport import ModelMonitor
    from modelport.predictions import FileSink, FluentSink

    made = FileSink(folder) if sink == "file" else FluentSink("127.0.0.1", port, timeout=1.0)
    options: dict[str, Any] = {} if mode == "plain" else spool_options(folder / "spool")
    return ModelMonitor(ENDPOINT, sinks=[made], **options)


def spool_options(folder: Path) -> dict[str, Any]:
    from modelport.predictions import Spool

    return {"spool": Spool(str(folder), mode="record")}


def _log(monitor: Any, page: Page, name: str, first: int, count: int, flushed: int) -> None:
    for number in range(first, first + count):
        monitor.log([0.5] * 20, number, prediction_id=f"{name}/{number}")
        page.set(number + 1, flushed)


def main(name: str, sink: str, folder: Path, port: int, mode: str) -> None:
    monitor = monitor_of(sink, folder, port, mode)
    monitor.install_signal_handlers(timeout=60)
    page, flushed = Page(folder / f"{name}.page"), 0
    for first in range(0, 10**9, BURST):
        _log(monitor, page, name, first, BURST, flushed)
        time.sleep(0.01)
        if first == FORK_AT and os.fork() == 0:
            break
        if first % 1000 == 0 and monitor.flush(0.05):
            flushed = first + BURST
            page.set(flushed, flushed)
    child = f"{name}-child"
    page = Page(folder / f"{child}.page")
    _log(monitor, page, child, 0, CHILD_ROWS, 0)
    monitor.close(60)
    page.set(CHILD_ROWS, CHILD_ROWS, 1)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]), sys.argv[5])
