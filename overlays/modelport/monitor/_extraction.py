"""What of a request are features, what of an answer is the output: the shapes that model servers agree on."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from modelport.monitor._bodies import SkipError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Extractor", "features_extractor", "output_extractor", "predictions_of"]

Extractor: TypeAlias = str | Callable[[Any], object] | None
"""A field's name, a function of the parsed body, or None for the shapes that are known."""

# TensorFlow Serving and KServe 1, Seldon and the Open Inference Protocol, MLflow.
_FEATURE_FIELDS = ("features", "instances", "inputs", "dataframe_records", "dataframe_split")
_OUTPUT_FIELDS = ("predictions", "prediction", "outputs", "output")


def features_extractor(given: Extractor) -> Callable[[Any], object]:
    """Features out of a request's parsed body: by default its field of that kind, or all of it.

    Tables and tensors become lists of rows.
    """
    if callable(given):
        return given
    return _Field(_FEATURE_FIELDS, given, tensor=_tensor_rows)


def output_extractor(given: Extractor) -> Callable[[Any], object]:
    """The output out of a response's parsed body: by default its field of that kind, or all of it."""
    if callable(given):
        return given
    return _Field(_OUTPUT_FIELDS, given, tensor=_tensor_items)


class _Field:
    def __init__(
        self, known: tuple[str, ...], name: str | None, *, tensor: Callable[[dict[str, Any]], list[Any]]
    ) -> None:
        self._names = known if name is None else (name,)
        self._required = name is not None
        self._tensor = tensor

    def __call__(self, body: Any) -> object:
        fields = cast("dict[str, object]", body) if isinstance(body, dict) else {}
        for name in self._names:
            if name in fields:
                return _normal(fields[name], self._tensor)
        if self._required:
            raise SkipError("no_field", f"no field {self._names[0]!r} in the body")
        return cast("object", body)


def predictions_of(prediction_id: str, features: object, output: object) -> list[tuple[str, object, object]]:
    """Id, features and output of each prediction: one a row, where `features` are rows and `output` has as many items.

    Of several, each gets its number behind the id.
    """
    if not _are_rows(features) or not isinstance(output, (list, tuple)):
        return [(prediction_id, features, output)]
    rows, answers = cast("Sequence[object]", features), cast("Sequence[object]", output)
    if len(rows) != len(answers):
        return [(prediction_id, features, output)]
    ids = [prediction_id] if len(rows) == 1 else [f"{prediction_id}/{number}" for number in range(len(rows))]
    return list(zip(ids, rows, answers, strict=True))


def _are_rows(value: object) -> bool:
    if not isinstance(value, (list, tuple)) or not value:
        return False
    items = cast("Sequence[object]", value)
    return all(isinstance(item, (list, tuple, dict)) for item in items)


def _normal(value: object, tensor: Callable[[dict[str, Any]], list[Any]]) -> object:
    """Tables and tensors as lists of rows; anything else as it is."""
    if isinstance(value, dict):
        table = cast("dict[str, Any]", value)
        if table.keys() >= {"columns", "data"}:
            return [dict(zip(table["columns"], row, strict=True)) for row in table["data"]]
        return _transposed(table) if _are_columns(table) else table
    if _are_tensors(value):
        tensors = cast("list[dict[str, Any]]", value)
        if len(tensors) == 1:
            return tensor(tensors[0])
        return _transposed({str(item["name"]): _tensor_items(item) for item in tensors})
    return value


def _are_columns(table: dict[str, Any]) -> bool:
    if not table or not all(isinstance(column, list) for column in table.values()):
        return False
    return len({len(column) for column in table.values()}) == 1


def _transposed(columns: dict[str, list[Any]]) -> list[dict[str, object]]:
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _are_tensors(value: object) -> bool:
    if not isinstance(value, list) or not value:
        return False
    return all(
        isinstance(item, dict) and cast("dict[str, object]", item).keys() >= {"name", "shape", "data"}
        for item in cast("list[object]", value)
    )


def _tensor_rows(tensor: dict[str, Any]) -> list[Any]:
    """One list per row; a tensor of one dimension is one row."""
    items = _tensor_items(tensor)
    if len(tensor["shape"]) == 1:
        return items
    return [item if isinstance(item, list) else [item] for item in items]


def _tensor_items(tensor: dict[str, Any]) -> list[Any]:
    """One item per row: a value where a row holds one, else a list."""
    count, *rest = cast("list[int]", tensor["shape"])
    width = math.prod(rest)
    data = _flat(tensor["data"])
    if len(data) != count * width:
        raise SkipError("no_field", f"tensor {tensor['name']!r} has {len(data)} values for {tensor['shape']}")
    return data if width == 1 else [data[start : start + width] for start in range(0, len(data), width)]


def _flat(data: list[Any]) -> list[Any]:
    """The protocol allows tensors to be nested or flat."""
    while data and isinstance(data[0], list):
        data = [item for row in data for item in row]
    return data
