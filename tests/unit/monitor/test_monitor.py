from __future__ import annotations

import asyncio
import json
import logging
import math
import threading
import time
from collections.abc import Callable
from decimal import Decimal
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from modelport._plain import MAX_LEVELS
from modelport.drift import Baseline, BaselineError
from modelport.monitor import ModelMonitor
from modelport.predictions import CallableSink, FileSink, Record, _worker, read_predictions
from tests.unit.conftest import ListSink
from tests.unit.predictions.records import Panics, nested

Eventually = Callable[[Callable[[], object]], None]
BASELINE = Baseline.from_data({"a": [float(n) for n in range(100)], "b": ["x", "y"] * 50}, output=[0.0, 1.0] * 50)


def test_a_logged_prediction_is_found_again(tmp_path: Path) -> None:
    with ModelMonitor("churn", model_version="3", sinks=[FileSink(tmp_path)]) as monitor:
        made = monitor.log({"age": 41}, 0.93, request_body=b'{"age": 41}', segments={"country": "SG"})

    (found,) = read_predictions(tmp_path, "churn")
    assert (found.prediction_id, found.endpoint, found.model_version) == (made, "churn", "3")
    assert (found.features, found.output, found.request_body) == ({"age": 41}, 0.93, '{"age": 41}')
    assert found.segments == {"country": "SG"}


def test_ids_and_times_may_be_the_callers(list_sink: Callable[..., ListSink]) -> None:
    sink = list_sink()
    with ModelMonitor("e", sinks=[sink]) as monitor:
        assert monitor.log([1], 2, prediction_id="mine", timestamp=5) == "mine"

    assert (sink.records[0].prediction_id, sink.records[0].timestamp_ns) == ("mine", 5)


@pytest.mark.parametrize(
    "row", [[5.0, "x"], (5.0, "x"), {"b": "x", "a": 5.0}, np.array([5.0, "x"], object), pd.Series({"a": 5.0, "b": "x"})]
)
def test_a_row_in_any_form_is_named_shipped_and_counted(row: object, list_sink: Callable[..., ListSink]) -> None:
    sink = list_sink()
    with ModelMonitor("e", baseline=BASELINE, sinks=[sink]) as monitor:
        monitor.log(row, np.float32(1))

    counts = monitor.counts
    assert sink.records[0].features == {"a": 5.0, "b": "x"}
    assert type(sink.records[0].output) is float
    assert counts is not None
    assert (counts.records, counts.uncounted, counts.features["b"].counts) == (1, 0, (1, 0, 0))


def test_a_buffer_the_caller_reuses_is_logged_as_it_was(list_sink: Callable[..., ListSink]) -> None:
    sink = list_sink()
    array, items, mapping = np.zeros(1), [0.0], {"a": 0.0}
    with ModelMonitor("e", sinks=[sink], interval=60) as monitor:
        for number in range(1, 4):
            array[0] = items[0] = mapping["a"] = number
            monitor.log(array, 0)
            monitor.log(items, 0)
            monitor.log(mapping, 0)

    assert [record.features for record in sink.records] == [
        value for number in (1.0, 2.0, 3.0) for value in ([number], [number], {"a": number})
    ]


class RefusalError(Exception):
    pass


class Nasty:
    """Refuses everything."""

    def __getattr__(self, name: str) -> object:
        raise RefusalError(name)

    def __len__(self) -> int:
        raise RefusalError("len")

    def __hash__(self) -> int:
        raise RefusalError("hash")

    def __eq__(self, other: object) -> bool:
        raise RefusalError("eq")

    def __float__(self) -> float:
        raise RefusalError("float")


def loop() -> list[object]:
    made: list[object] = []
    made.append(made)
    return made


class OwnBytes(bytes):
    """Bytes of a kind that no encoder knows."""


def nasty() -> object:
    # Made within the test: a parameter that refuses everything would break the runner.
    return Nasty()


BAD: dict[str, Callable[[], object]] = {
    "nasty": nasty,
    "list": lambda: [nasty(), nasty()],
    "mapping": lambda: {"a": nasty(), "b": nasty()},
    "object": object,
    "loop": loop,
    "keys": lambda: {object(): 3},
    "deep": lambda: nested(MAX_LEVELS + 1),
    "complex": lambda: 1j,
    "panics": Panics,
    "bytes of a kind": lambda: OwnBytes(b"x"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_encoded_is_counted_and_never_raises(
    name: str, list_sink: Callable[..., ListSink], caplog: pytest.LogCaptureFixture
) -> None:
    sink, bad = list_sink(), BAD[name]()
    with caplog.at_level(logging.WARNING, "modelport.predictions"):  # noqa: SIM117 - the log is read after closing
        with ModelMonitor("e", baseline=BASELINE, sinks=[sink]) as monitor:
            assert monitor.log(bad, bad, request_body=bad)
            assert monitor.log([1.0, "x"], 1)

    assert monitor.dropped == {"queue_full": 0, "encode_error": 1, "closed": 0, "spool_full": 0, "sink_error": 0}
    assert len(sink.records) == 1
    assert caplog.text.count("encode_error") == 1


def test_many_bad_records_make_one_log_line(
    list_sink: Callable[..., ListSink], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "modelport.predictions"), ModelMonitor("e", sinks=[list_sink()]) as monitor:
        for _ in range(500):
            monitor.log(object(), 0)

    assert monitor.dropped["encode_error"] == 500
    assert len(caplog.records) == 1


def test_eight_threads_lose_and_repeat_nothing(list_sink: Callable[..., ListSink]) -> None:
    sink = list_sink()
    monitor = ModelMonitor("e", baseline=BASELINE, sinks=[sink], interval=0.001)
    ids: list[list[str]] = [[] for _ in range(8)]

    def work(place: int) -> None:
        for number in range(2000):
            ids[place].append(monitor.log([float(number % 100), "x" if place % 2 else "z"], place))

    threads = [threading.Thread(target=work, args=(place,)) for place in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert monitor.close(30)
    counts = monitor.counts
    assert counts is not None
    assert counts.features["a"].total == counts.records == 16_000
    assert counts.features["b"].counts == (8000, 0, 8000)
    assert sorted(record.prediction_id for record in sink.records) == sorted(chain.from_iterable(ids))
    assert sum(monitor.dropped.values()) == 0


def test_a_full_queue_drops_the_new_and_counts_exactly(list_sink: Callable[..., ListSink]) -> None:
    sink = list_sink()
    monitor = ModelMonitor("e", sinks=[sink], max_queue=10, interval=60)
    with monitor._drain._draining:
        for number in range(200):
            monitor.log([number], number)

    assert monitor.close(30)
    assert len(sink.records) == 10
    assert monitor.dropped["queue_full"] == 190


def test_a_failing_and_a_stalled_sink_harm_nobody_else(
    list_sink: Callable[..., ListSink], eventually: Eventually
) -> None:
    good, failing, stalled = list_sink("good"), list_sink("failing", 100), list_sink("stalled", 100)
    failing.error = OSError("down")
    stalled.gate.clear()
    monitor = ModelMonitor("e", sinks=[failing, stalled, good], interval=0.001)

    for number in range(1000):
        monitor.log([number], number)
        if number % 50 == 0:
            eventually(lambda seen=number: len(good.records) > seen)
    eventually(lambda: len(good.records) == 1000)

    text = monitor.metrics_text()
    stalled.gate.set()
    failing.error = None
    monitor.close(30)
    assert metric(text, "modelport_predictions_dropped_total", sink="failing") == 900
    assert metric(text, "modelport_predictions_dropped_total", sink="good") == 0
    assert metric(text, "modelport_sink_delivered_total", sink="good") == 1000
    assert metric(text, "modelport_sink_pending_records", sink="stalled") == 100
    assert (len(stalled.records), len(failing.records)) == (100, 100)


def metric(text: str, name: str, **labels: str) -> float:
    (line,) = [
        line
        for line in text.splitlines()
        if line.startswith(name + "{") and all(f'{key}="{value}"' in line for key, value in labels.items())
    ]
    return float(line.rsplit(" ", 1)[1])


def test_after_closing_predictions_are_counted_as_lost(list_sink: Callable[..., ListSink]) -> None:
    monitor = ModelMonitor("e", sinks=[list_sink()])
    monitor.close()

    assert monitor.log([1], 1)
    assert monitor.close()
    assert monitor.dropped["closed"] == 1


def test_flush_says_when_it_was_not_enough(list_sink: Callable[..., ListSink]) -> None:
    sink = list_sink()
    sink.gate.clear()
    monitor = ModelMonitor("e", sinks=[sink])
    monitor.log([1], 1)

    assert not monitor.flush(0.05)
    sink.gate.set()
    assert monitor.flush(30)
    assert len(sink.records) == 1
    monitor.close()


def test_an_event_loop_can_log_and_close(list_sink: Callable[..., ListSink]) -> None:
    sink = list_sink()

    async def serve() -> None:
        monitor = ModelMonitor("e", sinks=[sink])

        async def request(number: int) -> None:
            await asyncio.sleep(0)
            monitor.log([number], number)

        await asyncio.gather(*map(request, range(100)))
        assert await asyncio.to_thread(monitor.close)

    asyncio.run(serve())
    assert sorted(record.output for record in sink.records) == list(range(100))  # type: ignore[type-var]


def test_a_batch_is_one_prediction_a_row(list_sink: Callable[..., ListSink]) -> None:
    sink = list_sink()
    with ModelMonitor("e", baseline=Baseline.from_data(np.eye(2), names=["a", "b"]), sinks=[sink]) as monitor:
        ids = monitor.log_many(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([0.1, 0.2]))
        monitor.log_many([[1.0, 2.0]], [])

    assert [record.prediction_id for record in sink.records] == ids
    assert sink.records[1].features == {"a": 3.0, "b": 4.0}
    assert monitor.dropped["encode_error"] == 1


def test_a_saved_baseline_names_the_version(tmp_path: Path) -> None:
    path = Baseline.from_data({"a": [1.0, 2.0]}, model_version="7").save(tmp_path / "baseline.json")

    with ModelMonitor("e", baseline=path) as monitor:
        assert monitor.model_version == "7"


def test_a_baseline_that_cannot_be_read_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(BaselineError, match=r"nowhere\.json"):
        ModelMonitor("e", baseline=tmp_path / "nowhere.json")


@pytest.mark.parametrize(
    ("error", "setting", "arguments"),
    [
        (TypeError, "endpoint", {"endpoint": None}),
        (ValueError, "endpoint", {"endpoint": ""}),
        (TypeError, "model_version", {"model_version": 3}),
        (TypeError, "sinks", {"sinks": "file:log"}),
        (TypeError, "sinks", {"sinks": ["log"]}),
        (TypeError, "sinks", {"sinks": ListSink()}),
        (TypeError, "max_queue", {"max_queue": "1"}),
        (TypeError, "max_queue", {"max_queue": 10.5}),
        (ValueError, "max_queue", {"max_queue": 0}),
        (TypeError, "interval", {"interval": "x"}),
        (ValueError, "interval", {"interval": 0}),
        (ValueError, "interval", {"interval": math.inf}),
        (TypeError, "drift_window", {"drift_window": "1h"}),
        (ValueError, "drift_window", {"drift_window": -1}),
        (ValueError, "drift_window", {"drift_window": math.nan}),
    ],
)
def test_an_argument_that_makes_no_sense_is_told_at_once(
    error: type[Exception], setting: str, arguments: dict[str, Any]
) -> None:
    with pytest.raises(error, match=setting):
        ModelMonitor(**{"endpoint": "e", **arguments})


def test_numbers_of_numpy_are_numbers() -> None:
    ModelMonitor("e", max_queue=np.int64(5), interval=np.float32(1), drift_window=np.int64(60)).close()  # type: ignore[arg-type]


def test_another_version_than_the_baselines_is_told(caplog: pytest.LogCaptureFixture) -> None:
    baseline = Baseline.from_data({"a": [1.0, 2.0]}, model_version="3")
    ModelMonitor("e", baseline=baseline).close()
    ModelMonitor("e", baseline=baseline, model_version="3").close()
    ModelMonitor("e", baseline=Baseline.from_data({"a": [1.0, 2.0]}), model_version="4").close()
    assert caplog.messages == []

    ModelMonitor("e", baseline=baseline, model_version="4").close()

    assert caplog.messages == ["model version 4 is compared with a baseline of version 3"]


def test_the_first_prediction_that_does_not_fit_the_baseline_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    with ModelMonitor("e", baseline=Baseline.from_data({"a": [1.0, 2.0], "b": [1.0, 2.0]})) as monitor:
        monitor.log([1.0, 2.0], 1)
        assert monitor.flush()
        assert caplog.messages == []
        for _ in range(3):
            monitor.log(["a secret"], 1)
            assert monitor.flush()

    (line,) = caplog.messages
    assert "do not fit the baseline" in line
    assert "a, b" in line
    assert "secret" not in line


def test_sinks_of_one_name_are_refused(list_sink: Callable[..., ListSink]) -> None:
    with pytest.raises(ValueError, match="different names"):
        ModelMonitor("e", sinks=[list_sink(), list_sink()])


def test_counts_from_the_log_equal_live_counts(tmp_path: Path) -> None:
    from modelport.drift import LiveCounts

    values = [
        None,
        float("nan"),
        float("inf"),
        -float("inf"),
        1e300,
        10**400,
        True,
        "7",
        "x",
        np.float32(3.3),
        -0.0,
        b"y",
        [4],
        {},
    ]
    with ModelMonitor("e", baseline=BASELINE, sinks=[FileSink(tmp_path)]) as monitor:
        for value in values:
            monitor.log([value, value], value)

    again = LiveCounts(BASELINE)
    again.update_from(read_predictions(tmp_path))
    assert monitor.dropped["encode_error"] == 0
    assert again.snapshot() == monitor.counts


@pytest.mark.parametrize("text", ["1.0", "1", "2.50", "0.1", "1e400", "-1e400", "NaN", "sNaN", "Infinity", "1e22"])
@pytest.mark.parametrize("form", [list, tuple, np.array, lambda row: {"n": row[0], "c": row[1]}, lambda row: [[*row]]])
def test_a_decimal_is_logged_as_the_number_that_is_counted(
    text: str, form: Callable[[list[Decimal]], object], tmp_path: Path
) -> None:
    number = Decimal(text)
    expected = math.nan if number.is_nan() else float(number)
    baseline = Baseline.from_data(
        {"n": [1.0, 2.0, 3.0], "c": ["1", "2.5", "0.1"]}, kinds={"c": "categorical"}, output=[0.0, 1.0, 2.0]
    )
    sink = ListSink()
    with ModelMonitor("e", baseline=baseline, sinks=[sink, FileSink(tmp_path)]) as monitor:
        monitor.log(form([number, number]), number)
        monitor.log(form([number, number]), {"deep": [number]}, request_body={"price": number})
        monitor.log_many([form([number, number])], [number])

    from modelport.drift import LiveCounts

    again = LiveCounts(baseline)
    again.update_from(read_predictions(tmp_path))
    assert sum(monitor.dropped.values()) == 0
    assert repr([record.output for record in sink.records]) == repr([expected, {"deep": [expected]}, expected])
    assert {repr(value) for record in sink.records for value in record.features.values()} == {repr(expected)}
    assert repr(sink.records[1].request_body) == repr({"price": expected})
    assert again.snapshot() == monitor.counts


def test_records_without_a_place_keep_no_thread_waiting() -> None:
    monitor = ModelMonitor("e")
    assert monitor.flush(0)
    assert monitor.close(0)


def test_the_metrics_are_json_free_text(tmp_path: Path) -> None:
    with ModelMonitor('e"\n\\', model_version="ü", sinks=[FileSink(tmp_path)]) as monitor:
        text = monitor.metrics_text()

    assert r'endpoint="e\"\n\\"' in text
    assert json.dumps(text)


def test_a_flush_hurries_every_sink_while_it_waits_for_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_worker, "_FIRST_PAUSE_SECONDS", 1000.0)
    monkeypatch.setattr(_worker, "_MAX_PAUSE_SECONDS", 1000.0)
    stuck, paused = ListSink("stuck"), ListSink("paused")
    stuck.gate.clear()
    paused.error = OSError("down")
    monitor = ModelMonitor("e", sinks=[stuck, paused], interval=0.001)
    monitor.log([1.0], 1)
    assert stuck.entered.wait(20)
    while not monitor._pipeline.workers[1].failures:
        time.sleep(0.001)
    paused.error = None

    assert not monitor.flush(2)

    assert len(paused.records) == 1
    stuck.gate.set()
    monitor.close()


def test_a_flush_waits_for_batches_that_the_thread_has_in_hand_for_a_moment(list_sink: Callable[..., ListSink]) -> None:
    sink = list_sink()
    monitor = ModelMonitor("e", sinks=[sink], interval=60)
    gate = monitor._drain.gate
    pop, popping, go_on = gate.pop, threading.Event(), threading.Event()

    def slow(rows: int) -> list[Any]:
        if not popping.is_set():
            # As amid `pop`, which takes out more than a step and puts the rest back.
            held = [gate.queue.popleft() for _ in range(len(gate.queue))]
            popping.set()
            go_on.wait(20)
            gate.queue.extendleft(reversed(held))
        return pop(rows)

    monitor.log_many(np.zeros((5000, 2)), list(range(5000)))
    gate.pop = slow  # type: ignore[method-assign]
    # Already woken by the first permit, or not: it looks at the queue now.
    monitor._drain._wake.put(None)
    assert popping.wait(20)
    threading.Timer(0.2, go_on.set).start()

    assert monitor.flush(60)
    assert len(sink.records) == 5000
    monitor.close()


class ForeignError(OSError):
    """As those of requests, whose text has the URL."""


@pytest.mark.parametrize("kind", [ValueError, ForeignError])
def test_the_text_of_a_sinks_error_is_not_logged(kind: type[Exception], caplog: pytest.LogCaptureFixture) -> None:
    def refuse(records: list[Record]) -> None:
        raise kind(f"cannot take {records}")

    monitor = ModelMonitor("e", sinks=[CallableSink(refuse)])
    monitor.log(["4111-1111"], 1)
    monitor.close(0.1)

    assert kind.__name__ in caplog.text
    assert "4111-1111" not in caplog.text


def test_what_the_system_says_of_its_errors_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    def refuse(records: list[Record]) -> None:
        raise ConnectionRefusedError(111, "Connection refused")

    monitor = ModelMonitor("e", sinks=[CallableSink(refuse)])
    monitor.log([1], 1)
    monitor.close(0.1)

    assert "Connection refused" in caplog.text


def test_ground_truths_are_no_predictions() -> None:
    with ModelMonitor("e", sinks=[ListSink()]) as monitor:
        prediction_id = monitor.log([1], 1)
        monitor.log_many([[1]] * 10, [0] * 10)
        for _ in range(3):
            monitor.log_ground_truth(prediction_id, True)

    assert monitor.metrics_view().predictions == 11
