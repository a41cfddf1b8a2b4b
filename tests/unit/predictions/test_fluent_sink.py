from __future__ import annotations

import json
import math
import socket
import sys
import threading
from collections.abc import Callable
from typing import Any

import msgpack
import pytest

from modelport._extras import MissingExtraError
from modelport.predictions import FluentSink, GroundTruth, Prediction, SinkConfigError
from modelport.predictions._fluent_sink import RecordTooLargeError
from modelport.predictions._frame_maker import frames_of
from modelport.predictions._worker import SinkWorker
from modelport.predictions.reading._lines import decode_line
from tests.unit.conftest import Collector

from .test_sink_worker import soon

NewCollector = Callable[..., Collector]


def offer(worker: SinkWorker, records: list[Prediction]) -> None:
    for start in range(0, len(records), 1000):
        for frame in frames_of(records[start : start + 1000]):
            worker.offer(frame)


def record(number: int = 1, **fields: object) -> Prediction:
    made = {
        "prediction_id": str(number),
        "timestamp_ns": 1_700_000_000_123_456_789,
        "endpoint": "wild.fog",
        "output": 0.5,
    }
    return Prediction(**{**made, "features": {"a": number}, **fields})  # type: ignore[arg-type]


def numbers(collector: Collector) -> list[int]:
    return [int(item["prediction_id"]) for item in collector.records]


def test_a_batch_arrives_acknowledged_with_the_guides_tag(
    collector: NewCollector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BEDROCK_POD_NAME", "pod.9")
    server = collector()
    sink = FluentSink("127.0.0.1", server.port)

    sink.write([record(1), record(2)])

    assert numbers(server) == [1, 2]
    assert server.tags == {"models.predictions.wild-fog.pod-9"}
    assert server.modes == {"forward"}
    sink.close()


def test_without_acknowledgement_each_record_is_a_message(
    collector: NewCollector, eventually: Callable[..., None]
) -> None:
    server = collector(ack=False)
    sink = FluentSink("127.0.0.1", server.port, require_ack=False, tag="t")

    sink.write([record(1), record(2)])

    eventually(lambda: numbers(server) == [1, 2])
    assert (server.tags, server.modes) == ({"t"}, {"message"})
    sink.close()


@pytest.mark.parametrize(
    ("address", "host", "port"),
    [
        (None, "fluentd-logging.core.svc.cluster.local", 24224),
        ("logs.svc", "logs.svc", 24224),
        ("logs.svc:1234", "logs.svc", 1234),
        ("unix:///x", "unix:///x", 24224),
    ],
)
def test_the_environment_of_the_guides_is_understood(
    monkeypatch: pytest.MonkeyPatch, address: str | None, host: str, port: int
) -> None:
    if address is not None:
        monkeypatch.setenv("BEDROCK_FLUENTD_ADDR", address)

    sink = FluentSink()

    assert (sink.host, sink.port) == (host, port)


def test_the_tags_prefix_and_pod_come_from_the_environment(
    collector: NewCollector, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = collector()
    monkeypatch.setenv("BEDROCK_FLUENTD_PREFIX", "other.prefix")
    monkeypatch.setenv("POD_NAME", "p")
    monkeypatch.setenv("BEDROCK_FLUENTD_ADDR", f"127.0.0.1:{server.port}")
    sink = FluentSink()

    sink.write([record()])

    assert server.tags == {"other.prefix.wild-fog.p"}
    sink.close()


def test_a_wrong_address_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BEDROCK_FLUENTD_ADDR", "host:port")

    with pytest.raises(SinkConfigError, match=r"^BEDROCK_FLUENTD_ADDR: not host, .*'host:port'$"):
        FluentSink()


def test_a_refused_connection_keeps_nothing_in_the_library(collector: NewCollector) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    sink = FluentSink("127.0.0.1", port)
    for number in range(3):
        with pytest.raises(OSError, match="refused"):
            sink.write([record(number)])

    server = collector(port)
    sink.write([record(9)])

    assert numbers(server) == [9]
    sink.close()


def test_a_collector_that_does_not_read_is_a_timeout(collector: NewCollector) -> None:
    server = collector(read=False)
    sink = FluentSink("127.0.0.1", server.port, timeout=0.1)

    with pytest.raises(TimeoutError):
        sink.write([record()])
    sink.close()


def test_a_collector_that_asks_for_a_key_is_told_apart() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        sink = FluentSink("127.0.0.1", server.getsockname()[1], timeout=5)

        def greet() -> None:
            connection, _ = server.accept()
            connection.sendall(bytes(msgpack.packb(["HELO", {"nonce": b"x", "keepalive": True}]) or b""))
            connection.recv(1)
            connection.close()

        thread = threading.Thread(target=greet)
        thread.start()
        with pytest.raises((PermissionError, ConnectionError)):
            sink.write([record()])
        sink.close()
        thread.join(10)


@pytest.mark.parametrize("features", [{"a": math.nan, "b": math.inf}, {"a": "\ud800"}, {"a": None, "b": [True, "x"]}])
def test_hostile_values_reach_the_collector(collector: NewCollector, features: object) -> None:
    server = collector()
    sink = FluentSink("127.0.0.1", server.port)

    sink.write([record(features=features)])

    assert len(server.records) == 1
    sink.close()


def test_a_record_msgpack_cannot_carry_is_dropped_alone(collector: NewCollector) -> None:
    server = collector()
    shape = {"2": object()}
    sink = FluentSink(
        "127.0.0.1",
        server.port,
        record=lambda item: {"prediction_id": item.prediction_id, "x": shape.get(item.prediction_id)},
    )
    worker = SinkWorker(sink)

    offer(worker, [record(1), record(2), record(3)])

    assert worker.close(soon())
    assert numbers(server) == [1, 3]
    assert (worker.delivered, worker.dropped) == (2, 1)


def test_values_that_json_or_msgpack_lack_arrive_as_lines_of_json_have_them(collector: NewCollector) -> None:
    server = collector()
    sink = FluentSink("127.0.0.1", server.port)
    given = record(
        features=[math.nan, -math.inf, 2**64 - 1, 2**64, -(2**63), -(2**63) - 1, 1e308],
        request_body={"\ud800": math.inf},
        attributions={"a": math.nan},
    )

    sink.write([given])

    (sent,) = server.records
    assert sent["features"] == [None, "-Infinity", 2**64 - 1, str(2**64), -(2**63), str(-(2**63) - 1), 1e308]
    assert (sent["request_body"], sent["attributions"]) == ({"\ufffd": "Infinity"}, {"a": None})
    # Whatever prints it has JSON for it, and what it prints is read back.
    read = decode_line(json.dumps(sent, allow_nan=False).encode())
    assert read.prediction_id == "1"
    sink.close()


def until_it_is_taken(sink: FluentSink, records: list[Prediction]) -> None:
    for _ in range(100):
        try:
            sink.write(records)
        except OSError:
            continue
        return
    pytest.fail("never taken")


def test_large_records_go_in_messages_that_a_collector_takes(collector: NewCollector) -> None:
    server = collector(limit=2_000_000)
    sink = FluentSink("127.0.0.1", server.port)

    sink.write([record(number, request_body="x" * 8000) for number in range(400)])

    assert (numbers(server), server.hang_ups) == (list(range(400)), 0)
    sink.close()


def test_messages_shrink_until_a_collector_takes_them(collector: NewCollector) -> None:
    server = collector(limit=100_000)
    sink = FluentSink("127.0.0.1", server.port)

    until_it_is_taken(sink, [record(number, request_body="x" * 8000) for number in range(100)])

    assert numbers(server) == list(range(100))
    assert server.hang_ups > 0
    sink.close()


def test_a_record_that_no_collector_takes_is_refused_and_the_others_arrive_once(collector: NewCollector) -> None:
    server = collector(limit=1_500_000)
    sink = FluentSink("127.0.0.1", server.port)
    records = [record(1), record(2, request_body="x" * 2_000_000), record(3)]

    with pytest.raises(RecordTooLargeError, match="hangs up at a record of 2000"):
        until_it_is_taken(sink, records)
    # As a worker offers what was refused together.
    sink.write([records[0]])
    with pytest.raises(RecordTooLargeError):
        sink.write([records[1]])
    sink.write([records[2]])

    assert numbers(server) == [1, 3]
    sink.close()


def test_no_outage_makes_a_large_record_a_refused_one(collector: NewCollector) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    sink = FluentSink("127.0.0.1", port)
    large = record(request_body="x" * 2_000_000)
    for _ in range(50):
        with pytest.raises(ConnectionRefusedError):
            sink.write([large])

    server = collector(port)
    sink.write([large])

    assert numbers(server) == [1]
    sink.close()


@pytest.mark.parametrize("answer", [b"\xc1", b"\x81\x01\x02", b"\xa2\xff\xff", b"HTTP/1.1 400 Bad Request\r\n\r\n"])
def test_a_collector_that_answers_in_another_protocol_refuses_nothing(answer: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        sink = FluentSink("127.0.0.1", server.getsockname()[1], timeout=5)

        def respond() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(answer)

        thread = threading.Thread(target=respond)
        thread.start()
        with pytest.raises(ConnectionError):
            sink.write([record()])
        thread.join(10)
        sink.close()


def test_records_survive_a_restart_of_the_collector(collector: NewCollector, eventually: Callable[..., None]) -> None:
    first = collector()
    worker = SinkWorker(FluentSink("127.0.0.1", first.port, timeout=1))
    offer(worker, [record(number) for number in range(100)])
    assert worker.flush(soon())
    first.close()

    offer(worker, [record(number) for number in range(100, 2200)])
    eventually(lambda: worker.failures >= 1)
    second = collector(first.port)

    assert worker.close(soon())
    assert sorted(set(numbers(first) + numbers(second))) == list(range(2200))
    assert worker.dropped == 0


def test_records_survive_a_collector_that_accepts_and_never_reads(
    collector: NewCollector, eventually: Callable[..., None]
) -> None:
    server = collector(read=False)
    worker = SinkWorker(FluentSink("127.0.0.1", server.port, timeout=0.2))
    offer(worker, [record(number) for number in range(50)])
    eventually(lambda: worker.failures >= 1)

    server.read = True

    assert worker.close(soon())
    assert sorted(set(numbers(server))) == list(range(50))


def test_a_face_may_send_a_shape_of_its_own(collector: NewCollector) -> None:
    server = collector()
    sink = FluentSink("127.0.0.1", server.port, record=lambda item: {"entity_id": item.prediction_id})

    sink.write([record(7)])

    assert server.records == [{"entity_id": "7"}]
    sink.close()


def test_a_missing_library_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fluent.sender", None)

    with pytest.raises(MissingExtraError, match=r"fluent is not installed: pip install 'modelport\[predictions\]'"):
        FluentSink()


def test_a_collector_on_ipv6_is_reached() -> None:
    try:
        server = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("no IPv6 on this machine's loopback")
    with server:
        sink = FluentSink("[::1]", server.getsockname()[1], require_ack=False, tag="t")
        sink.write([record(1)])
        connection, _ = server.accept()
        with connection:
            assert msgpack.unpackb(connection.recv(65_536))[0] == "t"
        sink.close()


def test_ground_truth_without_a_label_is_still_told_from_a_prediction(collector: NewCollector) -> None:
    server = collector()
    sink = FluentSink("127.0.0.1", server.port)

    sink.write([GroundTruth(prediction_id="1", timestamp_ns=1, endpoint="e", label=None)])

    assert server.records == [{"prediction_id": "1", "timestamp_ns": 1, "endpoint": "e", "label": None}]
    sink.close()


@pytest.mark.parametrize("port", [0, -1, 65_536, 101_147, "24224", 24224.0])
def test_a_port_that_is_none_is_refused(port: Any) -> None:
    with pytest.raises(ValueError, match="from 1 to 65535"):
        FluentSink("127.0.0.1", port)


@pytest.mark.parametrize("host", ["", "collector:24224", "a b", "unix://", "[]", "me:hunter2@collector"])
def test_a_host_that_is_none_is_refused(host: str) -> None:
    with pytest.raises(ValueError, match="the host of a collector is") as error:
        FluentSink(host)
    assert "hunter2" not in str(error.value)


def test_a_given_host_is_not_mixed_with_the_port_of_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BEDROCK_FLUENTD_ADDR", "other:1234")

    assert FluentSink("mine").port == 24224
