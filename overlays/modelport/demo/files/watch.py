"""What the platform runs to watch the model: `parse` rebuilds the training features, `get_shap` explains them."""

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


def _frame(record: Any) -> Any:
    return pd.DataFrame([json.loads(record) if isinstance(record, str) else record])


def parse(input_json: Any, output_json: Any) -> tuple[Any, Any]:
    """The features and the outputs of one stored prediction."""
    return _frame(input_json), _frame(output_json)


def get_shap(data: Any, model_path: str) -> Any:
    """The SHAP values of every feature; for a linear model they are exact: coefficient times distance to the mean."""
    # modelFileName is there at prediction time; without it the platform's usual name is right.
    name = os.environ.get("modelFileName") or "model.pkl"
    pipeline = pickle.loads((Path(model_path) / name).read_bytes())  # noqa: S301 - our own model
    scaled = pipeline[0].transform(data)
    return pd.DataFrame(scaled * pipeline[-1].coef_[0], columns=list(data.columns))
