"""FluentSink against a forward server written by others: ``FluentServer`` of the npm package @fluent-org/logger."""

from __future__ import annotations

import json
import queue
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from modelport.monitor import ModelMonitor
from modelport.predictions import FluentSink

pytestmark = pytest.mark.live

PROGRAM = Path(__file__).with_name("fluent_server.mjs")
PATIENCE_SECONDS = 30.0


class Server:
    """The server in a process of its own, and what it has printed."""

    def __init__(self, node: str, modules: Path, port: int = 0) -> None:
        self._process = subprocess.Popen(
            [node, str(PROGRAM), str(modules), str(port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._lines: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.port: int = self._lines.get(timeout=PATIENCE_SECONDS)["port"]
        self._entries: list[dict[str, Any]] = []

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(json.loads(line))

    @property
    def entries(self) -> list[dict[str, Any]]:
        while not self._lines.empty():
            self._entries.append(self._lines.get())
        return self._entries

    def wait_for(self, count: int) -> list[dict[str, Any]]:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while len(self.entries) < count:
            assert time.monotonic() < deadline, f"{len(self.entries)} of {count} arrived"
            time.sleep(0.01)
        return self.entries

    def outputs(self) -> list[int]:
        return [entry["record"]["output"] for entry in self.entries]

    def stop(self) -> None:
        if self._process.poll() is None:
            assert self._process.stdin is not None
            self._process.stdin.close()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(10)
        self._reader.join(10)
        assert self._process.stdout is not None
        self._process.stdout.close()


@pytest.fixture
def start_server(node: str, node_modules: Path) -> Iterator[Callable[..., Server]]:
    if not (node_modules / "@fluent-org" / "logger").is_dir():
        pytest.skip("@fluent-org/logger is not installed: run `make setup-test`")
    made: list[Server] = []

    def start(port: int = 0) -> Server:
        made.append(Server(node, node_modules, port))
        return made[-1]

    yield start
    for server in made:
        server.stop()


@pytest.mark.parametrize("require_ack", [True, False])
def test_records_arrive_with_tag_and_nanosecond_time(start_server: Callable[..., Server], require_ack: bool) -> None:
    server = start_server()
    sink = FluentSink("127.0.0.1", server.port, tag="models.predictions.churn.pod", require_ack=require_ack)
    with ModelMonitor("churn", model_version="3", sinks=[sink]) as monitor:
        made = monitor.log(
            {"age": 41, "plan": "ü"}, 0.5, timestamp=1_700_000_000_123_456_789, request_body=b"{}", segments={"a": "b"}
        )

    (entry,) = server.wait_for(1)
    assert entry["tag"] == "models.predictions.churn.pod"
    assert entry["time"] == {"seconds": 1_700_000_000, "nanoseconds": 123_456_789}
    assert entry["record"] | {"timestamp_ns": 0} == {
        "prediction_id": made,
        "timestamp_ns": 0,
        "endpoint": "churn",
        "model_version": "3",
        "features": {"age": 41, "plan": "ü"},
        "output": 0.5,
        "request_body": "{}",
        "segments": {"a": "b"},
    }


@pytest.mark.parametrize("require_ack", [True, False])
def test_twenty_thousand_at_full_speed_arrive_once_and_in_order(
    start_server: Callable[..., Server], require_ack: bool
) -> None:
    server = start_server()
    sink = FluentSink("127.0.0.1", server.port, require_ack=require_ack)
    with ModelMonitor("e", sinks=[sink]) as monitor:
        for number in range(20_000):
            monitor.log([0.5] * 20, number)
        assert monitor.flush(60)

    server.wait_for(20_000)
    assert server.outputs() == list(range(20_000))
    assert sum(monitor.dropped.values()) == 0


def test_an_outage_shorter_than_the_buffer_loses_nothing(start_server: Callable[..., Server]) -> None:
    first = start_server()
    monitor = ModelMonitor("e", sinks=[FluentSink("127.0.0.1", first.port)], interval=0.01)
    for number in range(1000):
        monitor.log([number], number)
    assert monitor.flush(60)
    first.stop()

    for number in range(1000, 5000):
        monitor.log([number], number)
    assert not monitor.flush(0.2)
    second = start_server(first.port)

    assert monitor.close(60)
    second.wait_for(4000)
    assert sorted({*first.outputs(), *second.outputs()}) == list(range(5000))
    assert sum(monitor.dropped.values()) == 0
