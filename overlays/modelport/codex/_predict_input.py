"""One input of a Sync model, from what callers have."""

from __future__ import annotations

import json
from typing import Any, cast

from modelport._plain import plain
from modelport.codex._inputs import check_hash
from modelport.errors import InvalidInputError

__all__ = ["predict_input", "script_hash"]


def predict_input(data: Any) -> dict[str, Any]:
    """The JSON object for a mapping, a pandas Series or a DataFrame of one row.

    Raises:
        InvalidInputError: It is none of these, or holds what JSON has not (a NaN, an object).
    """
    try:
        value = plain(data)
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidInputError(f"data cannot be written as JSON: {error}") from error
    if isinstance(value, list) and len(value) == 1 and not isinstance(data, list):
        value = value[0]  # a DataFrame of one row
    if not isinstance(value, dict):
        kind = type(cast("object", data)).__name__
        raise InvalidInputError(f"data must be one input (a mapping, a Series, a DataFrame of one row), not {kind}")
    return cast("dict[str, Any]", value)


def script_hash(preprocessing: Any) -> str | None:
    """The hash of a Sync preprocessing, given as its handle or as itself.

    Raises:
        InvalidInputError: It is an Async preprocessing, or no hash.
    """
    if preprocessing is None:
        return None
    if isinstance(preprocessing, str):
        return check_hash(preprocessing, "S")
    if getattr(preprocessing, "operation", None) != "Sync":
        raise InvalidInputError("predict takes a Sync preprocessing; this one is Async")
    return cast("str", preprocessing.hash)
