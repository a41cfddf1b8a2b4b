"""What a line of a log says: our form, a collector's, Boxkite's, and what a crash leaves."""

from __future__ import annotations

import json
import math
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelport.predictions import GroundTruth, Prediction
from modelport.predictions._record import to_json_line
from modelport.predictions.reading import _lines
from modelport.predictions.reading._lines import decode_line, split_lines

from .records import START_NS, logged, prediction, predictions, truth, truths

BOXKITE: dict[str, Any] = {
    "entity_id": "7f1c",
    "features": [1, 2.5, None],
    "request_body": '{"q": 1}',
    "server_id": "server-1",
    "output": "yes",
    "created_at": 1_772_323_205,
}


@given(predictions | truths)
def test_a_line_is_read_back_as_it_was_written(record: Any) -> None:
    said = logged(record)

    assert type(said) is type(record)
    assert repr(logged(said)) == repr(said)
    assert said.prediction_id == record.prediction_id.encode("utf-8", "replace").decode()


@given(predictions)
def test_a_collectors_form_says_the_same(record: Prediction) -> None:
    line = to_json_line(record)

    assert repr(decode_line(b"2026-03-01T00:00:00Z\tmodels.predictions.churn.pod\t" + line)) == repr(decode_line(line))


@given(st.binary())
def test_any_other_line_is_told_as_such(line: bytes) -> None:
    with pytest.raises((msgspec.DecodeError, UnicodeDecodeError)):
        decode_line(line)


@pytest.mark.parametrize(
    "line",
    [
        b"{}",
        b'{"prediction_id": "a"}',
        b'{"prediction_id": "a", "timestamp_ns": 1}',
        b'{"prediction_id": "a", "timestamp_ns": "1", "features": {}}',
        b'{"prediction_id": "a", "timestamp_ns": 1, "features": {}, "attributions": {"x": "much"}}',
        b'{"entity_id": "a"}',
        b'{"entity_id": "a", "created_at": 1e300, "features": []}',
        b'{"entity_id": "a", "created_at": 1}',
    ],
)
def test_json_that_is_no_record_is_told_as_such(line: bytes) -> None:
    with pytest.raises(msgspec.ValidationError):
        decode_line(line)


def test_the_record_of_boxkite_is_a_prediction() -> None:
    line = json.dumps(BOXKITE).encode()

    # 1772323205 is 2026-03-01T00:00:05Z; the id is the one that Boxkite's log_prediction returns.
    assert decode_line(line, "wild-fog-12") == Prediction(
        prediction_id="server-1/2026-03-01T00:00:05/7f1c",
        timestamp_ns=START_NS + 5_000_000_000,
        endpoint="wild-fog-12",
        features=[1, 2.5, None],
        output="yes",
        request_body='{"q": 1}',
    )


def test_the_endpoint_of_a_boxkite_record_is_in_a_collectors_tag() -> None:
    line = b"2026-03-01T00:00:05Z\tmodels.predictions.wild-fog-12.pod\t" + json.dumps(BOXKITE).encode()

    assert decode_line(line).endpoint == "wild-fog-12"
    assert decode_line(b"t\tshort\t" + json.dumps(BOXKITE).encode()).endpoint == ""


def test_ground_truth_is_what_has_a_label_and_no_features() -> None:
    line = b'{"prediction_id": "p0", "timestamp_ns": 5, "endpoint": "e", "label": null}'

    assert decode_line(line) == GroundTruth(prediction_id="p0", timestamp_ns=5, endpoint="e", label=None)
    assert logged(truth(label=[1])) == truth(label=[1])


def test_attributions_are_numbers_also_where_json_has_no_such_number() -> None:
    record = prediction(attributions={"a": 1.5, "b": math.nan, "c": math.inf})

    assert repr(logged(record).attributions) == "{'a': 1.5, 'b': nan, 'c': inf}"


@given(st.lists(st.binary(max_size=12)), st.integers(1, 7))
def test_lines_do_not_depend_on_how_the_stream_is_cut(lines: list[bytes], size: int) -> None:
    content = b"\n".join(lines)
    chunks = [content[place : place + size] for place in range(0, len(content), size)]

    expected = [
        (number, piece.strip(b"\0 \r")) for number, piece in enumerate(content.split(b"\n"), 1) if piece.strip(b"\0 \r")
    ]
    assert list(split_lines(chunks)) == expected


def test_a_line_too_long_is_told_and_the_next_one_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_lines, "MAX_LINE_BYTES", 10)
    chunks = [b"first\n", b"x" * 8, b"x" * 8, b"x" * 50, b"x\nlast", b""]

    assert list(split_lines(chunks)) == [(1, b"first"), (2, None), (3, b"last")]


def test_the_nuls_of_a_crash_before_a_line_are_no_part_of_it() -> None:
    assert list(split_lines([b"a\n\0\0\0\0b\n\0\0"])) == [(1, b"a"), (2, b"b")]
