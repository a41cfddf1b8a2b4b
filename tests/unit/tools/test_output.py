"""The folder of a package is replaced as a whole or not at all, whatever happens."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from modelport_tools import output
from modelport_tools.errors import OutputError
from modelport_tools.output import apply
from modelport_tools.render import GENERATOR

MARKER = f'{{"generator": "{GENERATOR}"}}'


def package(text: str, files: int = 20) -> dict[str, str]:
    return {"operations.json": MARKER, **{f"part{n % 3}/m{n}.py": f"# {text}\n" for n in range(files)}}


def content(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


def write(target: Path, wanted: dict[str, str]) -> list[str]:
    return apply(target, wanted, check=False, guard=True)


def leftovers(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.startswith(".")]


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


@pytest.fixture(params=["in one step", "in two"])
def exchange(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "in two":
        monkeypatch.setattr(output, "_exchange", lambda *_: False)


@pytest.mark.usefixtures("exchange")
def test_a_package_takes_the_place_of_another_whole(tmp_path: Path) -> None:
    target = tmp_path / "made"
    write(target, package("old", files=30))
    changed = write(target, package("new"))

    assert content(target) == package("new")
    assert set(changed) == set(package("", files=30)) - {"operations.json"}
    assert names(tmp_path) == ["made"]


@pytest.mark.skipif(sys.platform != "linux", reason="a step of Linux")
def test_folders_change_places_in_one_step_here(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).touch()

    assert output._exchange(tmp_path / "a", tmp_path / "b")
    assert (names(tmp_path / "a"), names(tmp_path / "b")) == (["b"], ["a"])


def test_a_check_says_which_files_are_stale_missing_or_too_many(tmp_path: Path) -> None:
    write(tmp_path / "made", package("old"))
    (tmp_path / "made/part0/m0.py").write_text("stale")
    (tmp_path / "made/part1/m1.py").unlink()
    (tmp_path / "made/more.py").touch()
    (tmp_path / "made/__pycache__").mkdir()
    (tmp_path / "made/__pycache__/m.pyc").touch()
    before = content(tmp_path)

    assert apply(tmp_path / "made", package("old"), check=True, guard=True) == [
        "more.py", "part0/m0.py", "part1/m1.py"
    ]  # fmt: skip
    assert content(tmp_path) == before


def test_a_link_to_a_folder_is_followed_and_stays(tmp_path: Path) -> None:
    write(tmp_path / "real/made", package("old"))
    (tmp_path / "made").symlink_to("real/made")
    (tmp_path / "folder").symlink_to("real")
    write(tmp_path / "made", package("new"))

    assert (tmp_path / "made").is_symlink()
    assert content(tmp_path / "real/made") == package("new")

    write(tmp_path / "folder/made", package("newer"))

    assert content(tmp_path / "real/made") == package("newer")
    assert (leftovers(tmp_path), leftovers(tmp_path / "real")) == ([], [])


def test_a_link_to_a_folder_that_is_not_generated_is_never_followed(tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious/file").write_text("x")
    (tmp_path / "made").symlink_to("precious")
    with pytest.raises(OutputError, match="not a package that modelport generated"):
        write(tmp_path / "made", package("new"))

    assert content(tmp_path / "precious") == {"file": "x"}


def test_a_loop_of_links_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "made").symlink_to("made")
    with pytest.raises(OutputError, match="cannot be written"):
        write(tmp_path / "made", package("new"))


def test_a_large_foreign_folder_is_refused_without_being_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "made").mkdir()
    (tmp_path / "made/file").touch()
    monkeypatch.setattr(output, "_present", lambda _: pytest.fail("was read"))
    for check in (True, False):
        with pytest.raises(OutputError, match="not a package"):
            apply(tmp_path / "made", package("new"), check=check, guard=True)


@pytest.mark.parametrize(
    "marker", ["", "{", "[]", '{"generator": "another"}', "[" * 100_000], ids=["empty", "cut", "list", "other", "deep"]
)
def test_a_marker_that_is_not_ours_makes_a_folder_foreign(tmp_path: Path, marker: str) -> None:
    (tmp_path / "made").mkdir()
    (tmp_path / "made/operations.json").write_text(marker)
    with pytest.raises(OutputError, match="not a package"):
        write(tmp_path / "made", package("new"))


def test_read_only_files_are_replaced_too(tmp_path: Path) -> None:
    target = tmp_path / "made"
    write(target, package("old"))
    for path in sorted(target.rglob("*"), reverse=True):
        path.chmod(0o500 if path.is_dir() else 0o400)
    write(target, package("new"))

    assert content(target) == package("new")
    assert leftovers(tmp_path) == []
    assert os.access(target / "part0/m0.py", os.W_OK)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_an_output_error(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match="cannot be written: Permission denied"):
        write(tmp_path / "made", package("new"))
    tmp_path.chmod(0o700)


@pytest.mark.usefixtures("exchange")
@pytest.mark.parametrize("after", range(0, 21, 4))
def test_a_disk_that_fills_up_leaves_the_old_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    write(tmp_path / "made", package("old"))
    real, written = Path.write_bytes, 0

    def write_bytes(self: Path, data: bytes) -> int:
        nonlocal written
        written += 1
        if written > after:
            self.touch()
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(self, data)

    monkeypatch.setattr(Path, "write_bytes", write_bytes)
    with pytest.raises(OutputError, match="cannot be written: No space left on device"):
        write(tmp_path / "made", package("new"))

    assert content(tmp_path) == {f"made/{name}": text for name, text in package("old").items()}
    assert leftovers(tmp_path) == []


PROGRAM = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from tests.unit.tools.test_output import package, write
print("ready", flush=True)
number = 0
while True:
    number += 1
    write(Path(sys.argv[1]), package(f"{sys.argv[2]}{number}", files=60))
"""


def run_forever(target: Path, name: str, root: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(target), name, str(root)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def whole(folder: Path) -> bool:
    """Whether all files come from one run."""
    texts = content(folder)
    return len(texts) == 61 and len(set(texts.values())) == 2


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere it takes two steps, and the next run the second")
def test_a_run_that_is_killed_leaves_a_whole_package_and_the_next_one_clears_up(tmp_path: Path, root: Path) -> None:
    target = tmp_path / "made"
    write(target, package("first", files=60))
    for attempt in range(6):
        process = run_forever(target, "killed", root)
        time.sleep(0.013 * attempt)  # anywhere in its work
        process.kill()
        process.communicate()

        assert process.returncode == -signal.SIGKILL
        assert whole(target)

    (tmp_path / ".modelport-made-leftover/made").mkdir(parents=True)
    write(target, package("last"))

    assert names(tmp_path) == ["made"]
    assert content(target) == package("last")


def test_an_old_package_that_a_killed_run_had_put_aside_comes_back_if_the_next_run_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / ".modelport-made-leftover/retired", package("old"))

    def broken(*_: object) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(output, "_settle", broken)
    with pytest.raises(OutputError):
        write(tmp_path / "made", package("new"))

    assert content(tmp_path) == {f"made/{name}": text for name, text in package("old").items()}


def test_two_runs_at_once_leave_one_whole_package(tmp_path: Path, root: Path) -> None:
    target = tmp_path / "made"
    with ThreadPoolExecutor() as pool:
        one, other = pool.map(lambda name: run_forever(target, name, root), ["one", "two"])
    for _ in range(20):
        write(target, package("three", files=60))
        time.sleep(0.01)
    for process in (one, other):
        assert process.poll() is None, "it failed on the way"
        process.kill()
        process.communicate()

    assert whole(target)

    write(target, package("last"))

    assert names(tmp_path) == ["made"]
