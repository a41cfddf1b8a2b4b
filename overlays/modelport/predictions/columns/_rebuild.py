"""From an Arrow record batch back to records."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, cast

import msgspec

from modelport.predictions._record import GroundTruth, Prediction, to_nanoseconds
from modelport.predictions.columns._kinds import Kind
from modelport.predictions.columns._layout import ATTRIBUTION, FEATURE, SEGMENT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from modelport.predictions._record import Record

__all__ = ["from_batch"]

_decode = msgspec.json.decode


def from_batch(batch: Any) -> Iterator[Record]:
    """Yield the records of a ``pyarrow.RecordBatch`` of the columns that `to_batch` makes.

    Files that another program has rewritten are read too: without the marks that say so, whole numbers come back
    as the floats they are stored as, and JSON cells as text.

    Raises:
        KeyError: The batch has no column ``prediction_id``.
    """
    columns = _Columns(batch)
    for row in range(batch.num_rows):
        yield columns.record(row)


class _Columns:
    def __init__(self, batch: Any) -> None:
        schema = batch.schema
        # The timestamp is only there to be looked at, unless another program has left out the exact number.
        unread = {"timestamp"} if "timestamp_ns" in schema.names else set[str]()
        self._values: dict[str, list[Any]] = {
            field.name: _values(field, batch.column(index))
            for index, field in enumerate(schema)
            if field.name not in unread
        }
        if "prediction_id" not in self._values:
            message = "no column prediction_id: not a file of predictions"
            raise KeyError(message)
        self._features = self._with_prefix(FEATURE)
        self._sparse = {
            field.name.removeprefix(FEATURE)
            for field in schema
            if field.name.startswith(FEATURE) and _mark(field, b"modelport.null") == b"absent"
        }
        self._segments = self._with_prefix(SEGMENT)
        self._attributions = self._with_prefix(ATTRIBUTION)
        self._is_list = _mark(schema, b"modelport.features") == b"list"
        self._is_truth = "output" not in self._values and not self._features

    def _with_prefix(self, prefix: str) -> list[tuple[str, list[Any]]]:
        return [(name.removeprefix(prefix), cells) for name, cells in self._values.items() if name.startswith(prefix)]

    def record(self, row: int) -> Record:
        fields: dict[str, Any] = {
            "prediction_id": self._cell("prediction_id", row) or "",
            "timestamp_ns": self._time(row),
            "endpoint": self._cell("endpoint", row) or "",
            "label": self._cell("label", row),
        }
        if not self._is_truth:
            body = self._cell("request_body", row)
            fields |= {
                "model_version": self._cell("model_version", row),
                "output": self._cell("output", row),
                "request_body": None if body is None else _json_or_text(body),
                "features": self._feature_values(row),
                "segments": _present(self._segments, row),
                "attributions": _present(self._attributions, row),
            }
        other = self._cell("other_json", row)
        if other is not None:
            fields |= _decode(other)
            if fields.get("attributions"):
                fields["attributions"] = {
                    name: math.nan if value is None else float(value) for name, value in fields["attributions"].items()
                }
        return GroundTruth(**fields) if self._is_truth else Prediction(**fields)

    def _cell(self, name: str, row: int) -> Any:
        cells = self._values.get(name)
        return None if cells is None else cells[row]

    def _time(self, row: int) -> int:
        exact = self._cell("timestamp_ns", row)
        if exact is not None:
            return int(exact)
        moment = self._cell("timestamp", row)
        return 0 if moment is None else to_nanoseconds(moment)

    def _feature_values(self, row: int) -> Any:
        features = self._features
        if self._sparse:
            features = [(name, cells) for name, cells in features if cells[row] is not None or name not in self._sparse]
        if self._is_list:
            return [cells[row] for _, cells in features]
        return {name: cells[row] for name, cells in features}


def _present(columns: list[tuple[str, list[Any]]], row: int) -> dict[str, Any] | None:
    return {name: cells[row] for name, cells in columns if cells[row] is not None} or None


def _values(field: Any, array: Any) -> list[Any]:
    values = cast("list[Any]", array.to_pylist())
    convert = _CONVERTED.get(_mark(field, b"modelport.kind"))
    return values if convert is None else [None if value is None else convert(value) for value in values]


def _mark(marked: Any, name: bytes) -> bytes:
    marks = cast("dict[bytes, bytes] | None", marked.metadata)
    return (marks or {}).get(name, b"")


def _json_or_text(text: str) -> Any:
    try:
        return _decode(text)
    except msgspec.DecodeError:
        return text


def _whole(number: float) -> float:
    # A whole number beyond the floats is infinite in its column; what it was is in other_json.
    return int(number) if math.isfinite(number) else number


_CONVERTED: dict[bytes, Callable[[Any], Any]] = {
    Kind.INT.value.encode(): _whole,
    Kind.JSON.value.encode(): _json_or_text,
}
