"""Drift over logged predictions is that of the live page, whatever was logged."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelport.drift import Baseline, FeatureBaseline, LiveCounts, drift_report
from modelport.drift.offline import OfflineError, offline_drift_report
from modelport.monitor import logged_drift_report
from modelport.predictions import FileSink, GroundTruth, ParquetSink, Prediction, read_predictions

ENGINES = ["duckdb", "polars"]
DAY = 86_400 * 10**9
START = 1_700_006_400 * 10**9  # 2023-11-15, midnight

BASELINE = Baseline(
    features=(
        FeatureBaseline(name="x", kind="numeric", edges=(-1.0, 0.1, 5.0), counts=(1, 1, 1, 1)),
        FeatureBaseline(name="it's", kind="categorical", categories=("0", "1", "a"), counts=(1, 1, 1, 0)),
    ),
    output=FeatureBaseline(name="output", kind="numeric", edges=(0.5,), counts=(1, 1), role="output"),
    attributions=(FeatureBaseline(name="x", kind="numeric", edges=(0.0,), counts=(1, 1), role="attribution"),),
    rows=4,
)

values: st.SearchStrategy[Any] = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3)
    | st.sampled_from(["1", " 2.5", "1_0", "Infinity", "a", [1], [1, 2], {}, [], 10**400])
)  # fmt: skip
features = st.one_of(
    st.fixed_dictionaries({"x": values, "it's": values}),
    st.fixed_dictionaries({}, optional={"x": values, "z": values}),
    st.lists(values, min_size=2, max_size=2),
    st.lists(st.tuples(values, values).map(list), min_size=1, max_size=3),
    values,
)
attributions = st.none() | st.fixed_dictionaries({"x": st.floats(allow_nan=False)})


@st.composite
def predictions(draw: Callable[..., Any]) -> list[Prediction]:
    given_features = draw(st.lists(features, max_size=15))
    return [
        Prediction(
            prediction_id=str(place),
            timestamp_ns=START + draw(st.integers(-3, 3)) * DAY // 2,
            endpoint="churn",
            features=row,
            output=draw(values | st.lists(values, max_size=3)),
            segments=draw(st.none() | st.fixed_dictionaries({"country": st.sampled_from(["SG", "BR", "d'E", ""])})),
            # Those of what is no row are counted by the live page alone.
            attributions=draw(attributions) if isinstance(row, dict) and {"x", "it's"} <= row.keys() else None,
        )
        for place, row in enumerate(given_features)
    ]


def told(part: Any) -> str:
    """All rows as text, in which NaN equals itself; without the one number that needs the values themselves."""
    return repr([msgspec.structs.replace(row, mean_absolute=None) for row in part.features])


def live(records: list[Prediction]) -> Any:
    counts = LiveCounts(BASELINE)
    counts.update_from(records)
    return drift_report(BASELINE, counts)


@pytest.mark.parametrize("engine", ENGINES)
@given(predictions(), st.integers(4, 20))
@settings(max_examples=25, deadline=None)
def test_logged_drift_is_live_drift(engine: str, records: list[Prediction], batch: int) -> None:
    report = logged_drift_report(BASELINE, records, engine=engine, batch_rows=batch)

    expected = live(records)
    assert told(expected) == told(report)
    assert (expected.records, expected.uncounted) == (report.records, report.uncounted)


@given(predictions(), st.integers(4, 20))
@settings(max_examples=12, deadline=None)
def test_each_window_and_segment_is_the_live_drift_of_its_predictions(records: list[Prediction], batch: int) -> None:
    report = logged_drift_report(BASELINE, records, window="1d", segments=["country"], batch_rows=batch)

    for window in report.windows:
        assert window.start_ns is not None
        assert window.end_ns is not None
        inside = [record for record in records if window.start_ns <= record.timestamp_ns < window.end_ns]
        assert told(live(inside)) == told(window)
    for segment in report.segments:
        value = None if segment.value == "(none)" else segment.value
        same = [record for record in records if (record.segments or {}).get("country") == value]
        assert told(live(same)) == told(segment)
    assert sum(window.records for window in report.windows) == report.records
    assert sum(segment.records for segment in report.segments) == report.records


def test_an_empty_label_is_a_segment_of_its_own() -> None:
    shared = {"timestamp_ns": START, "endpoint": "churn", "features": [1.0, "a"], "output": 0.1}
    records = [
        Prediction(prediction_id="0", segments={"country": ""}, **shared),
        Prediction(prediction_id="1", **shared),
    ]

    report = logged_drift_report(BASELINE, records, segments=["country"])

    assert {(segment.value, segment.records) for segment in report.segments} == {("", 1), ("(none)", 1)}


def test_rare_segments_count_together_however_many_there_are() -> None:
    records = [
        Prediction(
            prediction_id=str(place),
            timestamp_ns=START,
            endpoint="churn",
            features=[1.0, "a"],
            output=0.1,
            segments={"user": "often" if place % 2 else str(place)},
        )
        for place in range(3000)
    ]

    report = logged_drift_report(BASELINE, records, segments=["user"], max_segments=2, batch_rows=100)

    assert [(segment.value, segment.records) for segment in report.segments] == [
        ("often", 1500),
        ("0", 1),
        ("__other__", 1499),
    ]


def test_labels_that_a_reader_joined_give_performance() -> None:
    pairs = [(0.9, 1), (0.8, 0), (0.2, 0), (0.4, 1), (0.6, 1), (0.3, None)]
    records = [
        Prediction(
            prediction_id=str(place),
            timestamp_ns=START + place * DAY,
            endpoint="churn",
            features=[1.0, "a"],
            output=output,
            label=label,
        )
        for place, (output, label) in enumerate(pairs)
    ]

    report = logged_drift_report(BASELINE, records, window="1d", batch_rows=2)

    assert report.performance is not None
    assert report.performance.labelled == 5
    # By hand: of 5 three are right; 2 of 3 called true are true, 2 of 3 true are called so; of 6 pairs 4 are ordered.
    metrics = report.performance.metrics
    assert (metrics["accuracy"], metrics["precision"], metrics["recall"]) == (3 / 5, 2 / 3, 2 / 3)
    assert metrics["auc"] == pytest.approx(4 / 6)
    expected = -(math.log(0.9) + math.log(0.2) + math.log(0.8) + math.log(0.4) + math.log(0.6)) / 5
    assert metrics["log_loss"] == pytest.approx(expected)
    assert [window.performance and window.performance.labelled for window in report.windows] == [1, 1, 1, 1, 1, None]


def test_a_log_on_disk_is_read_by_endpoint_and_time(tmp_path: Path) -> None:
    records = [
        Prediction(
            prediction_id=str(place),
            timestamp_ns=START + place * DAY,
            endpoint="churn" if place < 8 else "other",
            features={"x": float(place), "it's": "a"},
            output=0.5,
        )
        for place in range(10)
    ]
    sink = FileSink(tmp_path)
    sink.write(records)
    sink.close()
    first = dt.datetime.fromtimestamp(START // 10**9, dt.UTC)
    seen: list[int] = []

    report = logged_drift_report(
        BASELINE,
        tmp_path,
        endpoint="churn",
        start=first + dt.timedelta(days=1),
        end=first + dt.timedelta(days=5),
        on_batch=seen.append,
    )

    assert told(live(records[1:5])) == told(report)
    assert report.endpoint == "churn"
    assert seen == [4]


def test_spark_reads_no_batches_and_the_way_out_is_named() -> None:
    with pytest.raises(OfflineError, match="ParquetSink"):
        logged_drift_report(BASELINE, [], engine="spark")


def test_a_directory_that_is_no_log_is_no_empty_report(tmp_path: Path) -> None:
    (tmp_path / "log" / "models" / "predictions" / "churn").mkdir(parents=True)

    assert logged_drift_report(BASELINE, tmp_path / "log").records == 0
    with pytest.raises(FileNotFoundError, match="no log of predictions there"):
        logged_drift_report(BASELINE, tmp_path)
    with pytest.raises(OfflineError, match="s3://bucket/prefix"):
        logged_drift_report(BASELINE, "s3://")


def in_parquet(folder: Path, values: list[Any], truths: int = 0, odd: Any = None) -> Path:
    """A log of one value of "x" per prediction, the first of them with ground truth; `odd` features are the last."""
    rows: list[Any] = [{"x": x, "it's": "a"} for x in values]
    made: list[Any] = [
        Prediction(
            prediction_id=str(place),
            timestamp_ns=START + place,
            endpoint="e",
            features=features,
            output=0.1,
        )
        for place, features in enumerate(rows if odd is None else [*rows, odd])
    ]
    made += [
        GroundTruth(prediction_id=str(place), timestamp_ns=START, endpoint="e", label=1.0) for place in range(truths)
    ]
    sink = ParquetSink(folder)
    sink.write(made)
    sink.close()
    return folder


@pytest.mark.parametrize("engine", ENGINES)
def test_a_scan_of_files_says_which_rows_it_could_not_see_whole(tmp_path: Path, engine: str) -> None:
    # A number beyond 2**53 fits no column of doubles.
    log = in_parquet(tmp_path, [1.5, 2**60 + 1, 3.0, -(2**70), None])

    scanned = offline_drift_report(BASELINE, tmp_path / "models", engine=engine)
    late = offline_drift_report(
        BASELINE, tmp_path / "models", engine=engine, end=dt.datetime.fromtimestamp(START // 10**9, dt.UTC)
    )

    [told] = scanned.notes
    assert told.startswith("up to 2 rows keep values that fit no column in other_json")
    assert told in scanned.to_html()
    assert late.notes == logged_drift_report(BASELINE, log, engine=engine).notes == ()


@pytest.mark.parametrize("engine", ENGINES)
def test_one_record_with_other_features_is_no_matter_for_a_note(tmp_path: Path, engine: str) -> None:
    in_parquet(tmp_path, [1.5] * 300, odd={"xx": 1.5, "it's": "a"})

    scanned = offline_drift_report(BASELINE, tmp_path / "models", engine=engine)

    assert scanned.notes == ()
    assert msgspec.structs.asdict(scanned) == msgspec.structs.asdict(
        logged_drift_report(BASELINE, tmp_path, engine=engine)
    )


@pytest.mark.parametrize("engine", ENGINES)
def test_a_scan_of_files_says_that_ground_truth_is_left_out(tmp_path: Path, engine: str) -> None:
    in_parquet(tmp_path, [1.5, 2.5], truths=1)

    [told] = offline_drift_report(BASELINE, tmp_path / "models", engine=engine).notes

    assert told.startswith("the ground truth in 1 file is not joined here")


@pytest.mark.parametrize("engine", ENGINES)
def test_batches_of_a_reader_say_it_too(tmp_path: Path, engine: str) -> None:
    log = in_parquet(tmp_path, [1.5, 2**60 + 1, 3.0, -(2**70)])

    report = offline_drift_report(
        BASELINE, read_predictions(log).to_arrow_batches(2), engine=engine, segments=["endpoint"]
    )

    assert [told.partition(" keep")[0] for told in report.notes] == ["up to 2 rows"]


@pytest.mark.parametrize("engine", ENGINES)
def test_features_called_as_columns_of_a_sink_are_found(tmp_path: Path, engine: str) -> None:
    names = ("x", "feature_x", "output", "timestamp", "endpoint", "model_version", "prediction_id", "label")
    rows: list[dict[str, Any]] = [
        {name: float(place * 10 + row) for place, name in enumerate(names)} for row in range(20)
    ]
    baseline = Baseline.from_data(rows, output=[float(row) for row in range(20)])
    sink = ParquetSink(tmp_path)
    sink.write([
        Prediction(prediction_id=str(row), timestamp_ns=START, endpoint="e", features=features, output=float(row),
                   segments={"output": "a"}, model_version="3")
        for row, features in enumerate(rows)
    ])  # fmt: skip
    sink.close()

    scanned = offline_drift_report(baseline, tmp_path / "models", engine=engine, segments=["output", "model_version"])
    read = logged_drift_report(baseline, tmp_path, engine=engine, segments=["output", "model_version"])

    assert {row.psi for row in scanned.features} == {0.0}
    for report in (scanned, read):
        assert [(part.name, part.value, part.records) for part in report.segments] == [
            ("output", "a", 20), ("model_version", "3", 20),
        ]  # fmt: skip


def test_versions_are_told_picked_and_compared_apart() -> None:
    records = [
        Prediction(prediction_id=str(place), timestamp_ns=START, endpoint="churn", features=[1.0, "a"], output=0.1,
                   model_version=("4", "3", "3")[place % 3])
        for place in range(30)
    ]  # fmt: skip
    baseline = msgspec.structs.replace(BASELINE, model_version="3")

    report = logged_drift_report(baseline, records, segments=["model_version", "endpoint"], batch_rows=7)
    one = logged_drift_report(baseline, records, model_version="3")

    assert report.notes[0].startswith("10 of 30 predictions are of another model version (4: 10)")
    assert [(part.value, part.records) for part in report.segments] == [("3", 20), ("4", 10), ("churn", 30)]
    assert (one.records, one.notes) == (20, ())


def test_a_segment_that_nothing_carries_is_told_and_one_text_is_no_list(tmp_path: Path) -> None:
    records = [Prediction(prediction_id="0", timestamp_ns=START, endpoint="e", features=[1.0, "a"], output=0.1)]
    saved = BASELINE.save(tmp_path / "baseline.json")

    assert logged_drift_report(saved, records, segments=["nope"]).notes == ("no prediction carries the segment 'nope'",)
    with pytest.raises(TypeError, match="a list of names"):
        logged_drift_report(BASELINE, records, segments="country")


@pytest.mark.parametrize("engine", ENGINES)
def test_long_categories_with_one_beginning_are_told_apart(engine: str) -> None:
    texts = ["https://example.com/" + "a" * 100 + end for end in ("x" * 9, "y" * 9, "z" * 9)]
    baseline = Baseline.from_data({"u": texts[:2] * 5})
    records = [
        Prediction(prediction_id=str(place), timestamp_ns=START, endpoint="e", features={"u": text}, output=0.1)
        for place, text in enumerate(texts * 3)
    ]
    counts = LiveCounts(baseline)
    counts.update_from(records)

    report = logged_drift_report(baseline, records, engine=engine)

    assert report.features == drift_report(baseline, counts).features
    assert report.features[0].unseen == 3


@pytest.mark.parametrize("sink_of", [FileSink, ParquetSink])
def test_ground_truth_in_the_log_is_joined(tmp_path: Path, sink_of: Any) -> None:
    records: list[Any] = [
        Prediction(
            prediction_id=str(place),
            timestamp_ns=START + place,
            endpoint="churn",
            features={"x": float(place), "it's": "a"},
            output=place / 10,
        )
        for place in range(8)
    ]
    truths = [
        GroundTruth(prediction_id=str(place), timestamp_ns=START + DAY, endpoint="churn", label=place % 2)
        for place in range(6)
    ]
    sink = sink_of(tmp_path)
    sink.write([*records, *truths])
    sink.close()

    report = logged_drift_report(BASELINE, tmp_path, endpoint="churn")

    assert told(live(records)) == told(report)
    assert report.performance is not None
    # By hand: 0 to 0.4 say false, 0.5 says true; 1 and 3 are true and are not called so.
    assert report.performance.labelled == 6
    assert report.performance.metrics["accuracy"] == 4 / 6
