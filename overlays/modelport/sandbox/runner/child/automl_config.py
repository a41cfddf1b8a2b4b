"""conf.json of AutoML, checked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .problems import Problem

METRICS = ("auc", "precision", "recall", "f1", "gini", "ks")
SPLITS = ("random", "stratified", "oot")
STAGES = {
    "models": ("logreg", "catboost", "xgboost", "lightgbm", "rf", "dt"),
    "missing": ("mean", "median", "tail", "random", "none"),
    "cleaner": ("none", "iqr", "rare"),
    "encoding": ("count", "rankcount", "catboost", "dt"),
    "preprocess": ("none", "norm", "robust", "minmax", "binarizer"),
    "unbalance": ("none", "smote", "random_under"),
}
DEFAULTS = {
    "models": ["logreg", "rf"],
    "missing": ["median"],
    "cleaner": ["none"],
    "encoding": ["count"],
    "preprocess": ["norm"],
    "unbalance": ["none"],
}
KEYS = frozenset(
    "train_data model_flow target cat_cols iterations metric split_type val_size holdout_size stratify_col date_col "
    "oot_split_size split_date stages".split()
)


@dataclass(slots=True)
class Configuration:
    """What conf.json asks for."""

    target: str
    sep: str | None = None
    cat_cols: list[str] = field(default_factory=list[str])
    iterations: int = 1
    metric: str = "auc"
    split_type: str = "random"
    val_size: float = 0.2
    holdout_size: float = 0.1
    stratify_col: str | None = None
    date_col: str | None = None
    oot_split_size: float = 0.2
    split_date: str | None = None
    stages: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    notes: list[str] = field(default_factory=list[str])


def read_configuration(value: Any) -> Configuration:
    """Check conf.json; raises Problem naming the key that is wrong."""
    if not isinstance(value, dict):
        raise Problem("conf.json holds no JSON object")
    unknown = sorted(set(value) - KEYS)
    if unknown:
        raise Problem(f"conf.json: unknown key {unknown[0]!r}; known are {', '.join(sorted(KEYS))}")
    if value.get("model_flow", "classification") != "classification":
        raise Problem(f"conf.json: model_flow {value['model_flow']!r} is not supported; only 'classification' is")
    if not isinstance(value.get("target"), str):
        raise Problem("conf.json: target must name a column")
    data = value.get("train_data") or {}
    given = {key: value[key] for key in KEYS - {"train_data", "model_flow", "stages"} if value.get(key) is not None}
    configuration = Configuration(**given, sep=data.get("sep") if isinstance(data, dict) else None)
    _check(configuration)
    configuration.stages = _stages(value.get("stages") or {})
    return configuration


def _check(configuration: Configuration) -> None:
    if configuration.metric not in METRICS:
        raise Problem(f"conf.json: metric {configuration.metric!r} is not one of {', '.join(METRICS)}")
    if configuration.split_type not in SPLITS:
        raise Problem(f"conf.json: split_type {configuration.split_type!r} is not one of {', '.join(SPLITS)}")
    for name in ("val_size", "holdout_size", "oot_split_size"):
        size = getattr(configuration, name)
        if not isinstance(size, int | float) or not (0 <= size < 1):
            raise Problem(f"conf.json: {name} must be a share between 0 and 1, not {size!r}")
    if configuration.val_size == 0:
        raise Problem("conf.json: val_size must be above 0: the best combination is chosen on that share")
    if not isinstance(configuration.iterations, int) or configuration.iterations < 1:
        raise Problem("conf.json: iterations must be a whole number from 1")
    columns = configuration.cat_cols
    if not isinstance(columns, list) or not all(isinstance(name, str) for name in columns):
        raise Problem("conf.json: cat_cols must be a list of column names")
    configuration.cat_cols = list(columns)


def _stages(given: Any) -> dict[str, list[str]]:
    if not isinstance(given, dict):
        raise Problem("conf.json: stages must be an object")
    found: dict[str, list[str]] = {}
    for stage, known in STAGES.items():
        raw = given.get(stage) or DEFAULTS[stage]
        options = [raw] if isinstance(raw, str) else [str(option) for option in raw]
        wrong = [option for option in options if option not in known]
        if wrong:
            raise Problem(f"conf.json: stages.{stage} has {wrong[0]!r}; known are {', '.join(known)}")
        found[stage] = options
    surplus = sorted(set(given) - set(STAGES))
    if surplus:
        raise Problem(f"conf.json: unknown stage {surplus[0]!r}; known are {', '.join(STAGES)}")
    return found
