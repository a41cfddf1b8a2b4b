"""A cell of a CSV file is one value, whoever reads it: DuckDB, Polars, `drift compare`, and what was meant by it."""

from __future__ import annotations

import datetime as dt
import gzip
from pathlib import Path
from typing import Any

import pytest

from modelport.cli._data_files import open_data
from modelport.cli._drift_data import baseline_from, count_file
from modelport.drift import Baseline, drift_report
from modelport.drift.offline import OfflineError, offline_drift_report
from tests.unit.drift import nasty

ENGINES = ["duckdb", "polars"]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return nasty.write_csv(tmp_path_factory.mktemp("csv"))


@pytest.fixture(scope="module")
def expected() -> list[tuple[object, ...]]:
    return nasty.live(nasty.baseline(), [values for _, values in nasty.rows()])


def test_compare_reads_what_was_meant(data: Path, expected: list[tuple[object, ...]]) -> None:
    counts = count_file(nasty.baseline(), open_data(data), None).columns

    assert [(column.counts, column.missing, column.unseen) for column in counts] == expected


@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_reads_what_was_meant(data: Path, engine: str, expected: list[tuple[object, ...]]) -> None:
    known = nasty.baseline()

    whole = offline_drift_report(known, data, engine=engine)
    parts = offline_drift_report(known, data.parent / "parts", engine=engine)

    assert nasty.of_report(whole) == nasty.of_report(parts) == expected


@pytest.mark.parametrize("engine", ENGINES)
def test_a_file_has_not_drifted_from_itself(data: Path, engine: str) -> None:
    made = baseline_from(open_data(data))

    report = offline_drift_report(made, data, engine=engine)

    assert {row.name: row.psi for row in report.features} == dict.fromkeys(nasty.NAMES, 0.0)
    # Text among numbers makes that column one of labels, of which 50 have a bin.
    assert [row.name for row in report.features if row.unseen] == ["many"]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_table_of_types_that_engines_know_badly_is_counted_as_live(engine: str, tmp_path: Path) -> None:
    known, table = nasty.table_baseline(), nasty.table()

    report = offline_drift_report(known, nasty.write_parquet(tmp_path), engine=engine)

    expected = nasty.live(known, table.to_pylist())
    assert expected == nasty.of_report(report) == nasty.of_report(offline_drift_report(known, table, engine=engine))
    assert expected == nasty.of_report(drift_report(known, table))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    "times",
    [
        ["2026-01-01 23:30:00", "2026-01-02T00:30:00", "2026-01-02"],
        ["2026-01-01T23:30:00Z", "2026-01-01T22:30:00-02:00", "2026-01-02T02:00:00+02:00"],
        ["1767310200000000000", "1767313800000000000", "1767312000000000000"],
        ["2026-01-01T23:30:00Z", "2026-01-02 00:30:00", "1767312000000000000"],
    ],
)
def test_times_are_moments_in_utc(tmp_path: Path, engine: str, times: list[str]) -> None:
    (tmp_path / "now.csv").write_text("x,time\n" + "".join(f"1,{time}\n" for time in times))
    end = dt.datetime(2026, 1, 2, 0, 30, tzinfo=dt.UTC)

    windows = offline_drift_report(
        Baseline.from_data({"x": [1.0, 2.0]}), tmp_path / "now.csv", engine=engine, window="1d", end=end
    ).windows

    assert [(window.value, window.records) for window in windows] == [
        ("2026-01-01T00:00:00Z", 1),
        ("2026-01-02T00:00:00Z", 1),
    ]


@pytest.mark.parametrize("engine", ENGINES)
def test_truth_segments_folders_and_endpoints_are_read_too(tmp_path: Path, engine: str) -> None:
    for day, lines in (("1", "0.9,True,SG\n0.8,true,01\n"), ("2", "0.2,false,SG\n0.3,,\n0.7,0,1\n")):
        folder = tmp_path / f"day={day}"
        folder.mkdir()
        content = "output,truth,country,endpoint,x\n" + lines.replace("\n", ",churn,1\n") + "0.1,1,SG,other,1\n"
        (folder / "now.csv.gz").write_bytes(gzip.compress(content.encode()))

    report = offline_drift_report(
        Baseline.from_data({"x": [1.0, 2.0]}), tmp_path, engine=engine, label="truth", segments=["country", "day"],
        endpoint="churn",
    )  # fmt: skip

    assert report.performance is not None
    assert (report.performance.kind, report.performance.labelled) == ("classification", 4)
    assert report.performance.metrics["accuracy"] == 3 / 4
    assert {(part.name, part.value): part.records for part in report.segments} == {
        ("country", "SG"): 2, ("country", "01"): 1, ("country", "1"): 1, ("country", "(none)"): 1, ("day", "1"): 2,
        ("day", "2"): 3,
    }  # fmt: skip


@pytest.mark.parametrize("kinds", [None, {"output": "categorical"}])
def test_classes_are_compared_as_labels(tmp_path: Path, kinds: Any) -> None:
    (tmp_path / "now.csv").write_text("output,truth,x\ncat,cat,1\ndog,cat,1\ndog,dog,1\n,dog,1\n")
    output = None if kinds is None else ["cat", "dog"]
    baseline = Baseline.from_data({"x": [1.0, 2.0]}, output=output, kinds=kinds)

    report = offline_drift_report(baseline, tmp_path / "now.csv", label="truth")

    assert report.performance is not None
    assert (report.performance.labelled, report.performance.metrics["accuracy"]) == (3, 2 / 3)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "now.csv cannot be read: Empty CSV file"),
        (b"x,time\n1,5\n1\n", r"now.csv cannot be read: CSV parse error: Expected 2 columns, got 1$"),
        (b"x,time\nsecret\xff,5\n", "now.csv cannot be read: not UTF-8"),
        (b"x,x,time\n1,2,5\n", "now.csv: column 'x' occurs twice"),
        (b"x,time\n1,yesterday\n", "the column 'time' has a cell that is neither a timestamp nor whole nanoseconds"),
        (b"x;time\n1;5\n", "the data lacks features of the baseline: x; it has the columns x;time"),
    ],
)
def test_what_is_wrong_is_named_in_one_line(tmp_path: Path, content: bytes, told: str) -> None:
    (tmp_path / "now.csv").write_bytes(content)

    with pytest.raises(OfflineError, match=told) as refused:
        offline_drift_report(Baseline.from_data({"x": [1.0, 2.0]}), tmp_path / "now.csv", window="1d")

    assert "\n" not in str(refused.value)
