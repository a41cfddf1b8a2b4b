"""The examples of docs/offline-drift.md run."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from modelport.drift import Baseline
from modelport.predictions import FileSink, Prediction


def test_the_examples_run(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ages = np.random.default_rng(1).normal(40, 10, 500)
    Baseline.from_data({"age": ages}, output=ages / 100).save(tmp_path / "baseline.json")
    (tmp_path / "data").mkdir()
    columns = {"age": ages, "output": ages / 100, "churned": ages / 90, "country": ["SG"] * 500}
    pq.write_table(pa.table({**columns, "timestamp_ns": range(500)}), tmp_path / "data" / "a.parquet")
    sink = FileSink(tmp_path / "log")
    sink.write([Prediction(prediction_id="1", timestamp_ns=1, endpoint="churn", features=[40.0], output=0.4)])
    sink.close()
    text = (root / "docs" / "offline-drift.md").read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"baseline": Baseline.load("baseline.json")}

    examples = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    for example in examples:
        exec(example, names)  # noqa: S102 - our own document

    assert len(examples) == 2
