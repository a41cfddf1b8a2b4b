from __future__ import annotations

import errno
import os
import stat
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelport.predictions import FileSink, Prediction, _file_sink, read_predictions
from modelport.predictions._paths import path_part

MINUTE = 60 * 1_000_000_000
AT_14_15 = 1_579_702_500 * 1_000_000_000  # 2020-01-22T14:15Z


def record(number: int = 0, *, at: int = AT_14_15, endpoint: str = "wild-fog-12", features: Any = None) -> Prediction:
    return Prediction(
        prediction_id=str(number),
        timestamp_ns=at,
        endpoint=endpoint,
        features=features or {"a": number},
        output=0.5,
    )


def files(root: Path) -> list[Path]:
    return sorted(path.relative_to(root) for path in root.rglob("*") if path.is_file())


def ids(root: Path, **kwargs: object) -> list[str]:
    return [prediction.prediction_id for prediction in read_predictions(root, **kwargs)]  # type: ignore[arg-type]


def test_files_lie_where_the_layout_says(tmp_path: Path) -> None:
    sink = FileSink(tmp_path, logger_id="fluentd-7c", replica_id="pod9")

    sink.write([record(1), record(2, at=AT_14_15 + MINUTE), record(3)])

    base = Path("models/predictions/wild-fog-12/2020-01-22")
    assert files(tmp_path) == [base / "1415_fluentd-7c-pod9.txt", base / "1416_fluentd-7c-pod9.txt"]
    assert ids(tmp_path) == ["1", "3", "2"]


def test_files_and_the_folders_above_them_are_for_the_owner_only(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    root = tmp_path / "new" / "log"
    previous = os.umask(0)
    try:
        FileSink(root).write([record()])
    finally:
        os.umask(previous)

    made = [tmp_path / "new", root, *root.rglob("*")]
    modes = {stat.S_IMODE(path.stat().st_mode) for path in made if path.is_dir()}
    assert modes == {0o700}
    assert {stat.S_IMODE(path.stat().st_mode) for path in made if path.is_file()} == {0o600}
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755


@pytest.mark.parametrize("size", [0, -1])
def test_a_file_of_no_byte_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="max_file_bytes"):
        FileSink("log", max_file_bytes=size)


@pytest.mark.parametrize("hostile", ["../../etc", "/etc/passwd", "..", "", "a\x00b", "x" * 5000, "ü/é", "\ud800"])
def test_no_endpoint_leads_outside_or_onto_another(tmp_path: Path, hostile: str) -> None:
    root = tmp_path / "root"
    root.mkdir()

    FileSink(root, replica_id="../r", logger_id="l/../..").write(
        [record(1, endpoint=hostile), record(2, endpoint="plain")]
    )

    assert {path.parts[:2] for path in files(tmp_path / "root")} == {("models", "predictions")}
    assert files(tmp_path) == [Path("root") / path for path in files(root)]
    assert ids(root, endpoint=hostile) == ["1"]


@given(st.text(), st.text())
def test_path_parts_are_safe_and_never_shared(one: str, other: str) -> None:
    part = path_part(one)

    assert part not in {"", ".", ".."}
    assert not set(part) & set("/\\\x00")
    assert len(part.encode()) <= 100
    assert (part == path_part(other)) == (one == other)


def test_a_full_file_is_followed_by_the_next(tmp_path: Path) -> None:
    sink = FileSink(tmp_path, logger_id="l", replica_id="r", max_file_bytes=200)

    for number in range(6):
        sink.write([record(number)])

    assert len(files(tmp_path)) > 1
    assert sorted(ids(tmp_path)) == [str(number) for number in range(6)]


def test_writers_of_one_name_never_mix_their_lines(tmp_path: Path) -> None:
    sinks = [FileSink(tmp_path, logger_id="l", replica_id="r") for _ in range(4)]
    body = {"a": "x" * 3000}

    def work(place: int) -> None:
        for number in range(50):
            sinks[place].write([record(place * 1000 + number, features=body)])

    threads = [threading.Thread(target=work, args=(place,)) for place in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(map(int, ids(tmp_path))) == [place * 1000 + number for place in range(4) for number in range(50)]


def test_a_cut_line_is_ended_before_the_next_one(tmp_path: Path) -> None:
    sink = FileSink(tmp_path, logger_id="l", replica_id="r")
    sink.write([record(1)])
    (path,) = files(tmp_path)
    with (tmp_path / path).open("ab") as file:
        file.write(b'{"prediction_id": "cut')

    sink.write([record(2)])

    bad: list[int] = []
    found = list(read_predictions(tmp_path, on_error=lambda _path, line, _error: bad.append(line)))
    assert [prediction.prediction_id for prediction in found] == ["1", "2"]
    assert bad == [2]


@pytest.fixture
def short_disk(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """A disk that takes `room` more bytes, writing what fits, as a real one does."""
    disk = {"room": 10**9}
    real = os.write

    def write(descriptor: int, data: bytes) -> int:
        fits = min(len(data), disk["room"])
        if not fits:
            raise OSError(errno.ENOSPC, "No space left on device")
        disk["room"] -= fits
        return real(descriptor, bytes(data)[:fits])

    monkeypatch.setattr(_file_sink.os, "write", write)
    return disk


def test_a_full_disk_leaves_no_half_line_and_the_batch_can_be_offered_again(
    tmp_path: Path, short_disk: dict[str, int]
) -> None:
    sink = FileSink(tmp_path, logger_id="l", replica_id="r")
    sink.write([record(1)])
    short_disk["room"] = 50

    with pytest.raises(OSError, match="No space"):
        sink.write([record(2), record(3)])
    assert ids(tmp_path) == ["1"]
    assert (tmp_path / files(tmp_path)[0]).read_bytes().endswith(b"\n")

    short_disk["room"] = 10**9
    sink.write([record(2), record(3)])
    assert ids(tmp_path) == ["1", "2", "3"]


def test_a_failure_in_a_later_minute_takes_back_the_earlier_one(tmp_path: Path, short_disk: dict[str, int]) -> None:
    sink = FileSink(tmp_path, logger_id="l", replica_id="r")
    batch = [record(1), record(2, at=AT_14_15 + MINUTE)]
    short_disk["room"] = 150

    with pytest.raises(OSError, match="No space"):
        sink.write(batch)
    short_disk["room"] = 10**9
    sink.write(batch)

    assert ids(tmp_path) == ["1", "2"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_the_kernels_own_full_device_is_an_os_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_file_sink, "_open", lambda _path: os.open("/dev/full", os.O_RDWR))

    with pytest.raises(OSError, match="No space"):
        FileSink(tmp_path).write([record()])


def open_descriptors() -> int:
    listing = Path("/proc/self/fd")
    return len(list(listing.iterdir())) if listing.exists() else 0


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    sink = FileSink(tmp_path, max_file_bytes=100)
    sink.write([record()])
    before = open_descriptors()

    for number in range(20):
        sink.write([record(number)])

    assert open_descriptors() == before
