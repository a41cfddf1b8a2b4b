"""conf.json of AutoML, checked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .problems import ContractError
from .shapes import as_list, as_object

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
    [
        "train_data",
        "model_flow",
        "target",
        "cat_cols",
        "iterations",
        "metric",
        "split_type",
        "val_size",
        "holdout_size",
        "stratify_col",
        "date_col",
        "oot_split_size",
        "split_date",
        "stages",
    ]
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
    """Check conf.json; raises ContractError naming the key that is wrong."""
    wanted = as_object(value)
    if wanted is None:
        raise ContractError("conf.json holds no JSON object")
    unknown = sorted(set(wanted) - KEYS)
    if unknown:
        raise ContractError(f"conf.json: unknown key {unknown[0]!r}; known are {', '.join(sorted(KEYS))}")
    if wanted.get("model_flow", "classification") != "classification":
        raise ContractError(
            f"conf.json: model_flow {wanted['model_flow']!r} is not supported; only 'classification' is"
        )
    if not isinstance(wanted.get("target"), str):
        raise ContractError("conf.json: target must name a column")
    data = as_object(wanted.get("train_data")) or {}
    given: dict[str, Any] = {
        key: wanted[key] for key in KEYS - {"train_data", "model_flow", "stages"} if wanted.get(key) is not None
    }
    configuration = Configuration(**given, sep=data.get("sep"))
    _check(configuration)
    configuration.stages = _stages(wanted.get("stages") or {})
    return configuration


def _check(configuration: Configuration) -> None:
    if configuration.metric not in METRICS:
        raise ContractError(f"conf.json: metric {configuration.metric!r} is not one of {', '.join(METRICS)}")
    if configuration.split_type not in SPLITS:
        raise ContractError(f"conf.json: split_type {configuration.split_type!r} is not one of {', '.join(SPLITS)}")
    for name in ("val_size", "holdout_size", "oot_split_size"):
        size = getattr(configuration, name)
        if not isinstance(size, int | float) or not (0 <= size < 1):
            raise ContractError(f"conf.json: {name} must be a share between 0 and 1, not {size!r}")
    if configuration.val_size == 0:
        raise ContractError("conf.json: val_size must be above 0: the best combination is chosen on that share")
    iterations: Any = configuration.iterations
    if not isinstance(iterations, int) or iterations < 1:
        raise ContractError("conf.json: iterations must be a whole number from 1")
    columns = as_list(configuration.cat_cols)
    if columns is None or not all(isinstance(name, str) for name in columns):
        raise ContractError("conf.json: cat_cols must be a list of column names")
    configuration.cat_cols = list(columns)


def _stages(value: Any) -> dict[str, list[str]]:
    given = as_object(value)
    if given is None:
        raise ContractError("conf.json: stages must be an object")
    found: dict[str, list[str]] = {}
    for stage, known in STAGES.items():
        raw = given.get(stage) or DEFAULTS[stage]
        options = [str(option) for option in as_list(raw) or [raw]]
        wrong = [option for option in options if option not in known]
        if wrong:
            raise ContractError(f"conf.json: stages.{stage} has {wrong[0]!r}; known are {', '.join(known)}")
        found[stage] = options
    surplus = sorted(set(given) - set(STAGES))
    if surplus:
        raise ContractError(f"conf.json: unknown stage {surplus[0]!r}; known are {', '.join(STAGES)}")
    return found
