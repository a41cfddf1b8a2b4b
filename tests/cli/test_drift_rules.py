from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from modelport.drift import Baseline
from tests.cli.conftest import Modelport


def test_rules_are_printed_as_yaml(modelport: Modelport) -> None:
    answer = modelport("drift", "rules", "--window", "6h", "--psi", "0.3", "--by", "namespace")

    assert answer.returncode == 0, answer.stderr
    groups = yaml.safe_load(answer.stdout)["groups"]
    assert [group["interval"] for group in groups] == ["1m", "1m"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert {rule["labels"]["window"] for rule in rules} == {"6h"}
    (psi,) = (rule for rule in rules if rule.get("alert") == "ModelportPsi")
    assert "> 0.3" in psi["expr"]
    assert "namespace" in psi["expr"]


def test_rules_and_dashboard_are_written_to_files(modelport: Modelport, tmp_path: Path) -> None:
    for name in ("rules", "dashboard"):
        answer = modelport("drift", name, "--output", tmp_path / name)
        assert answer.returncode == 0, answer.stderr
        assert not answer.stdout
        assert name in answer.stderr

    assert yaml.safe_load((tmp_path / "rules").read_text())["groups"]
    assert json.loads((tmp_path / "dashboard").read_text())["panels"]


def test_a_short_window_is_warned_about(modelport: Modelport) -> None:
    assert "20 steps" in modelport("drift", "rules", "--window", "5m").stderr
    assert not modelport("drift", "rules", "--window", "1h").stderr


def test_boxkite_s_names_come_from_a_baseline(modelport: Modelport, tmp_path: Path) -> None:
    Baseline.from_data({"age": [float(n) for n in range(100)]}).save(tmp_path / "baseline.json")
    command = ("drift", "rules", "--names", "boxkite")
    answer = modelport(*command, "--baseline", tmp_path / "baseline.json", "--endpoint", "shop")

    assert answer.returncode == 0, answer.stderr
    rules = [rule for group in yaml.safe_load(answer.stdout)["groups"] for rule in group["rules"]]
    assert any("feature_0_value_bucket" in rule["expr"] and rule["labels"]["feature"] == "age" for rule in rules)
    assert modelport(*command).returncode == 2


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--window", "1 hour"), "1 hour"),
        (("--by", "a-b"), "a-b"),
        (("--by", "process"), "not a label of a target"),
        (("--unseen", "5"), "unseen is a number from 0 to 1"),
        (("--min-count", "-5"), "min_count is a number from 0 on"),
        (("--names", "other"), "other"),
        (("--psi", "nan"), "psi is a number from 0 on"),
    ],
)
def test_what_cannot_be_is_a_usage_error(modelport: Modelport, arguments: tuple[str, ...], told: str) -> None:
    answer = modelport("drift", "rules", *arguments)

    assert answer.returncode == 2
    assert told in answer.stderr
    assert "Traceback" not in answer.stderr
