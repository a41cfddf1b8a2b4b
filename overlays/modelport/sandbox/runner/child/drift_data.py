"""The columns that a drift report compares: those of training, and those that were served, as plain lists in a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .problems import ContractError
from .shapes import as_list, as_object
from .source import load_function
from .tables import read_table
from .watching import parse_one

TRAINING_ROWS = 200_000


def columns(message: dict[str, Any]) -> dict[str, Any]:
    """Write training and serving columns to the file `target`; how many rows there were."""
    training = read_table(message["features"])
    wanted: list[str] = message["input_columns"] or list(map(str, training.columns))
    names = [name for name in wanted if name in training.columns]
    if not names:
        raise ContractError("the training data has none of the columns that the monitoring's configuration names")
    step = -(-len(training) // TRAINING_ROWS)
    outputs = read_table(message["outputs"]) if message["outputs"] else None
    served, answers, times, unreadable = _served(message)
    output = _output_name(message, outputs, answers) or ""
    written = {
        "training": {name: _values(training[name][::step]) for name in names},
        "training_output": _values(outputs[output][::step]) if output and outputs is not None else None,
        "serving": {name: [row.get(name) for row in served] for name in names},
        "serving_output": [answer.get(output, answer.get("")) for answer in answers] if output else None,
        "times": times,
    }
    Path(message["target"]).write_text(json.dumps(written, default=str), "utf-8")
    return {"training_rows": len(training), "step": step, "rows": len(served), "unreadable": unreadable}


_Rows = list[dict[str, Any]]


def _served(message: dict[str, Any]) -> tuple[_Rows, _Rows, list[float], int]:
    """Rows, answers and times; and how many predictions are no rows."""
    parse = load_function(message["source"], message["parse"], message["base_path"]) if message["parse"] else None
    rows: _Rows = []
    answers: _Rows = []
    times: list[float] = []
    unreadable = 0
    for entry in message["predictions"]:
        try:
            features, outputs = _read(entry) if parse is None else _parsed(parse, entry, message)
        except Exception:  # noqa: BLE001 - whatever the script or a file raises, the others can still be shown
            unreadable += 1
            continue
        rows += features
        answers += [*outputs, *[{}] * len(features)][: len(features)]
        times += [float(entry["at"])] * len(features)
    return rows, answers, times, unreadable


def _parsed(parse: Any, entry: dict[str, Any], message: dict[str, Any]) -> tuple[_Rows, _Rows]:
    features, outputs = parse_one(parse, entry, message)
    return _records(features), _records(outputs)


def _read(entry: dict[str, Any]) -> tuple[_Rows, _Rows]:
    """A stored prediction without a script: JSON that is one row or a table by columns, or two files."""
    if "input_path" in entry:
        return _records(read_table(entry["input_path"])), _records(read_table(entry["output_path"]))
    return _rows(json.loads(entry["input"])), _answers(json.loads(entry["output"]))


def _rows(value: Any) -> _Rows:
    """An object of values is a row; an object of lists of one length is a table by columns."""
    given = as_object(value) or {}
    lists = [as_list(item) for item in given.values()]
    lengths = {len(items) for items in lists if items is not None}
    if given and None not in lists and len(lengths) == 1:
        return [dict(zip(given, row, strict=True)) for row in zip(*given.values(), strict=True)]
    if not given or lengths or any(as_object(item) is not None for item in given.values()):
        raise ContractError("the input is neither an object of values nor one of lists of one length")
    return [given]


def _answers(value: Any) -> _Rows:
    """An answer for each row, by name; one without a name is under the empty one."""
    found = as_object(value)
    if found is not None:
        return _rows(found)
    items = as_list(value)
    return [as_object(item) or {"": item} for item in (items if items is not None else [value])]


def _records(frame: Any) -> _Rows:
    lists = {str(name): _values(frame[name]) for name in frame.columns}
    return [dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True)]


def _values(column: Any) -> list[Any]:
    """A column as JSON's own types; what is missing is None."""
    pairs = zip(column.astype(object).tolist(), column.isna().tolist(), strict=True)
    return [None if missing else value for value, missing in pairs]


def _output_name(message: dict[str, Any], outputs: Any, answers: _Rows) -> str | None:
    """The column of the output that training kept and the model answers with; the configuration's first choice."""
    if outputs is None:
        return None
    kept = list(map(str, outputs.columns))
    answered = {name for answer in answers for name in answer}
    named: list[str] = message["output_columns"] or []
    wanted = [name for name in named if name in kept] or kept
    common = [name for name in wanted if name in answered]
    if common:
        return common[0]
    # A bare number has no name: it can only be the one column there is.
    return kept[0] if len(kept) == 1 and (not answers or answered == {""}) else None
