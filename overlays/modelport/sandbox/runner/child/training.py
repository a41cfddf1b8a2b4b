"""`train(df, base_path)` and what of its result is kept."""

from __future__ import annotations

import json
import math
import pickle
import shutil
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from .problems import ContractError
from .shapes import as_list, as_object
from .source import load_function
from .tables import as_frame, read_table, write_parquet

MAX_CLASSES = 9
REQUIRED = ("X_train", "y_train", "model_output", "pipeline", "metrics")
FILES = {"X_train": "features.parquet", "y_train": "target.parquet", "model_output": "predictions.parquet"}


def train(message: dict[str, Any]) -> dict[str, Any]:
    """Call the user's function on the data and keep its artifacts."""
    name, base_path = str(message["reference"]), str(message["base_path"])
    function = load_function(message["source"], name, base_path)
    result = function(read_table(message["data"]), base_path)
    check_result(result, name)
    by_value = sys.modules.get(Path(message["source"]).stem)
    return keep(result, Path(message["output"]), base_path, by_value)


def check_result(result: Any, name: str) -> None:
    """Raise a ContractError that names what is missing in the dictionary."""
    if as_object(result) is None:
        raise ContractError(f"{name} returned {type(result).__name__}: return a dictionary with {', '.join(REQUIRED)}")
    missing = [key for key in REQUIRED if key not in result]
    if missing:
        raise ContractError(
            f"{name} returned a dictionary without {', '.join(missing)}; it needs {', '.join(REQUIRED)}"
        )
    if not isinstance(result["metrics"], dict):
        raise ContractError(f"{name}: 'metrics' is a {type(result['metrics']).__name__}: give a dictionary of numbers")


def keep(result: dict[str, Any], output: Path, base_path: str, by_value: Any = None) -> dict[str, Any]:
    """Write model, tables, metrics and parameters; what the server needs of them."""
    output.mkdir(parents=True, exist_ok=True)
    for key, file in FILES.items():
        write_parquet(result[key], output / file, "target" if key == "y_train" else key)
    (output / "model.pkl").write_bytes(dump(result["pipeline"], by_value))
    metrics = {str(key): _number(key, value) for key, value in result["metrics"].items()}
    params = describe(result)
    (output / "metrics.json").write_text(json.dumps(metrics), "utf-8")
    (output / "params.json").write_text(json.dumps(params, default=str), "utf-8")
    _write_sample(result["X_train"], output)
    for extra in as_list(result.get("extra")) or []:
        _keep_extra(str(extra), Path(base_path), output)
    return {"metrics": metrics, "params": params}


def dump(model: Any, by_value: Any = None) -> bytes:
    """The model as a pickle that also opens where the user's script is not on the path."""
    try:
        cloudpickle: Any = import_module("cloudpickle")
    except ImportError:
        # Classes of the script are then pickled by reference and need the script where they are opened.
        return pickle.dumps(model)
    if by_value is not None:
        cloudpickle.register_pickle_by_value(by_value)
    return bytes(cloudpickle.dumps(model))


def _number(key: object, value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise ContractError(f"the metric {key!r} is a {type(value).__name__}, not a number") from None
    return number if math.isfinite(number) else None


def describe(result: dict[str, Any]) -> dict[str, Any]:
    """Parameters of the run: shape, steps, hyperparameters, target."""
    features, pipeline = as_frame(result["X_train"], "X_train"), result["pipeline"]
    missing = features.isna().sum()
    params: dict[str, Any] = {
        "shape": list(map(int, features.shape)),
        "cols_with_missing": int((missing > 0).sum()),
        "pipeline_steps": list(getattr(pipeline, "named_steps", {})) or [type(pipeline).__name__],
    }
    getter: Callable[[], dict[str, Any]] | None = getattr(pipeline, "get_params", None)
    if getter is not None:
        skipped = {*params["pipeline_steps"], "steps", "memory", "verbose"}
        params |= {f"hyperparam_{key}": str(value)[:250] for key, value in getter().items() if key not in skipped}
    target = as_frame(result["y_train"], "target").iloc[:, 0]
    shares = target.value_counts(normalize=True)
    if len(shares) <= MAX_CLASSES:
        params["target_proportion"] = [{"target": str(k), "proportion": float(v)} for k, v in shares.items()]
    return params


def _write_sample(features: Any, output: Path) -> None:
    row = json.loads(as_frame(features, "X_train").head(1).to_json(orient="records"))
    (output / "sample.json").write_text(json.dumps(row[0] if row else {}), "utf-8")


def _keep_extra(name: str, base: Path, output: Path) -> None:
    path = (base / name).resolve()
    if not path.is_relative_to(base.resolve()) or not path.is_file():
        raise ContractError(f"extra names {name!r}, but there is no such file in base_path")
    shutil.copyfile(path, output / path.name)
