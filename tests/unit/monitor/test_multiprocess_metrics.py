"""Monitors in several processes that share a directory: any of them shows what all have counted."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families as parse

from modelport.drift import Baseline
from modelport.monitor import ModelMonitor

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs flock and fork")

BASELINE = Baseline.from_data({"x": [float(n) for n in range(100)], "plan": ["a", "b"] * 50}, model_version="1")
PROGRAM = """
import os, signal, sys
from modelport.drift import Baseline
from modelport.monitor import ModelMonitor

shared, baseline, how = sys.argv[1:]
# Made before the fork, as gunicorn's --preload does.
monitor = ModelMonitor("e", baseline=baseline, multiprocess_dir=shared, interval=0.001)
if how == "used before the fork":
    monitor.log([1.0, "a"], 0); monitor.flush()
for number in range(4):
    if os.fork() == 0:
        for _ in range(50 * (number + 1)):
            monitor.log([50.0, "a"], 0)
        assert monitor.flush(30)
        if number % 2:
            os.kill(os.getpid(), signal.SIGKILL)
        sys.exit()
for _ in range(4):
    os.wait()
monitor.close()
"""


def run(shared: Path, baseline: Path, how: str) -> None:
    subprocess.run([sys.executable, "-c", PROGRAM, shared, baseline, how], check=True, timeout=60)


def values(text: str, name: str) -> dict[tuple[tuple[str, str], ...], float]:
    return {
        tuple(sorted((label, value) for label, value in sample.labels.items() if label != "process")): sample.value
        for family in parse(text)
        for sample in family.samples
        if sample.name == name
    }


@pytest.mark.parametrize("how", ["used before the fork", "not used before the fork"])
def test_workers_that_ended_in_any_way_are_all_counted_once(tmp_path: Path, how: str) -> None:
    shared, saved = tmp_path / "shared", BASELINE.save(tmp_path / "baseline.json")
    for _ in range(2):
        run(shared, saved, how)

    expected = 2 * (500 + (how == "used before the fork"))
    with ModelMonitor("e", baseline=BASELINE, multiprocess_dir=shared) as monitor:
        for _ in range(2):
            text = monitor.metrics_text()
            assert set(values(text, "modelport_predictions_total").values()) == {expected}
            bins = values(text, "modelport_feature_bin_total")
            assert sum(count for labels, count in bins.items() if ("feature", "x") in labels) == expected
            assert sum(count for labels, count in bins.items() if ("bin", "a") in labels) == expected
            assert set(values(text, "modelport_feature_value_count").values()) == {expected}
        assert len(list(shared.iterdir())) == 2


def test_every_process_shows_the_same_under_the_same_label(tmp_path: Path) -> None:
    with (
        ModelMonitor("e", baseline=BASELINE, multiprocess_dir=tmp_path, interval=0.001) as one,
        ModelMonitor("e", baseline=BASELINE, multiprocess_dir=tmp_path, interval=0.001) as two,
    ):
        one.log_many([[1.0, "a"]] * 30, [0] * 30)
        two.log_many([[99.0, "b"]] * 70, [0] * 70)
        assert one.flush()
        assert two.flush()

        assert one.metrics_text() == two.metrics_text()
        assert one.metrics_view().counts == two.metrics_view().counts
        assert one.metrics_view().predictions == 100
        report = two.drift_report()
        assert report is not None
        assert report.records == 100


def test_after_close_what_was_counted_is_still_shown(tmp_path: Path) -> None:
    monitor = ModelMonitor("e", multiprocess_dir=tmp_path, interval=0.001)
    monitor.log([1], 0)
    monitor.close()

    assert monitor.metrics_view().predictions == 1
    assert monitor.metrics_view().predictions == 1


def test_versions_and_bins_of_another_kind_are_groups_of_their_own(tmp_path: Path) -> None:
    other = Baseline.from_data({"x": [float(n) for n in range(7)], "plan": ["c"] * 7}, model_version="1")
    views = []
    for version, baseline in (("1", BASELINE), ("2", BASELINE), ("1", other)):
        with ModelMonitor("e", model_version=version, baseline=baseline, multiprocess_dir=tmp_path) as monitor:
            monitor.log([1.0, "a"], 0)
            monitor.flush()
            views.append(monitor.metrics_view())

    assert [view.predictions for view in views] == [1, 1, 1]
    assert len({view.process for view in views}) == 3


def test_a_directory_that_goes_bad_stops_no_prediction(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    shared = tmp_path / "shared"
    monitor = ModelMonitor("e", multiprocess_dir=shared, interval=0.001)
    shared.rmdir()
    shared.touch()
    for number in range(10):
        monitor.log([number], 0)
        assert monitor.flush()

    assert [record.levelname for record in caplog.records] == ["WARNING"]
    text = monitor.metrics_text()
    assert set(values(text, "modelport_predictions_total").values()) == {10}
    assert set(values(text, "modelport_processes_shared").values()) == {0}
    monitor.close()


def test_a_directory_that_is_cleared_away_is_made_again(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    with (
        ModelMonitor("e", baseline=BASELINE, multiprocess_dir=shared, interval=0.001) as one,
        ModelMonitor("e", baseline=BASELINE, multiprocess_dir=shared, interval=0.001) as two,
    ):
        one.log([1.0, "a"], 0)
        one.flush()
        shutil.rmtree(shared)
        two.log([1.0, "a"], 0)
        two.flush()

        assert one.metrics_view().predictions == 2
        assert one.metrics_text() == two.metrics_text()


@pytest.mark.parametrize("place", ["file", "file/below"])
def test_a_directory_that_cannot_be_made_is_told_with_the_setting(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(OSError, match=r"multiprocess_dir") as told:
        ModelMonitor("e", multiprocess_dir=tmp_path / place)

    assert told.value.filename == str(tmp_path / place)


@pytest.mark.parametrize("scraped_before", [True, False])
def test_on_a_full_disk_every_page_still_shows_figures_and_says_that_they_are_not_shared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scraped_before: bool
) -> None:
    with ModelMonitor("e", baseline=BASELINE, multiprocess_dir=tmp_path, interval=0.001) as monitor:
        monitor.log([1.0, "a"], 0)
        if scraped_before:
            monitor.flush()
            assert set(values(monitor.metrics_text(), "modelport_processes_shared").values()) == {1}
        with monkeypatch.context() as full:
            full.setattr(os, "pwrite", lambda *_: (_ for _ in ()).throw(OSError(errno.ENOSPC, "full")))
            monitor.flush()
            for _ in range(3):
                monitor.log([1.0, "a"], 0)
            monitor.flush()
            text = monitor.metrics_text()
            assert set(values(text, "modelport_processes_shared").values()) == {0}
            assert set(values(text, "modelport_predictions_total").values()) == {1 if scraped_before else 4}
            assert min(values(text, "modelport_feature_window_values").values()) >= 0

        text = monitor.metrics_text()
        assert set(values(text, "modelport_processes_shared").values()) == {1}
        assert set(values(text, "modelport_predictions_total").values()) == {4}


def test_two_monitors_of_one_model_make_no_series_twice(tmp_path: Path) -> None:
    for directory, expected in ((None, [1, 1]), (tmp_path, [2])):
        registry = CollectorRegistry()
        with (
            ModelMonitor("e", baseline=BASELINE, registry=registry, multiprocess_dir=directory) as one,
            ModelMonitor("e", baseline=BASELINE, registry=registry, multiprocess_dir=directory) as two,
        ):
            for monitor in (one, two):
                monitor.log([1.0, "a"], 0)
                monitor.flush()
            found = [sample for family in parse(one.metrics_text()) for sample in family.samples]

        series = [(sample.name, *sorted(sample.labels.items())) for sample in found]
        assert len(set(series)) == len(series)
        assert [sample.value for sample in found if sample.name == "modelport_predictions_total"] == expected


def test_a_process_that_is_killed_loses_at_most_what_was_in_its_queue(tmp_path: Path) -> None:
    program = """
import os, signal, sys
from modelport.monitor import ModelMonitor
monitor = ModelMonitor("e", multiprocess_dir=sys.argv[1], interval=0.001)
for number in range(1000):
    monitor.log([number], 0)
monitor.flush()
print(monitor.metrics_view().predictions, flush=True)
monitor.log([1], 0)
os.kill(os.getpid(), signal.SIGKILL)
"""
    told = 0
    for _ in range(5):
        answer = subprocess.run(
            [sys.executable, "-c", program, tmp_path], capture_output=True, text=True, timeout=60, check=False
        )
        assert answer.returncode == -signal.SIGKILL, answer.stderr
        told = int(answer.stdout)

    with ModelMonitor("e", multiprocess_dir=tmp_path) as monitor:
        assert 5000 <= told <= monitor.metrics_view().predictions <= 5005
