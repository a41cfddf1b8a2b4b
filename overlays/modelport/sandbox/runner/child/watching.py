"""`parse` and `get_shap` on stored predictions; counts per bin against the training features."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from .heavy import heavy
from .problems import ContractError
from .shapes import as_list, is_tuple
from .source import load_function
from .tables import as_frame, read_table

DECILES = 10
MAX_CATEGORIES = 50
SHAP_ROWS = 1000
# Features and outputs.
FRAMES = 2


def validate(message: dict[str, Any]) -> dict[str, Any]:
    """Import the script and look for its two functions."""
    for key in ("parse", "shap"):
        load_function(message["source"], message[key], message["base_path"])
    if message["features"] is not None:
        _training_columns(message)
    return {}


def monitor(message: dict[str, Any]) -> dict[str, Any]:
    """Bin counts of training and serving, and mean absolute SHAP values, per feature."""
    parse = load_function(message["source"], message["parse"], message["base_path"])
    explain = load_function(message["source"], message["shap"], message["base_path"])
    features, outputs = _parsed(parse, message)
    _need(features, message["input_columns"], f"{message['parse']} returned features")
    _need(outputs, message["output_columns"], f"{message['parse']} returned outputs")
    features = features[message["input_columns"]]
    counts: dict[str, Any] = {}
    if message["features"] is not None:
        training = _training_columns(message)
        counts = {name: bin_counts(training[name], features[name]) for name in message["input_columns"]}
    shap = _mean_shap(explain, features.head(SHAP_ROWS), message)
    return {"rows": len(features), "counts": counts, "shap": shap}


def _training_columns(message: dict[str, Any]) -> Any:
    training = read_table(message["features"])
    _need(training, message["input_columns"], "the training execution kept features")
    return training


def _parsed(parse: Callable[..., Any], message: dict[str, Any]) -> tuple[Any, Any]:
    pd = heavy("pandas")

    parts = [parse_one(parse, entry, message) for entry in message["predictions"]]
    features = pd.concat([part[0] for part in parts], ignore_index=True)
    outputs = pd.concat([part[1] for part in parts], ignore_index=True)
    return features, outputs


def parse_one(parse: Callable[..., Any], entry: dict[str, Any], message: dict[str, Any]) -> tuple[Any, Any]:
    """Features and outputs of one stored prediction, or of a file of them, as frames."""
    if "path" in entry:
        frame = read_table(entry["path"])
        inputs = frame[[name for name in frame.columns if name not in message["output_columns"]]]
        outputs = frame[[name for name in frame.columns if name in message["output_columns"]]]
        result = parse(inputs, outputs)
    elif "input" in entry:
        result = parse(entry["input"], entry["output"])
    else:
        result = parse(entry["input_path"], entry["output_path"])
    kind = type(result).__name__
    pair = as_list([*result] if is_tuple(result) else result)
    if pair is None or len(pair) != FRAMES:
        raise ContractError(f"{message['parse']} returned {kind}: return two frames, features and outputs")
    return as_frame(pair[0], "features"), as_frame(pair[1], "outputs")


def _need(frame: Any, columns: list[str], what: str) -> None:
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise ContractError(f"{what} without the column {missing[0]!r}, which the configuration names")


def bin_counts(training: Any, serving: Any) -> dict[str, list[int]]:
    """Counts in the deciles of the training values, or per category; missing values have a bin of their own."""
    np = heavy("numpy")

    pd = heavy("pandas")

    if pd.api.types.is_numeric_dtype(training) and training.nunique() > DECILES:
        edges = np.unique(np.nanquantile(training.to_numpy(float), np.linspace(0, 1, DECILES + 1)[1:-1]))
        numbers = pd.to_numeric(serving, errors="coerce")
        return {"training": _histogram(training, edges), "serving": _histogram(numbers, edges)}
    left, right = training.astype(str), serving.astype(str)
    names = [str(name) for name in left.value_counts().index[:MAX_CATEGORIES]]
    return {"training": _categories(left, names), "serving": _categories(right, names)}


def _histogram(values: Any, edges: Any) -> list[int]:
    np = heavy("numpy")

    numbers = values.to_numpy(float)
    known = numbers[~np.isnan(numbers)]
    counts = np.bincount(np.searchsorted(edges, known, side="right"), minlength=len(edges) + 1)
    return [*map(int, counts), int(len(numbers) - len(known))]


def _categories(values: Any, names: list[str]) -> list[int]:
    counts = values.value_counts()
    found = [int(counts.get(name, 0)) for name in names]
    return [*found, int(len(values) - sum(found))]


def _mean_shap(explain: Callable[..., Any], features: Any, message: dict[str, Any]) -> dict[str, float]:
    result = as_frame(explain(features, message["model_path"]), "shap")
    names = [name for name in message["input_columns"] if name in result.columns]
    if not names and result.shape[1] == features.shape[1]:
        result.columns = list(features.columns)
        names = list(message["input_columns"])
    if not names:
        raise ContractError(
            f"{message['shap']} returned a frame without any of the columns that the configuration names"
        )
    means = {name: float(result[name].astype(float).abs().mean()) for name in names}
    return {name: value for name, value in means.items() if json.dumps(value) != "NaN"}
