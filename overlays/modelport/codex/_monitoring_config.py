"""The configuration of a monitoring: checked, and in the words of the platform."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from modelport.codex._files import JsonSource, json_object
from modelport.codex._inputs import check_choice
from modelport.errors import InvalidInputError

__all__ = ["PERIODS", "monitoring_config"]

PERIODS = ("Day", "Week", "Month", "Year")

# The platform's own documentation writes these in snake_case; its server reads only the others.
_SPELLINGS = {
    "period": "Period",
    "train_data": "TrainData",
    "input_cols": "InputCols",
    "output_cols": "OutputCols",
    "mlops_training_execution": "MLOpsTrainingExecution",
    "neomaril_training_execution": "NeomarilTrainingExecution",
    "train_date_ref": "TrainDateRef",
    "train_date_col": "TrainDateCol",
}
_COLUMNS = ("InputCols", "OutputCols")
_DATES = ("TrainDateRef", "TrainDateCol")


def monitoring_config(source: JsonSource, *, training_execution: str | None = None) -> dict[str, Any]:
    """The configuration, from a .json file or a mapping; neither is changed.

    Args:
        source: Its keys may be written ``TrainData`` or ``train_data``.
        training_execution: The number of the training to put into it, in place of what it says.

    Raises:
        InvalidInputError: It lacks something or holds the wrong thing; names all of it.
    """
    config = _respelt(json_object(source, "configuration"))
    train_data = config.get("TrainData")
    if isinstance(train_data, Mapping):
        config["TrainData"] = _respelt(cast("Mapping[str, Any]", train_data))
    if training_execution is not None:
        config["TrainData"] = {**config.get("TrainData", {}), "MLOpsTrainingExecution": training_execution}
    if problems := _problems(config):
        raise InvalidInputError("configuration: " + "; ".join(problems))
    config["Period"] = check_choice(config["Period"], "configuration: Period", PERIODS)
    return config


def _respelt(entries: Mapping[str, Any]) -> dict[str, Any]:
    return {_SPELLINGS.get(key, key): value for key, value in entries.items()}


def _problems(config: Mapping[str, Any]) -> list[str]:
    problems = [f"{key} is missing" for key in ("Period", "TrainData", *_COLUMNS) if key not in config]
    for key in _COLUMNS:
        columns = config.get(key, [""])
        texts = isinstance(columns, list) and all(isinstance(name, str) for name in cast("list[Any]", columns))
        if not texts or not columns:
            problems.append(f"{key} must be a list of names of columns")
    train_data = config.get("TrainData")
    if "TrainData" in config and not isinstance(train_data, Mapping):
        problems.append("TrainData must be an object")
    elif isinstance(train_data, Mapping) and sum(key in train_data for key in _DATES) != 1:
        problems.append("TrainData needs one of TrainDateRef (a date) and TrainDateCol (a column)")
    return problems
