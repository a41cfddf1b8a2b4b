from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from modelport._files import write_whole


def test_the_file_is_new_and_nothing_lies_beside_it(tmp_path: Path) -> None:
    path = write_whole(tmp_path / "a.json", b"new")

    assert path.read_bytes() == b"new"
    assert [file.name for file in tmp_path.iterdir()] == ["a.json"]


def test_a_replaced_file_keeps_its_permissions(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")
    (tmp_path / "a").chmod(0o600)
    write_whole(tmp_path / "a", b"new")

    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o600


def test_a_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "v3").mkdir()
    (tmp_path / "v3" / "a").write_bytes(b"old")
    (tmp_path / "a").symlink_to(Path("v3") / "a")
    write_whole(tmp_path / "a", b"new")

    assert (tmp_path / "a").is_symlink()
    assert (tmp_path / "v3" / "a").read_bytes() == b"new"


def test_a_pipe_is_written_to_and_stays_one(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    write_whole(pipe, b"new")
    reader.join(30)

    assert read == [b"new"]
    assert pipe.is_fifo()


def test_an_error_names_the_file_that_was_asked_for(tmp_path: Path) -> None:
    for wrong, kind in ((tmp_path / "absent" / "a", FileNotFoundError), (tmp_path, IsADirectoryError)):
        with pytest.raises(kind) as raised:
            write_whole(wrong, b"new")

        assert raised.value.filename == str(wrong)
    assert list(tmp_path.iterdir()) == []
