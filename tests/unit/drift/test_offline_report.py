"""Drift of files, tables and frames: windows, segments, performance, sources."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
from sklearn import metrics as sklearn_metrics

from modelport.drift import Baseline, drift_report
from modelport.drift.offline import OfflineError, offline_drift_report
from modelport.drift.offline._slicing import parse_window

metrics: Any = sklearn_metrics
ENGINES = ["duckdb", "polars"]
HOUR = 3600 * 10**9
RANDOM = np.random.default_rng(5)
ROWS = 2000
# Before 1970 too: engines differ in the sign of a negative remainder.
START = -600 * HOUR
X = RANDOM.normal(0.2, 1.1, ROWS)
COUNTRIES = RANDOM.choice(["SG", "BR", "it's", "\\n"], ROWS, p=[0.4, 0.3, 0.2, 0.1])
TRUTH = RANDOM.integers(0, 2, ROWS)
# Crowded near 0, as the scores of rare events are.
SCORES = 1 / (1 + np.exp(-(RANDOM.normal(-6, 2, ROWS) + TRUTH)))
BASELINE = Baseline.from_data(
    {"x": RANDOM.normal(size=3000), "plan": RANDOM.choice(["free", "pro"], 3000)}, output=RANDOM.random(3000)
)
TABLE = pa.table({
    "x": pa.array(X, mask=RANDOM.random(ROWS) < 0.05),
    "plan": RANDOM.choice(["free", "pro", "team"], ROWS),
    "output": SCORES,
    "label": TRUTH,
    "timestamp_ns": START + np.arange(ROWS) * HOUR,
    "country": pa.array([None if place % 50 == 0 else country for place, country in enumerate(COUNTRIES)]),
    "vip": TRUTH == 1,
})  # fmt: skip


def expected(mask: Any = None) -> Any:
    table = TABLE if mask is None else TABLE.filter(pa.array(mask))
    return drift_report(BASELINE, table.select(["x", "plan"]).to_pandas(), output=table["output"].to_pandas()).features


@pytest.mark.parametrize("engine", ENGINES)
def test_windows_are_cut_at_utc_and_add_up(engine: str) -> None:
    report = offline_drift_report(BASELINE, TABLE, engine=engine, window="1d")

    day = np.floor_divide(START + np.arange(ROWS) * HOUR, 24 * HOUR)
    assert [window.start_ns for window in report.windows] == [int(value) * 24 * HOUR for value in np.unique(day)]
    assert [window.records for window in report.windows] == np.unique(day, return_counts=True)[1].tolist()
    assert report.windows[0].value == "1969-12-07T00:00:00Z"
    assert repr(report.windows[40].features) == repr(expected(day == np.unique(day)[40]))
    assert report.features == expected()


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("window", [None, "1d", "1h"])
def test_segments_are_the_most_frequent_values_and_the_rest(engine: str, window: str | None) -> None:
    """With a day's windows all is grouped in one scan, with an hour's there are too many groups for that."""
    report = offline_drift_report(
        BASELINE, TABLE, engine=engine, window=window, segments=["country", "vip"], max_segments=3
    )

    country = np.where(np.arange(ROWS) % 50 == 0, "(none)", COUNTRIES)
    country = np.where(country == "\\n", "__other__", country)
    expected_values = [("country", value) for value in ("SG", "BR", "it's", "__other__", "(none)")]
    by_number = sorted((("vip", str(value)) for value in (0, 1)), key=lambda pair: -(TRUTH == int(pair[1])).sum())
    assert [(part.name, part.value) for part in report.segments] == [*expected_values, *by_number]
    for part in report.segments[:5]:
        assert repr(part.features) == repr(expected(country == part.value))
    for part in report.segments[5:]:
        assert repr(part.features) == repr(expected(TRUTH == int(part.value)))


@pytest.mark.parametrize("engine", ENGINES)
def test_classification_agrees_with_scikit_learn(engine: str) -> None:
    report = offline_drift_report(BASELINE, TABLE, engine=engine, label="label", segments=["country"])

    def check(performance: Any, mask: Any) -> None:
        truth, scores, guess = TRUTH[mask], SCORES[mask], SCORES[mask] >= 0.5
        found = performance.metrics
        assert performance.labelled == mask.sum()
        assert found["accuracy"] == pytest.approx(metrics.accuracy_score(truth, guess), abs=1e-12)
        assert found["precision"] == pytest.approx(metrics.precision_score(truth, guess), abs=1e-12)
        assert found["recall"] == pytest.approx(metrics.recall_score(truth, guess), abs=1e-12)
        assert found["f1"] == pytest.approx(metrics.f1_score(truth, guess), abs=1e-12)
        assert found["log_loss"] == pytest.approx(metrics.log_loss(truth, scores), rel=1e-9)
        assert found["auc"] == pytest.approx(metrics.roc_auc_score(truth, scores), abs=2e-4)

    check(report.performance, np.ones(ROWS, bool))
    check(report.segments[0].performance, (COUNTRIES == report.segments[0].value) & (np.arange(ROWS) % 50 != 0))


@pytest.mark.parametrize("engine", ENGINES)
def test_regression_agrees_with_scikit_learn_far_from_zero(engine: str) -> None:
    truth = RANDOM.normal(1e7, 2.0, ROWS)
    guess = truth + RANDOM.normal(0.3, 1.0, ROWS)
    table = TABLE.drop_columns(["output", "label"]).append_column("output", pa.array(guess))
    table = table.append_column("label", pa.array(truth))

    report = offline_drift_report(BASELINE, table, engine=engine, label="label")

    assert report.performance is not None
    found = report.performance.metrics
    assert report.performance.kind == "regression"
    assert found["mae"] == pytest.approx(metrics.mean_absolute_error(truth, guess), rel=1e-9)
    assert found["rmse"] == pytest.approx(metrics.root_mean_squared_error(truth, guess), rel=1e-9)
    assert found["bias"] == pytest.approx(float(np.mean(guess - truth)), rel=1e-6)
    assert found["r2"] == pytest.approx(metrics.r2_score(truth, guess), rel=1e-6)


@pytest.mark.parametrize("engine", ENGINES)
def test_classes_agree_with_scikit_learn(engine: str) -> None:
    truth = RANDOM.choice(["cat", "dog", "it's"], ROWS)
    guess = np.where(RANDOM.random(ROWS) < 0.7, truth, RANDOM.choice(["cat", "dog", "emu"], ROWS))
    baseline = Baseline.from_data({"x": X}, output=guess)
    table = pa.table({"x": X, "output": guess, "label": truth})

    report = offline_drift_report(baseline, table, engine=engine, label="label")

    assert report.performance is not None
    found = report.performance.metrics
    assert found["accuracy"] == pytest.approx(metrics.accuracy_score(truth, guess))
    for name, score in (("precision", metrics.precision_score), ("recall", metrics.recall_score)):
        assert found[f"{name}_macro"] == pytest.approx(score(truth, guess, average="macro", zero_division=0))
    assert found["f1_macro"] == pytest.approx(metrics.f1_score(truth, guess, average="macro", zero_division=0))


@pytest.mark.parametrize("engine", [*ENGINES, "connection"])
def test_every_kind_of_source_gives_the_same(engine: str, tmp_path: Path) -> None:
    data = TABLE.drop_columns(["country"])
    half = len(data) // 2
    for place, part in enumerate((data.slice(0, half), data.slice(half))):
        folder = tmp_path / "hive" / f"day={place}"
        folder.mkdir(parents=True)
        pq.write_table(part, folder / "it's.parquet")
    pq.write_table(pa.table({"label": [1]}), tmp_path / "hive" / "day=0" / "x_labels.parquet")
    pa_csv.write_csv(data, tmp_path / "one.csv")
    used: Any = duckdb.connect() if engine == "connection" else engine
    sources: list[Any] = [
        data,
        data.to_reader(max_chunksize=300),
        iter(data.to_batches(max_chunksize=300)),
        data.to_pandas(),
        pl.DataFrame(data),
        tmp_path / "hive",
        str(tmp_path / "hive" / "**" / "it*.parquet"),
        tmp_path / "one.csv",
    ]

    for source in sources:
        report = offline_drift_report(BASELINE, source, engine=used, window="1w")
        assert report.features == expected(), type(source)
        assert report.records == ROWS
    assert len(offline_drift_report(BASELINE, tmp_path / "hive", engine=used, segments=["day"]).segments) == 2


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("zone", [None, "UTC", "Asia/Singapore"])
def test_timestamps_are_moments(engine: str, zone: str | None) -> None:
    moments = TABLE["timestamp_ns"].cast(pa.timestamp("ns")).cast(pa.timestamp("us"))
    if zone:
        moments = moments.cast(pa.timestamp("us", "UTC")).cast(pa.timestamp("us", zone))
    table = TABLE.append_column("at", moments)
    epoch = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)

    report = offline_drift_report(
        BASELINE, table, engine=engine, time="at", window="1d", start=epoch, end=epoch + dt.timedelta(days=2)
    )

    assert [(window.value, window.records) for window in report.windows] == [
        ("1970-01-01T00:00:00Z", 24),
        ("1970-01-02T00:00:00Z", 24),
    ]


@pytest.fixture
def far_from_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine in New York."""
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("far_from_utc")
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("zone", [None, "UTC", "Asia/Tokyo"])
def test_moments_do_not_hang_on_the_zone_of_the_machine(engine: str, zone: str | None) -> None:
    moments = TABLE["timestamp_ns"].cast(pa.timestamp("ns")).cast(pa.timestamp("us", zone))

    report = offline_drift_report(
        BASELINE, TABLE.append_column("at", moments), engine=engine, time="at", window="1d",
        start=dt.datetime(1970, 1, 1, tzinfo=dt.UTC),
    )  # fmt: skip

    assert report.windows[0].value == "1970-01-01T00:00:00Z"
    assert [window.records for window in report.windows[:2]] == [24, 24]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_file_whose_name_looks_like_a_pattern_is_itself(engine: str, tmp_path: Path) -> None:
    for rows, name in enumerate(("b*", "bX", "a[1]", "a1", "q?"), 1):
        pq.write_table(TABLE.slice(0, rows), tmp_path / f"{name}.parquet")

    assert offline_drift_report(BASELINE, tmp_path, engine=engine).records == 1 + 2 + 3 + 4 + 5
    assert offline_drift_report(BASELINE, tmp_path / "a[1].parquet", engine=engine).records == 3


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("batches", [1, 7])
def test_numbers_are_segments_by_their_labels(engine: str, batches: int) -> None:
    price = pa.array([Decimal("1.10"), Decimal("2.00"), None, Decimal("1.10")] * 70, pa.decimal128(8, 2))
    rate = pa.array([0.5, float("nan"), 0.5, None, 2.0, float("inf"), float("nan")] * 40)
    table = pa.table({"x": X[:280], "plan": ["pro"] * 280, "price": price, "rate": rate})
    data: Any = table if batches == 1 else iter(table.to_batches(max_chunksize=40))

    report = offline_drift_report(BASELINE, data, engine=engine, segments=["price", "rate"])

    assert [(part.name, part.value, part.records) for part in report.segments] == [
        ("price", "1.1", 140), ("price", "2", 70), ("price", "(none)", 70),
        ("rate", "0.5", 80), ("rate", "2", 40), ("rate", "Infinity", 40), ("rate", "(none)", 120),
    ]  # fmt: skip


@pytest.mark.parametrize("engine", ENGINES)
def test_one_model_version_is_picked_and_others_are_told(engine: str) -> None:
    baseline = msgspec.structs.replace(BASELINE, model_version="3")
    table = TABLE.append_column("model_version", pa.array(["4"] * 500 + ["3"] * (ROWS - 600) + [None] * 100))

    whole = offline_drift_report(baseline, table, engine=engine)
    one = offline_drift_report(baseline, table, engine=engine, model_version="3")

    [told] = whole.notes
    assert told.startswith("500 of 1,900 predictions are of another model version (4: 500) than the baseline's, 3")
    assert (one.records, one.notes) == (ROWS - 600, ())
    assert offline_drift_report(BASELINE, table, engine=engine).notes == ()


def test_a_baseline_may_be_the_path_of_one(tmp_path: Path) -> None:
    path = BASELINE.save(tmp_path / "baseline.json")

    assert offline_drift_report(str(path), TABLE).features == offline_drift_report(BASELINE, TABLE).features


def test_one_text_is_no_list_of_segments() -> None:
    with pytest.raises(TypeError, match=r"a list of names: \['country'\]"):
        offline_drift_report(BASELINE, TABLE, segments="country")


@pytest.mark.parametrize("engine", ENGINES)
def test_types_that_an_engine_does_not_read_are_widened(engine: str) -> None:
    baseline = Baseline.from_data({"x": [1.5, 2.5, 3.5]})
    numbers = [1.5, None, 2.5]
    columns = [
        pa.array(numbers, pa.float32()).cast(pa.float16()),
        pa.array([number and Decimal(number) for number in numbers], pa.decimal256(50, 1)),
        pa.array([number and str(number) for number in numbers], pa.string_view()),
    ]

    reports = [offline_drift_report(baseline, pa.table({"x": column}), engine=engine) for column in columns]
    period = offline_drift_report(baseline, pd.DataFrame({"x": pd.period_range("2026", periods=3)}), engine=engine)

    assert [(row.n, row.missing) for report in reports for row in report.features] == [(2, 1)] * 3
    assert period.features[0].unseen == 3


@pytest.mark.parametrize("engine", ENGINES)
def test_nothing_at_all_is_a_report_without_values(engine: str) -> None:
    report = offline_drift_report(
        BASELINE, TABLE.slice(0, 0), engine=engine, window="1d", segments=["country"], label="label"
    )

    assert (report.records, report.windows, report.segments, report.performance) == (0, (), (), None)
    assert {row.verdict for row in report.features} == {"too few values"}


@pytest.mark.parametrize("engine", ENGINES)
def test_one_endpoint_is_picked(engine: str) -> None:
    table = TABLE.append_column("endpoint", pa.array(["it's" if place < 700 else "other" for place in range(ROWS)]))

    report = offline_drift_report(BASELINE, table, engine=engine, endpoint="it's")

    assert report.features == expected(np.arange(ROWS) < 700)


def test_a_column_may_have_another_name() -> None:
    table = TABLE.rename_columns(["AGE (years)", "feature_plan", "score", *TABLE.column_names[3:]])

    report = offline_drift_report(BASELINE, table, columns={"x": "AGE (years)"}, output="score")

    assert report.features == expected()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"data": "nowhere/*.parquet"}, "no Parquet or CSV file"),
        ({"data": 5}, "not a kind of data"),
        ({"data": TABLE.drop_columns(["x"])}, "lacks features of the baseline: x"),
        ({"engine": "oracle"}, "no engine 'oracle'"),
        ({"segments": ["city"]}, "no column for the segment 'city'"),
        ({"label": "truth"}, "no column 'truth'"),
        ({"time": "when", "window": "1d"}, "no column of time"),
        ({"time": "x", "window": "1d"}, "neither timestamps nor whole nanoseconds"),
        ({"window": "1 fortnight"}, "a window is"),
        ({"window": "1s"}, "choose a longer window"),
        ({"endpoint": "churn"}, "no column 'endpoint' to find 'churn' in"),
        ({"model_version": "3"}, "no column 'model_version' to find '3' in"),
        ({"columns": {"x": "nope"}}, r"lacks features of the baseline: x \(as 'nope'\)"),
        ({"data": ""}, "the path is empty"),
        ({"data": pd.DataFrame({"x": np.array([1j]), "plan": ["pro"]})}, "that Arrow has not"),
        ({"start": dt.datetime(2026, 1, 1)}, "needs a time zone"),  # noqa: DTZ001
        ({"label": "label", "task": "classification", "output": "x"}, "only if each truth is 0 or 1"),
    ],
)
@pytest.mark.parametrize("engine", ENGINES)
def test_what_is_wrong_is_named(engine: str, change: dict[str, Any], message: str) -> None:
    arguments: dict[str, Any] = {"data": TABLE, "engine": engine, **change}

    with pytest.raises(OfflineError, match=message):
        offline_drift_report(BASELINE, arguments.pop("data"), **arguments)


@pytest.mark.parametrize("engine", ENGINES)
def test_batches_of_too_many_windows_are_refused(engine: str) -> None:
    times = pa.array(np.arange(10_001) * 60 * 10**9)
    table = pa.table({"x": pa.array(np.zeros(10_001)), "plan": ["pro"] * 10_001, "timestamp_ns": times})

    with pytest.raises(OfflineError, match=r"more than 10000 windows; .* choose a longer window"):
        offline_drift_report(BASELINE, iter(table.to_batches(max_chunksize=5000)), engine=engine, window="1m")


@pytest.mark.parametrize("engine", ENGINES)
def test_a_damaged_file_is_named(engine: str, tmp_path: Path) -> None:
    (tmp_path / "bad.parquet").write_bytes(b"PAR1 nothing more")

    with pytest.raises(OfflineError, match=r"bad\.parquet|Parquet|parquet"):
        offline_drift_report(BASELINE, tmp_path, engine=engine)


def test_pandas_columns_of_several_types_are_refused() -> None:
    with pytest.raises(OfflineError, match="several types"):
        offline_drift_report(BASELINE, pd.DataFrame({"x": [1, "a"], "plan": ["a", "b"]}))


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("15m", 900), ("15min", 900), ("1h", 3600), ("2d", 172_800), ("1w", 604_800)]
)
def test_a_window_is_a_number_and_a_unit(text: str, seconds: int) -> None:
    assert parse_window(text) == parse_window(dt.timedelta(seconds=seconds)) == seconds * 10**9


def test_a_week_begins_on_monday() -> None:
    report = offline_drift_report(BASELINE, TABLE, window="1w")

    assert {dt.datetime.fromisoformat(window.value).weekday() for window in report.windows} == {0}
