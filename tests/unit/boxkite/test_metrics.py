"""Metrics under Boxkite's names: what its dashboards find, and what was wrong with it."""

from __future__ import annotations

import logging
import math
import os
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from prometheus_client.core import CounterMetricFamily
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics

from modelport.boxkite import BaselineMetricCollector, ModelMonitoringService
from modelport.drift import Baseline, BaselineError
from tests.unit.boxkite.conftest import live_side, scraped, series, training_side
from tests.unit.conftest import ListSink

MakeService = Callable[..., ModelMonitoringService]
AGES = [20, 21, 22, 24, 25, 27, 28, 30, 33, 35, 38, 40, None]
PLANS = [0, 1, 1, 2] * 3 + [0]


def export(path: Path | None = None) -> None:
    pairs = iter([("age", AGES), ("plan", PLANS)])
    ModelMonitoringService.export_text(
        features=pairs, inference=["no", "no", "yes"], path=path, kinds={"age": "numeric", "plan": "categorical"}
    )


def test_series_have_the_names_and_labels_that_dashboards_ask_for(service: MakeService, path: Path) -> None:
    export()
    monitor = service()
    for features, output in (([25.0, 1], "no"), ([None, 2], "yes"), ([math.inf, 7], "maybe")):
        monitor.log_prediction("{}", features, output)
    found = scraped(monitor)

    def value(name: str, **labels: str) -> float:
        return found[name, frozenset(labels.items())]

    assert value("feature_0_value_bucket", le="25.0") == 1
    # Of those beyond the last edge: +Inf itself, and what is missing.
    assert value("feature_0_value_bucket", le="+Inf") == value("feature_0_value_count") == 3
    assert value("feature_0_value_baseline_bucket", le="+Inf") == 13
    assert value("feature_0_value_sum") == 25.0
    assert value("feature_0_value_baseline_sum") == sum(filter(None, AGES)) == 343
    assert value("feature_1_value_total", bin="1.0") == value("feature_1_value_total", bin="2.0") == 1
    assert [value("feature_1_value_baseline_total", bin=f"{n}.0") for n in (0, 1, 2)] == [4, 6, 3]
    assert value("inference_value_total", bin="no") == value("inference_value_total", bin="yes") == 1
    assert value("inference_value_baseline_total", bin="no") == 2
    info = {
        labels["feature_name"]: (labels["metric_name"], labels["metric_type"])
        for name, pairs in found
        if name == "baseline_metrics_info"
        for labels in [dict(pairs)]
    }
    assert info == {
        "age": ("feature_0_value_baseline", "histogram"),
        "plan": ("feature_1_value_baseline", "counter"),
        "Baseline inference values for test set": ("inference_value_baseline", "counter"),
    }
    body = monitor.export_http()[0].decode()
    for text in (
        "# HELP feature_0_value Real time values for feature: age\n# TYPE feature_0_value histogram",
        "# HELP feature_0_value_baseline Baseline values for feature: age\n# TYPE feature_0_value_baseline histogram",
        "# HELP feature_1_value_total Real time values for feature: plan\n# TYPE feature_1_value_total counter",
        "# HELP inference_value_total Real time inference values for test set",
        "# HELP inference_value_baseline_total Baseline inference values for test set",
    ):
        assert text in body


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.floats(),
    st.sampled_from(["2.5", "x", "y", "nan", "1.0", "1", ""]),
    st.sampled_from([np.float32(1), np.int64(1), np.bool_(True), np.float64("nan"), pd.NA, pd.NaT]),
)


@example(column=[1, 1.0, True, np.float32(1), np.int64(1), np.bool_(True)], kind="categorical")
@example(column=[None, float("nan"), pd.NA, math.inf, -math.inf, 2.0], kind="categorical")
@example(column=[None, float("nan"), pd.NA, math.inf, -math.inf, 2.0, "2.5", "text"], kind="numeric")
@given(column=st.lists(SCALARS, min_size=1, max_size=30), kind=st.sampled_from(["numeric", "categorical"]))
def test_the_same_values_are_counted_the_same_in_training_and_in_serving(
    column: list[Any], kind: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("same") / "histogram.prom"
    ModelMonitoringService.export_text([("a", column)], column, path, kinds={"a": kind, "output": kind})
    with ModelMonitoringService(baseline=path, sinks=[]) as monitor:
        for value in column:
            monitor.log_prediction("", {"a": value}, value)
        found = scraped(monitor)

    live, training = live_side(found), training_side(found)
    sums = {key for key in live if key[0].endswith("_sum")}
    assert live.keys() == training.keys()
    assert {key: live[key] for key in live.keys() - sums} == {key: training[key] for key in training.keys() - sums}
    for key in sums:
        assert live[key] == pytest.approx(training[key], rel=1e-9, abs=1e-300)


def test_edges_in_the_millions_are_spelled_alike_everywhere(service: MakeService, path: Path) -> None:
    ModelMonitoringService.export_text([("income", [1e6 + 1.27 * n**2 for n in range(2000)])])
    monitor = service()
    monitor.log_prediction("", [1.5e6], 1)
    found = scraped(monitor)

    def edges(name: str) -> set[str]:
        return {dict(labels)["le"] for sample, labels in found if sample == name}

    written = {dict(labels)["le"] for sample, labels in series(path.read_text()) if sample.endswith("_bucket")}
    assert edges("feature_0_value_bucket") == edges("feature_0_value_baseline_bucket") == written
    assert len(written) > 10
    assert max(map(float, written - {"+Inf"})) > 5e6


def test_text_without_end_makes_no_labels_without_end(service: MakeService) -> None:
    ModelMonitoringService.export_text([("plan", ["a", "b"] * 50)])
    monitor = service()
    before = set(scraped(monitor))
    for number in range(20_000):
        monitor.log_prediction("", [f"text {number}"], 1)
    found = scraped(monitor)

    assert set(found) == before
    assert found["feature_0_value_total", frozenset({("bin", "__other__")})] == 20_000


@pytest.mark.parametrize("form", ["lists", "tuples", "array", "frame", "mappings"])
def test_the_rows_of_a_batch_are_counted_and_logged_as_one(
    service: MakeService, list_sink: Callable[..., ListSink], form: str
) -> None:
    ModelMonitoringService.export_text(
        [("a", [float(n) for n in range(50)]), ("b", [float(n) for n in range(50)])], [n / 50 for n in range(50)]
    )
    rows = [[1.0, 2.0], [3.0, 4.0]]
    frame = pd.DataFrame(rows, columns=["a", "b"])
    forms: dict[str, object] = {
        "lists": rows, "tuples": tuple(map(tuple, rows)), "array": np.array(rows), "frame": frame,
        "mappings": frame.to_dict("records"),
    }  # fmt: skip
    sink = list_sink()
    monitor = service(sinks=[sink])
    made = monitor.log_prediction("body", forms[form], np.array([0.1, 0.9]))
    found = scraped(monitor)

    assert found["feature_0_value_count", frozenset()] == found["inference_value_count", frozenset()] == 2
    assert found["feature_1_value_sum", frozenset()] == 6.0
    assert [record.prediction_id for record in sink.records] == [made]
    assert sink.records[0].output == [0.1, 0.9]


def test_series_exist_before_the_first_prediction_and_never_appear_later(service: MakeService) -> None:
    export()
    monitor = service()
    before = set(scraped(monitor))
    for features in ([25.0, 1], [None, None], [-1e9, 99], ["text", "text"], [1, 2, 3], "text", None):
        monitor.log_prediction("", features, "new")

    assert set(scraped(monitor)) == before


def test_what_a_scrape_shows_is_of_one_moment(service: MakeService) -> None:
    export()
    monitor = service()
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            monitor.log_prediction("", [25.0, 1], "no")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    bodies = [series(monitor.export_http()[0]) for _ in range(60)]
    stop.set()
    for thread in threads:
        thread.join()

    def total(found: Any, name: str, **labels: str) -> float:
        return sum(value for (sample, pairs), value in found.items() if sample == name and labels.items() <= set(pairs))

    for found in bodies:
        counted = total(found, "feature_0_value_count")
        assert counted == total(found, "feature_0_value_bucket", le="+Inf") == total(found, "feature_1_value_total")
        assert counted == total(found, "inference_value_total")
        # Of modelport's own families too.
        assert counted == found_bins(found)
    assert total(bodies[-1], "feature_0_value_count") > 0


def found_bins(found: Any) -> float:
    return sum(
        value
        for (sample, pairs), value in found.items()
        if sample == "modelport_feature_bin_total" and ("feature", "plan") in pairs
    )


def test_the_baseline_is_read_once(service: MakeService, path: Path) -> None:
    export()
    monitor = service()
    before = scraped(monitor, "feature_")
    path.unlink()

    assert scraped(monitor, "feature_") == before
    assert len(before) > 20


NAMES: list[tuple[object, set[str]]] = [
    (["feature_0_value_bucket"], {"feature_0_value_bucket"}),
    (["feature_0_value"], {"feature_0_value_bucket", "feature_0_value_count", "feature_0_value_sum"}),
    (["feature_1_value_total"], {"feature_1_value_total"}),
    (["feature_1_value", "inference_value"], {"feature_1_value_total", "inference_value_total"}),
    ("feature_1_value_baseline", {"feature_1_value_baseline_total"}),
    (["baseline_metrics_info"], {"baseline_metrics_info"}),
    (["nothing"], set()),
]


@pytest.mark.parametrize(("names", "expected"), NAMES)
def test_a_scrape_may_ask_for_samples_or_families_as_list_or_text(
    service: MakeService, names: object, expected: set[str]
) -> None:
    export()
    body, _ = service().export_http({"name[]": names})

    assert {name for name, _ in series(body)} == expected


def test_an_empty_name_limits_nothing(service: MakeService) -> None:
    export()
    monitor = service()

    assert series(monitor.export_http({"name[]": [""]})[0]).keys() == scraped(monitor).keys()


@pytest.mark.parametrize("header", ["Accept", "accept", "ACCEPT"])
def test_the_format_is_that_of_the_accept_header(service: MakeService, header: str) -> None:
    ModelMonitoringService.export_text(
        [("age", range(100)), ("plan", ["a", "b"] * 50), ("z", [n / 10 - 5 for n in range(100)])],
        kinds={"age": "numeric"},
    )
    monitor = service()
    monitor.log_prediction("", [25.0, "a", -1.0], "no")
    body, content_type = monitor.export_http(headers={header: "application/openmetrics-text; version=1.0.0"})

    assert content_type.startswith("application/openmetrics-text")
    families = {family.name: family.type for family in parse_openmetrics(body.decode())}
    assert families["feature_0_value"] == "histogram"
    assert families["feature_1_value_baseline"] == "counter"
    assert families["baseline_metrics"] == "info"
    assert monitor.export_http()[1].startswith("text/plain; version=0.0.4")


def test_drift_and_losses_are_in_the_same_body(service: MakeService) -> None:
    export()
    names = {name for name, _ in scraped(service())}

    assert {"modelport_feature_psi", "modelport_predictions_dropped_total", "modelport_sink_delivered_total"} <= names


def test_a_file_of_one_value_or_of_none_makes_series_too(service: MakeService) -> None:
    ModelMonitoringService.export_text(
        [("empty", [None, None]), ("one", [1.5, 1.5])], kinds={"empty": "numeric", "one": "numeric"}
    )
    monitor = service()
    monitor.log_prediction("", [None, 1.5], 1)
    found = scraped(monitor)

    assert live_side(found).keys() == training_side(found).keys()
    assert found["feature_0_value_bucket", frozenset({("le", "+Inf")})] == 1


def test_a_failed_export_leaves_the_baseline_that_was_there(path: Path) -> None:
    export()
    before = path.read_bytes()

    with pytest.raises(BaselineError, match="length"):
        ModelMonitoringService.export_text([("a", [1, 2]), ("b", [1])])
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_an_export_is_the_same_each_time_and_survives_an_outlier(path: Path) -> None:
    random = np.random.default_rng(3)
    # Beyond 100 000 values, and with 49 frequent values and one rare one: where Boxkite throws dice.
    many = random.normal(size=150_000)
    many[7] = 1e300
    fifty = [*np.repeat(np.arange(49.0), 3061), *[49.0] * 11]
    written = set()
    for _ in range(2):
        ModelMonitoringService.export_text([("many", many), ("fifty", fifty)])
        written.add(path.read_bytes())

    assert len(written) == 1
    counts = Baseline.load(path).features[0].counts
    assert sum(counts) == 150_000
    assert max(counts) < 150_000 * 0.15


def test_inference_may_be_of_another_length_than_features(path: Path) -> None:
    ModelMonitoringService.export_text([("a", [1.0, 2.0, 3.0])], [0.5] * 7)

    baseline = Baseline.load(path)
    assert baseline.output is not None
    assert (baseline.rows, baseline.output.total, baseline.output.role) == (3, 7, "output")


def test_the_path_may_be_given_and_a_missing_folder_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    export(tmp_path / "b.json")
    assert Baseline.load(tmp_path / "b.json").names == ("age", "plan")
    monkeypatch.setenv("MODELPORT_HISTOGRAM_PATH", str(tmp_path / "absent" / "histogram.prom"))

    with pytest.raises(FileNotFoundError, match=r"MODELPORT_HISTOGRAM_PATH.*absent"):
        export()


@pytest.mark.parametrize("content", [None, b""])
def test_without_a_baseline_predictions_are_logged_and_one_line_says_so(
    service: MakeService,
    path: Path,
    content: bytes | None,
    list_sink: Callable[..., ListSink],
    caplog: pytest.LogCaptureFixture,
) -> None:
    if content is not None:
        path.write_bytes(content)
    sink = list_sink()
    monitor = service(sinks=[sink])
    monitor.log_prediction("{}", [1], 2)
    found = scraped(monitor)

    assert [record.features for record in sink.records] == [[1]]
    assert live_side(found) == {}
    assert [(record.name, record.levelno) for record in caplog.records] == [("modelport.boxkite", logging.WARNING)]


def test_a_damaged_baseline_is_an_error_when_the_service_starts(service: MakeService, path: Path) -> None:
    path.write_text("feature_0_value_baseline_bucket{le=")

    with pytest.raises(BaselineError, match=r"histogram\.prom"):
        service()
    with pytest.raises(BaselineError, match="absent"):
        service(baseline="absent.prom")


def test_a_baseline_may_come_from_elsewhere(service: MakeService, path: Path) -> None:
    export()
    baseline = Baseline.load(path)
    path.unlink()

    class Loads(BaselineMetricCollector):
        def load(self) -> Baseline:
            return baseline

    class Collects(BaselineMetricCollector):
        """As Boxkite's users wrote them."""

        def collect(self) -> Any:
            return Loads().collect()

    class Nothing(BaselineMetricCollector):
        def collect(self) -> Any:
            return []

    loaded = scraped(service(baseline_collector=Loads()), "feature_")
    assert scraped(service(baseline_collector=Collects()), "feature_") == loaded
    assert scraped(service(baseline=baseline), "feature_") == loaded
    assert service(baseline_collector=Nothing()).baseline is None
    with pytest.raises(ValueError, match="not both"):
        service(baseline=baseline, baseline_collector=Loads())


def test_what_a_collector_of_the_old_form_collects_is_checked_as_a_file_is(service: MakeService) -> None:
    class Twice(BaselineMetricCollector):
        def collect(self) -> Any:
            for index in range(2):
                counter = CounterMetricFamily(f"feature_{index}_value_baseline", "Baseline values for feature: a")
                counter.add_sample(f"feature_{index}_value_baseline_total", {"bin": "x"}, 1)
                yield counter

    with pytest.raises(BaselineError, match=r"Twice\.collect: feature 'a': its name occurs twice"):
        service(baseline_collector=Twice())


@pytest.mark.parametrize("name", ["half a pair: \ud800", "a\rb", "a\nb", 'a"b\\'])
def test_names_and_categories_that_text_cannot_hold_are_spelled_as_in_the_file(
    service: MakeService, path: Path, name: str
) -> None:
    ModelMonitoringService.export_text([(name, [name, "b"] * 50)])
    monitor = service()
    monitor.log_prediction("", [name], 1)
    found = scraped(monitor)

    assert live_side(found).keys() == training_side(found).keys()
    written = {labels for sample, labels in series(path.read_bytes()) if sample.endswith("_total")}
    assert written <= {labels for sample, labels in found if sample == "feature_0_value_baseline_total"}


MULTIPROCESS = """
import os, sys
from modelport.boxkite import ModelMonitoringService
monitor = ModelMonitoringService(sinks=[])
children = []
for child in range(2):
    if not (pid := os.fork()):
        for number in range(100): monitor.log_prediction("", [25.0, 1], "no")
        monitor.close(); os._exit(0)
    children.append(pid)
for pid in children: os.waitpid(pid, 0)
sys.stdout.write(monitor.export_http()[0].decode())
"""


@pytest.mark.skipif(os.name != "posix", reason="needs fork")
def test_processes_that_share_a_folder_are_counted_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run_python: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    export()
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path / "shared"))
    found = series(run_python(MULTIPROCESS).stdout)

    assert found["feature_0_value_count", frozenset()] == 200
    assert found["inference_value_total", frozenset({("bin", "no")})] == 200


def test_a_shared_folder_that_cannot_be_made_is_told_with_its_variable(
    service: MakeService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path / "file"))

    with pytest.raises(OSError, match="PROMETHEUS_MULTIPROC_DIR"):
        service()
    service(multiprocess_dir=tmp_path / "another")


def test_fields_are_redacted_for_sinks_and_still_counted(
    service: MakeService, list_sink: Callable[..., ListSink]
) -> None:
    export()
    sink = list_sink()
    monitor = service(sinks=[sink], redact=["age"])
    monitor.log_prediction({"age": 25.0}, [25.0, 1], "no")
    found = scraped(monitor)

    assert sink.records[0].features == {"age": "REDACTED", "plan": 1}
    assert found["feature_0_value_sum", frozenset()] == 25.0


def test_importing_the_face_loads_neither_numpy_nor_prometheus(
    run_python: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    program = "import sys; from modelport.boxkite import ModelMonitoringService; print(*sorted(sys.modules))"
    modules = set(run_python(program).stdout.split())

    assert {"numpy", "prometheus_client", "msgpack", "fluent", "asyncio"} & modules == set()
