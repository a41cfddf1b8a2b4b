"""What a worker says when the user's code is at fault: in the user's terms, without a path of the server."""

from __future__ import annotations

import json
import math
import re
import sys
import traceback
from pathlib import Path
from typing import Any

from .shapes import is_list, is_object, is_tuple

TRACEBACK_FRAMES = 8
MESSAGE_CHARACTERS = 4000
MAX_DEPTH = 50


class ContractError(Exception):
    """A contract that the user's code broke."""

    def __init__(self, text: str, kind: str = "contract") -> None:
        super().__init__(text)
        self.text = text
        self.kind = kind


def describe_exception(error: BaseException, base_path: str) -> str:
    """The exception with the tail of its traceback, files by their names only."""
    summary = traceback.extract_tb(error.__traceback__)
    home = str(Path(__file__).parent)
    lines = [
        f'  File "{_short(frame.filename, base_path)}", line {frame.lineno}, in {frame.name}\n    {frame.line}'
        for frame in summary
        if not frame.filename.startswith(home) and "importlib" not in frame.filename
    ]
    head = "".join(traceback.format_exception_only(error)).strip()
    text = "\n".join(["Traceback (most recent call last):", *lines[-TRACEBACK_FRAMES:], head]) if lines else head
    return hide_paths(text, base_path)[-MESSAGE_CHARACTERS:]


def hide_paths(text: str, base_path: str) -> str:
    """Text without folders of the server."""
    for folder in filter(None, (base_path.rstrip("/"), sys.prefix, sys.base_prefix, str(Path.home()))):
        if len(folder) > 1:
            text = re.sub(re.escape(folder) + r"/*", "", text)
    return text


def _short(filename: str, base_path: str) -> str:
    if base_path and filename.startswith(base_path):
        return filename[len(base_path) :].lstrip("/")
    return filename.rpartition("/site-packages/")[2].rpartition("/lib/")[2]


def to_json(value: Any, function: str) -> str:
    """JSON text of what the user's function returned, or a ContractError that says which value JSON cannot hold."""
    if value is None:
        raise ContractError(
            f"{function} returned None: return a dictionary or a JSON text. Is a return statement missing?"
        )
    try:
        return json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        _explain(value, function, "the result", 0)
        raise ContractError(f"{function} returned a value that JSON cannot hold: {type(value).__name__}") from None


def _explain(value: Any, function: str, where: str, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise ContractError(
            f"{function} returned a structure that contains itself or is deeper than {MAX_DEPTH} levels"
        )
    if is_object(value):
        keys: list[Any] = list(value)
        for key in keys:
            item = value[key]
            if not isinstance(key, str | int | float | bool | None):
                raise ContractError(
                    f"{function}: the key {key!r} in {where} is of type {_type(key)}; JSON keys are text"
                )
            _explain(item, function, f"{where}[{key!r}]", depth + 1)
    elif is_list(value) or is_tuple(value):
        for index, item in enumerate(value):
            _explain(item, function, f"{where}[{index}]", depth + 1)
    elif isinstance(value, float) and not math.isfinite(value):
        raise ContractError(f"{function}: {where} is {value}, which JSON does not know; return None or a finite number")
    elif not isinstance(value, str | int | float | bool | None):
        raise ContractError(
            f"{function}: {where} is of type {_type(value)}, which cannot be written as JSON. {_advice(value)}"
        )


def _type(value: object) -> str:
    module = type(value).__module__.partition(".")[0]
    return type(value).__name__ if module == "builtins" else f"{module}.{type(value).__name__}"


def _advice(value: object) -> str:
    module = type(value).__module__.partition(".")[0]
    if module == "numpy" and hasattr(value, "shape") and getattr(value, "shape", ()) != ():
        return "Convert it with .tolist() before returning it."
    if module == "numpy":
        return "Convert it with int() or float() before returning it: numpy types are not JSON types."
    if module == "pandas":
        return "Convert it with .to_dict() or .tolist() before returning it."
    return "Return only dictionaries, lists, text, numbers, booleans and None."
