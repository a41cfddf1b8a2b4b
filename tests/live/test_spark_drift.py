"""Drift in Spark: a standalone master and two workers, each a process of its own, on this machine.

The first test is part of every run; the slow ones ask more of the same cluster.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from modelport.drift import Baseline, LiveCounts, drift_report
from modelport.drift.offline import offline_drift_report
from tests.unit.drift import nasty

pytestmark = [
    pytest.mark.live,
    pytest.mark.timeout(600),
    # pyspark leaves sockets to the garbage collector, and warns of each new pandas.
    pytest.mark.filterwarnings("default"),
    pytest.mark.skipif(shutil.which("java") is None, reason="java is not installed"),
]

pyspark = pytest.importorskip("pyspark")

WORKERS = 2
# These processes live for seconds: compiling well and many threads for garbage cost more than they save.
JAVA = {"JAVA_TOOL_OPTIONS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xshare:auto"}
ROWS = 20_000
SPECIAL = [
    None,
    float("nan"),
    float("inf"),
    float("-inf"),
    0.1,
    0.30000000000000004,
    5e-324,
    -0.0,
    1.7976931348623157e308,
]
SPELLED = ["1.5", " 2", "nan", "1d", "0x1p3", "n/a", None, "-Infinity", "+-1", "1e400"]
TEXTS = [None, "a", "A", "it's", "back\\slash", "${x}", "\ue000", 'dq"', "", "--", "new\nline", "é😀"]


class Cluster:
    """Java processes that end with the test."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._processes: list[tuple[subprocess.Popen[bytes], IO[bytes]]] = []
        self._environment = {
            **os.environ,
            **JAVA,
            "SPARK_LOCAL_IP": "127.0.0.1",
            "SPARK_NO_DAEMONIZE": "1",
            "SPARK_DAEMON_MEMORY": "256m",
            "SPARK_CONF_DIR": str(folder),
            "PYSPARK_PYTHON": sys.executable,
        }
        port = _free_port()
        self.url = f"spark://127.0.0.1:{port}"
        self.master_log = folder / "master.log"
        self._start("master.Master", self.master_log, "--host", "127.0.0.1", "--port", str(port), "--webui-port", "0")

    def add_worker(self, number: int) -> None:
        log = self._folder / f"worker-{number}.log"
        work = str(self._folder / f"work-{number}")
        options = ("--webui-port", "0", "--cores", "1", "--memory", "1g", "--work-dir", work)
        self._start("worker.Worker", log, "--host", "127.0.0.1", *options, self.url)

    def wait(self, pattern: str, times: int) -> None:
        """Until the master has said it so often."""
        deadline = time.monotonic() + 240
        while len(re.findall(pattern, self.master_log.read_text(errors="replace"))) < times:
            assert all(process.poll() is None for process, _ in self._processes), self._logs()
            assert time.monotonic() < deadline, self._logs()
            time.sleep(0.1)

    def stop(self) -> None:
        for process, log in reversed(self._processes):
            process.terminate()
            process.wait(60)
            log.close()

    def _start(self, name: str, log: Path, *arguments: str) -> None:
        home = Path(pyspark.__file__).parent
        file = log.open("wb")
        command = [str(home / "bin" / "spark-class"), f"org.apache.spark.deploy.{name}", *arguments]
        environment = {**self._environment, "SPARK_HOME": str(home)}
        process = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT, env=environment)
        self._processes.append((process, file))

    def _logs(self) -> str:
        return "\n".join(path.read_text(errors="replace")[-2000:] for path in self._folder.glob("*.log"))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    made = Cluster(tmp_path_factory.mktemp("spark"))
    try:
        made.wait("ALIVE", 1)
        for number in range(WORKERS):
            made.add_worker(number)
        made.wait("Registering worker", WORKERS)
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="module")
def session(cluster: Cluster) -> Iterator[Any]:
    from pyspark.sql import SparkSession

    options: dict[str, Any] = {
        "spark.ui.enabled": "false",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.memory": "1g",
        "spark.executor.memory": "512m",
        "spark.executor.cores": "1",
        "spark.sql.shuffle.partitions": "2",
        # Planning again between stages, and Java written and compiled for each query, pay off beyond some megabytes.
        "spark.sql.adaptive.enabled": "false",
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.session.timeZone": "Asia/Singapore",
        # Both executors are to have work, however fast the first of them is.
        "spark.locality.wait": "0",
        "spark.scheduler.minRegisteredResourcesRatio": "1.0",
        "spark.scheduler.maxRegisteredResourcesWaitingTime": "120s",
    }
    environment = {**JAVA, "SPARK_LOCAL_IP": "127.0.0.1", "PYSPARK_PYTHON": sys.executable}
    before = {name: os.environ.get(name) for name in environment}
    os.environ.update(environment)
    made = SparkSession.builder.appName("modelport-test").master(cluster.url).config(map=options).getOrCreate()
    try:
        cluster.wait("Launching executor", WORKERS)
        yield made
    finally:
        made.stop()
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six files in folders, with every value on which engines are known to differ."""
    folder = tmp_path_factory.mktemp("data")
    random = np.random.default_rng(3)
    for place in range(6):
        count = ROWS // 6
        kinds = pa.array(random.integers(0, 100, count))
        table = pa.table({
            "x": pa.array([*(SPECIAL * 10), *random.normal(size=count - 90)]),
            "X": kinds,
            "plan": pa.array([TEXTS[index % len(TEXTS)] for index in random.integers(0, 200, count)]),
            "flag": pa.array(random.integers(0, 2, count) == 1),
            "typed": pa.array([SPELLED[index % len(SPELLED)] for index in range(count)]),
            "output": random.random(count),
            "label": random.integers(0, 2, count),
            "at": pa.array((1_700_000_000_000_000 + np.arange(count) * 60_000_000).astype("datetime64[us]")),
            "timestamp_ns": 1_700_000_000_000_000_000 + np.arange(count) * 60_000_000_000,
        })  # fmt: skip
        path = folder / f"day={place}"
        path.mkdir()
        pq.write_table(table, path / "part.parquet", row_group_size=1000)
    return folder


@pytest.fixture(scope="module")
def baseline() -> Baseline:
    random = np.random.default_rng(4)
    rows = 3000
    return Baseline.from_data(
        {
            "x": random.normal(size=rows),
            "X": random.normal(50, 20, rows),
            "plan": [TEXTS[index % 10] for index in range(rows)],
            "flag": [True, False] * (rows // 2),
            "typed": random.normal(size=rows),
        },
        output=random.random(rows),
        kinds={"typed": "numeric"},
    )


OPTIONS: dict[str, Any] = {"window": "6h", "segments": ["plan", "day"], "max_segments": 4, "label": "label"}


def tasks_done(session: Any, executors: int) -> dict[str, int]:
    """Tasks by executor, when each of so many has done some; told by Spark a moment after it is so."""
    deadline = time.monotonic() + 60
    while True:
        listed = session.sparkContext._jsc.sc().statusStore().executorList(True)
        found = [listed.apply(place) for place in range(listed.size())]
        done = {row.id(): row.completedTasks() for row in found if row.id() != "driver" and row.completedTasks()}
        if len(done) == executors or time.monotonic() > deadline:
            return done
        time.sleep(0.1)


def test_two_executors_in_two_workers_count_what_duckdb_and_the_live_page_count(
    cluster: Cluster, session: Any, data: Path, baseline: Baseline
) -> None:
    spark = offline_drift_report(baseline, data, engine=session)

    table = pq.read_table(data)
    live = LiveCounts(baseline)
    live.update(table.select(list(baseline.names)).to_pylist(), table["output"].to_pylist())
    assert repr(drift_report(baseline, live).features) == repr(spark.features)
    assert repr(offline_drift_report(baseline, data, engine="duckdb").features) == repr(spark.features)
    launched = re.findall(r"Launching executor app-\S+/(\d+) on worker (\S+)", cluster.master_log.read_text())
    assert len({worker for _, worker in launched}) == WORKERS
    assert set(tasks_done(session, WORKERS)) == {executor for executor, _ in launched}


def test_nasty_data_is_counted_as_the_live_page_counts_it(session: Any, tmp_path: Path) -> None:
    known, typed = nasty.baseline(), nasty.table_baseline()

    cells = offline_drift_report(known, nasty.write_csv(tmp_path), engine=session)
    table = offline_drift_report(typed, nasty.write_parquet(tmp_path), engine=session)

    assert nasty.of_report(cells) == nasty.live(known, [values for _, values in nasty.rows()])
    assert nasty.of_report(table) == nasty.live(typed, nasty.table().to_pylist())


def test_times_of_a_table_without_a_zone_are_utc(session: Any) -> None:
    times = pa.array([0, 86_399_000_000, 86_400_000_000], pa.timestamp("us"))
    table = pa.table({"x": [1.0, 2.0, 1.0], "time": times})

    windows = offline_drift_report(Baseline.from_data({"x": [1.0, 2.0]}), table, engine=session, window="1d").windows

    assert [(part.value, part.records) for part in windows] == [
        ("1970-01-01T00:00:00Z", 2),
        ("1970-01-02T00:00:00Z", 1),
    ]


@pytest.mark.slow
def test_windows_segments_and_performance_are_those_of_duckdb(session: Any, data: Path, baseline: Baseline) -> None:
    spark = offline_drift_report(baseline, data, engine=session, **OPTIONS)
    duckdb = offline_drift_report(baseline, data, engine="duckdb", **OPTIONS)

    assert repr(duckdb.features) == repr(spark.features)
    for one, other in zip((*duckdb.windows, *duckdb.segments), (*spark.windows, *spark.segments), strict=True):
        assert (one.name, one.value, one.records) == (other.name, other.value, other.records)
        assert repr(one.features) == repr(other.features)
        assert one.performance is not None
        assert other.performance is not None
        assert one.performance.metrics == pytest.approx(other.performance.metrics, rel=1e-9, nan_ok=True)


@pytest.mark.slow
def test_timestamps_are_utc_whatever_the_session_says(session: Any, data: Path, baseline: Baseline) -> None:
    by_moment = offline_drift_report(baseline, data, engine=session, time="at", window="1d")
    by_number = offline_drift_report(baseline, data, engine=session, time="timestamp_ns", window="1d")

    assert [(part.value, part.records) for part in by_number.windows] == [
        (part.value, part.records) for part in by_moment.windows
    ]


@pytest.mark.slow
def test_a_data_frame_of_spark_is_taken_as_it_is(session: Any, data: Path, baseline: Baseline) -> None:
    session.conf.set("spark.sql.caseSensitive", "true")
    frame = session.read.parquet(str(data)).where("day < 3")

    report = offline_drift_report(baseline, frame)

    assert report.records == ROWS // 6 * 3
    assert session.conf.get("spark.sql.caseSensitive") == "true"
    session.conf.unset("spark.sql.caseSensitive")
