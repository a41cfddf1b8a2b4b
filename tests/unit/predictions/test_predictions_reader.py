from __future__ import annotations

import datetime as dt
import logging
from typing import TYPE_CHECKING

import pytest

from modelport.predictions import FileSink, Prediction, read_predictions

if TYPE_CHECKING:
    from pathlib import Path

START = dt.datetime(2026, 3, 1, 23, 50, tzinfo=dt.UTC)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Two endpoints, one record a minute for 40 minutes over midnight."""
    sink = FileSink(tmp_path, logger_id="l", replica_id="r")
    for endpoint in ("a", "b"):
        for minute in range(40):
            at = int((START + dt.timedelta(minutes=minute)).timestamp()) * 1_000_000_000
            sink.write(
                [
                    Prediction(
                        prediction_id=f"{endpoint}{minute}", timestamp_ns=at, endpoint=endpoint, features={}, output=0
                    )
                ]
            )
    return tmp_path


def read(log: Path, **kwargs: object) -> list[str]:
    return [record.prediction_id for record in read_predictions(log, **kwargs)]  # type: ignore[arg-type]


def test_an_endpoint_is_read_in_order_of_time(log: Path) -> None:
    assert read(log, endpoint="b") == [f"b{minute}" for minute in range(40)]


def test_all_endpoints_are_read_by_default(log: Path) -> None:
    assert len(read(log)) == 80


def test_start_is_included_and_end_is_not(log: Path) -> None:
    window = {"start": START + dt.timedelta(minutes=5), "end": START + dt.timedelta(minutes=15)}

    assert read(log, endpoint="a", **window) == [f"a{minute}" for minute in range(5, 15)]


def test_a_time_zone_other_than_utc_is_understood(log: Path) -> None:
    singapore = dt.timezone(dt.timedelta(hours=8))

    assert read(log, endpoint="a", start=(START + dt.timedelta(minutes=38)).astimezone(singapore)) == ["a38", "a39"]


def test_far_windows_are_empty_and_do_not_overflow(log: Path) -> None:
    assert read(log, start=dt.datetime.max.replace(tzinfo=dt.UTC)) == []
    assert read(log, end=dt.datetime.min.replace(tzinfo=dt.UTC)) == []


def test_a_naive_time_is_refused(log: Path) -> None:
    with pytest.raises(ValueError, match="time zone"):
        read_predictions(log, start=dt.datetime(2026, 1, 1))  # noqa: DTZ001


def test_a_window_that_ends_before_it_starts_is_refused(log: Path) -> None:
    with pytest.raises(ValueError, match="is after the end"):
        read_predictions(log, start=START, end=START - dt.timedelta(seconds=1))
    assert read(log, start=START, end=START) == []


def test_a_missing_directory_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_predictions(tmp_path / "nowhere")


def test_foreign_files_are_left_alone(log: Path) -> None:
    folder = next((log / "models/predictions/a").iterdir())
    (folder / "notes.txt").write_text("hello")
    (folder / "2561_x-y.txt").write_text("{}")

    assert len(read(log, endpoint="a")) == 40


def test_bad_lines_are_skipped_and_told(log: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = min((log / "models/predictions/a").rglob("*.txt"))
    path.write_bytes(b"\xff\xfe\n\nnot json\n" + path.read_bytes() + b'{"prediction_id": "a')

    with caplog.at_level(logging.WARNING, "modelport.predictions"):
        assert len(read(log, endpoint="a")) == 40
    assert "3 unreadable lines" in caplog.text
