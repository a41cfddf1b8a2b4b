"""Batches, ground truth, attributions, redaction and the look of `log`."""

from __future__ import annotations

import inspect
import json
import pydoc
import signal
import threading
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pydantic
import pytest

from modelport.drift import Baseline, FeatureBaseline
from modelport.monitor import ModelMonitor
from modelport.predictions import FileSink, GroundTruth, Prediction, Spool, read_predictions
from tests.unit.conftest import ListSink

BASELINE = Baseline.from_data(
    {"a": [float(n) for n in range(100)], "b": [0.5] * 50 + [1.5] * 50}, output=[0.0, 1.0] * 50
)
ATTRIBUTED = msgspec.structs.replace(
    BASELINE,
    attributions=tuple(
        FeatureBaseline(name=name, kind="numeric", edges=(0.0,), counts=(1, 1), role="attribution") for name in "ab"
    ),
)
ROWS = [[1.0, 0.5], [2.0, 1.5], [3.0, 0.5]]


@pytest.mark.parametrize(
    "table",
    [ROWS, np.array(ROWS), np.array(ROWS, np.float32), pd.DataFrame(ROWS, columns=["a", "b"]), "iterator",
     [np.array(row) for row in ROWS], np.array(ROWS, object), np.ma.array(ROWS),
     [dict(zip("ab", row, strict=True)) for row in ROWS]],
    ids=["list", "array", "float32", "frame", "iterator", "arrays", "objects", "masked", "mappings"],
)  # fmt: skip
@pytest.mark.parametrize("outputs", [[0, 1, 2], np.array([0, 1, 2]), pd.Series([0, 1, 2], [5.0, 6.0, 7.0]), "iterator"])
def test_log_many_makes_a_record_of_each_row_of_a_batch_in_any_form(table: Any, outputs: Any) -> None:
    table = iter(ROWS) if isinstance(table, str) else table
    outputs = iter([0, 1, 2]) if isinstance(outputs, str) else outputs
    sink = ListSink()
    with ModelMonitor("e", baseline=BASELINE, sinks=[sink]) as monitor:
        ids = monitor.log_many(table, outputs)

    assert [record.prediction_id for record in sink.records] == ids
    assert [record.features for record in sink.records] == [dict(zip("ab", row, strict=True)) for row in ROWS]
    assert [record.output for record in sink.records] == [0, 1, 2]
    assert monitor.counts is not None
    assert (monitor.counts.records, monitor.counts.uncounted) == (3, 0)


@pytest.mark.parametrize("width", [0, 1, 2, 15, 16, 17, 300])
@pytest.mark.parametrize("order", ["C", "F"])
def test_an_array_of_any_width_is_logged_bit_by_bit(width: int, order: Any) -> None:
    table = np.array(np.random.default_rng(width).normal(size=(5, width)), order=order)
    table[:, :1] = [[np.nan], [np.inf], [-np.inf], [-0.0], [5e-324]]
    sink = ListSink()
    with ModelMonitor("e", sinks=[sink]) as monitor:
        monitor.log_many(table, range(5))

    assert [record.features for record in sink.records[1:]] == table[1:].tolist()
    assert repr(sink.records[0].features) == repr(table[0].tolist())
    assert repr(sink.records[3].features) == repr(table[3].tolist())


def test_what_a_masked_array_hides_is_missing() -> None:
    sink = ListSink()
    with ModelMonitor("e", sinks=[sink]) as monitor:
        monitor.log_many(np.ma.masked_array([[1.0, 2.0], [3.0, 4.0]], [[False, True], [False, False]]), [0, 1])

    assert [record.features for record in sink.records] == [[1.0, None], [3.0, 4.0]]


@pytest.mark.parametrize(
    "rows", [np.array([b"hello"], object), pd.Series([b"hello"]), [b"hello", [np.float64(1)]]],
    ids=["array", "series", "list"],
)  # fmt: skip
def test_bytes_as_rows_of_a_batch_are_text_and_harm_no_other_record(rows: Any, tmp_path: Path) -> None:
    sink = ListSink()
    with ModelMonitor("e", sinks=[sink, FileSink(tmp_path, format="msgpack")], interval=60) as monitor:
        monitor.log([1.0], 0)
        monitor.log_many(rows, [0] * len(rows))

    expected = [[1.0], "aGVsbG8=", [1.0]][: 1 + len(rows)]
    assert [record.features for record in sink.records] == expected
    assert [record.features for record in read_predictions(tmp_path)] == expected


@pytest.mark.parametrize("frozen", [np.array(ROWS), ROWS])
def test_a_batch_the_caller_changes_afterwards_is_logged_as_it_was(frozen: Any) -> None:
    sink = ListSink()
    table = frozen.copy() if isinstance(frozen, np.ndarray) else [row.copy() for row in frozen]
    with ModelMonitor("e", sinks=[sink], interval=60) as monitor:
        monitor.log_many(table, [0, 0, 0])
        table[0][0] = -1.0

    assert sink.records[0].features == [1.0, 0.5]


def test_a_batch_larger_than_the_queue_is_taken_as_far_as_there_is_room() -> None:
    sink = ListSink()
    monitor = ModelMonitor("e", sinks=[sink], max_queue=2500, interval=60)
    with monitor._drain._draining:
        ids = monitor.log_many(np.zeros((4000, 2)), list(range(4000)))
        assert monitor.metrics_view().queued == 2500

    assert monitor.close(30)
    assert len(set(ids)) == 4000
    assert [record.prediction_id for record in sink.records] == ids[:2500]
    assert monitor.dropped["queue_full"] == 1500


def test_batches_and_single_records_of_eight_threads_are_counted_exactly() -> None:
    sink = ListSink()
    monitor = ModelMonitor("e", baseline=BASELINE, sinks=[sink], interval=0.001)
    ids: list[list[str]] = [[] for _ in range(8)]

    def work(place: int) -> None:
        for number in range(200):
            ids[place] += monitor.log_many(np.ones((number % 7, 2)), [0.0] * (number % 7))
            ids[place].append(monitor.log((1.0, 1.0), 0.0))

    threads = [threading.Thread(target=work, args=(place,)) for place in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert monitor.close(30)
    told = list(chain.from_iterable(ids))
    assert sorted(record.prediction_id for record in sink.records) == sorted(told)
    assert monitor.counts is not None
    assert monitor.counts.records == len(told) == 8 * (sum(number % 7 for number in range(200)) + 200)
    assert monitor.metrics_view().queued == 0


@pytest.mark.parametrize("bad", [5, None, object(), "ab"])
def test_a_batch_that_is_none_never_raises(bad: Any) -> None:
    monitor = ModelMonitor("e", sinks=[ListSink()])

    monitor.log_many(bad, [1, 2])

    assert monitor.close(30)


def test_a_table_logged_as_one_prediction_is_one_record_and_counted_by_row() -> None:
    sink = ListSink()
    with ModelMonitor("e", baseline=BASELINE, sinks=[sink]) as monitor:
        monitor.log(np.array(ROWS), np.array([0.1, 0.2, 0.3]))
        monitor.log(ROWS, [0.1, 0.2])

    assert len(sink.records) == 2
    assert sink.records[0].features == [dict(zip("ab", row, strict=True)) for row in ROWS]
    assert sink.records[0].output == [0.1, 0.2, 0.3]
    assert monitor.counts is not None
    assert (monitor.counts.records, monitor.counts.uncounted) == (3, 3)


def test_ground_truth_goes_the_same_way(tmp_path: Path) -> None:
    sink = ListSink()
    with ModelMonitor("churn", sinks=[sink, FileSink(tmp_path)]) as monitor:
        made = monitor.log([1], 0.9)
        monitor.log_ground_truth(made, np.int64(1), timestamp=5)
        monitor.log_ground_truth("nobody's", {"label": ["x"]})

    truths = [record for record in sink.records if isinstance(record, GroundTruth)]
    assert truths[0] == GroundTruth(prediction_id=made, timestamp_ns=5, endpoint="churn", label=1)
    assert truths[1].label == {"label": ["x"]}
    lines = [json.loads(line) for path in tmp_path.rglob("*.txt") for line in path.read_text().splitlines()]
    assert sorted("features" in line for line in lines) == [False, False, True]


def test_ground_truth_is_bounded_and_counted_as_predictions_are() -> None:
    sink = ListSink()
    monitor = ModelMonitor("e", sinks=[sink], max_queue=5, interval=60)
    with monitor._drain._draining:
        for number in range(20):
            monitor.log_ground_truth(str(number), number)

    assert monitor.close(30)
    monitor.log_ground_truth("late", 1)
    assert len(sink.records) == 5
    assert (monitor.dropped["queue_full"], monitor.dropped["closed"]) == (15, 1)


def test_attributions_are_logged_by_name_and_counted() -> None:
    sink = ListSink()
    with ModelMonitor("e", baseline=ATTRIBUTED, sinks=[sink]) as monitor:
        monitor.log([1.0, 0.5], 0.5, attributions=[0.25, -0.5])
        monitor.log([1.0, 0.5], 0.5, attributions={"b": 1.0, "a": -1.0})
        monitor.log([1.0, 0.5], 0.5)

    assert [record.attributions for record in sink.records] == [{"a": 0.25, "b": -0.5}, {"b": 1.0, "a": -1.0}, None]
    assert monitor.counts is not None
    assert [counts.counts for counts in monitor.counts.attributions.values()] == [(1, 1), (1, 1)]
    assert monitor.counts.records == 3


@pytest.mark.parametrize("mode", [None, "batch", "record"])
@pytest.mark.parametrize(
    "wrong",
    [{"segments": "SG"}, {"segments": {"c": object()}}, {"attributions": [0.25]}, {"attributions": {"a": "much"}}],
)
def test_a_prediction_is_kept_without_segments_or_attributions_that_have_no_form(
    wrong: dict[str, Any], mode: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sink = ListSink()
    spool = None if mode is None else Spool(str(tmp_path), mode=mode)
    right = {"segments": {"c": "SG"}, "attributions": {"a": 1.0, "b": 2.0}}
    with ModelMonitor("e", baseline=BASELINE, sinks=[sink], spool=spool) as monitor:
        for _ in range(3):
            monitor.log([1.0, 0.5], 0.5, **{**right, **wrong})
        monitor.log([1.0, 0.5], 0.5, **right)
        assert monitor.flush(30)
        text = monitor.metrics_text()

    kept = {**right, **dict.fromkeys(wrong)}
    assert [{"segments": record.segments, "attributions": record.attributions} for record in sink.records] == [
        kept, kept, kept, right,
    ]  # fmt: skip
    assert sum(monitor.dropped.values()) == 0
    assert monitor.metrics_view().incomplete == 3
    assert "} 3\n" in text.partition("\nmodelport_predictions_incomplete_total{")[2]
    (line,) = caplog.messages
    assert next(iter(wrong)) in line
    assert "much" not in line


def test_a_prediction_that_is_lost_is_not_counted_as_incomplete_too() -> None:
    with ModelMonitor("e", sinks=[ListSink()]) as monitor:
        monitor.log([object()], 1, segments="SG")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

    assert (monitor.dropped["encode_error"], monitor.metrics_view().incomplete) == (1, 0)


SECRET = "078-05-1120"
REDACT = ("SSN", "card.number", "b")


@pytest.mark.parametrize("mode", [None, "batch", "record"])
def test_redacted_fields_reach_neither_disk_nor_sink(mode: Any, tmp_path: Path) -> None:
    down = ListSink("down")
    down.error = OSError("down")
    sink = ListSink()
    spool = None if mode is None else Spool(str(tmp_path / "spool"), mode=mode)
    monitor = ModelMonitor("e", sinks=[sink, down, FileSink(tmp_path)], spool=spool, redact=REDACT)
    deep = {"user": [{"ssn": SECRET, "card": {"number": SECRET, "brand": "x"}}], "number": 1}
    monitor.log({"ssn": SECRET, "ok": 1}, {"Ssn": SECRET}, request_body=deep, segments={"ssn": SECRET, "c": "SG"})
    monitor.log({"ok": 1}, 0, request_body=json.dumps(deep).encode())
    monitor.log({"ok": 1}, 0, request_body=f"ssn={SECRET}")
    monitor.log({"ok": 1}, 0, request_body=json.dumps(SECRET))
    monitor.log_ground_truth("id", {"ssn": SECRET})
    monitor.flush(0.3)

    content = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    clean = {"user": [{"ssn": "REDACTED", "card": {"number": "REDACTED", "brand": "x"}}], "number": 1}
    records = [record for record in sink.records if isinstance(record, Prediction)]
    assert content
    assert SECRET.encode() not in content
    assert SECRET not in repr(sink.records)
    assert (records[0].features, records[0].output) == ({"ssn": "REDACTED", "ok": 1}, {"Ssn": "REDACTED"})
    assert records[0].request_body == clean
    assert records[0].segments == {"ssn": "REDACTED", "c": "SG"}
    assert json.loads(str(records[1].request_body)) == clean
    assert [record.request_body for record in records[2:]] == [None, None]
    monitor.close(0.1)


@pytest.mark.parametrize("row", [[7.0, 1.5], (7.0, 1.5), np.array([7.0, 1.5]), {"a": 7.0, "b": 1.5}])
def test_features_by_position_are_redacted_by_the_baselines_names_and_counted_as_they_are(row: object) -> None:
    sink = ListSink()
    with ModelMonitor("e", baseline=ATTRIBUTED, sinks=[sink], redact=["b"]) as monitor:
        monitor.log(row, 0.5, attributions=[0.25, 0.75])
        monitor.log_many(np.array([[7.0, 1.5]]), [0.5])

    assert [record.features for record in sink.records] == [{"a": 7.0, "b": "REDACTED"}] * 2
    assert sink.records[0].attributions == {"a": 0.25}
    assert monitor.counts is not None
    assert (monitor.counts.features["b"].total, monitor.counts.features["b"].unseen) == (2, 0)
    assert monitor.counts.attributions["b"].counts == (0, 1)


@pytest.mark.parametrize("redact", [(), ["c"]])
@pytest.mark.parametrize("table", [np.array(ROWS[:2]), ROWS[:2], pd.DataFrame(ROWS[:2], columns=["a", "b"])])
def test_a_table_of_as_many_rows_as_features_is_logged_as_it_is_counted(redact: list[str], table: object) -> None:
    sink = ListSink()
    with ModelMonitor("e", baseline=BASELINE, sinks=[sink], redact=redact) as monitor:
        monitor.log(table, [0.0, 1.0])

    assert sink.records[0].features == [{"a": 1.0, "b": 0.5}, {"a": 2.0, "b": 1.5}]
    assert monitor.counts is not None
    assert (monitor.counts.records, monitor.counts.features["b"].total, monitor.counts.features["b"].sum) == (2, 2, 2.0)


@pytest.mark.parametrize("output", [0.0, [0.0]])
def test_a_batch_of_one_row_of_one_feature_is_that_row(output: object) -> None:
    baseline = Baseline.from_data({"a": [0.5, 1.5] * 50}, output=[0.0, 1.0] * 50)
    sink = ListSink()
    with ModelMonitor("e", baseline=baseline, sinks=[sink]) as monitor:
        monitor.log([[0.5]], output)

    assert sink.records[0].features == {"a": 0.5}
    assert monitor.counts is not None
    assert (monitor.counts.records, monitor.counts.uncounted) == (1, 0)


UNNAMED: list[tuple[object, object]] = [
    ([[7.0, SECRET], [7.0, SECRET], [SECRET]], [{"a": 7.0, "b": "REDACTED"}, {"a": 7.0, "b": "REDACTED"}, "REDACTED"]),
    ([[SECRET], [7.0, SECRET]], ["REDACTED", {"a": 7.0, "b": "REDACTED"}]),
    ([7.0, SECRET, 1.0], "REDACTED"),
    (SECRET, "REDACTED"),
    ({"data": {"ndarray": [[7.0, SECRET]], "id": 1}}, {"data": {"ndarray": ["REDACTED"], "id": 1}}),
    ({"a": [7.0], "b": SECRET}, {"a": [7.0], "b": "REDACTED"}),
]


@pytest.mark.parametrize(("features", "expected"), UNNAMED)
def test_what_the_names_do_not_fit_is_redacted_as_a_whole(features: object, expected: object) -> None:
    sink = ListSink()
    with ModelMonitor("e", baseline=BASELINE, sinks=[sink], redact=["b"]) as monitor:
        monitor.log(features, 0)

    assert sink.records[0].features == expected


POSITIONAL = [
    {"features": [41, SECRET]},
    {"dataframe_split": {"columns": ["age", "ssn"], "data": [[41, SECRET]]}},
    {"inputs": [{"name": "ssn", "shape": [1, 1], "datatype": "BYTES", "data": [[SECRET]]}]},
    [[41, SECRET]],
    [{"age": 41}, SECRET],
]


@pytest.mark.parametrize("body", POSITIONAL)
@pytest.mark.parametrize("as_text", [True, False])
def test_values_of_a_body_that_have_a_place_and_no_name_are_redacted(body: object, as_text: bool) -> None:
    sink = ListSink()
    with ModelMonitor("e", sinks=[sink], redact=["ssn"]) as monitor:
        monitor.log({"ok": 1}, 0, request_body=json.dumps(body) if as_text else body)

    kept = str(sink.records[0].request_body)
    assert "REDACTED" in kept
    assert SECRET not in kept


@pytest.mark.parametrize("bad", [["ssn", 1], [None]])
def test_a_name_to_redact_that_is_no_text_is_refused(bad: Any) -> None:
    with pytest.raises(TypeError, match="redact"):
        ModelMonitor("e", redact=bad)


@pytest.mark.parametrize("bad", ["", ".", "a..b"])
def test_an_empty_name_to_redact_is_refused(bad: str) -> None:
    with pytest.raises(ValueError, match="empty name"):
        ModelMonitor("e", redact=[bad])


def test_log_looks_like_the_method_it_is(tmp_path: Path) -> None:
    monitor = ModelMonitor("e")

    assert list(inspect.signature(monitor.log).parameters) == list(inspect.signature(ModelMonitor.log).parameters)[1:]
    assert inspect.signature(monitor.log).parameters["timestamp"].kind is inspect.Parameter.KEYWORD_ONLY
    assert "Log one prediction" in pydoc.render_doc(monitor.log)


def test_a_subclass_may_replace_log_and_call_it() -> None:
    class Named(ModelMonitor):
        def log(self, features: object, output: object, **more: Any) -> str:
            return super().log(features, output, prediction_id="theirs", **more)

    sink = ListSink()
    with Named("e", sinks=[sink]) as monitor:
        assert monitor.log([1], 2, timestamp=3) == "theirs"

    assert (sink.records[0].prediction_id, sink.records[0].timestamp_ns) == ("theirs", 3)


@pytest.mark.parametrize("own_id", [None, "mine"])
def test_a_queue_that_is_full_counts_records_with_ids_of_their_own_too(own_id: str | None) -> None:
    sink = ListSink()
    monitor = ModelMonitor("e", sinks=[sink], max_queue=7, interval=60)
    with monitor._drain._draining:
        for _ in range(50):
            monitor.log([1], 1, prediction_id=own_id)

    assert monitor.close(30)
    assert (len(sink.records), monitor.dropped["queue_full"]) == (7, 43)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs timers")
def test_a_signal_handler_that_logs_in_the_midst_of_logging_harms_nothing() -> None:
    sink = ListSink()
    monitor = ModelMonitor("e", sinks=[sink], interval=0.001)
    told: list[str] = []
    previous = signal.signal(signal.SIGALRM, lambda *_: told.append(monitor.log([0], "handler")))
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.0005)
    try:
        while len(told) < 20_000:
            told.append(monitor.log([1], "main"))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)

    assert monitor.close(30)
    assert sorted(record.prediction_id for record in sink.records) == sorted(told)
    assert sum(monitor.dropped.values()) == 0


def test_what_is_appended_after_the_last_step_is_counted_as_lost() -> None:
    monitor = ModelMonitor("e", sinks=[ListSink()])
    monitor.log([1], 1)
    take, queue = monitor._drain.gate.take, monitor._drain.gate.queue
    permit = take()
    monitor.close(30)

    queue.append(([1], 1, permit, 0))

    assert monitor.dropped["closed"] == 1


def test_features_that_are_bytes_are_text_in_the_log() -> None:
    sink = ListSink()
    with ModelMonitor("e", sinks=[sink]) as monitor:
        monitor.log(b"\xff\xfe", 1)

    assert sink.records[0].features == "//4="


class Row(pydantic.BaseModel):
    a: float
    b: float


@pytest.mark.filterwarnings("error")
def test_a_pydantic_model_is_the_mapping_it_stands_for_at_that_moment() -> None:
    sink, row = ListSink(), Row(a=1.0, b=0.5)
    with ModelMonitor("e", baseline=BASELINE, sinks=[sink], interval=60) as monitor:
        monitor.log(row, 1)
        row.a = 2.0

    assert [record.features for record in sink.records] == [{"a": 1.0, "b": 0.5}]
    assert monitor.counts is not None
    assert (monitor.counts.records, monitor.counts.uncounted) == (1, 0)


def test_after_each_step_those_who_asked_are_told() -> None:
    monitor = ModelMonitor("e", baseline=BASELINE)
    live = monitor._pipeline.live
    assert live is not None
    seen: list[int] = []
    monitor._pipeline.on_step.append(lambda: seen.append(live.state().records))

    monitor.log_many(np.zeros((1500, 2)), [0.0] * 1500)

    assert monitor.close(30)
    assert seen[-1] == 1500
