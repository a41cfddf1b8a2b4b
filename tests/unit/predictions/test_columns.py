"""Records as typed columns: nothing is lost, whatever the values are, and engines see plain columns."""

from __future__ import annotations

import io
import math
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelport.predictions import Prediction
from modelport.predictions.columns import Layout, from_batch, read_parquet, to_batch, to_parquet, to_table
from modelport.predictions.columns._arrays import to_array
from modelport.predictions.columns._kinds import Kind, kind_of, shared

from .records import START_NS, logged, prediction, predictions, truth, truths, values

kinds = st.sampled_from(list(Kind))


def through_parquet(records: list[Any]) -> list[Any]:
    return list(read_parquet(io.BytesIO(to_parquet(records))))


def same(left: Any, right: Any) -> bool:
    """Equal, where an infinity and the text that stands for it in JSON are one, and true is not 1."""
    if isinstance(left, dict):
        return isinstance(right, dict) and left.keys() == right.keys() and all(same(left[n], right[n]) for n in left)
    if isinstance(left, list):
        return isinstance(right, list) and len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, float) and isinstance(right, float) and math.isnan(left):
        return math.isnan(right)
    for one, other in ((left, right), (right, left)):
        if isinstance(one, str) and isinstance(other, float):
            return one == {math.inf: "Infinity", -math.inf: "-Infinity"}.get(other)
    return bool(left == right)


@given(st.lists(predictions, min_size=1, max_size=8))
def test_predictions_come_back_from_parquet_as_their_lines_say_them(records: list[Prediction]) -> None:
    said = [logged(record) for record in records]

    back = through_parquet(said)

    assert [record.as_dict() for record in back if not isinstance(record, Prediction)] == []
    for left, right in zip(said, back, strict=True):
        assert same(left.as_dict(), right.as_dict()), (left, right)


@given(st.lists(truths, min_size=1, max_size=8))
def test_ground_truth_comes_back_from_parquet_as_its_lines_say_it(records: list[Any]) -> None:
    said = [logged(record) for record in records]

    for left, right in zip(said, through_parquet(said), strict=True):
        assert same(left.as_dict(), right.as_dict()), (left, right)


@given(st.lists(predictions, min_size=1, max_size=4), st.lists(predictions, max_size=4))
def test_what_the_layout_has_not_seen_is_lost_neither(seen: list[Prediction], unseen: list[Prediction]) -> None:
    said = [logged(record) for record in [*seen, *unseen]]
    layout = Layout.of(said[: len(seen)])

    back = list(from_batch(to_batch(said, layout)))

    for left, right in zip(said, back, strict=True):
        assert same(left.as_dict(), right.as_dict()), (left, right)


@given(kinds, kinds, kinds)
def test_the_kind_of_a_column_does_not_depend_on_the_order_of_its_values(a: Kind, b: Kind, c: Kind) -> None:
    assert shared(a, b) == shared(b, a)
    assert shared(shared(a, b), c) == shared(a, shared(b, c))
    assert shared(a, a) == a


@given(st.lists(values, max_size=5), st.randoms(use_true_random=False))
def test_a_table_has_the_same_columns_in_whatever_order_its_records_came(items: list[Any], random: Any) -> None:
    records = [logged(prediction(number, features={"x": item, "y": 1})) for number, item in enumerate(items)]
    mixed = random.sample(records, len(records))

    assert to_table(records).schema.equals(to_table(mixed).schema, check_metadata=True)


@pytest.mark.parametrize(
    ("column", "type_", "cells"),
    [
        ([41, 42], pa.float64(), [41.0, 42.0]),
        ([41, 41.5, None], pa.float64(), [41.0, 41.5, None]),
        ([1.0, math.nan, math.inf], pa.float64(), [1.0, None, math.inf]),
        ([1.0, "Infinity", "-Infinity"], pa.float64(), [1.0, math.inf, -math.inf]),
        (["Infinity", "a"], pa.string(), ["Infinity", "a"]),
        ([True, None, False], pa.bool_(), [True, None, False]),
        (["a", None], pa.string(), ["a", None]),
        ([None, None], pa.float64(), [None, None]),
        (["a", 1, True], pa.string(), ["a", "1", "true"]),
        ([1, True], pa.string(), ["1", "true"]),
        ([[1, 2], {"a": None}], pa.string(), ["[1,2]", '{"a":null}']),
        ([2**53 + 1], pa.float64(), [float(2**53)]),
        ([10**400, 1], pa.float64(), [math.inf, 1.0]),
    ],
)
def test_each_feature_is_one_typed_column(column: list[Any], type_: pa.DataType, cells: list[Any]) -> None:
    table = to_table([prediction(number, features={"x": value}) for number, value in enumerate(column)])

    assert table.schema.field("feature_x").type == type_
    assert table["feature_x"].to_pylist() == cells


def test_lists_are_numbered_columns_in_order_of_position() -> None:
    table = to_table([prediction(features=list(range(12)))])

    assert [name for name in table.column_names if name.startswith("feature_")] == [f"feature_{n}" for n in range(12)]
    assert next(from_batch(table.to_batches()[0])) == prediction(features=list(range(12)))


def test_the_columns_of_a_table_of_predictions() -> None:
    record = prediction(
        features={"b": 1, "a": "x"},
        model_version="3",
        request_body={"q": 1},
        segments={"country": "SG"},
        attributions={"b": 0.25},
        timestamp_ns=START_NS + 123_456_789,
    )
    table = to_table([record])

    assert table.column_names == [
        "prediction_id",
        "timestamp",
        "timestamp_ns",
        "endpoint",
        "model_version",
        "output",
        "request_body",
        "feature_a",
        "feature_b",
        "segment_country",
        "attribution_b",
        "other_json",
    ]
    assert table.schema.field("timestamp").type == pa.timestamp("us", "UTC")
    assert table["timestamp_ns"].to_pylist() == [START_NS + 123_456_789]
    assert table["request_body"].to_pylist() == ['{"q":1}']
    assert table["other_json"].to_pylist() == [None]


def test_a_time_beyond_64_bits_is_kept_beside_its_column() -> None:
    far = prediction(timestamp_ns=2**70)

    assert through_parquet([far]) == [far]


@pytest.mark.parametrize("huge", [10**400, -(10**400)])
def test_a_whole_number_beyond_the_floats_is_kept_beside_its_column(huge: int) -> None:
    records = [
        prediction(0, features={"n": huge}),
        prediction(1, features={"n": 3}),
        prediction(2, features={"n": [1, huge]}, output=huge),
    ]

    assert through_parquet(records) == records
    assert through_parquet(records[:2]) == records[:2]
    assert through_parquet([prediction(features=[1, 2, huge])]) == [prediction(features=[1, 2, huge])]


def test_a_file_that_another_program_has_rewritten_is_read() -> None:
    rows = pa.table(
        {
            "prediction_id": ["a"],
            "timestamp": pa.array([START_NS // 1000], pa.timestamp("us", "UTC")),
            "endpoint": ["churn"],
            "feature_age": pa.array([41], pa.int32()),
            "output": [0.5],
        }
    )
    file = io.BytesIO()
    pq.write_table(rows, file)

    assert list(read_parquet(io.BytesIO(file.getvalue()))) == [
        prediction(prediction_id="a", timestamp_ns=START_NS, features={"age": 41})
    ]


def test_a_parquet_file_of_something_else_is_told() -> None:
    file = io.BytesIO()
    pq.write_table(pa.table({"x": [1]}), file)

    with pytest.raises(KeyError, match="not a file of predictions"):
        list(read_parquet(io.BytesIO(file.getvalue())))


def test_kinds_of_values() -> None:
    assert [kind_of(value) for value in (None, math.nan, True, 1, 1.0, "a", "Infinity", [], {})] == [
        Kind.EMPTY,
        Kind.EMPTY,
        Kind.BOOL,
        Kind.INT,
        Kind.NUMBER,
        Kind.TEXT,
        Kind.INFINITY,
        Kind.JSON,
        Kind.JSON,
    ]


def told_beside(records: list[Any]) -> list[int]:
    """The places of the records that columns alone do not say."""
    assert through_parquet(records) == records
    return [place for place, other in enumerate(to_table(records)["other_json"].to_pylist()) if other is not None]


@pytest.mark.parametrize(
    ("odd", "is_told_beside"),
    [
        ({"agee": 1, "plan": "a", "gap": 1}, False),
        ({"age": 1, "gap": None}, False),
        ({"age": 1, "plan": "a"}, True),
        ({"age": 1, "plan": 2, "gap": None}, True),
        ({}, True),
        ([1, 2], True),
        (None, True),
    ],
)
def test_one_odd_record_makes_no_other_be_told_twice(odd: Any, is_told_beside: bool) -> None:
    usual = [prediction(n, features={"age": n, "plan": "a", "gap": None}) for n in range(20)]
    records = [*usual, prediction(20, features=odd)]

    assert told_beside(usual) == []
    assert told_beside(records) == ([20] if is_told_beside else [])
    assert told_beside(records[::-1]) == ([0] if is_told_beside else [])


def test_a_feature_that_comes_on_the_way_is_told_by_its_column() -> None:
    before = [prediction(n, features={"age": n}) for n in range(20)]
    after = [prediction(n, features={"age": n, "plan": "a"}) for n in range(5)]
    null = [prediction(n, features={"age": n, "plan": None}) for n in range(3)]

    assert told_beside([*before, *after]) == []
    assert told_beside([*before, *after, *null]) == [25, 26, 27]
    assert told_beside([*after, *null]) == []
    assert to_table([*before, *after])["feature_plan"].null_count == 20


def test_a_list_of_another_length_is_no_row_and_makes_no_other_be_told_twice() -> None:
    lists = [prediction(n, features=[float(n), None]) for n in range(20)]

    assert told_beside(lists) == []
    for odd in ([1.0], [1.0, 2.0, 3.0], [], {"0": 1.0, "1": 2.0}, {"age": 1}):
        assert told_beside([*lists, prediction(20, features=odd)]) == [20]
        assert told_beside([prediction(20, features=odd), *lists]) == [0]


@pytest.mark.parametrize(
    ("cells", "type_"),
    [
        (["a", "ä€𝄞", "", None], pa.string()),
        (["a", ""], pa.string()),
        ([None, None], pa.string()),
        ([], pa.string()),
        ([1.5, math.inf, -math.inf, None, 3], pa.float64()),
        ([1.5, -0.0], pa.float64()),
        ([2**63 - 1, -(2**63), None], pa.int64()),
        ([True, False, None] * 5, pa.bool_()),
        ([True, False] * 5, pa.bool_()),
        ([0, None, 1], pa.timestamp("us", "UTC")),
    ],
)
def test_arrays_are_those_that_pyarrow_makes(cells: list[Any], type_: pa.DataType) -> None:
    made = to_array(cells, type_)
    made.validate(full=True)

    assert made.equals(pa.array(cells, type_))


def test_nan_becomes_null_in_an_array() -> None:
    assert to_array([1.0, math.nan, None], pa.float64()).to_pylist() == [1.0, None, None]
    assert to_array([math.inf, -math.inf], pa.float64()).to_pylist() == [math.inf, -math.inf]


def test_labels_have_a_column_only_where_they_are_asked_for() -> None:
    assert "label" not in to_table([prediction()]).column_names
    assert to_table([truth(label=1), truth(label=0.5)], Layout.of([truth(label=0.5)], labels=True, predictions=False))[
        "label"
    ].to_pylist() == [1.0, 0.5]


def test_only_columns_that_repeat_their_values_have_a_dictionary() -> None:
    records = [
        prediction(
            n, features={"age": 20 + n % 50, "score": n / 7, "plan": "ab"[n % 2], "when": "x", "a.b": 1.5}, output=n / 3
        )
        for n in range(1000)
    ]

    group = pq.ParquetFile(io.BytesIO(to_parquet(records))).metadata.row_group(0)

    columns = [group.column(place) for place in range(group.num_columns)]
    encoded = {column.path_in_schema for column in columns if column.has_dictionary_page}
    assert {"feature_age", "feature_plan", "feature_when", "feature_a.b", "endpoint"} <= encoded
    assert not {"feature_score", "output", "prediction_id", "timestamp_ns"} & encoded
    assert list(read_parquet(io.BytesIO(to_parquet(records)))) == records


def test_only_numbers_with_all_their_digits_are_left_uncompressed() -> None:
    draw = np.random.default_rng(7)
    records = [
        prediction(
            n,
            features={"exact": draw.normal(), "price": round(draw.normal(100, 20), 2), "age": n % 50, "gap": None},
            output=draw.random(),
        )
        for n in range(1000)
    ]

    group = pq.ParquetFile(io.BytesIO(to_parquet(records))).metadata.row_group(0)

    columns = [group.column(place) for place in range(group.num_columns)]
    plain = {column.path_in_schema for column in columns if column.compression == "UNCOMPRESSED"}
    assert plain == {"feature_exact", "output"}
    assert {column.compression for column in columns} == {"UNCOMPRESSED", "ZSTD"}
    assert list(read_parquet(io.BytesIO(to_parquet(records)))) == records


@pytest.mark.parametrize("count", [1, 3, 4096, 5000])
def test_small_files_and_files_beyond_the_sample_are_whole(count: int) -> None:
    records = [prediction(n, features=[n * 0.1, "same"]) for n in range(count)]

    assert list(read_parquet(io.BytesIO(to_parquet(records)))) == records
