"""The generated rules in a real Prometheus that scrapes real processes: they restart, overtake, idle and die."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from modelport.drift import Baseline
from modelport.drift.rules import RuleOptions, drift_rules
from tests.live.prometheus import Prometheus, free_ports, until

pytestmark = pytest.mark.live

ROOT = Path(__file__).resolve().parents[2]
RANDOM = np.random.default_rng(7)
LONG, SHORT = "10m", "6s"
EXACT = 1e-9
Row = list[Any]


def training(center: float) -> dict[str, Any]:
    return {
        "x": RANDOM.normal(center, 1, 3000),
        "plan": RANDOM.choice(["a", "b", "c"], 3000, p=[0.5, 0.3, 0.2]),
    }


# Numbers whose edges a naive writer spells differently on both sides (from 1e6 up), and one of each other kind.
BASELINES = {
    "one.json": Baseline.from_data(training(5e6), output=RANDOM.normal(5e6, 1, 3000), model_version="1"),
    "two.json": Baseline.from_data(training(5e6 + 3), output=RANDOM.normal(5e6, 1, 3000), model_version="2"),
}


def rows(count: int, shift: float, plan: str = "a") -> list[Row]:
    return [[float(value), plan] for value in RANDOM.normal(5e6 + shift, 1, count)]


class Replicas:
    """The processes, by name."""

    def __init__(self, folder: Path, ports: Sequence[int]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.live.drift_replicas", str(folder)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._ports = list(ports)

    def port(self) -> int:
        return self._ports.pop()

    def tell(self, name: str, do: str, **arguments: object) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"name": name, "do": do, **arguments}) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def start(self, name: str, endpoint: str, *, port: int, baseline: str = "one.json", **options: object) -> None:
        self.tell(name, "start", endpoint=endpoint, baseline=baseline, port=port, options=options)

    def open(self, name: str, logged: list[Row]) -> None:
        """Log, then let scrapes in."""
        self.tell(name, "log", rows=logged)
        self.tell(name, "listen")

    def serve(self, name: str, logged: list[Row], *, listen: bool = True) -> None:
        """Log, and be scraped with it."""
        self.tell(name, "log", rows=logged)
        if listen:
            self.tell(name, "listen")
        self.scraped(name)

    def scraped(self, name: str) -> None:
        """Wait for two more scrapes: the first may have begun before."""
        seen = self.tell(name, "look")["scrapes"]
        until(lambda: self.tell(name, "look")["scrapes"] >= seen + 2)

    def stop(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(30)
        assert self._process.stdout is not None
        self._process.stdout.close()


@pytest.fixture(scope="module")
def ports() -> list[int]:
    return free_ports(16)


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory, ports: list[int]) -> Iterator[Prometheus]:
    rules = {
        f"{window}.yml": drift_rules(RuleOptions(window=window, interval="1s", pending="0s", kl=0.5, ks=0.2))
        for window in (LONG, SHORT)
    }
    server = Prometheus(tmp_path_factory.mktemp("prometheus"), ports, rules)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def replicas(tmp_path_factory: pytest.TempPathFactory, ports: list[int]) -> Iterator[Replicas]:
    folder = tmp_path_factory.mktemp("baselines")
    for name, baseline in BASELINES.items():
        baseline.save(folder / name)
    made = Replicas(folder, ports)
    yield made
    made.stop()


def shares_of(logged: list[Row], baseline: str = "one.json") -> tuple[Any, Any]:
    """Shares of training and of what was logged, of feature x, by numpy alone."""
    column = BASELINES[baseline].features[0]
    values = np.array([row[0] for row in logged if row[0] is not None])
    places = np.searchsorted(column.edges, values, side="left")
    counts = np.bincount(places, minlength=len(column.counts))
    return np.array(column.counts) / sum(column.counts), counts / counts.sum()


def psi_of(logged: list[Row], baseline: str = "one.json") -> float:
    p, q = (np.maximum(side, 1e-4) for side in shares_of(logged, baseline))
    return float(np.sum((q - p) * np.log(q / p)))


def recorded(name: str, endpoint: str, feature: str = "x", window: str = LONG, **labels: str) -> str:
    matchers = {"endpoint": endpoint, "feature": feature, "window": window, **labels}
    return f"modelport:feature:{name}{{" + ", ".join(f'{key}="{value}"' for key, value in matchers.items()) + "}"


def settled(prometheus: Prometheus, expected: int, endpoint: str, **labels: str) -> None:
    """Wait until exactly `expected` values are counted: more would be as wrong as fewer."""
    query = recorded("values", endpoint, **labels)
    until(lambda: (prometheus.value(query) or 0) >= expected)
    assert prometheus.value(query) == expected


def becomes(prometheus: Prometheus, query: str, expected: float, within: float = EXACT) -> None:
    """Wait for the value: rules are evaluated one after the other, once a second."""
    until(lambda: prometheus.value(query) is not None)
    until(lambda: (found := prometheus.value(query)) is not None and abs(found - expected) < within)


def psi_is(prometheus: Prometheus, expected: float, endpoint: str, **labels: str) -> None:
    becomes(prometheus, recorded("psi", endpoint, **labels), expected)


def test_one_replica_agrees_with_numpy_and_with_its_own_page(prometheus: Prometheus, replicas: Replicas) -> None:
    logged = [*rows(700, 0.7), *rows(60, 2, "new"), *[[None, "b"]] * 40]
    replicas.start("one", "one", port=replicas.port())
    replicas.serve("one", logged)
    settled(prometheus, 760, "one")
    settled(prometheus, 800, "one", feature="plan")
    p, q = shares_of(logged)
    low_p, low_q, middle = np.maximum(p, 1e-4), np.maximum(q, 1e-4), (p + q) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        js = sum(float(np.nansum(side / 2 * np.log(side / middle))) for side in (p, q))
    expected = {
        "psi": psi_of(logged),
        "kl": float(np.sum(low_q * np.log(low_q / low_p))),
        "kl_reverse": float(np.sum(low_p * np.log(low_p / low_q))),
        "js": js,
        "ks": float(np.max(np.abs(np.cumsum(q) - np.cumsum(p)))),
        "missing_rate": 40 / 800,
    }

    for name, value in expected.items():
        becomes(prometheus, recorded(name, "one"), value)
    becomes(prometheus, recorded("unseen_share", "one", "plan"), 60 / 800)
    becomes(prometheus, recorded("unseen_share", "one"), 0)
    becomes(prometheus, 'modelport_feature_psi{endpoint="one", feature="x"}', expected["psi"])
    noise = prometheus.value('modelport_feature_psi_noise{endpoint="one", feature="x"}')
    assert noise is not None
    becomes(prometheus, recorded("psi_noise", "one"), noise, within=2e-3 * noise)
    until_alert(prometheus, "ModelportPsi", "one", "x")
    until_alert(prometheus, "ModelportKs", "one", "x")
    until_alert(prometheus, "ModelportUnseen", "one", "plan")


def until_alert(prometheus: Prometheus, name: str, endpoint: str, feature: str) -> None:
    wanted = {"alertname": name, "endpoint": endpoint, "feature": feature, "window": LONG}
    until(lambda: any(wanted.items() <= alert.items() for alert in prometheus.alerts()))


def test_three_replicas_weigh_what_they_served(prometheus: Prometheus, replicas: Replicas) -> None:
    parts = [rows(900, 0), rows(150, 2), rows(30, -3)]
    for number, part in enumerate(parts):
        replicas.start(f"three{number}", "three", port=replicas.port())
        replicas.open(f"three{number}", part)
    for number in range(3):
        replicas.scraped(f"three{number}")

    settled(prometheus, 1080, "three")
    psi_is(prometheus, psi_of([*chain(*parts)]), "three")


def test_a_restart_whose_counts_overtake_the_old_ones_is_seen(prometheus: Prometheus, replicas: Replicas) -> None:
    before, after = rows(300, -1), rows(2000, 0.5)
    port = replicas.port()
    replicas.start("restart", "restart", port=port)
    replicas.serve("restart", before)
    replicas.tell("restart", "kill")
    replicas.start("restart", "restart", port=port)
    replicas.serve("restart", after)

    settled(prometheus, 2300, "restart")
    psi_is(prometheus, psi_of(before + after), "restart")


def test_what_a_killed_process_served_stays_in_the_window(prometheus: Prometheus, replicas: Replicas) -> None:
    dead, alive = rows(500, 2), rows(500, 0)
    replicas.start("dead", "killed", port=replicas.port())
    replicas.serve("dead", dead)
    replicas.tell("dead", "kill")
    replicas.start("alive", "killed", port=replicas.port())
    replicas.serve("alive", alive)
    # Long enough for the dead one's series to be marked stale.
    for _ in range(2):
        replicas.scraped("alive")

    settled(prometheus, 1000, "killed")
    psi_is(prometheus, psi_of(dead + alive), "killed")


def test_an_old_and_a_new_version_are_held_against_their_own_baselines(
    prometheus: Prometheus, replicas: Replicas
) -> None:
    old, new = rows(400, 0), rows(600, 0)
    replicas.start("old", "rolling", port=replicas.port(), baseline="one.json")
    replicas.open("old", old)
    replicas.start("new", "rolling", port=replicas.port(), baseline="two.json")
    replicas.open("new", new)
    for name in ("old", "new"):
        replicas.scraped(name)

    settled(prometheus, 400, "rolling", model_version="1")
    settled(prometheus, 600, "rolling", model_version="2")
    psi_is(prometheus, psi_of(old), "rolling", model_version="1")
    psi_is(prometheus, psi_of(new, "two.json"), "rolling", model_version="2")


def test_workers_behind_one_port_are_summed_though_each_scrape_meets_only_one(
    prometheus: Prometheus, replicas: Replicas
) -> None:
    parts = [rows(300, 1), rows(500, -1)]
    port = replicas.port()
    for number, part in enumerate(parts):
        replicas.start(f"worker{number}", "workers", port=port)
        replicas.open(f"worker{number}", part)
    for number in range(2):
        replicas.scraped(f"worker{number}")

    settled(prometheus, 800, "workers")
    psi_is(prometheus, psi_of([*chain(*parts)]), "workers")


def test_only_what_was_served_in_the_window_counts_and_an_idle_endpoint_has_no_result(
    prometheus: Prometheus, replicas: Replicas
) -> None:
    early, late = rows(700, 3), rows(250, 0.2)
    start = time.time()
    replicas.start("idle", "idle", port=replicas.port())
    replicas.serve("idle", early)
    settled(prometheus, 700, "idle")
    values, psi = recorded("values", "idle", window=SHORT), recorded("psi", "idle", window=SHORT)
    until(lambda: prometheus.value(values) == 0)
    until(lambda: prometheus.value(psi) is None)
    until(lambda: not [a for a in prometheus.alerts() if a.get("endpoint") == "idle" and a["window"] == SHORT])
    quiet = time.time()
    replicas.serve("idle", late, listen=False)
    until(lambda: prometheus.value(values) == 250)
    psi_is(prometheus, psi_of(late), "idle", window=SHORT)

    counts, drift = (prometheus.history(query, start, time.time()) for query in (values, psi))
    assert max(counts.values()) == 700
    assert max((count for moment, count in counts.items() if moment > quiet), default=0) <= 250
    assert not any(map(math.isnan, drift.values()))


def test_what_was_served_before_the_first_scrape_counts_and_empty_bins_are_clamped(
    prometheus: Prometheus, replicas: Replicas
) -> None:
    logged = rows(400, 6)
    assert (shares_of(logged)[1] == 0).any()
    replicas.start("early", "early", port=replicas.port())
    replicas.tell("early", "log", rows=logged)
    replicas.serve("early", [])

    settled(prometheus, 400, "early")
    psi_is(prometheus, psi_of(logged), "early")


def test_two_baselines_under_one_version_give_an_alert_and_no_figure(
    prometheus: Prometheus, replicas: Replicas
) -> None:
    for name, baseline in (("left", "one.json"), ("right", "two.json")):
        replicas.start(name, "mixed", port=replicas.port(), baseline=baseline, model_version="1")
        replicas.open(name, rows(300, 0))

    until_alert(prometheus, "ModelportBaselineConflict", "mixed", "x")
    until(lambda: prometheus.value(recorded("values", "mixed")) == 600)
    assert prometheus.value(recorded("psi", "mixed")) is None
