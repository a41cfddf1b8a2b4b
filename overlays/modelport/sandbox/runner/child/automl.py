"""AutoML from a conf.json: stages tried one after the other on a validation share, the best kept."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from .automl_config import Configuration, read_configuration
from .automl_stages import build_pipeline, metric_of, resample
from .heavy import heavy
from .problems import ContractError
from .tables import read_table
from .training import keep

CLASSES = 2
# A class with one row cannot be on both sides of a split.
LEAST_ROWS = 2


def train(message: dict[str, Any]) -> dict[str, Any]:
    """Search the stages, refit the best and keep its artifacts."""
    pd = heavy("pandas")

    configuration = read_configuration(message["configuration"])
    frame = read_table(message["data"], configuration.sep)
    features, target = _features(frame, configuration)
    train_rows, validation_rows, holdout_rows = split(frame, target, configuration)
    best, score, tried = _search(features, target, train_rows, validation_rows, configuration)
    rows = [*train_rows, *validation_rows]
    pipeline = _fit(best, features.iloc[rows], target.iloc[rows], configuration)
    metrics = {f"{configuration.metric}_validation": score}
    if holdout_rows:
        metrics[f"{configuration.metric}_holdout"] = metric_of(
            configuration.metric, pipeline, features.iloc[holdout_rows], target.iloc[holdout_rows]
        )
    inverse = pipeline.predict(features.iloc[rows])
    output = pd.DataFrame({"pred": inverse, "proba": pipeline.predict_proba(features.iloc[rows])[:, 1]})
    result = {
        "X_train": features.iloc[rows],
        "y_train": target.iloc[rows],
        "model_output": output,
        "pipeline": pipeline,
        "metrics": {configuration.metric: score, **metrics},
    }
    kept = keep(result, Path(message["output"]), str(message["base_path"]))
    notes = [*configuration.notes, f"tried {tried} combinations; kept {best}"]
    kept["params"] |= {"automl_best": str(best), "automl_tried": tried, "automl_notes": notes}
    sys.stdout.write("\n".join(notes) + "\n")
    return {**kept, "notes": notes}


def _features(frame: Any, configuration: Configuration) -> tuple[Any, Any]:
    if configuration.target not in frame.columns:
        raise ContractError(f"conf.json: the target {configuration.target!r} is not a column of the data")
    absent = [name for name in configuration.cat_cols if name not in frame.columns]
    if absent:
        raise ContractError(f"conf.json: cat_cols names {absent[0]!r}, which is not a column of the data")
    target = frame[configuration.target]
    if target.nunique() != CLASSES:
        raise ContractError(
            f"conf.json: the target {configuration.target!r} has {target.nunique()} classes; two are expected"
        )
    features = frame.drop(columns=[configuration.target, *filter(None, [configuration.date_col])], errors="ignore")
    numeric = features.select_dtypes("number").columns
    for name in features.columns:
        if name not in configuration.cat_cols and name not in numeric:
            configuration.cat_cols.append(name)
            configuration.notes.append(f"column {name!r} is not numeric: taken as categorical")
    return features, target.astype(int) if target.dtype == bool else target


def split(frame: Any, target: Any, configuration: Configuration) -> tuple[list[int], list[int], list[int]]:
    """Row positions for training, validation and holdout, by the split type."""
    model_selection = heavy("sklearn.model_selection")

    rows = list(range(len(frame)))
    if configuration.split_type == "oot":
        rest, holdout = _out_of_time(frame, rows, configuration)
    else:
        labels = _labels(frame, target, configuration)
        rest, holdout = (
            model_selection.train_test_split(
                rows, test_size=configuration.holdout_size, random_state=0, stratify=labels
            )
            if configuration.holdout_size > 0
            else (rows, list[int]())
        )
    chosen = target.iloc[rest] if target.iloc[rest].value_counts().min() >= LEAST_ROWS else None
    train_rows, validation = model_selection.train_test_split(
        rest, test_size=configuration.val_size, random_state=0, stratify=chosen
    )
    if min(target.iloc[part].nunique() for part in (train_rows, validation)) < CLASSES:
        raise ContractError(
            "after the split one part holds a single class of the target: give more rows or another split"
        )
    return list(train_rows), list(validation), list(holdout)


def _labels(frame: Any, target: Any, configuration: Configuration) -> Any:
    if configuration.split_type != "stratified":
        return None
    if configuration.stratify_col is None:
        return target
    if configuration.stratify_col not in frame.columns:
        raise ContractError(f"conf.json: stratify_col {configuration.stratify_col!r} is not a column of the data")
    return frame[configuration.stratify_col]


def _out_of_time(frame: Any, rows: list[int], configuration: Configuration) -> tuple[list[int], list[int]]:
    pd = heavy("pandas")

    if configuration.date_col is None or configuration.date_col not in frame.columns:
        raise ContractError("conf.json: split_type oot needs date_col, a column of the data")
    dates = pd.to_datetime(frame[configuration.date_col], errors="coerce")
    if dates.isna().any():
        raise ContractError(f"conf.json: date_col {configuration.date_col!r} holds values that are no dates")
    border = (
        pd.Timestamp(configuration.split_date)
        if configuration.split_date is not None
        else dates.quantile(1 - configuration.oot_split_size)
    )
    late = (dates >= border).to_numpy()
    rest, holdout = [row for row in rows if not late[row]], [row for row in rows if late[row]]
    if not rest or not holdout:
        raise ContractError(f"the date {border} leaves one side of the out-of-time split empty")
    return rest, holdout


def _search(
    features: Any, target: Any, train_rows: list[int], validation_rows: list[int], configuration: Configuration
) -> tuple[dict[str, str], float, int]:
    """Best choice per stage, stage by stage, starting from the first of each: a sum of tries, not a product."""
    choice = {stage: options[0] for stage, options in configuration.stages.items()}
    scores: dict[str, float] = {}

    def score(candidate: dict[str, str]) -> float:
        key = str(candidate)
        if key not in scores:
            pipeline = _fit(candidate, features.iloc[train_rows], target.iloc[train_rows], configuration)
            x, y = features.iloc[validation_rows], target.iloc[validation_rows]
            scores[key] = metric_of(configuration.metric, pipeline, x, y)
        return scores[key]

    for _ in range(configuration.iterations):
        for stage, options in configuration.stages.items():
            choice = max(({**choice, stage: option} for option in options), key=score)
    return choice, score(choice), len(scores)


def _fit(choice: dict[str, str], features: Any, target: Any, configuration: Configuration) -> Any:
    pipeline = build_pipeline(choice, features, configuration)
    kept, labels = resample(choice, features, target, configuration)
    return pipeline.fit(kept, labels)
