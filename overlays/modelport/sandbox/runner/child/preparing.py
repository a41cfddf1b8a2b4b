"""`build_df(df, data_path, extra_path=None)` with one or several datasets."""

from __future__ import annotations

import inspect
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .heavy import heavy
from .problems import ContractError
from .source import load_function
from .tables import read_table, write_parquet


def build(message: dict[str, Any]) -> dict[str, Any]:
    """Call the function and write the frame it returns as parquet, with an archive of it."""
    pd = heavy("pandas")

    name, data_path = str(message["reference"]), str(message["data_path"])
    function = load_function(message["source"], name, message["base_path"])
    frames = {entry["Name"]: read_table(Path(data_path) / entry["File"]) for entry in message["inputs"]}
    # One dataset comes as a frame, as the samples show; several come as a dictionary by name.
    data: Any = next(iter(frames.values())) if len(frames) == 1 else frames
    result = function(*_arguments(function, data, data_path, message["base_path"]))
    if not isinstance(result, pd.DataFrame):
        raise ContractError(f"{name} returned {type(result).__name__}: return a pandas DataFrame")
    target = Path(message["result"])
    write_parquet(result, target, name)
    with zipfile.ZipFile(message["archive"], "w", zipfile.ZIP_DEFLATED) as packed:
        packed.write(target, target.name)
    return {"rows": len(result)}


def _arguments(function: Callable[..., Any], data: Any, data_path: str, extra_path: str) -> list[Any]:
    given = [data, data_path, extra_path]
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return given
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return given
    places = [p for p in parameters if p.kind in {p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD}]
    return given[: max(1, len(places))]


def to_table(message: dict[str, Any]) -> dict[str, Any]:
    """The columns and number of rows of a data file."""
    frame = read_table(message["data"])
    return {"columns": [str(column) for column in frame.columns], "rows": len(frame)}
