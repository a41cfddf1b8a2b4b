"""ParquetSink and S3Sink: whole files, and a journal that outlives whatever ends the process."""

from __future__ import annotations

import json
import logging
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import obstore
import polars as pl
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from obstore.store import MemoryStore

from modelport.monitor import ModelMonitor
from modelport.predictions import (
    FileSink,
    JournalFullError,
    ParquetSink,
    Prediction,
    S3Sink,
    read_ground_truth,
    read_predictions,
)
from modelport.predictions.rolling import _files

from .records import MINUTE_NS, START_NS, prediction, predictions, truth

PATIENCE_SECONDS = 60.0


def ids(source: Any, **kwargs: Any) -> list[str]:
    return [record.prediction_id for record in read_predictions(source, **kwargs)]


def files(root: Path) -> list[str]:
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def outage(monkeypatch: pytest.MonkeyPatch) -> Callable[[Exception | None], None]:
    """Let every put of obstore fail with an error, or work again."""
    real = obstore.put
    current: list[Exception | None] = [None]

    def put(*arguments: Any, **settings: Any) -> Any:
        if current[0] is not None:
            raise current[0]
        return real(*arguments, **settings)

    monkeypatch.setattr(obstore, "put", put)

    def set_error(error: Exception | None) -> None:
        current[0] = error

    return set_error


def test_predictions_become_one_file_per_quarter_of_an_hour_in_the_layout(tmp_path: Path) -> None:
    sink = ParquetSink(tmp_path, logger_id="l", replica_id="r")
    sink.write([prediction(n, timestamp_ns=START_NS + n * MINUTE_NS) for n in range(30)])
    sink.write([prediction(30, endpoint="other"), truth(1)])
    sink.close()

    found = [path.rpartition("/")[0] + "/" + path.rpartition("/")[2].split(".")[0] for path in files(tmp_path)]
    assert found == [
        "models/predictions/churn/2026-03-01/0000_l-r",
        "models/predictions/churn/2026-03-01/0000_l-r",
        "models/predictions/churn/2026-03-01/0015_l-r",
        "models/predictions/other/2026-03-01/0000_l-r",
    ]
    assert sum(path.endswith("_labels.parquet") for path in files(tmp_path)) == 1
    assert ids(tmp_path, endpoint="churn") == [f"p{n}" for n in range(30)]
    assert [item.prediction_id for item in read_ground_truth(tmp_path)] == ["p1"]


def test_files_are_for_the_owner_only(tmp_path: Path) -> None:
    sink = ParquetSink(tmp_path)
    sink.write([prediction()])
    (journal,) = (tmp_path / ".journal").rglob("*.journal")
    assert stat.S_IMODE(journal.stat().st_mode) == 0o600
    assert stat.S_IMODE(journal.parent.stat().st_mode) == 0o700
    sink.close()

    (file,) = (tmp_path / "models").rglob("*.parquet")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_file_is_due_after_max_rows(tmp_path: Path) -> None:
    sink = ParquetSink(tmp_path, max_rows=10, max_seconds=3600)
    for n in range(10):
        sink.write([prediction(n)])

    until(lambda: list(tmp_path.rglob("*.parquet")))
    assert len(ids(tmp_path)) == 10
    sink.close()


def test_a_file_is_due_after_max_seconds_though_nothing_more_comes(tmp_path: Path) -> None:
    sink = ParquetSink(tmp_path, max_seconds=0.05)
    sink.write([prediction(1)])

    until(lambda: list(tmp_path.rglob("*.parquet")) and sink.backlog_bytes == 0)
    sink.close()


def test_a_thousand_small_batches_are_few_files(tmp_path: Path) -> None:
    sink = ParquetSink(tmp_path, max_rows=400)
    for n in range(1000):
        sink.write([prediction(n)])
    sink.close()

    assert len(list(tmp_path.rglob("*.parquet"))) == 3
    assert ids(tmp_path) != []
    assert sorted(ids(tmp_path)) == sorted(f"p{n}" for n in range(1000))


@given(st.lists(predictions, min_size=1, max_size=6))
def test_the_files_of_both_sinks_give_the_same_table(
    tmp_path_factory: pytest.TempPathFactory, records: list[Prediction]
) -> None:
    root = tmp_path_factory.mktemp("both")
    for sink in (FileSink(root / "lines"), ParquetSink(root / "parquet")):
        sink.write(sorted(records, key=lambda record: record.timestamp_ns))
        sink.close()

    lines, parquet = (read_predictions(root / kind).to_arrow() for kind in ("lines", "parquet"))
    # Their marks may differ in one thing: that 41.0 was a float is not kept beside columns.
    assert lines.schema.equals(parquet.schema)
    assert lines.equals(parquet)


def test_engines_scan_a_feature_as_a_plain_column(tmp_path: Path) -> None:
    import duckdb

    sink = ParquetSink(tmp_path)
    sink.write([prediction(n, features={"age": n, "plan": "ab"[n % 2]}) for n in range(10)])
    sink.roll()
    sink.write([prediction(10, features={"age": 10.5, "plan": None, "new": True})])
    sink.close()
    pattern = str(tmp_path / "models/predictions/churn/*/*.parquet")

    with duckdb.connect() as db:
        query = (
            "SELECT sum(feature_age), count(feature_plan), count(feature_new) FROM read_parquet(?, union_by_name=true)"
        )
        assert db.execute(query, [pattern]).fetchall() == [(55.5, 10, 1)]
    frame = pl.scan_parquet(pattern, missing_columns="insert", extra_columns="ignore").select(
        pl.col("feature_age").sum()
    )
    assert frame.collect().item() == 55.5


@pytest.mark.slow
def test_spark_scans_a_feature_as_a_plain_column(tmp_path: Path) -> None:
    """Which is why no timestamp of nanoseconds is in these files: Spark refuses them whole."""
    pyspark = pytest.importorskip("pyspark.sql", reason="no pyspark: run `make setup-test`")
    if shutil.which("java") is None:
        pytest.skip("no java")
    sink = ParquetSink(tmp_path)
    sink.write([prediction(n, features={"age": n, "plan": "ab"[n % 2]}) for n in range(10)])
    sink.close()
    builder = pyspark.SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
    builder = builder.config("spark.driver.bindAddress", "127.0.0.1").config("spark.driver.host", "127.0.0.1")
    with builder.config("spark.sql.session.timeZone", "UTC").getOrCreate() as spark:
        frame = spark.read.parquet(str(tmp_path / "models/predictions/churn/*/*.parquet"))
        rows = frame.selectExpr("sum(feature_age)", "count(feature_plan)", "min(timestamp_ns)").collect()

    assert [tuple(row) for row in rows] == [(45.0, 10, START_NS)]


def test_the_pattern_of_the_documents_leaves_labels_out(tmp_path: Path) -> None:
    import duckdb

    sink = ParquetSink(tmp_path)
    sink.write([prediction(n, features={"age": n} if n < 4 else {"age": "old"}) for n in range(4)])
    sink.roll()
    sink.write([prediction(4, features={"age": "old"}), truth(1)])
    sink.close()

    with duckdb.connect() as db:
        query = "SELECT count(*), max(feature_age) FROM read_parquet(?, union_by_name=true)"
        assert db.execute(query, [str(tmp_path / "models/predictions/churn/*/*[!s].parquet")]).fetchall() == [
            (5, "old")
        ]


def test_an_outage_keeps_the_records_and_says_so(
    tmp_path: Path, outage: Callable[[Exception | None], None], caplog: pytest.LogCaptureFixture
) -> None:
    store = MemoryStore()
    sink = S3Sink(store, journal=tmp_path, max_rows=5)
    outage(obstore.exceptions.GenericError("Error performing PUT http://host/?secret=s3cr3t"))
    with caplog.at_level(logging.WARNING, "modelport.predictions"):
        for n in range(20):
            sink.write([prediction(n)])
        with pytest.raises(ConnectionError, match="cannot write to MemoryStore: out of reach") as error:
            sink.roll()
    assert "s3cr3t" not in str(error.value) + caplog.text
    assert sink.backlog_bytes > 0

    outage(None)
    sink.roll()

    assert ids(store) != []
    assert sorted(ids(store)) == sorted(f"p{n}" for n in range(20))
    assert sink.backlog_bytes == 0
    sink.close()


def test_a_refusal_is_told_apart_from_an_outage(tmp_path: Path, outage: Callable[[Exception | None], None]) -> None:
    sink = S3Sink(MemoryStore(), journal=tmp_path)
    sink.write([prediction()])
    outage(obstore.exceptions.PermissionDeniedError("AKIA..."))

    with pytest.raises(PermissionError, match="permission denied"):
        sink.roll()
    outage(None)
    sink.close()


def test_what_cannot_be_shipped_at_the_end_is_shipped_by_the_next_sink(
    tmp_path: Path, outage: Callable[[Exception | None], None], caplog: pytest.LogCaptureFixture
) -> None:
    store = MemoryStore()
    sink = S3Sink(store, journal=tmp_path)
    sink.write([prediction(1)])
    outage(obstore.exceptions.GenericError("down"))
    sink.close()
    assert "left in the journal" in caplog.text
    outage(None)

    with_more = S3Sink(store, journal=tmp_path)
    with_more.write([prediction(2)])
    with_more.close()

    assert sorted(ids(store)) == ["p1", "p2"]


def test_a_journal_that_is_full_refuses_and_names_the_cause(
    tmp_path: Path, outage: Callable[[Exception | None], None]
) -> None:
    sink = S3Sink(MemoryStore(), journal=tmp_path, max_rows=1, max_backlog_bytes=400)
    outage(obstore.exceptions.PermissionDeniedError("no"))
    sink.write([prediction(1)])
    until(lambda: sink._last_error)

    with pytest.raises(JournalFullError, match=r"full \(400 bytes\); last: .*cannot write .* permission denied"):
        sink.write([prediction(n) for n in range(10)])
    outage(None)
    sink.close()


def test_shipping_a_journal_again_replaces_its_files(
    tmp_path: Path, outage: Callable[[Exception | None], None]
) -> None:
    """The second of two files fails, so the first is put twice."""
    store = MemoryStore()
    sink = S3Sink(store, journal=tmp_path)
    sink.write([prediction(1), prediction(2, endpoint="other")])
    puts = []
    real = sink._destination.put

    def put(path: str, content: bytes) -> None:
        puts.append(path)
        if len(puts) == 2:
            message = "later"
            raise ConnectionError(message)
        real(path, content)

    sink._destination.put = put  # type: ignore[method-assign]
    with pytest.raises(ConnectionError):
        sink.roll()
    sink.roll()
    sink.close()

    assert len(puts) >= 3
    assert sorted(ids(store)) == ["p1", "p2"]


def test_records_are_kept_as_text_where_the_encoder_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> bytes:
        message = "a fault of the encoder"
        raise RuntimeError(message)

    monkeypatch.setattr(_files, "to_parquet", fail)
    sink = ParquetSink(tmp_path)
    sink.write([prediction(1), truth(1)])
    sink.close()

    assert [Path(path).suffix for path in files(tmp_path)] == [".txt"]
    assert [record.label for record in read_predictions(tmp_path)] == [True]


def test_a_full_disk_takes_nothing_of_a_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sink = ParquetSink(tmp_path)
    sink.write([prediction(1)])
    real = os.write

    def write(descriptor: int, data: bytes) -> int:
        if len(data) > 20:
            return real(descriptor, data[:20])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", write)
    with pytest.raises(OSError, match="No space"):
        sink.write([prediction(2)])
    monkeypatch.undo()
    sink.write([prediction(3)])
    sink.close()

    assert ids(tmp_path) == ["p1", "p3"]


def test_a_time_no_file_can_be_named_by_is_final(tmp_path: Path) -> None:
    sink = ParquetSink(tmp_path)

    with pytest.raises(OverflowError):
        sink.write([prediction(1), prediction(2, timestamp_ns=10**21)])
    sink.write([prediction(3)])
    sink.close()

    assert ids(tmp_path) == ["p3"]


def test_two_sinks_share_a_journal_directory(tmp_path: Path) -> None:
    store = MemoryStore()
    sinks = [S3Sink(store, journal=tmp_path, max_rows=50) for _ in range(2)]

    def fill(sink: S3Sink, first: int) -> None:
        for n in range(first, first + 200):
            sink.write([prediction(n)])

    threads = [threading.Thread(target=fill, args=(sink, 200 * n)) for n, sink in enumerate(sinks)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for sink in sinks:
        sink.close()

    assert sorted(ids(store)) == sorted(f"p{n}" for n in range(400))


def test_a_journal_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = os.getuid()
    sink = ParquetSink(tmp_path)
    monkeypatch.setattr(os, "getuid", lambda: own + 1)

    with pytest.raises(PermissionError, match="another user"):
        sink.write([prediction()])


def test_a_link_in_the_place_of_the_journal_is_followed_to_what_is_our_own(tmp_path: Path) -> None:
    (tmp_path / "volume").mkdir()
    (tmp_path / "journal").symlink_to(tmp_path / "volume")
    sink = ParquetSink(tmp_path / "log", journal=tmp_path / "journal")
    sink.write([prediction(1)])
    assert list((tmp_path / "volume").rglob("*.journal"))
    sink.close()

    assert ids(tmp_path / "log") == ["p1"]


@pytest.mark.parametrize("fsync", [False, True])
def test_a_journal_that_somebody_removes_is_made_again_with_all_that_is_in_it(tmp_path: Path, fsync: bool) -> None:
    sink = ParquetSink(tmp_path / "log", fsync=fsync)
    sink.write([prediction(1)])
    shutil.rmtree(tmp_path / "log")
    sink.write([prediction(2)])
    shutil.rmtree(tmp_path / "log")
    sink.roll()
    shutil.rmtree(tmp_path / "log")
    sink.write([prediction(3)])
    assert sink.close()

    assert ids(tmp_path / "log") == ["p3"]
    assert sink.lost == 0


def test_what_is_removed_while_it_waits_is_counted_as_lost(
    tmp_path: Path, outage: Callable[[Exception | None], None], caplog: pytest.LogCaptureFixture
) -> None:
    store = MemoryStore()
    sink = S3Sink(store, journal=tmp_path, max_rows=5)
    outage(obstore.exceptions.GenericError("down"))
    monitor = ModelMonitor("churn", sinks=[sink])
    for n in range(7):
        monitor.log([n], n)
        monitor.flush(30)
    until(lambda: sink._last_error)
    shutil.rmtree(sink.journal)
    outage(None)
    monitor.log([7], 7)

    assert monitor.close(30)
    # The five that waited; the two that followed were still open.
    assert monitor.dropped["sink_error"] == 5
    assert "with 5 records" in caplog.text
    assert [record.output for record in read_predictions(store)] == [5, 6, 7]


def test_an_outage_takes_no_descriptors(tmp_path: Path, outage: Callable[[Exception | None], None]) -> None:
    def descriptors() -> int:
        return len(list(Path("/dev/fd").iterdir()))

    store = MemoryStore()
    sink = S3Sink(store, journal=tmp_path, max_rows=1)
    outage(obstore.exceptions.GenericError("down"))
    sink.write([prediction(0)])
    before = descriptors()
    for n in range(1, 50):
        sink.write([prediction(n)])
    assert len(list(sink.journal.rglob("*.journal"))) == 50
    assert descriptors() < before + 10
    assert not sink.close()
    successor = S3Sink(store, journal=tmp_path)
    before = descriptors()
    successor.write([prediction(50)])
    # Two locks, the open journal, and one that is being read.
    assert descriptors() < before + 10
    outage(None)

    assert successor.close()
    assert sorted(ids(store)) == sorted(f"p{n}" for n in range(51))
    assert list(sink.journal.iterdir()) == []


def test_close_says_whether_anything_is_left_behind(tmp_path: Path, outage: Callable[[Exception | None], None]) -> None:
    sink = S3Sink(MemoryStore(), journal=tmp_path)
    sink.write([prediction(1)])
    outage(obstore.exceptions.GenericError("down"))
    assert not sink.close()
    outage(None)

    successor = S3Sink(MemoryStore(), journal=tmp_path)
    successor.write([prediction(2)])
    assert successor.close()
    assert S3Sink(MemoryStore(), journal=tmp_path).close()


def test_a_journal_that_cannot_be_shipped_holds_up_no_other(tmp_path: Path) -> None:
    sink = ParquetSink(tmp_path, max_rows=1)
    real = sink._destination.put

    class Panic(BaseException):
        """As PyO3 makes of a panic in Rust."""

    def put(path: str, content: bytes) -> None:
        if "/odd/" in path:
            raise Panic
        if "/bad/" in path:
            raise ConnectionError("status 400")
        real(path, content)

    sink._destination.put = put  # type: ignore[method-assign]
    for n, endpoint in enumerate(["bad", "good", "odd", "good"]):
        sink.write([prediction(n, endpoint=endpoint)])

    until(lambda: len(list(tmp_path.rglob("*.parquet"))) == 2)
    assert sink._thread is not None
    assert sink._thread.is_alive()
    assert not sink.close()
    assert sorted(ids(tmp_path)) == ["p1", "p3"]


def test_what_comes_after_a_journal_that_cannot_be_shipped_is_due_in_its_time(tmp_path: Path) -> None:
    sink = ParquetSink(tmp_path, max_seconds=0.05)
    real = sink._destination.put

    def put(path: str, content: bytes) -> None:
        if "/bad/" in path:
            raise ConnectionError("status 400")
        real(path, content)

    sink._destination.put = put  # type: ignore[method-assign]
    sink.write([prediction(0, endpoint="bad")])
    until(lambda: sink._last_error)
    sink.write([prediction(1)])

    until(lambda: list(tmp_path.rglob("*.parquet")))
    assert not sink.close()


def test_a_line_that_no_file_can_be_named_by_is_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    sink = ParquetSink(tmp_path)
    sink.write([prediction(1)])
    journal = next(path for path in tmp_path.rglob("*.journal") if path.is_file())
    with journal.open("ab") as file:
        file.write(b'{"prediction_id":"far","timestamp_ns":%d,"endpoint":"e","features":[1],"output":1}\n' % 7e20)
    sink.write([prediction(2)])

    assert sink.close()
    assert ids(tmp_path) == ["p1", "p2"]
    assert "an unreadable line is left out" in caplog.text


def test_what_lies_among_the_journals_and_is_none_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / ".journal/x.journal").mkdir(parents=True)
    (tmp_path / ".journal/y.journal").write_text("mine")
    sink = ParquetSink(tmp_path)
    sink.write([prediction(1)])

    assert sink.close()
    assert ids(tmp_path) == ["p1"]
    assert (tmp_path / ".journal/y.journal").read_text() == "mine"


def test_no_value_that_the_encoder_dislikes_is_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: object) -> bytes:
        message = "cannot convert 's3cr3t'"
        raise TypeError(message)

    monkeypatch.setattr(_files, "to_parquet", fail)
    sink = ParquetSink(tmp_path)
    sink.write([prediction(1)])
    sink.close()

    assert "kept as text: TypeError at " in caplog.text
    assert "s3cr3t" not in caplog.text


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_forked_child_leaves_the_parents_records_to_it(tmp_path: Path, run_python: Callable[..., Any]) -> None:
    program = f"""
import os
from modelport.predictions import ParquetSink, Prediction
make = lambda n: Prediction(prediction_id=str(n), timestamp_ns={START_NS}, endpoint="e", features={{}}, output=n)
sink = ParquetSink({str(tmp_path)!r})
sink.write([make(1)])
child = os.fork()
sink.write([make(2 if child else 3)])
sink.close()
if child:
    assert os.waitpid(child, 0)[1] == 0
"""
    run_python(program)

    assert sorted(ids(tmp_path)) == ["1", "2", "3"]


@pytest.mark.parametrize(
    "make",
    [
        "ParquetSink(folder)",
        "ParquetSink(MemoryStore(), journal=folder)",
        "S3Sink(MemoryStore(), journal=folder)",
        "S3Sink(MemoryStore(), format='txt.gz', journal=folder)",
    ],
)
def test_what_a_sink_needs_is_imported_when_it_is_made_and_pandas_is_not(
    make: str, tmp_path: Path, run_python: Callable[..., Any]
) -> None:
    """A child that is forked while a thread of its parent imports waits for ever for that import."""
    program = f"""
import sys
from obstore.store import MemoryStore
from modelport.predictions import GroundTruth, ParquetSink, Prediction, S3Sink
folder = {str(tmp_path)!r}
sink = {make}
before = set(sys.modules)
for n, value in enumerate([1.5, None, "x", True, [1], float("nan")]):
    features = {{"a": value, "b": 0.5, "c": "text"}}
    sink.write([
        Prediction(prediction_id=str(n), timestamp_ns={START_NS}, endpoint="e", features=features, output=n),
        GroundTruth(prediction_id=str(n), timestamp_ns={START_NS}, endpoint="e", label=value),
    ])
    sink.roll()
assert sink.close()
print(sorted(set(sys.modules) - before), "pandas" in sys.modules)
"""
    assert run_python(program).stdout.strip() == "[] False"


KILLED = f"""
import os, sys, time
from modelport.predictions import ParquetSink, Prediction
sink = ParquetSink(sys.argv[1], max_rows=int(sys.argv[2]), max_seconds=3600)
n = 0
while True:
    batch = [
        Prediction(prediction_id=str(n + i), timestamp_ns={START_NS} + n, endpoint="e", features=[n + i], output=0)
        for i in range(7)
    ]
    sink.write(batch)
    n += 7
    os.write(1, b"%d\\n" % n)
"""


@pytest.mark.parametrize("after", [1, 40, 300])
@pytest.mark.parametrize("max_rows", [10**9, 70])
def test_what_write_has_taken_survives_kill_minus_nine(tmp_path: Path, after: int, max_rows: int) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path), str(max_rows)], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        told = [process.stdout.readline() for _ in range(after)]
        process.send_signal(signal.SIGKILL)
        told += process.stdout.readlines()
    taken = int([line for line in told if line.endswith(b"\n")][-1])

    successor = ParquetSink(tmp_path)
    successor.roll()
    successor.close()

    found = sorted(map(int, ids(tmp_path)))
    # At most the one batch that was under way may be there beyond what was acknowledged; nothing is there twice.
    assert found[:taken] == list(range(taken))
    assert taken <= len(found) <= taken + 7
    assert found == list(range(len(found)))
    assert list((tmp_path / ".journal").iterdir()) == []


def test_a_line_cut_by_a_crash_is_told_and_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    sink = ParquetSink(tmp_path)
    sink.write([prediction(1)])
    (journal,) = (tmp_path / ".journal").rglob("*.journal")
    with journal.open("ab") as file:
        file.write(b'{"prediction_id": "cut')

    sink.close()

    assert ids(tmp_path) == ["p1"]
    assert "cut short" in caplog.text


def test_a_monitor_ships_through_it(tmp_path: Path) -> None:
    with ModelMonitor("churn", sinks=[ParquetSink(tmp_path)]) as monitor:
        made = [monitor.log({"age": n}, n) for n in range(2500)]

    assert ids(tmp_path) == made
    assert sum(monitor.dropped.values()) == 0


def test_formats_of_an_object_store(tmp_path: Path) -> None:
    for form in ("txt", "txt.gz", "parquet"):
        store = MemoryStore()
        sink = S3Sink(store, format=form, journal=tmp_path)  # type: ignore[arg-type]
        sink.write([prediction(1), truth(1)])
        sink.close()
        paths = [item["path"] for page in obstore.list(store) for item in page]

        assert all(path.endswith("." + form) for path in paths)
        assert [record.label for record in read_predictions(store)] == [True]


def test_each_destination_and_format_has_a_journal_of_its_own(tmp_path: Path) -> None:
    def place(target: Any, form: Any = "txt", journal: Any = None) -> Path:
        return S3Sink(target, format=form, journal=journal).journal

    one = place("s3://abc/x")
    assert one == place("s3://abc/x")
    assert len({one, place("s3://abc/y"), place("s3://abc/x", "txt.gz"), place(MemoryStore())}) == 4
    assert one.parent == Path(tempfile.gettempdir())
    assert place("s3://abc/x", journal=tmp_path).parent == tmp_path
    assert ParquetSink("log").journal == Path("log/.journal")


def test_what_is_no_destination_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="s3://bucket/prefix or an obstore store"):
        S3Sink(str(tmp_path))
    with pytest.raises(TypeError, match="a destination is"):
        ParquetSink(3)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="without credentials") as error:
        S3Sink("s3://key:hunter2@bucket/x")
    assert "hunter2" not in str(error.value)
    with pytest.raises(ValueError, match="not an s3:// URL but gs://"):
        S3Sink("gs://bucket/x")
    with pytest.raises(ValueError, match="the format is one of"):
        S3Sink(MemoryStore(), format="csv")  # type: ignore[arg-type]


def test_no_secret_is_shown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAHUNTER")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    sink = S3Sink("s3://bucket/prefix", journal=tmp_path)

    assert repr(sink) == "S3Sink('s3://bucket/prefix', format='txt')"
    assert "hunter" not in (repr(sink) + sink.destination).lower()


def test_a_reader_finds_what_pyarrow_finds(tmp_path: Path) -> None:
    sink = ParquetSink(tmp_path)
    sink.write([prediction(n) for n in range(3)])
    sink.close()
    (file,) = tmp_path.rglob("*.parquet")

    assert pq.read_table(file)["feature_age"].to_pylist() == [0.0, 1.0, 2.0]
    assert json.loads(read_predictions(tmp_path).to_pandas()[["feature_age"]].to_json(orient="values")) == [
        [0],
        [1],
        [2],
    ]
