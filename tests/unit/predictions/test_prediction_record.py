from __future__ import annotations

import datetime as dt
import enum
import json
import math
import uuid
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import polars as pl
import pydantic
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from modelport._plain import MAX_LEVELS, plain
from modelport.monitor._prediction_ids import prediction_ids
from modelport.monitor._request_path import frozen
from modelport.predictions import GroundTruth, Prediction
from modelport.predictions._frame_maker import FrameMaker
from modelport.predictions._queued import Full
from modelport.predictions._record import to_json_line
from modelport.predictions.reading._lines import decode_line
from tests.unit.predictions.records import Panics, nested

scalars = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.floats().map(np.float64) | st.just(pd.NA)
    | st.floats(width=32).map(np.float32) | st.integers(-128, 127).map(np.int8) | st.binary() | st.dates() | st.uuids()
)  # fmt: skip
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner) | st.tuples(inner, inner),
    max_leaves=12,
)


def made(features: object, output: object = 1, **fields: Any) -> Prediction:
    queued = Full(
        frozen(features), output, "id", fields.get("timestamp", 5), fields.get("request_body"), fields.get("segments"),
        fields.get("attributions"),
    )  # fmt: skip
    errors: list[Exception] = []
    maker = FrameMaker("e", "1", fields.get("names"), errors.append)
    frames = maker.make([queued])
    if errors:
        raise errors[0]
    (record,) = frames[0].records()
    assert isinstance(record, Prediction)
    return record


class Home(pydantic.BaseModel):
    city: str


class Features(pydantic.BaseModel):
    age: int
    home: Home


class Colour(str, enum.Enum):  # noqa: UP042 - what people have from before StrEnum
    RED = "red"


def reject_constant(text: str) -> None:
    message = f"{text} is not JSON"
    raise AssertionError(message)


@given(values, values, values)
@example({"a": math.nan, "b": math.inf}, -math.inf, "\ud800")
@example([2**70], 1, None)
def test_any_value_becomes_one_line_of_strict_json_and_comes_back(
    features: object, output: object, body: object
) -> None:
    line = to_json_line(made(features, output, request_body=body))

    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert json.loads(line, parse_constant=reject_constant)["prediction_id"] == "id"
    assert to_json_line(decode_line(line)) == line


def test_nan_is_null_and_infinities_are_text_that_float_reads() -> None:
    line = to_json_line(made({"a": math.nan, "b": math.inf, "c": -math.inf}))

    features = json.loads(line)["features"]
    assert features == {"a": None, "b": "Infinity", "c": "-Infinity"}
    assert float(features["c"]) == -math.inf


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.float32(0.5), 0.5),
        (np.int64(3), 3),
        (np.bool_(True), True),
        (np.array([1, 2]), [1, 2]),
        (np.array(2.5), 2.5),
        (np.datetime64("2026-01-02"), "2026-01-02"),
        (pd.NaT, None),
        (pd.Timestamp("2026-01-02"), "2026-01-02T00:00:00"),
        (pd.Series({"a": 1}), {"a": 1}),
        (pl.Series([1.5, None]), [1.5, None]),
        ({1: (np.int8(1),)}, {"1": [1]}),
        ({None: 1, 1.5: 2, True: 3, (1, "a"): 4}, {"null": 1, "1.5": 2, "true": 3, '[1,"a"]': 4}),
        ({b"\xff": {dt.date(2026, 1, 2): 1}}, {"/w==": {"2026-01-02": 1}}),
        (Colour.RED, "red"),
        ({Colour.RED: 1}, {"red": 1}),
        (Features(age=41, home=Home(city="Ghent")), {"age": 41, "home": {"city": "Ghent"}}),
    ],
)
def test_foreign_values_become_plain_ones(value: object, expected: object) -> None:
    result = plain(value)

    assert result == expected
    assert type(result) is type(expected)


@pytest.mark.parametrize("value", [object(), 1j, {object(): 3}, {(1, 1j): 3}, [object()], print, Panics()])
def test_what_has_no_json_form_is_a_type_error(value: object) -> None:
    with pytest.raises(TypeError):
        plain(value)


def test_a_container_that_holds_itself_is_an_error_and_not_a_crash() -> None:
    loop: list[object] = []
    loop.append(loop)

    with pytest.raises(ValueError, match="containers lie in each other"):
        plain(loop)


def test_containers_may_lie_in_each_other_as_deep_as_readers_can_follow() -> None:
    assert plain(nested(MAX_LEVELS)) == nested(MAX_LEVELS)
    with pytest.raises(ValueError, match=str(MAX_LEVELS)):
        plain(nested(MAX_LEVELS + 1))
    with pytest.raises(ValueError, match=str(MAX_LEVELS)):
        plain({"a": np.array([nested(MAX_LEVELS - 1), None], object)})


def test_plain_containers_are_not_shared_with_the_caller() -> None:
    features = {"a": [1]}

    record = made(features)
    features["a"].append(2)

    assert record.features == {"a": [1]}


@pytest.mark.parametrize(
    "features",
    [
        [1.0, 2.0],
        (1.0, 2.0),
        np.array([1.0, 2.0]),
        np.array([[1.0, 2.0]]),
        [[1.0, 2.0]],
        pd.DataFrame([{"a": 1.0, "b": 2.0}]),
    ],
)
def test_a_row_in_any_form_gets_the_baselines_names(features: object) -> None:
    assert made(features, names=("a", "b")).features == {"a": 1.0, "b": 2.0}


def test_a_row_of_the_wrong_length_stays_a_list() -> None:
    assert made([1, 2, 3], names=("a", "b")).features == [1, 2, 3]


SQUARE = [{"a": 1.0, "b": 2.0}, {"a": 3.0, "b": 4.0}]


@pytest.mark.parametrize(
    "table",
    [SQUARE, [[1.0, 2.0], [3.0, 4.0]], ((1.0, 2.0), (3.0, 4.0)), np.array([[1.0, 2.0], [3.0, 4.0]]),
     pd.DataFrame(SQUARE), [{"a": 1.0, "b": 2.0}, [3.0, 4.0]]],
    ids=["mappings", "lists", "tuples", "array", "frame", "both"],
)  # fmt: skip
def test_a_table_of_as_many_rows_as_there_are_features_is_no_row(table: object) -> None:
    assert made(table, names=("a", "b")).features == SQUARE


def test_rows_of_a_table_that_names_do_not_fit_stay_lists_and_the_others_get_theirs() -> None:
    assert made([[1.0], [1.0, 2.0], [1.0, 2.0, 3.0]], names=("a", "b")).features == [
        [1.0], {"a": 1.0, "b": 2.0}, [1.0, 2.0, 3.0],
    ]  # fmt: skip


def test_values_that_are_lists_are_values_of_one_row() -> None:
    assert made([[1.0, 2.0, 3.0], [4.0]], names=("a", "b")).features == {"a": [1.0, 2.0, 3.0], "b": [4.0]}


@pytest.mark.parametrize(
    ("body", "expected"), [(b'{"a": 1}', '{"a": 1}'), (b"\xff", "/w=="), (bytearray(b"x"), "x"), ({"a": 1}, {"a": 1})]
)
def test_a_body_of_bytes_is_text_where_it_can_be(body: object, expected: object) -> None:
    assert made([1], request_body=body).request_body == expected


@pytest.mark.parametrize(
    ("given_time", "expected"),
    [
        (7, 7),
        (np.int64(7), 7),
        (1.5, 1_500_000_000),
        (dt.datetime(1970, 1, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=1))), 0),
    ],
)
def test_times_are_nanoseconds_seconds_or_aware(given_time: object, expected: int) -> None:
    assert made([1], timestamp=given_time).timestamp_ns == expected


@pytest.mark.parametrize("bad", [math.nan, dt.datetime(2026, 1, 1), "now"])  # noqa: DTZ001
def test_other_times_are_refused(bad: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        made([1], timestamp=bad)


def test_a_collectors_tab_separated_line_is_read() -> None:
    line = b"2026-01-01T00:00:00Z\tmodels.predictions.e.p\t" + to_json_line(made({"a": 1}))

    record = decode_line(line)
    assert isinstance(record, Prediction)
    assert record.features == {"a": 1}


def test_a_ground_truth_is_a_line_with_a_label_and_no_features() -> None:
    truth = GroundTruth(prediction_id="id", timestamp_ns=5, endpoint="e", label=None)

    line = to_json_line(truth)

    assert json.loads(line) == {"prediction_id": "id", "timestamp_ns": 5, "endpoint": "e", "label": None}
    assert decode_line(line) == truth


@pytest.mark.parametrize(
    "attributions",
    [
        {"a": 0.5, "b": -1},
        [0.5, -1],
        (0.5, -1.0),
        np.array([0.5, -1.0]),
        np.array([[0.5, -1.0]]),
        pd.Series({"a": 0.5, "b": -1}),
    ],
)
def test_attributions_in_any_form_are_numbers_by_name(attributions: object) -> None:
    assert made([1, 2], names=("a", "b"), attributions=attributions).attributions == {"a": 0.5, "b": -1.0}


def test_an_attribution_that_is_not_a_number_survives_a_line_of_json() -> None:
    record = made([1], attributions={"a": math.nan, "b": 1.0})

    read = decode_line(to_json_line(record))

    assert isinstance(read, Prediction)
    assert read.attributions is not None
    assert math.isnan(read.attributions["a"])
    assert read.attributions["b"] == 1.0


@pytest.mark.parametrize("attributions", [[1.0], "x", {"a": "much"}, 5])
def test_other_attributions_are_refused(attributions: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        made([1, 2], names=("a", "b"), attributions=attributions)


@pytest.mark.parametrize("line", [b"", b"{", b"null", b"[]", b"{}", b'{"prediction_id": 3}', b"\xff\n"])
def test_other_lines_are_decode_errors(line: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_line(line)


def test_ids_look_like_random_uuids_and_never_repeat() -> None:
    first, second = prediction_ids(), prediction_ids()

    ids = [next(first) for _ in range(5000)] + [next(second) for _ in range(5000)]

    assert len(set(ids)) == len(ids)
    assert {uuid.UUID(text).version for text in ids} == {4}
    assert {str(uuid.UUID(text)) for text in ids} == set(ids)
