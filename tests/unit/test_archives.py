from __future__ import annotations

import errno
import io
import stat
import zipfile
from pathlib import Path

import pytest

from modelport import _archives
from modelport._archives import ArchiveLimits, unpack
from modelport.errors import DownloadError, InvalidInputError, UnsafeArchiveError


def archive(folder: Path, entries: dict[str, bytes], *, modes: dict[str, int] | None = None) -> Path:
    path = folder / "in.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, content in entries.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = (modes or {}).get(name, stat.S_IFREG | 0o644) << 16
            opened.writestr(info, content)
    return path


def listing(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_files_and_folders_are_unpacked(tmp_path: Path) -> None:
    paths = unpack(archive(tmp_path, {"a.csv": b"1", "deep/b.csv": b"2"}), tmp_path / "out")

    assert [path.read_bytes() for path in paths] == [b"1", b"2"]
    assert listing(tmp_path / "out") == ["a.csv", "deep/b.csv"]


def test_a_file_of_the_same_name_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.csv").write_text("old")
    unpack(archive(tmp_path, {"a.csv": b"new"}), tmp_path / "out")

    assert (tmp_path / "out" / "a.csv").read_text() == "new"


@pytest.mark.parametrize(
    "name",
    ["../evil", "a/../../evil", "/etc/evil", "C:\\evil", "..\\evil", "a\\..\\..\\evil", "C:evil", "nul", "a/con.txt",
     "bell\x07", "line\nend", "..", "/"],
)  # fmt: skip
def test_a_name_that_leaves_the_folder_is_refused_and_nothing_is_written(tmp_path: Path, name: str) -> None:
    out = tmp_path / "deep" / "out"
    path = archive(tmp_path, {"good.csv": b"1", name: b"evil"})
    if name == "/":
        with zipfile.ZipFile(path) as opened:
            assert opened.infolist()[1].is_dir()
        assert unpack(path, out) == [out / "good.csv"]
        return

    with pytest.raises(UnsafeArchiveError):
        unpack(path, out)
    assert listing(tmp_path) == ["in.zip"]


def test_a_name_with_a_nul_is_judged_whole(tmp_path: Path) -> None:
    path = archive(tmp_path, {"a.csvX": b"1"})
    path.write_bytes(path.read_bytes().replace(b"a.csvX", b"a.csv\0"))

    with pytest.raises(UnsafeArchiveError):
        unpack(path, tmp_path / "out")


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_links_and_devices_are_refused(tmp_path: Path, kind: int) -> None:
    path = archive(tmp_path, {"link": b"/etc/passwd"}, modes={"link": kind | 0o777})

    with pytest.raises(UnsafeArchiveError, match="link or a device"):
        unpack(path, tmp_path / "out")


def test_a_link_that_was_there_before_leads_nowhere(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    out = tmp_path / "out"
    out.mkdir()
    (out / "sub").symlink_to(outside)

    with pytest.raises(UnsafeArchiveError, match="leaves"):
        unpack(archive(tmp_path, {"sub/evil": b"1"}), out)
    assert listing(outside) == []


def test_too_many_files_are_refused(tmp_path: Path) -> None:
    path = archive(tmp_path, {f"{index}": b"" for index in range(6)})

    with pytest.raises(UnsafeArchiveError, match="6 entries"):
        unpack(path, tmp_path / "out", ArchiveLimits(files=5))


def test_too_many_bytes_are_refused(tmp_path: Path) -> None:
    path = archive(tmp_path, {"a": bytes(60), "b": bytes(60)})

    with pytest.raises(UnsafeArchiveError, match="120 bytes"):
        unpack(path, tmp_path / "out", ArchiveLimits(total_bytes=100))


def test_a_bomb_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path, {"a": bytes(1_000_000)})

    with pytest.raises(UnsafeArchiveError, match="no honest file"):
        unpack(path, tmp_path / "out", ArchiveLimits(ratio_from_bytes=1000))


def test_bytes_are_counted_and_not_believed() -> None:
    with pytest.raises(UnsafeArchiveError, match="more bytes than it says"):
        _archives._copy(io.BytesIO(bytes(11)), io.BytesIO(), 10)


def test_a_name_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsafeArchiveError, match="twice"):
        unpack(archive(tmp_path, {"A.csv": b"1", "a.csv": b"2"}), tmp_path / "out")


@pytest.mark.parametrize("content", [b"", b"{}", b"PK\x03\x04rubbish", b"<html>"])
def test_what_is_no_zip_is_said_to_be_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "in.zip"
    path.write_bytes(content)

    with pytest.raises(InvalidInputError, match="not a zip archive"):
        unpack(path, tmp_path / "out")


def test_a_broken_archive_leaves_nothing(tmp_path: Path) -> None:
    path = archive(tmp_path, {"a": b"x" * 1000, "b": bytes(range(256)) * 50})
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)

    with pytest.raises((InvalidInputError, UnsafeArchiveError)):
        unpack(path, tmp_path / "out")
    assert listing(tmp_path) == ["in.zip"]


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(_archives, "_copy", full)

    with pytest.raises(DownloadError, match="No space left") as caught:
        unpack(archive(tmp_path, {"a": b"1"}), tmp_path / "out")
    assert caught.value.errno == errno.ENOSPC
    assert listing(tmp_path) == ["in.zip"]
