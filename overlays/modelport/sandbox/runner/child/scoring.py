"""`score(data, base_path)`, `process(data, base_path)` and `score(data_path, model_path)`."""

from __future__ import annotations

import json
import os
import re
import textwrap
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .problems import ContractError, hide_paths, to_json
from .source import load_function

_LOADED: dict[str, Callable[..., Any]] = {}
_MARK = re.compile(r"\[(DEBUG|WARNING|ERROR)\](.*?)\[\1\]", re.DOTALL)


def load(message: dict[str, Any]) -> dict[str, Any]:
    """Import the script and keep its function for the requests that follow."""
    function = load_function(message["source"], message["reference"], message["base_path"])
    _LOADED["score"] = function
    return {"reference": message["reference"]}


def score(message: dict[str, Any]) -> dict[str, Any]:
    """Call the loaded function with JSON text and give JSON text back, with the lines of the platform's logger."""
    function = _LOADED["score"]
    name = str(message.get("reference", "score"))
    result = function(message["data"], message["base_path"])
    if not isinstance(result, str):
        return {"json": to_json(result, name), "logs": []}
    logs = [[level.title(), text] for level, text in _MARK.findall(result)]
    text = result
    if "[OUTPUT]" in result:
        # The vendor's Logger("Sync").callback puts the marks around the output twice.
        text = next((part for part in result.split("[OUTPUT]")[1:] if part), "")
    try:
        json.loads(text)
    except ValueError:
        shown = textwrap.shorten(text, 80)
        raise ContractError(
            f"{name} returned text that is not JSON: {shown!r}. Return a dictionary or json.dumps(...)"
        ) from None
    return {"json": text, "logs": logs}


def run_async(message: dict[str, Any]) -> dict[str, Any]:
    """Call the function on a folder and pack the file it names as the result archive."""
    name = str(message["reference"])
    data_path, output = str(message["data_path"]), Path(message["output"])
    function = load_function(message["source"], name, message["base_path"])
    result = function(data_path, message["base_path"])
    path = result_file(result, name, data_path)
    output.mkdir(parents=True, exist_ok=True)
    archive = Path(message["archive"])
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.write(path, path.name)
    logs = _log_file(output / "execution.log", data_path)
    return {"file": path.name, "size": path.stat().st_size, "logs": logs}


def result_file(result: Any, function: str, data_path: str) -> Path:
    """The file that the function returned, which must be inside the folder of the run."""
    if result is None:
        raise ContractError(f"{function} returned None: return the full path of the file with the results")
    if not isinstance(result, str | Path):
        raise ContractError(
            f"{function} returned a {type(result).__name__}: return the full path of the file with the results"
        )
    path, folder = Path(os.path.realpath(result)), Path(os.path.realpath(data_path))
    if not path.is_relative_to(folder):
        shown = hide_paths(str(result), data_path)
        raise ContractError(
            f"{function} returned the path {shown!r}, outside the folder of the run: write into data_path"
        )
    if not path.is_file():
        raise ContractError(
            f"{function} returned the path of {path.name!r}, but there is no such file in the folder of the run"
        )
    return path


def _log_file(path: Path, base_path: str) -> list[list[str]]:
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", errors="replace") as handle:
        text = handle.read(200_000)
    return [[level.title(), hide_paths(line, base_path)] for level, line in _MARK.findall(text)]
