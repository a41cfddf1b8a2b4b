"""A service that logs and comes to some end: ``python losing.py WHAT HOW PORT FOLDER PAGE``.

WHAT is ``boxkite``, ``fluent`` or ``file``, the last two with ``+spool`` for a spool that is written per record; HOW is
the end. The count of predictions that were logged, so that their call had returned, stands in the file PAGE, which
survives any death; what the library itself says to have dropped is printed.
"""

# pyright: reportMissingImports=false, reportAttributeAccessIssue=false

from __future__ import annotations

import json
import mmap
import os
import struct
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from workload import ROWS, STEP

_SPEED = 20_000
_PACED = 2000
_FEW = 90  # Boxkite's queue holds 100
_OUTAGE = 4000
_BURST = 100


class Service:
    """One library behind the calls that the ends need."""

    def __init__(
        self, log: Callable[[int], object], close: Callable[[], object], told: Callable[[], int | None]
    ) -> None:
        self.log = log
        self.close = close
        self.told = told


def boxkite(port: int) -> Service:
    from boxkite.monitoring.collector import BaselineMetricCollector
    from boxkite.monitoring.exporter import FluentdExporter
    from boxkite.monitoring.service import ModelMonitoringService

    os.environ["BEDROCK_FLUENTD_ADDR"] = f"127.0.0.1:{port}"
    exporter = FluentdExporter()
    service = ModelMonitoringService(exporter, BaselineMetricCollector(path="/nonexistent"))

    def log(number: int) -> None:
        service.log_prediction(request_body="", features=ROWS[number % STEP], output=float(number))

    # It offers no close and no count: this is the sender inside, as one who has read the source would close it.
    return Service(log, exporter._sender.close, lambda: None)


def modelport(what: str, port: int, folder: str) -> Service:
    from modelport import ModelMonitor
    from modelport.predictions import FileSink, FluentSink

    name, _, spooled = what.partition("+")
    sink = FluentSink("127.0.0.1", port) if name == "fluent" else FileSink(Path(folder) / "log")
    options: dict[str, Any] = spool_options(Path(folder) / "spool") if spooled else {}
    monitor = ModelMonitor("bench", sinks=[sink], **options)
    if sys.argv[2] == "term":
        monitor.install_signal_handlers()

    def log(number: int) -> None:
        monitor.log(ROWS[number % STEP], float(number))

    def close() -> None:
        monitor.close(60 if name == "file" else 10)

    return Service(log, close, lambda: sum(monitor.dropped.values()))


def spool_options(folder: Path) -> dict[str, Any]:
    """A spool that takes every record in the thread that logs it."""
    from modelport.predictions import Spool

    return {"spool": Spool(str(folder), mode="record")}


class Page:
    """A count that other processes see and that no death takes back."""

    def __init__(self, path: str) -> None:
        self._descriptor = os.open(path, os.O_CREAT | os.O_RDWR)
        os.ftruncate(self._descriptor, 8)
        self._page = mmap.mmap(self._descriptor, 8)

    def set(self, count: int) -> None:
        self._page[:] = struct.pack("q", count)


def speed(service: Service, page: Page) -> None:
    for number in range(_SPEED):
        service.log(number)
    page.set(_SPEED)
    service.close()


def paced(service: Service, page: Page) -> None:
    for number in range(_PACED):
        service.log(number)
        time.sleep(0.001)
    page.set(_PACED)
    service.close()


def leave(service: Service, page: Page) -> None:
    service.log(0)
    time.sleep(0.5)  # connected: a service has lived before it ends
    for number in range(1, _FEW + 1):
        service.log(number)
    page.set(_FEW + 1)


def fork(service: Service, page: Page) -> None:
    child = os.fork()
    if child == 0:
        leave(service, page)
        time.sleep(0.5)
        return
    os.waitpid(child, 0)


def outage(service: Service, page: Page) -> None:
    service.log(0)
    time.sleep(0.5)
    _say("connected")
    sys.stdin.readline()  # the collector is gone
    for number in range(1, _OUTAGE):
        service.log(number)
        time.sleep(0.0005)
    _say("logged")
    sys.stdin.readline()  # it is back
    service.log(_OUTAGE)
    page.set(_OUTAGE + 1)
    time.sleep(1)
    service.close()


def close_without_collector(service: Service, page: Page) -> None:
    service.log(0)
    time.sleep(0.5)
    _say("connected")
    sys.stdin.readline()
    for number in range(1, _FEW + 1):
        service.log(number)
    page.set(_FEW + 1)
    service.close()


def signalled(service: Service, page: Page) -> None:
    """About 20,000 a second until the signal comes."""
    for first in range(0, 10**9, _BURST):
        for number in range(first, first + _BURST):
            service.log(number)
            page.set(number + 1)
        if first == 0:
            _say("logging")
        time.sleep(_BURST / 20_000)


def recover(service: Service, page: Page) -> None:
    """The next start of a service that has died: it ships what it finds."""
    time.sleep(0.5)
    service.close()
    del page


def _say(what: object) -> None:
    print(json.dumps(what), flush=True)


ENDS: dict[str, Callable[[Service, Page], None]] = {
    "speed": speed,
    "paced": paced,
    "leave": leave,
    "fork": fork,
    "outage": outage,
    "close without collector": close_without_collector,
    "term": signalled,
    "kill": signalled,
    "plain sigterm": signalled,
    "recover": recover,
}


def main(what: str, how: str, port: str, folder: str, page: str) -> None:
    service = boxkite(int(port)) if what == "boxkite" else modelport(what, int(port), folder)
    ENDS[how](service, Page(page))
    _say({"told": service.told()})


if __name__ == "__main__":
    main(*sys.argv[1:])
