"""Predictions of Boxkite's and Bedrock's faces: the record and tag on the wire, ids, exporters, and nothing lost."""

from __future__ import annotations

import datetime as dt
import json
import math
import os
import re
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import msgpack
import numpy as np
import pandas as pd
import pytest

from modelport.bedrock import PredictionStore
from modelport.boxkite import LogExporter, ModelMonitoringService, PredictionContext
from modelport.boxkite._exporter import ExporterSink
from modelport.predictions import FluentSink, GroundTruth, Prediction, read_predictions
from modelport.predictions._entity_record import EntityRecord
from modelport.predictions._record import to_json_line
from tests.unit.conftest import Collector, ListSink

MakeService = Callable[..., ModelMonitoringService]
MakeCollector = Callable[..., Collector]
Eventually = Callable[[Callable[[], object]], None]
Face = type[ModelMonitoringService] | type[PredictionStore]

FACES = [ModelMonitoringService, PredictionStore]
ID = re.compile(r"pod-7/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
BEDROCK_FIELDS = {"entity_id", "features", "request_body", "server_id", "output", "created_at"}
posix = pytest.mark.skipif(os.name != "posix", reason="needs fork")


@pytest.fixture(autouse=True)
def _platform(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BEDROCK_SERVER_ID", "pod-7")
    monkeypatch.setenv("BEDROCK_ENDPOINT_ID", "wild.fog-12")
    monkeypatch.setenv("BEDROCK_POD_NAME", "pod-7.x")


def to(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BEDROCK_FLUENTD_ADDR", f"127.0.0.1:{collector.port}")


@pytest.mark.parametrize("face", FACES)
def test_the_record_and_the_tag_are_those_of_the_platforms_own_clients(
    face: Face, collector: MakeCollector, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = collector()
    to(server, monkeypatch)
    moment = dt.datetime(2026, 1, 31, 9, 5, 7, 250_000, tzinfo=dt.UTC)
    with face() as store:
        made = store.log_prediction(
            request_body='{"event_id": "123"}', features=[0, 2, 1], output=0.921, timestamp=moment
        )

    (record,) = server.records
    assert server.tags == {"models.predictions.wild-fog-12.pod-7-x"}
    assert ID.fullmatch(made)
    assert made.startswith("pod-7/2026-01-31T09:05:07/")
    assert {name: record[name] for name in BEDROCK_FIELDS} == {
        "entity_id": made.rpartition("/")[2],
        "features": [0, 2, 1],
        "request_body": '{"event_id": "123"}',
        "server_id": "pod-7",
        "output": 0.921,
        "created_at": 1_769_850_307,
    }
    assert {name: value for name, value in record.items() if name not in BEDROCK_FIELDS} == {
        "prediction_id": made,
        "timestamp_ns": 1_769_850_307_250_000_000,
        "endpoint": "wild.fog-12",
    }


def test_without_variables_names_are_those_of_the_platforms_own_clients(
    collector: MakeCollector, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = collector()
    to(server, monkeypatch)
    for name in ("BEDROCK_SERVER_ID", "BEDROCK_ENDPOINT_ID"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("BEDROCK_FLUENTD_PREFIX", "other.prefix")
    with PredictionStore() as store:
        assert store.log_prediction("", [1], 1).startswith("unknown-server/")

    assert server.tags == {"other.prefix.unknown-endpoint.pod-7-x"}
    with PredictionStore(endpoint="e", server_id="s", sinks=[]) as store:
        assert store.log_prediction("", [1], 1).startswith("s/")
        assert store.monitor.endpoint == "e"


def test_a_collector_is_looked_for_where_the_platform_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[FluentSink] = []
    monkeypatch.setattr(
        "modelport.monitor._serving_log.FluentSink", lambda **options: made.append(FluentSink(**options)) or ListSink()
    )
    with PredictionStore():
        pass

    assert (made[0].host, made[0].port) == ("fluentd-logging.core.svc.cluster.local", 24224)


@pytest.mark.parametrize("features", [[2.1, 1.8], (2.1, 1.8), np.array([2.1, 1.8]), {"b": 1.8, "a": 2.1}])
def test_with_a_baseline_features_still_go_out_as_the_models_vector(
    features: object, collector: MakeCollector, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = collector()
    to(server, monkeypatch)
    ModelMonitoringService.export_text([("a", [1.0, 2.0, 3.0]), ("b", [3.0, 2.0, 1.0])])
    with ModelMonitoringService(model_version="3") as monitor:
        monitor.log_prediction({"a": 1}, features, 0.5, segments={"country": "SG"})

    (record,) = server.records
    assert record["features"] == [2.1, 1.8]
    assert (record["request_body"], record["model_version"], record["segments"]) == ({"a": 1}, "3", {"country": "SG"})


def test_features_that_are_not_the_vector_go_out_as_they_are() -> None:
    make = EntityRecord("s", ["a", "b"])
    for features in ({"a": 1}, {"a": 1, "c": 2}, {"a": 1, "b": 2, "c": 3}, [1, 2, 3], 7, None):
        with PredictionStore(sinks=[sink := ListSink()]) as store:
            store.log_prediction("", features, 1)
        assert make(sink.records[0])["features"] == features


NUMPY = [
    np.array([1.5, 2.5]),
    [np.float32(1.5), np.float32(2.5)],
    pd.Series({"a": 1.5, "b": 2.5}),
    [np.int64(1), np.bool_(True)],
]


@pytest.mark.parametrize("features", NUMPY, ids=["array", "float32", "series", "int64"])
def test_what_numpy_makes_arrives_as_plain_numbers(
    features: object, collector: MakeCollector, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = collector()
    to(server, monkeypatch)
    with PredictionStore() as store:
        store.log_prediction(b"\xff", features, np.int64(3))

    (record,) = server.records
    values = record["features"].values() if isinstance(record["features"], dict) else record["features"]
    assert all(type(value) in {int, float, bool} for value in values)
    assert (record["output"], type(record["output"])) == (3, int)
    assert json.loads(json.dumps(record)) == record


def test_lines_that_a_collector_writes_of_these_records_are_read_again(tmp_path: Path) -> None:
    with PredictionStore(sinks=[sink := ListSink()], model_version="3") as store:
        made = store.log_prediction({"a": 1}, [1.0, 2.0], 0.5, timestamp=1_769_850_307_123_456_789)
        store.monitor.log_ground_truth(made, True) if hasattr(store.monitor, "log_ground_truth") else None
    folder = tmp_path / "models/predictions/wild.fog-12/2026-01-31"
    folder.mkdir(parents=True)
    lines = b"".join(to_json_line(EntityRecord("pod-7")(record)) for record in sink.records)
    (folder / "0905_fluentd-7c-pod-7.txt").write_bytes(lines)

    (read,) = read_predictions(tmp_path, "wild.fog-12")
    assert (read.prediction_id, read.timestamp_ns) == (made, 1_769_850_307_123_456_789)
    assert (read.features, read.output, read.model_version, read.request_body) == ([1.0, 2.0], 0.5, "3", {"a": 1})


def test_what_collectors_have_no_form_for_goes_out_as_lines_of_json_have_it() -> None:
    values = [math.nan, math.inf, -math.inf, 2**64, -(2**63) - 1, 2**64 - 1, True]
    with PredictionStore(sinks=[sink := ListSink()]) as store:
        store.log_prediction({"a": values}, values, {"score": values})
        store.monitor.log_ground_truth("id", values)

    prediction, truth = (EntityRecord("s")(record) for record in sink.records)
    expected = [None, "Infinity", "-Infinity", str(2**64), str(-(2**63) - 1), 2**64 - 1, True]
    assert (prediction["request_body"], prediction["features"]) == ({"a": expected}, expected)
    assert (prediction["output"], truth["label"]) == ({"score": expected}, expected)
    assert msgpack.unpackb(msgpack.packb(prediction)) == prediction


def test_ground_truth_goes_out_under_the_same_entity() -> None:
    truth = GroundTruth(prediction_id="pod-7/2026-01-31T09:05:07/abc", timestamp_ns=5 * 10**9, endpoint="e", label=None)

    assert EntityRecord("pod-7")(truth) == {
        "entity_id": "abc", "label": None, "server_id": "pod-7", "created_at": 5,
        "prediction_id": truth.prediction_id, "timestamp_ns": 5 * 10**9, "endpoint": "e",
    }  # fmt: skip


def test_ids_are_new_each_time_and_carry_the_time_of_the_prediction() -> None:
    with PredictionStore(sinks=[ListSink()]) as store:
        made = {store.log_prediction("", [1], 1) for _ in range(1000)}
        early = store.log_prediction("", [1], 1, timestamp=0.25)
        own = store.log_prediction("", [1], 1, prediction_id="mine")
        odd = store.log_prediction("", [1], 1, timestamp="yesterday")

    assert len(made) == 1000
    assert all(map(ID.fullmatch, made))
    assert early.startswith("pod-7/1970-01-01T00:00:00/")
    assert own == "mine"
    assert ID.fullmatch(odd)
    assert store.dropped["encode_error"] == 1


@pytest.mark.parametrize("face", FACES)
def test_everything_arrives_at_full_speed_and_at_close(
    face: Face, collector: MakeCollector, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = collector()
    to(server, monkeypatch)
    with face() as store:
        for number in range(20_000):
            store.log_prediction("", [0.5] * 20, number)
        assert store.flush(60)

    assert [record["output"] for record in server.records] == list(range(20_000))
    assert sum(store.dropped.values()) == 0


PROGRAM = """
import os, sys
from modelport.boxkite import ModelMonitoringService
monitor = ModelMonitoringService()
"""


def run(program: str) -> None:
    subprocess.run([sys.executable, "-c", PROGRAM + program], check=True, timeout=100)


def test_a_program_that_just_ends_loses_nothing(
    collector: MakeCollector, monkeypatch: pytest.MonkeyPatch, eventually: Eventually
) -> None:
    server = collector()
    to(server, monkeypatch)
    run("for number in range(90): monitor.log_prediction('', [number], number)")

    eventually(lambda: len(server.records) == 90)
    assert [record["output"] for record in server.records] == list(range(90))


@posix
def test_children_that_are_forked_from_a_service_log_under_ids_of_their_own(
    collector: MakeCollector, monkeypatch: pytest.MonkeyPatch, eventually: Eventually
) -> None:
    server = collector()
    to(server, monkeypatch)
    run(
        "monitor.log_prediction('', [0], 'parent'); monitor.flush()\n"
        "children = []\n"
        "for child in range(3):\n"
        "    if not (pid := os.fork()):\n"
        "        for number in range(90): monitor.log_prediction('', [number], f'child {child}')\n"
        "        monitor.close(); os._exit(0)\n"
        "    children.append(pid)\n"
        "for pid in children: os.waitpid(pid, 0)\n"
        "for number in range(90): monitor.log_prediction('', [number], 'parent')\n"
    )

    eventually(lambda: len(server.records) == 361)
    assert len({record["entity_id"] for record in server.records}) == 361


def test_an_outage_of_the_collector_loses_nothing(collector: MakeCollector, monkeypatch: pytest.MonkeyPatch) -> None:
    first = collector()
    to(first, monkeypatch)
    with PredictionStore() as store:
        store.log_prediction("", [0], 0)
        assert store.flush(30)
        first.close()
        for number in range(1, 4001):
            store.log_prediction("", [number], number)
        assert not store.flush(0.3)
        second = collector(first.port)
        assert store.flush(60)

    assert sorted(record["output"] for record in [*first.records, *second.records]) == list(range(4001))


@pytest.mark.parametrize("face", FACES)
def test_with_a_spool_an_outage_beyond_the_end_of_the_process_loses_nothing(
    face: Face, collector: MakeCollector, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    server = collector()
    to(server, monkeypatch)
    server.close()
    store = face(spool=tmp_path / "spool")
    made = [store.log_prediction("", [number], number) for number in range(500)]
    store.close(0.2)
    assert sum(store.dropped.values()) == 0

    again = collector(server.port)
    with face(spool=tmp_path / "spool") as store:
        made.append(store.log_prediction("", [500], 500))
        assert store.flush(60)
    assert sorted(record["prediction_id"] for record in again.records) == sorted(made)


@pytest.mark.parametrize("read", [True, False])
def test_without_a_collector_calls_return_and_the_log_stays_quiet(
    read: bool, collector: MakeCollector, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    server = collector(read=read)
    to(server, monkeypatch)
    if read:
        server.close()
    store = PredictionStore()
    made = [store.log_prediction("", [0.5] * 20, number) for number in range(5000)]
    store.flush(0.2)
    left = store.close(0.2)

    assert len(set(made)) == 5000
    assert left is False
    assert 0 < store.dropped["sink_error"] <= 5000
    # One for the first failure and one for the second, the fourth, ...; one for what was left at the end.
    assert len(caplog.records) < 12


class Listed(LogExporter):
    def __init__(self) -> None:
        self.got: list[PredictionContext] = []
        self.threads: set[threading.Thread] = set()
        self.fail: dict[object, list[Exception]] = {}
        self.closed = 0

    def emit(self, prediction: PredictionContext) -> None:
        self.threads.add(threading.current_thread())
        if errors := self.fail.get(prediction.output):
            raise errors.pop()
        self.got.append(prediction)

    def close(self) -> None:
        self.closed += 1


def test_an_exporter_gets_contexts_on_a_thread_of_its_own(service: MakeService) -> None:
    ModelMonitoringService.export_text([("a", [1.0, 2.0, 3.0]), ("b", [3.0, 2.0, 1.0])])
    exporter = Listed()
    monitor = service(log_exporter=exporter, sinks=None)
    moment = dt.datetime(2026, 1, 31, 9, 5, 7, 250_000, tzinfo=dt.timezone(dt.timedelta(hours=8)))
    made = monitor.log_prediction("{}", [2.1, 1.8], 0.5, timestamp=moment)
    monitor.close()

    (context,) = exporter.got
    assert context.prediction_id == made
    assert asdict(context) == {
        "entity_id": uuid.UUID(made.rpartition("/")[2]),
        "features": [2.1, 1.8],
        "request_body": "{}",
        "server_id": "pod-7",
        "output": 0.5,
        "created_at": moment,
    }
    assert context.created_at.utcoffset() == dt.timedelta(0)
    assert threading.current_thread() not in exporter.threads
    assert exporter.closed == 1
    with pytest.raises(AttributeError):
        context.output = 1  # type: ignore[misc]


def test_each_prediction_is_emitted_once_however_the_exporter_fails(service: MakeService) -> None:
    exporter = Listed()
    exporter.fail = {3: [OSError("later"), OSError("later")], 5: [ValueError("never")], 8: [OSError("later")]}
    monitor = service(log_exporter=exporter, sinks=None)
    for number in range(10):
        monitor.log_prediction("", [number], number, prediction_id=f"mine-{number}")
    assert monitor.flush(30)

    assert [context.output for context in exporter.got] == [0, 1, 2, 3, 4, 6, 7, 8, 9]
    assert exporter.got[0].entity_id == "mine-0"
    assert monitor.dropped["sink_error"] == 1
    assert sum(map(len, exporter.fail.values())) == 0


def test_an_exporter_that_is_slow_or_broken_costs_the_caller_nothing(service: MakeService) -> None:
    gate = threading.Event()

    class Stuck(LogExporter):
        def emit(self, prediction: PredictionContext) -> None:
            gate.wait(30)

    monitor = service(log_exporter=Stuck(), sinks=None)
    for number in range(1000):
        monitor.log_prediction("", [number], number)
    assert not monitor.flush(0.1)
    gate.set()

    assert monitor.flush(30)


def test_a_custom_exporter_without_emit_is_refused() -> None:
    class Empty(LogExporter):
        pass

    with pytest.raises(TypeError, match="emit"):
        Empty()  # type: ignore[abstract]


def test_the_order_within_a_second_is_kept(service: MakeService, list_sink: Callable[..., ListSink]) -> None:
    sink = list_sink()
    monitor = service(sinks=[sink])
    before = time.time_ns()
    for number in range(50):
        monitor.log_prediction("", [number], number)
    assert monitor.flush()

    times = [record.timestamp_ns for record in sink.records]
    assert times == sorted(times)
    assert before <= times[0]
    assert len(set(times)) > 1


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("timestamp", [10**40, -(10**40), 1e300, float("nan"), "yesterday"])
def test_a_time_beyond_all_calendars_is_counted_and_does_not_raise(face: Face, timestamp: object) -> None:
    sink = ListSink()
    with face(sinks=[sink]) as store:
        made = store.log_prediction("body", [1.0], 1, timestamp=timestamp)
        assert store.flush()

        assert ID.fullmatch(made)
        assert (sink.records, store.dropped["encode_error"]) == ([], 1)


def test_a_forked_child_does_not_pass_over_what_the_parent_had_emitted() -> None:
    class Exporter(LogExporter):
        def __init__(self) -> None:
            self.emitted: list[object] = []
            self.down = False

        def emit(self, prediction: PredictionContext) -> None:
            if self.down and len(self.emitted) == 2:
                raise OSError("down")
            self.emitted.append(prediction.output)

    exporter = Exporter()
    sink = ExporterSink(exporter, "s", None)
    records = [
        Prediction(prediction_id=str(number), timestamp_ns=0, endpoint="e", features=[], output=number)
        for number in range(5)
    ]
    exporter.down = True
    with pytest.raises(OSError, match="down"):
        sink.write(records)

    exporter.down = False
    sink.after_fork()
    sink.write(records[3:])

    assert exporter.emitted == [0, 1, 3, 4]
