from __future__ import annotations

import errno
import stat
from pathlib import Path

import pytest

from modelport._downloads import AtomicFile, download_path
from modelport.errors import DownloadError, InvalidInputError


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def download(path: Path, *chunks: bytes, kind: str | None = None, disk: str | None = None) -> Path:
    with AtomicFile(path, kind) as file:
        if disk is not None:
            assert file._file is not None
            file._file.close()
            file._file = open(disk, "wb")  # noqa: PTH123, SIM115 - AtomicFile closes it
        for chunk in chunks:
            file.write(chunk)
        return file.commit()


def test_a_file_appears_whole_and_is_its_owners_only(tmp_path: Path) -> None:
    with AtomicFile(tmp_path / "new" / "a.bin") as file:
        file.write(b"12")
        assert not (tmp_path / "new" / "a.bin").exists()
        file.write(b"34")
        path = file.commit()

    assert path.read_bytes() == b"1234"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert names(path.parent) == ["a.bin"]


def test_without_a_commit_nothing_stays_and_the_old_file_does(tmp_path: Path) -> None:
    place = tmp_path / "a.bin"
    place.write_text("old")
    with AtomicFile(place) as file:
        file.write(b"new")

    assert names(tmp_path) == ["a.bin"]
    assert place.read_text() == "old"


@pytest.mark.parametrize("content", [b"", b"PK", b"{}", b"<html>"])
def test_what_does_not_begin_like_its_kind_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(DownloadError, match="no zip file"):
        download(tmp_path / "a.zip", content, kind="zip")

    assert names(tmp_path) == []


def test_a_kind_is_seen_across_small_chunks(tmp_path: Path) -> None:
    path = download(tmp_path / "a.zip", b"P", b"K", b"\x05", b"\x06", bytes(18), kind="zip")

    assert path.read_bytes() == b"PK\x05\x06" + bytes(18)


@pytest.mark.parametrize(("kind", "content"), [("zip", b"PK\x03\x04cut off"), ("parquet", b"PAR1....PA")])
def test_a_file_that_lost_its_end_is_refused(tmp_path: Path, kind: str, content: bytes) -> None:
    with pytest.raises(DownloadError, match=f"only a part of a {kind} file"):
        download(tmp_path / "a", content, kind=kind)

    assert names(tmp_path) == []


def test_a_full_disk_is_a_typed_error_with_its_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(DownloadError, match="No space left on device") as caught:
        download(tmp_path / "a", b"1")

    assert isinstance(caught.value, OSError)
    assert caught.value.errno == errno.ENOSPC
    assert names(tmp_path) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_a_disk_that_fills_while_writing_is_the_same_error(tmp_path: Path) -> None:
    with pytest.raises(DownloadError) as caught:
        download(tmp_path / "a", bytes(1 << 20), disk="/dev/full")

    assert caught.value.errno == errno.ENOSPC
    assert names(tmp_path) == []


def test_a_folder_that_cannot_be_made_is_a_typed_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DownloadError), AtomicFile(tmp_path / "file" / "a"):
        pass


def test_a_folder_gets_the_default_name(tmp_path: Path) -> None:
    assert download_path(tmp_path, "x.zip") == tmp_path / "x.zip"
    assert download_path(f"{tmp_path}/new/", "x.zip") == tmp_path / "new" / "x.zip"
    assert download_path(tmp_path / "mine.zip", "x.zip") == tmp_path / "mine.zip"
    with pytest.raises(InvalidInputError):
        download_path("", "x.zip")
