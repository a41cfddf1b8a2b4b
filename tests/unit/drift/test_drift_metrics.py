from __future__ import annotations

import math
import threading
from collections.abc import Iterator

import numpy as np
import pytest
from prometheus_client import CollectorRegistry, Counter
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text
from prometheus_client.samples import Sample

from modelport.drift import Baseline, LiveCounts, psi
from modelport.drift.serving._window import DriftWindow
from modelport.monitor import ModelMonitor

OPENMETRICS = "application/openmetrics-text;version=1.0.0"
RANDOM = np.random.default_rng(1)
BASELINE = Baseline.from_data(
    {"big": RANDOM.lognormal(15, 2, 2000), "plan": RANDOM.choice(["a", "b"], 2000), "z": RANDOM.normal(size=2000)},
    output=RANDOM.random(2000),
    model_version="3",
)


@pytest.fixture
def monitor() -> Iterator[ModelMonitor]:
    with ModelMonitor("churn", baseline=BASELINE, interval=0.001) as made:
        yield made


def samples(monitor: ModelMonitor, name: str, **labels: str) -> list[Sample]:
    return [
        sample
        for family in parse_text(monitor.metrics_text())
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    ]


def one(monitor: ModelMonitor, name: str, **labels: str) -> float:
    (sample,) = samples(monitor, name, **labels)
    return sample.value


def test_every_series_is_there_from_the_start_and_never_new_later(monitor: ModelMonitor) -> None:
    def series() -> set[tuple[str, frozenset[tuple[str, str]]]]:
        families = parse_text(monitor.metrics_text())
        return {(s.name, frozenset(s.labels.items())) for family in families for s in family.samples}

    before = series()
    for _ in range(300):
        monitor.log({"big": RANDOM.lognormal(15, 2), "plan": "new", "z": None}, 0.5)
    monitor.flush()

    assert series() == before


def test_baseline_and_live_edges_are_spelled_alike(monitor: ModelMonitor) -> None:
    for name in ("big", "z"):
        live = {sample.labels["le"] for sample in samples(monitor, "modelport_feature_value_bucket", feature=name)}
        base = {sample.labels["le"] for sample in samples(monitor, "modelport_baseline_value_bucket", feature=name)}
        bins = {sample.labels["bin"] for sample in samples(monitor, "modelport_feature_bin_total", feature=name)}
        assert live == base == bins
        assert "+Inf" in live


def test_counts_buckets_and_sum_agree(monitor: ModelMonitor) -> None:
    for number in range(500):
        monitor.log([float(10 ** (number % 9)), "a", 0.0], 0.5)
    monitor.flush()

    buckets = samples(monitor, "modelport_feature_value_bucket", feature="big")
    values = [sample.value for sample in buckets]
    assert values == sorted(values)
    assert values[-1] == one(monitor, "modelport_feature_value_count", feature="big") == 500
    assert one(monitor, "modelport_feature_value_sum", feature="big") == sum(float(10 ** (n % 9)) for n in range(500))
    assert one(monitor, "modelport_predictions_total") == 500


def test_every_scrape_beside_writers_is_consistent(monitor: ModelMonitor) -> None:
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            monitor.log([1.0, "a", 0.0], 0.5)
            stop.wait(0.0002)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(30):
            families = list(parse_text(monitor.metrics_text()))
            value = {
                (s.name, s.labels.get("bin"), s.labels.get("le")): s.value
                for family in families
                for s in family.samples
                if s.labels.get("feature") == "big"
            }
            count = value["modelport_feature_value_count", None, None]
            assert value["modelport_feature_value_bucket", None, "+Inf"] == count
            assert value["modelport_feature_value_sum", None, None] == count * 1.0
            assert sum(v for (name, _, _), v in value.items() if name == "modelport_feature_bin_total") == count
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def test_psi_on_the_page_is_psi_of_the_counts_on_the_page(monitor: ModelMonitor) -> None:
    for value in RANDOM.lognormal(16, 2, 1000):
        monitor.log([float(value), "b", 0.0], 0.5)
    monitor.flush()

    base = {s.labels["bin"]: s.value for s in samples(monitor, "modelport_baseline_bin", feature="big")}
    live = {s.labels["bin"]: s.value for s in samples(monitor, "modelport_feature_bin_total", feature="big")}
    expected = psi([base[key] for key in base], [live[key] for key in base], rule="clamp")
    assert one(monitor, "modelport_feature_psi", feature="big") == pytest.approx(expected, rel=1e-12)
    assert one(monitor, "modelport_feature_window_values", feature="big") == 1000


def test_missing_unseen_and_uncounted_have_series(monitor: ModelMonitor) -> None:
    monitor.log([None, "new", "text"], 0.5)
    monitor.log([math.nan, "a", math.inf], 0.5)
    monitor.log(["one value"], 0.5)
    monitor.flush()

    assert one(monitor, "modelport_feature_missing_total", feature="big") == 2
    assert one(monitor, "modelport_feature_unseen_total", feature="plan") == 1
    assert one(monitor, "modelport_feature_unseen_total", feature="z") == 1
    assert one(monitor, "modelport_predictions_uncounted_total") == 1
    assert one(monitor, "modelport_predictions_dropped_total", reason="queue_full") == 0


@pytest.mark.parametrize("name", ["Accept", "accept", "ACCEPT"])
def test_openmetrics_is_given_to_who_asks_in_any_case(monitor: ModelMonitor, name: str) -> None:
    body, content_type = monitor.export_http({name: OPENMETRICS})

    assert content_type.startswith("application/openmetrics-text")
    names = {family.name for family in parse_openmetrics(body.decode())}
    assert {"modelport_predictions", "modelport_feature_value", "modelport_feature_psi"} <= names


@pytest.mark.parametrize("headers", [None, {}, {"Accept": "*/*"}, {"Accept": "text/html"}, {"Accept": ""}])
def test_everyone_else_gets_text(monitor: ModelMonitor, headers: dict[str, str] | None) -> None:
    assert monitor.export_http(headers)[1].startswith("text/plain")


@pytest.mark.parametrize(
    "wanted", ["modelport_feature_bin", "modelport_feature_bin_total", ["modelport_feature_bin_total"]]
)
def test_names_may_be_of_families_or_samples_as_text_or_list(monitor: ModelMonitor, wanted: object) -> None:
    body, _ = monitor.export_http(params={"name[]": wanted})

    found = {sample.name for family in parse_text(body.decode()) for sample in family.samples}
    assert found == {"modelport_feature_bin_total"}


@pytest.mark.parametrize("empty", ["", [""], []])
def test_an_empty_name_limits_nothing(monitor: ModelMonitor, empty: object) -> None:
    assert monitor.export_http(params={"name[]": empty}) == monitor.export_http()


def test_a_registry_of_the_application_shows_all_its_monitors_once() -> None:
    registry = CollectorRegistry(auto_describe=True)
    Counter("mine", "Of the application.", registry=registry).inc()
    with (
        ModelMonitor("champion", baseline=BASELINE, registry=registry) as first,
        ModelMonitor("challenger", baseline=BASELINE, registry=registry) as second,
    ):
        text = first.metrics_text()
        assert text == second.metrics_text()
        assert text.count("# TYPE modelport_predictions_total") == 1
        assert "mine_total 1.0" in text
        assert {s.labels["endpoint"] for s in samples(first, "modelport_predictions_total")} == {
            "champion",
            "challenger",
        }

    text = ModelMonitor("later", registry=registry).metrics_text()
    assert 'endpoint="later"' in text
    assert 'endpoint="champion"' not in text


def test_the_process_label_tells_one_run_from_the_next() -> None:
    labels = set()
    for _ in range(2):
        with ModelMonitor("e") as monitor:
            (sample,) = samples(monitor, "modelport_monitor_start_time_seconds")
            labels.add(sample.labels["process"])
            assert sample.value > 1_600_000_000

    assert len(labels) == 2


def test_the_drift_window_forgets_what_is_old() -> None:
    live, window = LiveCounts(BASELINE), DriftWindow(120)
    for minute in range(10):
        now = minute * 60.0
        window.observe(now, live.snapshot)
        live.update([[1.0, "a", 0.0]] * 10, [0.5] * 10)

    assert window.recent(600.0, live.snapshot()).records == 20
    assert window.recent(10_000.0, live.snapshot()).records == 10


def test_a_pause_is_no_part_of_what_came_before_it() -> None:
    live, window = LiveCounts(BASELINE), DriftWindow(120)
    for now in (0.0, 1.0, 600.0):
        window.before_count(now, live.snapshot)
        live.update([[1.0, "a", 0.0]] * 10, [0.5] * 10)
        window.observe(now + 0.5, live.snapshot)

    assert window.recent(600.5, live.snapshot()).records == 10
    window.observe(730.0, live.snapshot)
    assert window.recent(730.0, live.snapshot()).records == 0


def test_bursts_with_scrapes_between_them_stay_in_the_window() -> None:
    live, window = LiveCounts(BASELINE), DriftWindow(120)
    for now in range(0, 1200, 30):
        for later in (0.0, 1.0):
            window.before_count(now + later, live.snapshot)
            live.update([[1.0, "a", 0.0]], [0.5])
        for scrape in (2.0, 15.0):
            window.observe(now + scrape, live.snapshot)

    assert 8 <= window.recent(1186.0, live.snapshot()).records <= 10


def test_an_old_snapshot_ends_no_window_and_changes_none() -> None:
    live, window = LiveCounts(BASELINE), DriftWindow(120)
    old = live.snapshot()
    for now in (0.0, 200.0, 400.0):
        window.before_count(now, live.snapshot)
        live.update([[1.0, "a", 0.0]], [0.5])

    with pytest.raises(ValueError, match="older than the drift window"):
        window.recent(500.0, old)


def test_the_window_covers_everything_while_young() -> None:
    live, window = LiveCounts(BASELINE), DriftWindow(3600)
    window.observe(0.0, live.snapshot)
    live.update([[1.0, "a", 0.0]], [0.5])

    assert window.recent(100.0, live.snapshot()).records == 1
