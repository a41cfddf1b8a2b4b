"""Offline drift from a real S3 server (SeaweedFS) is that from the disk, to the last digit."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import obstore
import pytest

from modelport.cli._run import run
from modelport.drift import Baseline, DriftReport
from modelport.drift.offline import OfflineError, offline_drift_report
from modelport.monitor import logged_drift_report
from modelport.predictions import FileSink, GroundTruth, ParquetSink, Prediction, S3Sink
from tests.live.s3_server import S3Server, free_ports

pytestmark = pytest.mark.live

ENGINES = ["duckdb", "polars"]
ROWS = 600
START = 1_700_006_400 * 10**9
HOUR = 3600 * 10**9
RANDOM = np.random.default_rng(5)
SLICES: dict[str, Any] = {"window": "1d", "segments": ["country"]}
# Spelled as itself, as a percent escape and as a pattern in the keys of the log.
ENDPOINT = "wild fog+[1]=é"
SECRET = "hunter2hunter2hunter2"


def moment(number: int) -> int:
    """Six quarters of an hour in four days."""
    return START + number // 100 * 16 * HOUR + number


def records() -> list[Any]:
    """Predictions of four days, some values of which fit no column, and the truth of a third of them."""
    ages = RANDOM.normal(45, 10, ROWS)
    made: list[Any] = [
        Prediction(
            prediction_id=str(n),
            timestamp_ns=moment(n),
            endpoint=ENDPOINT,
            features={"age": float(ages[n]) if n % 7 else None, "plan": ("a", "b'", "new")[n % 3]},
            output=float(ages[n]) / 100,
            segments={"country": ("SG", "BR")[n % 2]},
        )
        for n in range(ROWS)
    ]
    made += [
        GroundTruth(prediction_id=str(n), timestamp_ns=moment(n), endpoint=ENDPOINT, label=float(ages[n]) / 90)
        for n in range(0, ROWS, 3)
    ]
    return made


RECORDS = records()


@pytest.fixture(scope="module")
def baseline() -> Baseline:
    ages = RANDOM.normal(40, 10, 3000)
    return Baseline.from_data({"age": ages, "plan": ["a", "b'", "a"] * 1000}, output=ages / 100)


@pytest.fixture
def place(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> str:
    """A URL of this test's own, with the credentials in the environment."""
    for name, value in s3_server.environment.items():
        monkeypatch.setenv(name, value)
    return f"s3://{s3_server.bucket}/{hashlib.sha256(request.node.name.encode()).hexdigest()[:12]}"


def written(sink: Any) -> None:
    sink.write(RECORDS)
    sink.close()


@pytest.fixture
def parquet(place: str, tmp_path: Path) -> tuple[str, Path]:
    """The same log of Parquet files by URL and on disk."""
    written(ParquetSink(place, journal=tmp_path / "journal"))
    written(ParquetSink(tmp_path / "log"))
    return place, tmp_path / "log"


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("pattern", ["models/predictions/**/*.parquet", "models/", "models/p*/*/2023-1?-*/*.parquet"])
def test_files_scanned_in_the_store_give_the_numbers_of_the_disk(
    parquet: tuple[str, Path], baseline: Baseline, engine: str, pattern: str
) -> None:
    url, folder = parquet

    remote = offline_drift_report(baseline, f"{url}/{pattern}", engine=engine, **SLICES)

    local = offline_drift_report(baseline, folder / "models", engine=engine, **SLICES)
    assert repr(local) == repr(remote)
    # Ground truth, which lies beside the predictions, is not among them.
    assert remote.records == ROWS


@pytest.mark.parametrize("engine", ENGINES)
def test_one_object_and_the_objects_of_one_day_are_found(
    parquet: tuple[str, Path], s3_server: S3Server, baseline: Baseline, engine: str
) -> None:
    url, folder = parquet
    prefix = url.rpartition("/")[2]
    keys = [key for key in s3_server.keys(prefix) if not key.endswith("_labels.parquet")]

    each = [offline_drift_report(baseline, f"{url}/{key}", engine=engine).records for key in keys]
    day = offline_drift_report(baseline, f"{url}/**/2023-11-16/*.parquet", engine=engine)

    assert sum(each) == ROWS
    assert repr(day) == repr(offline_drift_report(baseline, next(folder.rglob("2023-11-16")), engine=engine))


@pytest.mark.parametrize("engine", ENGINES)
def test_folders_called_name_is_value_and_files_of_different_columns(
    place: str, s3_server: S3Server, baseline: Baseline, tmp_path: Path, engine: str
) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    store = s3_server.store(place.rpartition("/")[2])
    tables = [
        pa.table({"age": [1.0, 41.0], "plan": ["a", "a"], "output": [0.1, 0.4]}),
        pa.table({"age": [55.0], "plan": ["z"], "output": [0.5], "extra": [1]}),
    ]
    for n, table in enumerate(tables):
        path = tmp_path / f"table.parquet/region=r{n}/a[b]*{n}.parquet"
        path.parent.mkdir(parents=True)
        pq.write_table(table, path)
        obstore.put(store, str(path.relative_to(tmp_path)), path.read_bytes())

    remote = offline_drift_report(baseline, f"{place}/table.parquet", engine=engine, segments=["region"])

    local = offline_drift_report(baseline, tmp_path / "table.parquet", engine=engine, segments=["region"])
    assert [(part.value, part.records) for part in remote.segments] == [("r0", 2), ("r1", 1)]
    assert repr(local) == repr(remote)


@pytest.mark.parametrize("engine", ENGINES)
def test_csv_is_read_from_the_store_too(place: str, s3_server: S3Server, baseline: Baseline, engine: str) -> None:
    text = b"age,plan,output\n1.5,a,0.1\n41,b',0.4\n,new,0.5\n"
    obstore.put(s3_server.store(place.rpartition("/")[2]), "a/now.csv", text)

    report = offline_drift_report(baseline, f"{place}/a/*.csv", engine=engine)

    assert [(row.n, row.missing) for row in report.features] == [(2, 1), (3, 0), (3, 0)]


@pytest.mark.parametrize("form", ["txt", "txt.gz", "parquet"])
@pytest.mark.parametrize("engine", ENGINES)
def test_a_log_in_the_store_gives_the_numbers_and_the_performance_of_the_disk(
    place: str, tmp_path: Path, baseline: Baseline, form: Any, engine: str
) -> None:
    written(S3Sink(place, format=form, journal=tmp_path / "journal"))
    written(FileSink(tmp_path / "log"))

    remote = logged_drift_report(baseline, place, endpoint=ENDPOINT, engine=engine, **SLICES)

    local = logged_drift_report(baseline, tmp_path / "log", endpoint=ENDPOINT, engine=engine, **SLICES)
    assert [repr(part.features) for part in parts(local)] == [repr(part.features) for part in parts(remote)]
    for one, other in zip(parts(local), parts(remote), strict=True):
        assert one.performance is not None
        assert other.performance is not None
        # Sums of floats, which Polars adds up in any order.
        assert one.performance.metrics == pytest.approx(other.performance.metrics, rel=1e-9, nan_ok=True)
    assert remote.performance is not None
    assert (remote.records, remote.performance.labelled) == (ROWS, ROWS // 3)


def parts(report: DriftReport) -> list[Any]:
    """The report and its slices."""
    return [report, *report.windows, *report.segments]


def command(baseline: Path, logs: str, *options: str) -> subprocess.CompletedProcess[str]:
    """`modelport drift report` as a process of its own."""
    arguments = ["drift", "report", "--baseline", str(baseline), "--logs", logs, *options]
    return subprocess.run(
        [sys.executable, "-m", "modelport.cli", *arguments],
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


def test_the_command_reads_logs_and_files_by_url(
    place: str, s3_server: S3Server, tmp_path: Path, baseline: Baseline
) -> None:
    written(S3Sink(place, format="parquet", journal=tmp_path / "journal"))
    written(FileSink(tmp_path / "log"))
    saved = baseline.save(tmp_path / "baseline.json")

    log = command(saved, place, "--endpoint", ENDPOINT, "--json")
    files = command(saved, f"{place}/**/*.parquet", "--engine", "polars", "--json")
    here = command(saved, str(tmp_path / "log"), "--endpoint", ENDPOINT, "--json")

    assert (log.returncode, files.returncode, here.returncode) == (0, 0, 0), log.stderr + files.stderr + here.stderr
    assert json.loads(here.stdout) == json.loads(log.stdout)
    assert json.loads(files.stdout)["features"] == json.loads(log.stdout)["features"]
    told = log.stdout + log.stderr + files.stdout + files.stderr
    assert s3_server.secret_key not in told


WRONG = {
    "secret": ({"AWS_SECRET_ACCESS_KEY": SECRET}, "", "permission denied"),
    "key": ({"AWS_ACCESS_KEY_ID": SECRET}, "", "permission denied"),
    "bucket": ({}, "s3://no-such-bucket/log", "no such bucket"),
    "prefix": ({}, "/elsewhere", "(no log of predictions|no Parquet file) there"),
    "server": ({}, "", "out of reach"),
    "address": ({}, f"s3://key:{SECRET}@bucket/log", "without credentials"),
    "scheme": ({}, "gs://bucket/log", "s3://"),
}


@pytest.mark.parametrize("ending", ["", "/**/*.parquet"])
@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_told_in_one_line_without_a_secret(
    place: str,
    s3_server: S3Server,
    tmp_path: Path,
    baseline: Baseline,
    case: str,
    ending: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    written(S3Sink(place, format="parquet", journal=tmp_path / "journal"))
    environment: dict[str, str]
    environment, where, expected = WRONG[case]
    if case == "server":
        environment = {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{free_ports(1)[0]}"}
    logs = (where if "://" in where else place + where) + ending

    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    saved = str(baseline.save(tmp_path / "baseline.json"))

    code = run(["drift", "report", "--baseline", saved, "--logs", logs])

    told = capsys.readouterr()
    assert (code, told.out) == (2, ""), told.err
    [line] = [line for line in told.err.splitlines() if line.startswith("modelport: error:")]
    assert re.search(expected, line), line
    assert "a fault of modelport" not in line
    assert SECRET not in told.err
    assert s3_server.secret_key not in told.err


@pytest.mark.parametrize("engine", ENGINES)
def test_the_error_of_a_scan_is_typed(
    parquet: tuple[str, Path], baseline: Baseline, engine: str, s3_server: S3Server
) -> None:
    url, _ = parquet
    options = {
        "aws_access_key_id": s3_server.access_key,
        "aws_secret_access_key": SECRET,
        "aws_endpoint_url": s3_server.endpoint,
        "aws_region": "us-east-1",
    }

    with pytest.raises(OfflineError, match="permission denied") as refused:
        offline_drift_report(baseline, f"{url}/**/*.parquet", engine=engine, storage_options=options)
    with pytest.raises(OfflineError, match="no CSV file there"):
        offline_drift_report(baseline, f"{url}/**/*.csv", engine=engine)

    assert SECRET not in f"{refused.value!r}{refused.value.__cause__!r}{refused.value.__context__!r}"


def test_an_hour_without_traffic_is_an_empty_report_and_a_wrong_prefix_is_none(
    place: str, tmp_path: Path, baseline: Baseline
) -> None:
    written(S3Sink(place, journal=tmp_path / "journal"))

    assert logged_drift_report(baseline, place, endpoint="other").records == 0
    with pytest.raises(FileNotFoundError, match="nothing is below models/predictions/"):
        logged_drift_report(baseline, f"{place}/models")
