"""The programs of docs/drift.md run, and what it says of them holds."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from modelport.cli._drift_edges import read_edges
from modelport.drift import DriftReport, FeatureDrift


@pytest.fixture
def page(root: Path) -> str:
    return (root / "docs" / "drift.md").read_text(encoding="utf-8")


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL)


def test_the_programs_run_one_after_the_other(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"age": random.normal(40, 10, 500), "plan": random.choice(["a", "b"], 500)})
    names: dict[str, Any] = {
        "training_frame": frame,
        "scores": random.random(500),
        "shap_values": random.normal(size=(500, 2)),
        "serving_frame": frame.assign(age=frame["age"] + 20),
    }

    for program in blocks(page, "python"):
        exec(compile(program, "docs/drift.md", "exec"), names)  # noqa: S102 - the page's own programs

    assert isinstance(names["report"], DriftReport)
    assert [row.name for row in names["report"].drifted] == ["age"]
    assert names["psi"]([50, 30, 20], [20, 30, 50]) == pytest.approx(0.549774439124493, rel=1e-15)


def test_the_edges_that_it_shows_are_edges(page: str, tmp_path: Path) -> None:
    (example,) = blocks(page, "json")
    (tmp_path / "edges.json").write_text(example)

    shape = read_edges(tmp_path / "edges.json", None)

    assert shape.names == tuple(json.loads(example))
    assert [feature.kind for feature in shape.features] == ["numeric", "categorical", "categorical"]


def test_every_field_of_a_row_is_told(page: str) -> None:
    told = set(re.findall(r"`([a-z_0-9]+)`", page))

    assert set(FeatureDrift.__struct_fields__) - told == set()
