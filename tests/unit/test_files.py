"""Files written whole or not at all, and what a power cut finds."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from modelport._files import (
    append_whole,
    is_there,
    make_private_directory,
    replace_file,
    restore_file,
    try_lock,
    unlock,
)
from modelport._owned_directory import OwnedDirectory
from modelport.drift import Baseline
from modelport.monitor import ModelMonitor
from modelport.predictions import CallableSink, FileSink, ParquetSink, Prediction, Spool, read_predictions
from modelport.predictions.rolling._destination import LocalDestination
from modelport.predictions.rolling._journal import new_journal

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs descriptors of directories")

RECORD = Prediction(prediction_id="1", timestamp_ns=0, endpoint="e", features=[], output=1)


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """Inodes that a power cut spares."""
    found: set[int] = set()
    real = os.fsync

    def note(descriptor: int) -> None:
        found.add(os.fstat(descriptor).st_ino)
        real(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    return found


def write_file(folder: Path) -> None:
    FileSink(folder, fsync=True).write([RECORD])


def write_spool(folder: Path) -> None:
    def wait(_: object) -> None:
        raise OSError("down")

    monitor = ModelMonitor("e", sinks=[CallableSink(wait)], spool=Spool(str(folder), mode="batch+fdatasync"))
    monitor.log([1], 1)
    monitor.close(0.1)


def put_file(folder: Path) -> None:
    LocalDestination(folder).put("models/predictions/e/2026-01-01/0000_a-b.txt", b"line\n")


def write_journal(folder: Path) -> None:
    sink = ParquetSink(folder, fsync=True)
    sink.write([RECORD])
    assert sink.backlog_bytes


def save_baseline(folder: Path) -> None:
    folder.mkdir()
    Baseline.from_data({"a": [1.0, 2.0]}).save(folder / "baseline.json")


@pytest.mark.parametrize("write", [write_file, write_spool, write_journal, put_file, save_baseline])
def test_a_power_cut_takes_no_new_file_away_by_its_folders(
    write: Callable[[Path], None], tmp_path: Path, synced: set[int]
) -> None:
    root = tmp_path / "root"
    write(root)

    folders = {path for file in root.rglob("*") if file.is_file() for path in file.parents if path.is_relative_to(root)}
    assert folders
    assert {path.stat().st_ino for path in folders} <= synced


@pytest.mark.parametrize("write", [write_spool, write_journal, put_file])
def test_all_folders_that_are_made_for_predictions_are_for_their_owner_only(
    write: Callable[[Path], None], tmp_path: Path
) -> None:
    write(tmp_path / "a/b/root")

    folders = [path for path in tmp_path.rglob("*") if path.is_dir()]
    assert folders
    assert {path.stat().st_mode & 0o777 for path in folders} == {0o700}


def test_a_private_directory_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(FileExistsError):
        make_private_directory(tmp_path / "file")
    with pytest.raises(NotADirectoryError):
        make_private_directory(tmp_path / "file/folder")


def test_a_file_that_is_removed_goes_on_where_it_was(tmp_path: Path) -> None:
    path = tmp_path / "file"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
    os.write(descriptor, b"one")
    assert is_there(descriptor, path)
    path.write_bytes(b"one")
    assert is_there(descriptor, path)
    path.unlink()
    assert not is_there(descriptor, path)

    restore_file(descriptor, path)
    os.write(descriptor, b"two")
    os.close(descriptor)

    assert path.read_bytes() == b"onetwo"


def test_what_cannot_be_written_leaves_what_was_there_and_nothing_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "file"
    replace_file(target, b"old")

    def fail(_: int) -> None:
        raise OSError(errno.ENOSPC, "no space")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="no space"):
        replace_file(target, b"new")

    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


def test_an_append_that_fails_is_taken_back(tmp_path: Path) -> None:
    def fail(_: int) -> None:
        raise OSError(errno.EIO, "cannot sync")

    descriptor = os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT | os.O_APPEND)
    append_whole(descriptor, b"one", 0)
    with pytest.raises(OSError, match="cannot sync"):
        append_whole(descriptor, b"two", 3, fail)
    os.close(descriptor)

    assert (tmp_path / "file").read_bytes() == b"one"


def test_a_line_that_cannot_be_taken_back_costs_the_journal_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = OwnedDirectory.make(tmp_path)
    journal = new_journal(home, "a-b")
    journal.append(b'{"n": 1}\n', 1, fsync=False)
    real = os.write

    def half(descriptor: int, content: bytes) -> int:
        real(descriptor, bytes(content)[:5])
        raise OSError(errno.ENOSPC, "no space")

    def refuse(descriptor: int, size: int) -> None:
        raise OSError(errno.EIO, "cannot cut")

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", half)
        patched.setattr(os, "ftruncate", refuse)
        for _ in range(2):
            with pytest.raises(OSError, match="no space"):
                journal.append(b'{"n": 2}\n', 1, fsync=False)
    journal.append(b'{"n": 3}\n', 1, fsync=False)
    lines = list(journal.lines())
    home.remove()

    assert [line for line in lines if line.endswith(b"}\n")] == [b'{"n": 1}\n', b'{"n": 3}\n']
    assert journal.rows == 2


def test_a_lock_ends_with_its_owner_though_a_child_has_a_copy(tmp_path: Path) -> None:
    flags = os.O_RDWR | os.O_CREAT
    one, two = os.open(tmp_path / "file", flags), os.open(tmp_path / "file", flags)
    assert try_lock(one)
    assert not try_lock(two)
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=[one])

    unlock(one)
    os.close(one)

    assert try_lock(two)
    os.close(two)
    child.communicate(b"\n")


def test_a_file_sink_that_syncs_reads_back(tmp_path: Path) -> None:
    write_file(tmp_path)

    assert [record.prediction_id for record in read_predictions(tmp_path)] == ["1"]
