"""What the platform runs to predict: `score` for one record, `score_file` for a file of them."""

# A script as users of the platform write them: no package, its variables' names, libraries without types.
# pyright: basic
# ruff: noqa: INP001, SIM112

from __future__ import annotations

import json
import os
import pickle
from pathlib import Path
from typing import Any

import pandas as pd

_models: dict[str, Any] = {}


def _model(folder: str) -> Any:
    path = Path(folder) / os.environ["modelFileName"]
    if str(path) not in _models:
        _models[str(path)] = pickle.loads(path.read_bytes())  # noqa: S301 - our own model, from our own training
    return _models[str(path)]


def score(data: str, base_path: str) -> dict[str, Any]:
    """The answer to one record, which comes as JSON text."""
    probability = float(_model(base_path).predict_proba(pd.DataFrame([json.loads(data)]))[0, 1])
    return {"pred": int(probability >= 0.5), "proba": probability}  # noqa: PLR2004 - more likely than not


def score_file(data_path: str, model_path: str) -> str:
    """The path of a file with the answers to all records of the uploaded file."""
    frame = pd.read_csv(Path(data_path) / os.environ["inputFileName"])
    probability = _model(model_path).predict_proba(frame)[:, 1]
    output = Path(data_path) / "output.csv"
    frame.assign(pred=(probability >= 0.5).astype(int), proba=probability).to_csv(output, index=False)  # noqa: PLR2004
    return str(output)
