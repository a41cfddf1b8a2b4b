"""Files as they are found: compressed, cut short, gone, foreign."""

from __future__ import annotations

import gzip
import logging
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import obstore
import pytest
from hypothesis import given
from hypothesis import strategies as st
from obstore.store import MemoryStore

from modelport.predictions import FileSink, Frame, ParquetSink, read_ground_truth, read_predictions
from modelport.predictions._frame_file import pack_frame
from modelport.predictions._frame_maker import frames_of
from modelport.predictions._record import to_json_line
from modelport.predictions.reading import _sources

from .records import prediction, truth

FOLDER = "models/predictions/churn/2026-03-01"


def lines(*numbers: int) -> bytes:
    return b"".join(to_json_line(prediction(number)) for number in numbers)


def put(root: Path, name: str, content: bytes) -> Path:
    path = root / FOLDER / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def read(source: Any, **kwargs: Any) -> tuple[list[str], list[tuple[str, int]]]:
    """Ids found, and file and line of each error."""
    errors: list[tuple[str, int]] = []
    reader = read_predictions(source, on_error=lambda path, line, _: errors.append((Path(path).name, line)), **kwargs)
    return [record.prediction_id for record in reader], errors


def test_each_format_is_told_by_its_suffix(tmp_path: Path) -> None:
    put(tmp_path, "0000_a.txt", lines(1))
    put(tmp_path, "0001_a.txt.gz", gzip.compress(lines(2)))
    put(tmp_path, "0002_a.jsonl", lines(3))
    put(tmp_path, "0003_a.log", b"something else")
    put(tmp_path, "0004_a.txt", b"")
    (frame,) = frames_of([prediction(4)])
    put(tmp_path, "0005_a.msgpack", pack_frame(frame))
    sink = ParquetSink(tmp_path)
    sink.write([prediction(5)])
    sink.close()

    ids, errors = read(tmp_path)

    assert (sorted(ids), errors) == (["p1", "p2", "p3", "p4", "p5"], [])


def test_a_damaged_frame_is_told_and_the_next_one_read(tmp_path: Path) -> None:
    packed = [pack_frame(frame) for number in range(3) for frame in frames_of([prediction(number)])]
    put(tmp_path, "0000_a.msgpack", packed[0] + packed[1][:-1] + b"x" + packed[2] + packed[0][:10])

    ids, errors = read(tmp_path, labels=False)

    assert ids == ["p0", "p2"]
    assert errors[0] == ("0000_a.msgpack", len(packed[0]))
    assert errors[-1] == ("0000_a.msgpack", sum(map(len, packed)))


def test_what_is_wrong_with_a_line_is_told_once_and_the_rest_read(tmp_path: Path) -> None:
    content = lines(1) + b"\xff\xfe\n" + b"\0" * 100 + lines(2) + b"not json\n" + b'{"label": \n' + lines(3)[:-10]
    put(tmp_path, "0000_a.txt", content)

    assert read(tmp_path) == (
        ["p1", "p2"],
        [("0000_a.txt", 5), ("0000_a.txt", 2), ("0000_a.txt", 4), ("0000_a.txt", 6)],
    )


def nested(levels: int) -> Any:
    value: Any = 1.0
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize("levels", [300, 600, 5000])
def test_a_line_nested_too_deep_is_told_and_the_rest_read(tmp_path: Path, levels: int) -> None:
    deep = b"[" * levels + b"]" * levels
    head = b'{"prediction_id": "p9", "timestamp_ns": 1, "endpoint": "churn", '
    content = lines(1) + head + b'"features": ' + deep + b"}\n" + head + b'"label": ' + deep + b"}\n" + lines(2)
    put(tmp_path, "0000_a.txt", content)

    ids, errors = read(tmp_path)

    assert ids == ["p1", "p2"]
    assert sorted(errors) == [("0000_a.txt", 2), ("0000_a.txt", 3)]
    assert read_predictions(tmp_path, on_error=lambda *_: None).to_arrow().num_rows == 2


def test_as_deep_as_may_be_logged_is_read_in_every_form(tmp_path: Path) -> None:
    record = prediction(1, features={"a": nested(150), "b": None}, output=nested(150))
    put(tmp_path, "0000_a.txt", to_json_line(record))

    assert list(read_predictions(tmp_path)) == [record]
    assert read_predictions(tmp_path).to_arrow().num_rows == 1


def test_a_record_of_a_frame_nested_too_deep_is_told_and_the_rest_read(tmp_path: Path) -> None:
    header = {"endpoint": "churn"}
    # As an older program, or another one, may have written it.
    columns = [header, ["p1", "p2"], [1, 2], [0, 0], [nested(600), [1.0]], None, []]
    frame = Frame(msgspec.msgpack.encode(columns), 2, 1, 2)
    (after,) = frames_of([prediction(3)])
    put(tmp_path, "0000_a.msgpack", pack_frame(frame) + pack_frame(after))

    assert read(tmp_path, labels=False) == (["p2", "p3"], [("0000_a.msgpack", 0)])


@given(st.integers(0, 400), st.booleans())
def test_a_gzip_file_cut_anywhere_gives_what_is_before_the_cut(
    tmp_path_factory: pytest.TempPathFactory, cut: int, appended: bool
) -> None:
    root = tmp_path_factory.mktemp("gzip")
    whole = gzip.compress(lines(1), mtime=0) + (gzip.compress(lines(2, 3), mtime=0) if appended else b"")
    put(root, "0000_a.txt.gz", whole[:cut])

    ids, errors = read(root)

    everything = ["p1", "p2", "p3"] if appended else ["p1"]
    assert ids == everything[: len(ids)]
    assert ids == everything or errors or cut in {0, len(gzip.compress(lines(1), mtime=0))}


def test_a_gzip_file_of_two_members_with_nuls_between_is_read(tmp_path: Path) -> None:
    put(tmp_path, "0000_a.txt.gz", gzip.compress(lines(1)) + b"\0" * 50 + gzip.compress(lines(2)))

    assert read(tmp_path) == (["p1", "p2"], [])


@pytest.mark.parametrize("content", [b"", b"PAR1", b"not parquet at all", b"\0" * 1000])
def test_a_parquet_file_that_is_none_is_told(tmp_path: Path, content: bytes) -> None:
    put(tmp_path, "0000_a.parquet", content)
    put(tmp_path, "0001_a.txt", lines(1))

    assert read(tmp_path) == (["p1"], [("0000_a.parquet", 1)])


def test_a_damaged_parquet_file_never_ends_the_reading(tmp_path: Path) -> None:
    sink = ParquetSink(tmp_path, max_rows=10**6)
    sink.write([prediction(n, request_body=str(n) * 20) for n in range(500)])
    sink.close()
    (file,) = tmp_path.rglob("*.parquet")
    whole = file.read_bytes()
    chance = random.Random(1)  # noqa: S311 - the same damage every time
    put(tmp_path, "0014_z.txt", lines(7777))

    for _ in range(40):
        damaged = bytearray(whole)
        for _ in range(8):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        file.write_bytes(damaged)

        assert read(tmp_path)[0][-1] == "p7777"


@given(st.sampled_from(["txt", "txt.gz", "msgpack", "parquet", "jsonl"]), st.binary(max_size=200))
def test_no_content_of_a_file_ends_the_reading(
    tmp_path_factory: pytest.TempPathFactory, suffix: str, content: bytes
) -> None:
    root = tmp_path_factory.mktemp("any")
    put(root, f"0000_a.{suffix}", content)
    put(root, "0001_a.txt", lines(1))

    assert read(root)[0] == ["p1"]
    assert read_predictions(root, on_error=lambda *_: None).to_arrow().num_rows == 1


def test_a_file_that_vanishes_on_the_way_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, "0000_a.txt", lines(1))
    second = put(tmp_path, "0001_a.txt", lines(2))
    put(tmp_path, "0002_a.txt", lines(3))
    errors: list[tuple[str, int]] = []
    found = []
    reader = read_predictions(tmp_path, labels=False, on_error=lambda path, line, _: errors.append((path, line)))
    for record in reader:
        found.append(record.prediction_id)
        second.unlink(missing_ok=True)

    assert (found, errors) == (["p1", "p3"], [(str(second), 0)])


def test_without_on_error_it_is_logged_per_file(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    put(tmp_path, "0000_a.txt", b"x\ny\n" + lines(1))

    with caplog.at_level(logging.WARNING, "modelport.predictions"):
        list(read_predictions(tmp_path))

    assert [record.message.rpartition("/")[2] for record in caplog.records] == [
        "0000_a.txt: 2 unreadable lines or parts skipped"
    ]


def test_a_list_of_files_of_any_name_is_read_in_its_order(tmp_path: Path) -> None:
    (tmp_path / "b.dump").write_bytes(lines(1))
    (tmp_path / "a.txt").write_bytes(lines(2) + to_json_line(prediction(3, endpoint="other")))

    assert read([tmp_path / "b.dump", str(tmp_path / "a.txt")], endpoint="churn") == (["p1", "p2"], [])


def test_a_listed_file_that_vanishes_before_it_is_read_is_told(tmp_path: Path) -> None:
    path = tmp_path / "b.dump"
    path.write_bytes(lines(1))
    errors: list[tuple[str, int]] = []
    reader = read_predictions([path], on_error=lambda name, line, _: errors.append((name, line)))
    path.unlink()

    assert (list(reader), errors) == ([], [(str(path), 0)])


def test_what_is_no_source_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="read from a directory, an s3:// URL"):
        read_predictions(3)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="without credentials"):
        read_predictions("s3://a:b@bucket")
    with pytest.raises(TypeError, match="put the one id into a list"):
        read_predictions(tmp_path, prediction_ids="p1")
    with pytest.raises(ValueError, match="is empty"):
        read_predictions("")
    with pytest.raises(FileNotFoundError, match=r"no such file: .*gone\.txt"):
        read_predictions([tmp_path / "gone.txt"])
    with pytest.raises(IsADirectoryError, match="a directory is read by itself"):
        read_predictions([tmp_path])
    path = put(tmp_path, "0000_a.txt", lines(1))
    with pytest.raises(NotADirectoryError, match="from a list"):
        read_predictions(path)


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    import tracemalloc

    def peak(count: int) -> int:
        put(
            tmp_path, "0000_a.txt", b"".join(to_json_line(prediction(n, request_body="x" * 2000)) for n in range(count))
        )
        tracemalloc.start()
        found = sum(1 for _ in read_predictions(tmp_path))
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert found == count
        return used

    assert peak(20_000) < peak(2000) + 2_000_000


def test_a_collectors_folder_has_dashes_for_the_endpoints_dots(tmp_path: Path) -> None:
    record = to_json_line(prediction(1, endpoint="wild.fog"))
    path = tmp_path / "models/predictions/wild-fog/2026-03-01/0000_a.txt"
    path.parent.mkdir(parents=True)
    path.write_bytes(record)

    assert read(tmp_path, endpoint="wild.fog")[0] == ["p1"]
    assert read(tmp_path, endpoint="wild-fog")[0] == []
    assert read(tmp_path, endpoint="wild")[0] == []


def test_a_folder_that_two_endpoints_share_gives_each_its_own_records(tmp_path: Path) -> None:
    boxkite = b'{"entity_id": "x", "server_id": "s", "features": [1], "output": 1, "created_at": 1772323200}\n'
    path = tmp_path / "models/predictions/a-b/2026-03-01/0000_fluentd.txt"
    path.parent.mkdir(parents=True)
    records = [prediction(1, endpoint="a-b"), prediction(2, endpoint="a.b"), truth(1, endpoint="a.b")]
    path.write_bytes(b"".join(map(to_json_line, records)) + boxkite)
    nameless = "s/2026-03-01T00:00:00/x"

    # A record that names no endpoint may be of either: the collector's tag has the same form for both.
    assert read(tmp_path, endpoint="a-b")[0] == ["p1", nameless]
    assert read(tmp_path, endpoint="a.b")[0] == ["p2", nameless]
    assert [record.endpoint for record in read_predictions(tmp_path, "a.b")] == ["a.b", "a.b"]
    assert [record.label for record in read_predictions(tmp_path, "a-b")] == [None, None]
    assert [record.endpoint for record in read_predictions(tmp_path)] == ["a-b", "a.b", "a-b"]
    assert list(read_ground_truth(tmp_path, "a-b")) == []


@pytest.fixture
def both(tmp_path: Path) -> list[Any]:
    """The same log in a directory and in a store."""
    sink = FileSink(tmp_path)
    for endpoint in ("a", "b", "a b/ü"):
        for number in range(90):
            sink.write([prediction(number, endpoint=endpoint, timestamp_ns=(29_538_720 + number) * 60 * 10**9)])
    store = MemoryStore()
    for path in tmp_path.rglob("*.txt"):
        obstore.put(store, path.relative_to(tmp_path).as_posix(), path.read_bytes())
    return [tmp_path, store]


@pytest.mark.parametrize("endpoint", [None, "a", "b", "a b/ü", "c"])
def test_a_store_gives_what_a_directory_gives(both: list[Any], endpoint: str | None) -> None:
    import datetime as dt

    begin = dt.datetime(2026, 2, 28, 23, 0, tzinfo=dt.UTC)
    for start, end in ((None, None), (begin, None), (begin, begin + dt.timedelta(hours=2)), (None, begin)):
        on_disk, in_store = (read(source, endpoint=endpoint, start=start, end=end)[0] for source in both)

        assert on_disk == in_store


def test_a_store_out_of_reach_is_an_error_and_no_short_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    store = MemoryStore()
    obstore.put(store, f"{FOLDER}/0000_a.txt", lines(1))

    def fail(*_: object, **__: object) -> Any:
        raise obstore.exceptions.GenericError("secret=1")

    monkeypatch.setattr(obstore, "get", fail)
    with pytest.raises(ConnectionError, match=r"cannot read .* of MemoryStore") as error:
        list(read_predictions(store))
    assert "secret" not in str(error.value)


def test_an_object_that_vanishes_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    store = MemoryStore()
    for number in range(3):
        obstore.put(store, f"{FOLDER}/000{number}_a.txt", lines(number))
    real = _sources.StoreSource.files

    def files(self: Any, *arguments: Any) -> Iterator[str]:
        for path in real(self, *arguments):
            if path.endswith("0001_a.txt"):
                obstore.delete(store, path)
            yield path

    monkeypatch.setattr(_sources.StoreSource, "files", files)

    assert read(store, labels=False) == (["p0", "p2"], [("0001_a.txt", 0)])


def test_ground_truth_is_read_by_itself(tmp_path: Path) -> None:
    sink: Any = FileSink(tmp_path)
    sink.write([prediction(1), truth(1, "a"), truth(1, "b"), truth(2, None)])

    reader = read_ground_truth(tmp_path)

    assert [(record.prediction_id, record.label) for record in reader] == [("p1", "a"), ("p1", "b"), ("p2", None)]
    assert reader.to_arrow().column_names == [
        "prediction_id", "timestamp", "timestamp_ns", "endpoint", "label", "other_json",
    ]  # fmt: skip
