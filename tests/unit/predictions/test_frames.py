from __future__ import annotations

import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelport._plain import MAX_LEVELS
from modelport.predictions import FileSink, Frame, FrameError, GroundTruth, Prediction, Record, read_frames
from modelport.predictions._frame_file import iter_frames, pack_frame
from modelport.predictions._frame_maker import FrameMaker, frames_of
from modelport.predictions._queued import Full, Truth
from tests.unit.predictions.records import nested

NAMES = ("a", "b")
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
times = st.integers(-(2**63), 2**63 - 1)
labels = st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=2)
predictions = st.builds(
    Prediction,
    prediction_id=st.text(max_size=5),
    timestamp_ns=times,
    endpoint=st.sampled_from(["e", "f"]),
    # A list of one list is taken for a row, so it would not come back as it was.
    features=json_values.filter(lambda value: not isinstance(value, list) or len(value) != 1),
    output=json_values,
    model_version=st.none() | st.sampled_from(["1", "2"]),
    request_body=json_values,
    segments=st.none() | labels,
    attributions=st.none() | st.dictionaries(st.text(max_size=3), st.floats(allow_nan=False), max_size=2),
)
truths = st.builds(
    GroundTruth, prediction_id=st.text(max_size=5), timestamp_ns=times, endpoint=st.just("e"), label=json_values
)


def prediction(number: int, endpoint: str = "e", time_ns: int | None = None) -> Prediction:
    return Prediction(
        prediction_id=str(number), timestamp_ns=number if time_ns is None else time_ns, endpoint=endpoint,
        features={"a": number}, output=number,
    )  # fmt: skip


def file_of(*counts: int) -> tuple[bytes, list[Record]]:
    records: list[Record] = [prediction(number) for number in range(sum(counts))]
    content, start = b"", 0
    for count in counts:
        (frame,) = frames_of(records[start : start + count])
        content += pack_frame(frame)
        start += count
    return content, records


@given(st.lists(predictions | truths, max_size=30))
def test_any_records_come_back_from_frames_as_they_were(records: list[Record]) -> None:
    content = b"".join(pack_frame(frame) for frame in frames_of(records))

    assert list(read_frames(io.BytesIO(content))) == records


@given(st.lists(predictions, min_size=1, max_size=20), st.integers(0, 20))
def test_the_head_of_a_frame_is_its_first_records(records: list[Record], count: int) -> None:
    (frame, *_) = frames_of(records)

    head = frame.head(count)

    assert head.records() == frame.records()[:count]
    assert head.count == len(head.records())


def test_names_are_stored_once_and_given_to_each_row() -> None:
    maker = FrameMaker("e", "7", NAMES, raised)

    (frame,) = maker.make([([1.0, 2.0], 0, "id", 5), (np.array([3.0, 4.0]), 1, "id", 5)])

    assert frame.payload.count(b"a") <= 2
    assert [record.features for record in only_predictions(frame)] == [{"a": 1.0, "b": 2.0}, {"a": 3.0, "b": 4.0}]
    assert (frame.endpoint, only_predictions(frame)[0].model_version) == ("e", "7")


def test_a_table_logged_as_one_prediction_is_one_record_of_named_rows() -> None:
    maker = FrameMaker("e", None, NAMES, raised)

    (frame,) = maker.make([(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([0.1, 0.2]), "id", 5)])

    (record,) = only_predictions(frame)
    assert record.features == [{"a": 1.0, "b": 2.0}, {"a": 3.0, "b": 4.0}]
    assert record.output == [0.1, 0.2]


def test_a_record_that_refuses_costs_no_other() -> None:
    errors: list[Exception] = []
    maker = FrameMaker("e", None, None, errors.append)
    loop: list[object] = []
    loop.append(loop)
    good: list[Any] = [2**70, "\ud800", {1: np.int8(2)}, {"a": b"\xff"}, {3}]

    (frame,) = maker.make([(value, 0, str(place), 1) for place, value in enumerate([object(), *good, 1j, loop])])

    assert len(errors) == 3
    assert [record.features for record in only_predictions(frame)] == [2**70, "\ufffd", {"1": 2}, {"a": "/w=="}, [3]]
    assert frame.count == 5


@pytest.mark.parametrize(
    "queued",
    [
        lambda value: (msgspec.msgpack.encode(value), 0, "deep", 1),
        lambda value: ({"a": 1, "b": value}, 0, "deep", 1),
        lambda value: ([1], {"scores": value}, "deep", 1),
        lambda value: ([1], value, "deep", 1),
        lambda value: Full([1], 0, "deep", 1, value, None, None),
        lambda value: Truth(value, "deep", 1),
    ],
    ids=["packed", "mapping", "output mapping", "output", "body", "label"],
)
@pytest.mark.parametrize("others", [0, 1])
def test_what_readers_could_not_follow_is_refused_and_costs_no_other(queued: Any, others: int) -> None:
    errors: list[Exception] = []
    maker = FrameMaker("e", None, None, errors.append)
    step = [([2.5] * 400, 0, "flat", 1)] * others

    deepest = maker.make([*step, queued(nested(MAX_LEVELS - 1))])
    refused = maker.make([*step, queued(nested(600))])

    assert [record.prediction_id for frame in deepest for record in frame.records()] == ["flat"] * others + ["deep"]
    assert [record.prediction_id for frame in refused for record in frame.records()] == ["flat"] * others
    assert sum(frame.count for frame in refused) == others
    assert [type(error) for error in errors] == [ValueError]


@pytest.mark.parametrize("levels", [MAX_LEVELS + 1, 600, 5000])
def test_a_record_that_is_nested_too_deeply_is_told_and_costs_no_other(levels: int) -> None:
    (frame,) = frames_of([prediction(0), prediction(1), prediction(2)])
    bomb = b"\x91" * levels + b"\x01"
    payload = frame.payload.replace(msgspec.msgpack.encode({"a": 1}), bomb)
    errors: list[Exception] = []

    content = pack_frame(Frame(payload, 3, 0, 2)) + pack_frame(frame)
    found = list(read_frames(io.BytesIO(content), on_error=lambda _, error: errors.append(error)))

    assert [record.prediction_id for record in found][-3:] == ["0", "1", "2"]
    assert [type(error) for error in errors] == [FrameError]


def test_keys_that_are_no_text_are_read_back_as_what_json_has_for_them() -> None:
    maker = FrameMaker("e", None, None, raised)
    keys = {None: 1, (1, 2): 2, b"\xff": 3, 4: 4}

    (frame,) = maker.make(
        [({"a": keys}, keys, "id", 5), (msgspec.msgpack.encode([keys]), 1, "id", 5), (keys, 1, "id", 5)]
    )

    expected = {"null": 1, "[1,2]": 2, "/w==": 3, "4": 4}
    assert [record.features for record in only_predictions(frame)] == [{"a": expected}, expected, expected]
    assert only_predictions(frame)[0].output == expected


def test_predictions_and_ground_truths_of_a_step_go_into_frames_of_their_own() -> None:
    made = FrameMaker("e", None, None, raised).make([([1], 2, "p", 3), Truth(np.float64(1), "p", 4.0)])

    assert [type(record) for frame in made for record in frame.records()] == [Prediction, GroundTruth]
    assert made[1].records() == [GroundTruth(prediction_id="p", timestamp_ns=4_000_000_000, endpoint="e", label=1.0)]


def test_a_frame_shows_no_values() -> None:
    (frame,) = frames_of([prediction(424242)])

    assert "424242" not in repr(frame)


def test_bytes_that_are_no_frame_are_told() -> None:
    for payload in (b"", b"\xc1", b"\x90", b"\x01"):
        with pytest.raises(FrameError):
            Frame(payload, 1, 0, 0).records()


@given(st.data())
@settings(max_examples=200)
def test_a_file_cut_anywhere_gives_all_whole_frames_before_the_cut(data: st.DataObject) -> None:
    content, records = file_of(3, 1, 4)
    cut = data.draw(st.integers(0, len(content)))
    errors: list[int] = []

    found = list(read_frames(io.BytesIO(content[:cut]), on_error=lambda offset, _: errors.append(offset)))

    ends = [0, 3, 4, 8]
    offsets = [offset for offset, _ in iter_frames(io.BytesIO(content))] + [len(content)]
    whole = max(place for place, offset in enumerate(offsets) if offset <= cut)
    assert found == records[: ends[whole]]
    assert bool(errors) == (cut not in offsets)


@given(st.data())
@settings(max_examples=200)
def test_damage_anywhere_costs_only_the_frame_it_is_in(data: st.DataObject) -> None:
    content, records = file_of(3, 1, 4)
    place = data.draw(st.integers(0, len(content) - 1))
    damaged = bytearray(content)
    damaged[place] ^= data.draw(st.integers(1, 255))
    offsets = [offset for offset, _ in iter_frames(io.BytesIO(content))] + [len(content)]
    hit = max(index for index, offset in enumerate(offsets) if offset <= place)
    errors: list[int] = []

    found = list(read_frames(io.BytesIO(bytes(damaged)), on_error=lambda offset, _: errors.append(offset)))

    spans = [(0, 3), (3, 4), (4, 8)]
    assert found == [
        record for index, (start, end) in enumerate(spans) if index != hit for record in records[start:end]
    ]
    assert errors
    assert errors[0] == offsets[hit]


def test_rubbish_between_frames_is_passed_over() -> None:
    content, records = file_of(2, 2)
    second = [offset for offset, _ in iter_frames(io.BytesIO(content))][1]
    rubbish = b"\0" * 3_000_000 + b"MPF1" * 7

    assert list(read_frames(io.BytesIO(content[:second] + rubbish + content[second:]))) == records


def test_a_file_sink_writes_frames_by_endpoint_and_minute(tmp_path: Path) -> None:
    minute = 60_000_000_000
    sink = FileSink(tmp_path, format="msgpack", logger_id="l", replica_id="r")
    records: list[Record] = [prediction(1), prediction(2, "f"), prediction(3, time_ns=minute), prediction(4)]

    sink.write_frames(frames_of(records[:1]))
    sink.write_frames(frames_of([records[2], records[3]]))  # a frame of two minutes
    sink.write(records[1:2])

    names = sorted(path.relative_to(tmp_path / "models/predictions").as_posix() for path in tmp_path.rglob("*.msgpack"))
    assert names == ["e/1970-01-01/0000_l-r.msgpack", "e/1970-01-01/0001_l-r.msgpack", "f/1970-01-01/0000_l-r.msgpack"]
    folder = tmp_path / "models/predictions/e/1970-01-01"
    assert list(read_frames(folder / "0000_l-r.msgpack")) == [records[0], records[3]]
    assert list(read_frames(folder / "0001_l-r.msgpack")) == [records[2]]
    assert (folder / "0000_l-r.msgpack").stat().st_mode & 0o777 == 0o600


def test_another_format_is_refused() -> None:
    with pytest.raises(ValueError, match="jsonl"):
        FileSink("x", format="csv")  # type: ignore[arg-type]


def raised(error: Exception) -> None:
    raise error


def only_predictions(frame: Frame) -> Sequence[Prediction]:
    records = frame.records()
    assert all(isinstance(record, Prediction) for record in records)
    return records  # type: ignore[return-value]


def test_missing_values_stay_missing() -> None:
    (frame,) = FrameMaker("e", None, NAMES, raised).make([([math.nan, None], math.inf, "id", 5)])

    (record,) = only_predictions(frame)
    assert repr(record.features) == "{'a': nan, 'b': None}"
    assert record.output == math.inf
