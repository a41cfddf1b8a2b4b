"""A real Prometheus on loopback, its queries, and promtool."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 90.0


def program(name: str) -> str:
    """``prometheus`` or ``promtool``: the machine's own, or the one that ``make setup-test`` unpacked."""
    unpacked = ROOT / ".cache" / "prometheus" / "usr" / "bin" / name
    found = str(unpacked) if unpacked.is_file() else shutil.which(name)
    if found is None:
        pytest.skip(f"there is no {name}: run `make setup-test`")
    return found


def promtool(*arguments: object, text: str | None = None) -> str:
    """What promtool says; it must be content."""
    answer = subprocess.run(
        [program("promtool"), *map(str, arguments)], input=text, capture_output=True, text=True, check=False, timeout=60
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return answer.stdout + answer.stderr


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [taken.getsockname()[1] for taken in sockets]
    for taken in sockets:
        taken.close()
    return ports


def until(condition: Callable[[], Any]) -> Any:
    """The first true value of `condition`."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (value := condition()):
        assert time.monotonic() < deadline, condition()
        time.sleep(0.1)
    return value


class Prometheus:
    """Scrapes `ports` every second and evaluates the rule files."""

    def __init__(self, folder: Path, ports: Sequence[int], rules: Mapping[str, str]) -> None:
        (self.port,) = free_ports(1)
        for name, text in rules.items():
            (folder / name).write_text(text, encoding="utf-8")
            promtool("check", "rules", folder / name)
        targets = json.dumps([f"127.0.0.1:{port}" for port in ports])
        (folder / "prometheus.yml").write_text(
            "global: {scrape_interval: 1s, evaluation_interval: 1s}\n"
            f"rule_files: {json.dumps(list(rules))}\n"
            f"scrape_configs: [{{job_name: models, static_configs: [{{targets: {targets}}}]}}]\n",
            encoding="utf-8",
        )
        self._log = (folder / "prometheus.log").open("w")
        self._process = subprocess.Popen(
            [
                program("prometheus"),
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{self.port}",
                "--web.enable-lifecycle",
            ],
            stdout=self._log,
            stderr=subprocess.STDOUT,
            cwd=folder,
        )
        until(self._ready)

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(60)
        self._log.close()

    def _ready(self) -> bool:
        assert self._process.poll() is None, "Prometheus ended: see prometheus.log"
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/-/ready", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def _ask(self, path: str, **parameters: object) -> Any:
        query = urllib.parse.urlencode(parameters)
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/v1/{path}?{query}", timeout=60) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            pytest.fail(f"{parameters}: {error.read().decode()}")

    def query(self, text: str) -> list[tuple[dict[str, str], float]]:
        """Labels and value of each series of this moment."""
        return [(row["metric"], float(row["value"][1])) for row in self._ask("query", query=text)["result"]]

    def value(self, text: str) -> float | None:
        """The one value, or None if there is none."""
        rows = self.query(text)
        assert len(rows) <= 1, rows
        return rows[0][1] if rows else None

    def history(self, text: str, start: float, end: float) -> dict[float, float]:
        """The one series' values by second."""
        rows = self._ask("query_range", query=text, start=start, end=end, step=1)["result"]
        assert len(rows) <= 1, rows
        return {moment: float(value) for moment, value in rows[0]["values"]} if rows else {}

    def alerts(self) -> list[dict[str, str]]:
        """Labels of the alerts that fire."""
        return [alert["labels"] for alert in self._ask("alerts")["alerts"] if alert["state"] == "firing"]
