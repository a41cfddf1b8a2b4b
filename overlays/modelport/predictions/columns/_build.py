"""From records to an Arrow table."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from modelport._extras import require
from modelport.predictions._record import GroundTruth
from modelport.predictions.columns._arrays import to_array
from modelport.predictions.columns._kinds import Kind, all_fit, canonical_json, encode_json, fits, kind_of, to_cell
from modelport.predictions.columns._layout import ATTRIBUTION, FEATURE, SEGMENT, Layout, named

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelport._plain import JsonValue
    from modelport.predictions._record import Prediction, Record

__all__ = ["schema_of", "to_batch", "to_table"]

_INT64 = 2**63
_VERSION = "1"


def to_table(records: Sequence[Record], layout: Layout | None = None) -> Any:
    """`records` as a ``pyarrow.Table``; the columns are those of `layout`, by default just what the records need.

    A record that does not fit its columns is not changed: its columns hold what they can, and ``other_json`` holds
    the whole of the field.

    Raises:
        MissingExtraError: pyarrow is not installed.
    """
    pa: Any = require("pyarrow", "parquet")
    layout = layout or Layout.of(records)
    return pa.Table.from_batches([to_batch(records, layout)], schema=schema_of(layout))


def to_batch(records: Sequence[Record], layout: Layout) -> Any:
    """`records` as one ``pyarrow.RecordBatch`` with the columns of `layout`."""
    pa: Any = require("pyarrow", "parquet")
    schema = schema_of(layout)
    columns = _columns(records, layout)
    arrays = [to_array(columns[field.name], field.type) for field in schema]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def schema_of(layout: Layout) -> Any:
    """The ``pyarrow.Schema`` of `layout`."""
    pa: Any = require("pyarrow", "parquet")
    text = pa.string()
    fields = [
        pa.field("prediction_id", text),
        # Microseconds and the exact number beside it: Spark refuses any file with a nanosecond timestamp in it.
        pa.field("timestamp", pa.timestamp("us", "UTC")),
        pa.field("timestamp_ns", pa.int64()),
        pa.field("endpoint", text),
    ]
    if layout.predictions:
        fields += [pa.field("model_version", text), _field(pa, "output", layout.output), pa.field("request_body", text)]
        sparse = layout.sparse()
        fields += [
            _field(pa, FEATURE + name, layout.features[name], sparse=name in sparse) for name in layout.feature_names()
        ]
        fields += [pa.field(SEGMENT + name, text) for name in sorted(layout.segments)]
        fields += [pa.field(ATTRIBUTION + name, pa.float64()) for name in sorted(layout.attributions)]
    if layout.labels:
        fields.append(_field(pa, "label", layout.label))
    fields.append(pa.field("other_json", text))
    return pa.schema(fields, {"modelport.version": _VERSION, "modelport.features": _form(layout)})


def _form(layout: Layout) -> str:
    return "mapping" if layout.list_length is None else "list"


def _field(pa: Any, name: str, kind: Kind, *, sparse: bool = False) -> Any:
    if kind is Kind.BOOL:
        type_ = pa.bool_()
    elif kind in {Kind.TEXT, Kind.INFINITY, Kind.JSON, Kind.MIXED}:
        type_ = pa.string()
    else:
        type_ = pa.float64()
    marks = {"modelport.kind": kind.value}
    if sparse:
        marks["modelport.null"] = "absent"
    return pa.field(name, type_, metadata=marks)


def _columns(records: Sequence[Record], layout: Layout) -> dict[str, Sequence[Any]]:
    others: list[dict[str, Any]] = [{} for _ in records]
    times = [record.timestamp_ns for record in records]
    for other, time in zip(others, times, strict=True):
        if not -_INT64 <= time < _INT64:
            other["timestamp_ns"] = time
    exact = [time if -_INT64 <= time < _INT64 else None for time in times]
    columns: dict[str, Sequence[Any]] = {
        "prediction_id": [record.prediction_id for record in records],
        "timestamp": [None if time is None else time // 1000 for time in exact],
        "timestamp_ns": exact,
        "endpoint": [record.endpoint for record in records],
    }
    if layout.predictions:
        columns |= _prediction_columns(
            [record for record in records if not isinstance(record, GroundTruth)], layout, others
        )
    if layout.labels:
        columns["label"] = _value_column("label", [record.label for record in records], layout.label, others)
    columns["other_json"] = [canonical_json(other) if other else None for other in others]
    return columns


def _prediction_columns(
    records: Sequence[Prediction], layout: Layout, others: Sequence[dict[str, Any]]
) -> dict[str, Sequence[Any]]:
    columns: dict[str, Sequence[Any]] = {
        "model_version": [record.model_version for record in records],
        "output": _value_column("output", [record.output for record in records], layout.output, others),
        "request_body": [
            None if record.request_body is None else encode_json(record.request_body) for record in records
        ],
    }
    columns |= _feature_columns(records, layout, others)
    for name in layout.segments:
        columns[SEGMENT + name] = [(record.segments or {}).get(name) for record in records]
    for name in layout.attributions:
        columns[ATTRIBUTION + name] = [
            to_cell(Kind.NUMBER, (record.attributions or {}).get(name)) for record in records
        ]
    for record, other in zip(records, others, strict=True):
        _note_labels_that_have_no_column(record, layout, other)
    return columns


def _value_column(
    name: str, values: Sequence[JsonValue], kind: Kind, others: Sequence[dict[str, Any]]
) -> Sequence[JsonValue]:
    if all_fit(kind, values):
        return values
    for value, other in zip(values, others, strict=True):
        if not fits(kind, value):
            other[name] = value
    return [to_cell(kind, value) for value in values]


def _feature_columns(
    records: Sequence[Prediction], layout: Layout, others: Sequence[dict[str, Any]]
) -> dict[str, Sequence[JsonValue]]:
    kinds = layout.features
    rows = [named(record.features) for record in records]
    shape, sparse = (dict if layout.list_length is None else list), layout.sparse()
    usual = kinds.keys() - sparse
    most = usual if shape is list else kinds.keys()
    # Rows that their columns do not say, or do not say exactly.
    untold = {
        place
        for place, (record, row) in enumerate(zip(records, rows, strict=True))
        if type(record.features) is not shape or (row.keys() != most and not usual <= row.keys() <= most)
    }
    columns: dict[str, Sequence[JsonValue]] = {}
    for name, kind in kinds.items():
        values = [row.get(name) for row in rows]
        if name in sparse:
            untold.update(place for place, row in enumerate(rows) if kind_of(row.get(name, 0)) is Kind.EMPTY)
        if not all_fit(kind, values):
            untold.update(place for place, value in enumerate(values) if not fits(kind, value))
            values = [to_cell(kind, value) for value in values]
        columns[FEATURE + name] = values
    for place in untold:
        others[place]["features"] = records[place].features
    return columns


def _is_told(attribution: float) -> bool:
    # NaN is null in its column, as is an attribution that is not there.
    return not math.isnan(attribution)


def _note_labels_that_have_no_column(record: Prediction, layout: Layout, other: dict[str, Any]) -> None:
    segments, attributions = record.segments, record.attributions
    if segments is not None and (not segments or not segments.keys() <= layout.segments):
        other["segments"] = segments
    if attributions is not None and not (
        attributions and attributions.keys() <= layout.attributions and all(map(_is_told, attributions.values()))
    ):
        other["attributions"] = attributions
