"""``modelport drift report``."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from modelport.cli import main
from modelport.drift import Baseline
from modelport.predictions import FileSink, ParquetSink, Prediction
from tests.cli.conftest import Modelport

ROWS = 1200
START = 1_700_006_400 * 10**9
RANDOM = np.random.default_rng(11)
AGES = RANDOM.normal(60, 10, ROWS)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """baseline.json, now.parquet whose age has moved, and the same as a log."""
    made = tmp_path_factory.mktemp("report")
    ages = RANDOM.normal(40, 10, 3000)
    Baseline.from_data({"age": ages}, output=ages / 100).save(made / "baseline.json")
    times = START + np.arange(ROWS) * 120 * 10**9
    pq.write_table(
        pa.table({
            "age": AGES,
            "output": AGES / 100,
            "truth": AGES / 100 + 0.1,
            "timestamp_ns": times,
            "country": ["SG", "BR"] * (ROWS // 2),
        }),
        made / "now.parquet",
    )  # fmt: skip
    sink = FileSink(made / "log")
    sink.write([
        Prediction(
            prediction_id=str(place),
            timestamp_ns=int(times[place]),
            endpoint="churn",
            features={"age": float(AGES[place])},
            output=float(AGES[place] / 100),
            segments={"country": ("SG", "BR")[place % 2]},
        )
        for place in range(ROWS)
    ])  # fmt: skip
    sink.close()
    return made


@pytest.mark.parametrize("logs", ["now.parquet", "log"])
@pytest.mark.parametrize("engine", ["duckdb", "polars"])
def test_files_and_logs_give_the_same_report(modelport: Modelport, folder: Path, logs: str, engine: str) -> None:
    common = ("--baseline", folder / "baseline.json", "--logs", folder / logs, "--engine", engine)
    answer = modelport("drift", "report", *common, "--window", "1d", "--segment", "country", "--json")

    assert answer.returncode == 0, answer.stderr
    report = json.loads(answer.stdout)
    expected = np.histogram(AGES, [-np.inf, *sorted(AGES)[:1], np.inf])[0].sum()
    assert report["records"] == expected == ROWS
    assert [window["records"] for window in report["windows"]] == [720, 480]
    assert [(part["value"], part["records"]) for part in report["segments"]] == [("BR", 600), ("SG", 600)]
    assert report["features"][0]["verdict"] == "major"


def test_performance_is_measured_on_request(modelport: Modelport, folder: Path) -> None:
    common = ("--baseline", folder / "baseline.json", "--logs", folder / "now.parquet")
    answer = modelport("drift", "report", *common, "--label-column", "truth", "--start", "2023-11-16", "--json")

    report = json.loads(answer.stdout)
    assert report["records"] == report["performance"]["labelled"] == 480
    assert report["performance"]["metrics"]["bias"] == pytest.approx(-0.1)


def test_people_get_a_table_and_a_page_and_a_pipeline_its_exit_code(
    modelport: Modelport, folder: Path, tmp_path: Path
) -> None:
    common = ("--baseline", folder / "baseline.json", "--logs", folder / "log", "--endpoint", "churn")
    answer = modelport("drift", "report", *common, "--html", tmp_path / "drift.html", "--fail-on", "major")

    assert answer.returncode == 1
    assert "age" in answer.stdout
    assert "<svg" in (tmp_path / "drift.html").read_text(encoding="utf-8")


def test_a_quiet_time_is_told_and_no_error(modelport: Modelport, folder: Path) -> None:
    common = ("--baseline", folder / "baseline.json", "--logs", folder / "log")
    answer = modelport("drift", "report", *common, "--start", "2030-01-01", "--json")

    assert answer.returncode == 0
    assert "holds no predictions in that time" in answer.stderr
    report = json.loads(answer.stdout)
    assert report["records"] == 0
    assert report["mean_psi"] == "NaN"
    assert report["mean_attribution_psi"] is report["baseline_mean_absolute_attribution"] is None


def test_data_is_no_baseline_of_a_report(modelport: Modelport, folder: Path) -> None:
    answer = modelport("drift", "report", "--baseline", folder / "now.parquet", "--logs", folder / "log")

    assert answer.returncode == 2
    assert "now.parquet: not a saved baseline" in answer.stderr


def test_json_has_infinities_as_text(modelport: Modelport, folder: Path, tmp_path: Path) -> None:
    baseline = Baseline.from_data({"age": [1.0] * 500})
    baseline.save(tmp_path / "baseline.json")
    common = ("--baseline", tmp_path / "baseline.json", "--logs", folder / "now.parquet", "--rule", "raw")
    answer = modelport("drift", "report", *common, "--json")

    assert [row["psi"] for row in json.loads(answer.stdout)["features"]] == ["Infinity"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--logs", "nowhere.parquet"), "no Parquet or CSV file"),
        (("--logs", "now.parquet", "--segment", "city"), "city"),
        (("--logs", "now.parquet", "--window", "often"), "a window is"),
        (("--logs", "now.parquet", "--start", "yesterday"), "is no time such as"),
        (("--logs", "log", "--engine", "spark"), "Spark reads files"),
        (("--logs", "log", "--endpoint", "other"), "holds no predictions of 'other'"),
        (("--logs", "log", "--start", "2026-01-02", "--end", "2026-01-01"), "--start is not before --end"),
        (("--logs", "now.parquet", "--output-column", "score"), "no column 'score' of outputs"),
    ],
)
def test_what_is_wrong_is_told_in_a_line(
    modelport: Modelport, folder: Path, arguments: tuple[str, ...], told: str
) -> None:
    logs = folder / arguments[1]
    answer = modelport("drift", "report", "--baseline", folder / "baseline.json", "--logs", logs, *arguments[2:])

    assert answer.returncode == 2
    assert told in answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("log", "--output-column", "score"), "--output-column goes with data files"),
        (("log", "--label-column", "truth"), "--label-column goes with data files"),
        (("log", "--time-column", "at"), "--time-column goes with data files"),
        (("log", "--segment", "nope"), "no prediction carries the segment 'nope'"),
        (("log", "--model-version", "9"), "holds no predictions of model version '9'"),
        (("now.parquet", "--time-column", "timestamp_ns"), "--time-column goes with --window, --start or --end"),
        (("now.parquet", "--endpoint", "nope"), "no column 'endpoint' to find 'nope' in"),
        (("now.parquet", "--engine", "polars", "--spark-master", "spark://x:1"), "--spark-master goes with --engine"),
    ],
)
def test_options_that_nothing_would_heed_are_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], told: str
) -> None:
    logs = str(folder / arguments[0])

    code = main(["drift", "report", "--baseline", str(folder / "baseline.json"), "--logs", logs, *arguments[1:]])

    assert code == 2
    assert told in capsys.readouterr().err


def test_a_note_on_what_a_scan_leaves_out_goes_to_stderr(modelport: Modelport, folder: Path, tmp_path: Path) -> None:
    sink = ParquetSink(tmp_path)
    for cell in (41.0, 2**60 + 1):
        features = {"age": cell}
        sink.write([Prediction(prediction_id="1", timestamp_ns=START, endpoint="e", features=features, output=0.1)])
    sink.close()
    common = ("drift", "report", "--baseline", folder / "baseline.json")

    scanned = modelport(*common, "--logs", tmp_path / "models", "--json")
    read = modelport(*common, "--logs", tmp_path, "--json")

    assert "note: up to 1 row keeps values that fit no column" in scanned.stderr
    assert len(json.loads(scanned.stdout)["notes"]) == 1
    assert json.loads(read.stdout)["notes"] == []
