"""``modelport drift``."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.cli.conftest import Modelport


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """train.csv, the same again as same.parquet, and shifted.jsonl whose age has moved."""
    folder = tmp_path_factory.mktemp("drift")
    random = np.random.default_rng(7)
    frame = pd.DataFrame({"age": random.normal(40, 10, 1000), "kind": random.choice(["a", "b"], 1000)})
    frame["score"] = frame["age"] / 100
    frame.to_csv(folder / "train.csv", index=False)
    frame.to_parquet(folder / "same.parquet")
    frame.assign(age=frame["age"] + 20).to_json(folder / "shifted.jsonl", orient="records", lines=True)
    return folder


def test_a_baseline_is_saved_and_compared(modelport: Modelport, files: Path, tmp_path: Path) -> None:
    baseline = tmp_path / "baseline.json"
    made = modelport("drift", "baseline", files / "train.csv", baseline, "--output-column", "score")
    answer = modelport(
        "drift",
        "compare",
        "--baseline",
        baseline,
        "--current",
        files / "shifted.jsonl",
        "--output-column",
        "score",
        "--json",
    )

    assert made.returncode == answer.returncode == 0, made.stderr + answer.stderr
    rows = {row["name"]: row for row in json.loads(answer.stdout)["features"]}
    assert rows["age"]["verdict"] == "major"
    assert rows["kind"]["verdict"] == "stable"
    assert rows["output"]["verdict"] == "stable"


def test_training_data_itself_can_be_the_baseline(modelport: Modelport, files: Path) -> None:
    answer = modelport("drift", "compare", "--baseline", files / "train.csv", "--current", files / "same.parquet")

    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.count("stable") == 3


@pytest.mark.parametrize(("current", "code"), [("same.parquet", 0), ("shifted.jsonl", 1)])
def test_a_pipeline_can_stop_at_drift(modelport: Modelport, files: Path, current: str, code: int) -> None:
    answer = modelport(
        "drift", "compare", "--baseline", files / "train.csv", "--current", files / current, "--fail-on", "major"
    )

    assert answer.returncode == code


def test_a_report_is_written(modelport: Modelport, files: Path, tmp_path: Path) -> None:
    report = tmp_path / "drift.html"
    modelport(
        "drift", "compare", "--baseline", files / "train.csv", "--current", files / "same.parquet", "--html", report
    )

    assert "<svg" in report.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("other.csv", "a,b\n1,2\n", "age"),
        ("empty.csv", "", "cannot be read"),
        ("data.xlsx", "x", "not a kind of data"),
        ("cut.parquet", "PAR1", "cannot be read"),
    ],
)
def test_unusable_data_is_named(
    modelport: Modelport, files: Path, tmp_path: Path, name: str, content: str, told: str
) -> None:
    (tmp_path / name).write_text(content)
    answer = modelport("drift", "compare", "--baseline", files / "train.csv", "--current", tmp_path / name)

    assert answer.returncode == 2
    assert answer.stderr.count("\n") == 1
    assert told in answer.stderr
    assert name in answer.stderr


def test_a_damaged_baseline_is_named(modelport: Modelport, files: Path, tmp_path: Path) -> None:
    (tmp_path / "baseline.json").write_text('{"format": "something else"}')
    answer = modelport(
        "drift", "compare", "--baseline", tmp_path / "baseline.json", "--current", files / "same.parquet"
    )

    assert answer.returncode == 2
    assert "baseline.json" in answer.stderr
