"""Labels that come late, look-up by id, and what has expired."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelport.predictions import (
    ExpiredDataError,
    FileSink,
    ParquetSink,
    Prediction,
    read_ground_truth,
    read_predictions,
)
from modelport.predictions.reading._labels import LabelTable
from modelport.predictions.reading._wanted import time_of_id

from .records import MINUTE_NS, START_NS, prediction, truth, values

START = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
DAY_NS = 24 * 60 * MINUTE_NS


@pytest.mark.parametrize("kind", [FileSink, ParquetSink])
def test_a_label_that_comes_days_after_the_end_is_joined(tmp_path: Path, kind: Any) -> None:
    sink = kind(tmp_path)
    sink.write([prediction(n) for n in range(3)])
    sink.write([truth(1, label="late", timestamp_ns=START_NS + 20 * DAY_NS)])
    sink.close()
    window: Any = {"start": START, "end": START + dt.timedelta(hours=1)}

    assert [item.label for item in read_predictions(tmp_path, **window)] == [None, "late", None]
    assert [item.label for item in read_predictions(tmp_path, **window, labels=False)] == [None] * 3
    assert [item.label for item in read_predictions(tmp_path, **window, label_delay=dt.timedelta(days=2))] == [None] * 3
    assert [item.label for item in read_predictions(tmp_path, **window, label_delay=dt.timedelta(days=21))] == [
        None,
        "late",
        None,
    ]


def test_the_table_has_the_label_as_a_column(tmp_path: Path) -> None:
    sink: Any = FileSink(tmp_path)
    sink.write([prediction(1), prediction(2), truth(2, label=1)])

    assert read_predictions(tmp_path).to_arrow()["label"].to_pylist() == [None, 1.0]
    assert "label" not in read_predictions(tmp_path, labels=False).to_arrow().column_names
    assert read_predictions(tmp_path).to_polars()["label"].to_list() == [None, 1.0]
    assert read_predictions(tmp_path).to_pandas()["label"].sum() == 1.0


def test_batches_have_one_schema_and_the_size_asked_for(tmp_path: Path) -> None:
    sink: Any = FileSink(tmp_path)
    sink.write([prediction(n, features={"x": n} if n < 5 else {"x": "text", "y": 1}) for n in range(10)])

    batches = list(read_predictions(tmp_path).to_arrow_batches(4))

    assert [batch.num_rows for batch in batches] == [4, 4, 2]
    assert len({str(batch.schema) for batch in batches}) == 1
    with pytest.raises(ValueError, match="at least one row"):
        read_predictions(tmp_path).to_arrow_batches(0)


def test_an_empty_log_is_an_empty_table(tmp_path: Path) -> None:
    assert read_predictions(tmp_path).to_arrow().num_rows == 0
    assert read_ground_truth(tmp_path).to_arrow().num_rows == 0


def test_a_reader_can_be_gone_through_again(tmp_path: Path) -> None:
    sink: Any = FileSink(tmp_path)
    sink.write([prediction(1)])
    reader = read_predictions(tmp_path)

    assert list(reader) == list(reader) == [prediction(1)]


labels = st.lists(st.tuples(st.sampled_from(["p0", "p1", "p2"]), st.integers(0, 5), values), max_size=20)


@given(labels, st.integers(0, 6))
def test_the_latest_label_wins_in_memory_and_on_disk(given_labels: list[tuple[str, int, Any]], limit: int) -> None:
    expected: dict[str, tuple[int, Any]] = {}
    with LabelTable(max_in_memory=limit) as table:
        for prediction_id, time, label in given_labels:
            said = json.loads(json.dumps(label, allow_nan=True), parse_constant=lambda _: None)
            table.add(truth(prediction_id=prediction_id, label=said, timestamp_ns=time))
            if prediction_id not in expected or time >= expected[prediction_id][0]:
                expected[prediction_id] = (time, said)
        joined = table.joined([prediction(n) for n in range(3)])

    assert [item.label for item in joined] == [expected.get(f"p{n}", (0, None))[1] for n in range(3)]


def boxkite(root: Path, at: dt.datetime, file_at: dt.datetime, endpoint: str = "e") -> str:
    """Log one record in Boxkite's form into the file named by `file_at`, and return its id."""
    entity = str(uuid.uuid4())
    path = root / f"models/predictions/{endpoint}/{file_at:%Y-%m-%d}/{file_at:%H%M}_fluentd-pod.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    record = {
        "entity_id": entity,
        "features": [1],
        "request_body": "",
        "server_id": "s",
        "output": 1,
        "created_at": int(at.timestamp()),
    }
    with path.open("a") as file:
        file.write(f"{at.isoformat()}\tmodels.predictions.{endpoint}.pod\t{json.dumps(record)}\n")
    return f"s/{at:%Y-%m-%dT%H:%M:%S}/{entity}"


def test_an_id_with_a_time_opens_only_the_files_of_its_window_and_the_next(tmp_path: Path) -> None:
    day = START
    wanted = []
    for hour in range(24):
        for quarter in range(4):
            at = day + dt.timedelta(hours=hour, minutes=15 * quarter, seconds=7)
            # A record at the end of its window may be flushed into the next.
            late = dt.timedelta(minutes=15 if hour == 12 else 0)
            wanted.append(boxkite(tmp_path, at, at.replace(second=0) + late))
    opened: list[str] = []
    for path in tmp_path.rglob("*.txt"):
        path.write_bytes(path.read_bytes() + b"broken\n")
    chosen = [wanted[4 * 12 + 3], wanted[2]]
    reader = read_predictions(
        tmp_path, prediction_ids=chosen, labels=False, on_error=lambda path, *_: opened.append(Path(path).name[:4])
    )

    assert sorted(item.prediction_id for item in reader) == sorted(chosen)
    assert set(opened) <= {"0000", "0015", "0030", "0045", "0100", "0115", "0130"} | {
        "1145", "1200", "1215", "1230", "1245", "1300", "1315", "1330", "1345",
    }  # fmt: skip


def test_ids_without_a_time_are_looked_for_everywhere(tmp_path: Path) -> None:
    sink: Any = FileSink(tmp_path)
    sink.write([prediction(n, timestamp_ns=START_NS + n * DAY_NS) for n in range(20)])
    sink.write([truth(17, label=1, timestamp_ns=START_NS + 30 * DAY_NS)])

    found = list(read_predictions(tmp_path, prediction_ids=["p3", "p17", "nobody"]))

    assert [(item.prediction_id, item.label) for item in found] == [("p3", None), ("p17", 1)]
    assert [item.label for item in read_ground_truth(tmp_path, prediction_ids=["p17"])] == [1]


def test_an_id_that_only_looks_as_if_it_carried_its_time_is_found(tmp_path: Path) -> None:
    sink: Any = FileSink(tmp_path)
    mine = ["web/2001-01-01T00:00:00/7", "web/2099-01-01T00:00:00/8"]
    sink.write([prediction(n, prediction_id=id_) for n, id_ in enumerate([*mine, "other"])])
    sink.write([truth(prediction_id=mine[1], label="late", timestamp_ns=START_NS + DAY_NS)])
    theirs = boxkite(tmp_path, START, START)

    found = list(read_predictions(tmp_path, prediction_ids=[theirs, *mine]))

    assert sorted((item.prediction_id, item.label) for item in found) == sorted(
        [(theirs, None), (mine[0], None), (mine[1], "late")]
    )
    assert list(read_predictions(tmp_path, prediction_ids=mine, end=START - dt.timedelta(days=1))) == []


def test_a_label_of_a_boxkite_prediction_is_found_by_its_id(tmp_path: Path) -> None:
    prediction_id = boxkite(tmp_path, START, START)
    sink: Any = FileSink(tmp_path)
    sink.write([truth(prediction_id=prediction_id, endpoint="e", label=0, timestamp_ns=START_NS + 9 * DAY_NS)])

    (found,) = read_predictions(tmp_path, prediction_ids=[prediction_id])

    assert isinstance(found, Prediction)
    assert found.label == 0
    assert [item.label for item in read_ground_truth(tmp_path, prediction_ids=[prediction_id])] == [0]


@pytest.mark.parametrize(
    ("prediction_id", "time"),
    [
        ("s/2026-03-01T00:00:05/7f1c", START + dt.timedelta(seconds=5)),
        ("/2026-03-01T00:00:05/x", START + dt.timedelta(seconds=5)),
        ("s/2026-13-01T00:00:05/x", None),
        ("s/2026-03-01T00:00:05Z/x", None),
        ("5f3a", None),
    ],
)
def test_the_time_in_an_id(prediction_id: str, time: dt.datetime | None) -> None:
    assert time_of_id(prediction_id) == time


def test_a_range_that_begins_before_the_ttl_is_named_as_expired(tmp_path: Path) -> None:
    now = dt.datetime.now(dt.UTC)
    month = dt.timedelta(days=31)

    with pytest.raises(ExpiredDataError, match="have expired: only those since") as error:
        read_predictions(tmp_path, start=now - dt.timedelta(days=32), ttl=month)
    assert error.value.asked == now - dt.timedelta(days=32)
    assert abs(error.value.horizon - (now - month)) < dt.timedelta(minutes=5)
    with pytest.raises(ExpiredDataError):
        read_predictions(tmp_path, end=now - dt.timedelta(days=32), ttl=month)
    with pytest.raises(ExpiredDataError):
        read_predictions(tmp_path, prediction_ids=["s/2020-01-22T14:15:00/x"], ttl=month)
    with pytest.raises(ExpiredDataError):
        read_ground_truth(tmp_path, start=START - dt.timedelta(days=3000), ttl=month)
    with pytest.raises(ValueError, match="positive"):
        read_predictions(tmp_path, ttl=dt.timedelta())
    assert list(read_predictions(tmp_path, start=now - dt.timedelta(days=30), ttl=month)) == []
    assert list(read_predictions(tmp_path, ttl=month)) == []
