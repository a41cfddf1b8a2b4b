"""Counts of several processes: exact whoever dies when, and in as many files as processes live, plus one."""

from __future__ import annotations

import errno
import os
import random
import signal
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from modelport.monitor._group import ProcessGroup
from modelport.monitor._group_file import OwnFile, read_figures
from modelport.monitor._group_totals import Totals

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs flock and fork")

KEY = "k"


def member(folder: Path, count: int = 0, key: str = KEY) -> tuple[ProcessGroup, Totals]:
    figures = Totals({"n": count}, [count, 2 * count], [count / 2], {"queued": count})
    return ProcessGroup(folder, key, lambda: figures), figures


def counted(folder: Path) -> int:
    """What somebody who has counted nothing reads."""
    reader, _ = member(folder)
    total = reader.total()[1]
    reader.close()
    assert total.counts[1] == 2 * total.counts[0] == 2 * total.counters["n"] == 4 * total.sums[0]
    return total.counters["n"]


def forked(work: Callable[[], None]) -> int:
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os._exit(70)
    return child


def killed(work: Callable[[], None]) -> None:
    """Run `work` in a process that ends by SIGKILL, at its end at the latest."""

    def run() -> None:
        work()
        os.kill(os.getpid(), signal.SIGKILL)

    _, status = os.waitpid(forked(run), 0)
    assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL


def publishing(folder: Path, count: int) -> Callable[[], None]:
    return partial(_publish, folder, count)


def _publish(folder: Path, count: int) -> None:
    member(folder, count)[0].publish()


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_living_and_the_dead_are_added_up_but_only_the_gauges_of_the_living(tmp_path: Path) -> None:
    killed(publishing(tmp_path, 5))
    first, _ = member(tmp_path, 7)
    first.publish()
    second, _ = member(tmp_path, 11)

    total = second.total()[1]
    assert total == Totals({"n": 23}, [23, 46], [11.5], {"queued": 18})
    first.close()
    second.close()


def test_files_are_no_more_than_the_living_and_one(tmp_path: Path) -> None:
    reader, _ = member(tmp_path, 1)
    for number in range(20):
        killed(publishing(tmp_path, 10))
        assert reader.total()[1].counters["n"] == 1 + 10 * (number + 1)
        assert len(files(tmp_path)) == 2
    reader.close()
    assert counted(tmp_path) == 201


def test_a_second_start_goes_on_where_the_first_ended(tmp_path: Path) -> None:
    labels = set()
    for _ in range(3):
        group, _ = member(tmp_path, 10)
        labels.add(group.total()[0].label)
        group.close()

    assert counted(tmp_path) == 30
    assert len(labels) == 1


def test_groups_of_other_models_keep_to_themselves(tmp_path: Path) -> None:
    one, _ = member(tmp_path, 3, "one")
    two, _ = member(tmp_path, 4, "two")

    assert (one.total()[1].counters["n"], two.total()[1].counters["n"]) == (3, 4)
    assert one.total()[0].label != two.total()[0].label
    one.close()
    two.close()


class Killer:
    """Lets so many of a process's steps on the disk pass, then kills it."""

    def __init__(self, steps: int) -> None:
        self._left = steps

    def __call__(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def step(*arguments: Any, **named: Any) -> Any:
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            self._left -= 1
            return real(*arguments, **named)

        return step


@pytest.mark.parametrize("steps", range(12))
def test_a_folder_killed_at_any_step_loses_and_doubles_nothing(tmp_path: Path, steps: int) -> None:
    for count in (1, 10, 100):
        killed(publishing(tmp_path, count))

    def fold() -> None:
        killer = Killer(steps)
        for module, name in ((Path, "unlink"), (Path, "replace"), (Path, "open"), (os, "fsync")):
            setattr(module, name, killer(getattr(module, name)))
        member(tmp_path, 1000)[0].fold()

    killed(fold)
    assert [counted(tmp_path) for _ in range(3)] == [111] * 3
    assert len(files(tmp_path)) <= 2


@pytest.mark.parametrize("steps", range(8))
def test_a_process_killed_while_it_makes_its_file_spoils_nothing(tmp_path: Path, steps: int) -> None:
    killed(publishing(tmp_path, 5))

    def begin() -> None:
        killer = Killer(steps)
        for module, name in ((Path, "replace"), (os, "pwrite"), (os, "open")):
            setattr(module, name, killer(getattr(module, name)))
        member(tmp_path, 1000)[0].publish()

    killed(begin)
    assert counted(tmp_path) in {5, 1005}
    first = counted(tmp_path)
    assert counted(tmp_path) == first
    member(tmp_path)[0].fold()
    assert len(files(tmp_path)) <= 2


def test_a_write_cut_anywhere_leaves_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "k.a.live"
    own = OwnFile(path, Totals({"n": 1}))
    own.write(Totals({"n": 2}))
    before = path.read_bytes()
    own.write(Totals({"n": 3}))
    after = path.read_bytes()
    own.close()
    cut = tmp_path / "cut.live"

    found = set()
    differ = [place for place, (old, new) in enumerate(zip(before, after, strict=True)) if old != new]
    for length in range(differ[0], differ[-1] + 2):
        cut.write_bytes(after[:length] + before[length:])
        found.add(read_figures(cut)[0].counters["n"])
    assert found == {2, 3}


def test_a_reader_beside_a_writer_sees_whole_figures_that_never_fall(tmp_path: Path) -> None:
    done = threading.Event()
    own = OwnFile(tmp_path / "k.a.live", Totals({"n": 0}, [0] * 300))

    def write() -> None:
        number = 0
        while not done.is_set():
            number += 1
            own.write(Totals({"n": number}, [number] * 300))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        last = 0
        for _ in range(3000):
            figures, living = read_figures(own.path)
            assert living
            assert set(figures.counts) == {figures.counters["n"]}
            assert figures.counters["n"] >= last
            last = figures.counters["n"]
    finally:
        done.set()
        writer.join()
        own.close()


def test_figures_that_outgrow_their_file_get_a_larger_one(tmp_path: Path) -> None:
    group, figures = member(tmp_path, 1)
    group.publish()
    figures.counters.update({f"reason {number}": number for number in range(5000)})

    total = group.total()[1]
    assert total.counters["reason 4999"] == 4999
    assert total.counters["n"] == 1
    assert len(files(tmp_path)) == 2
    group.close()


def test_a_directory_that_was_emptied_begins_a_new_group_with_all_that_lives(tmp_path: Path) -> None:
    killed(publishing(tmp_path, 5))
    group, _ = member(tmp_path, 7)
    before, total = group.total()
    assert total.counters["n"] == 12
    for name in files(tmp_path):
        (tmp_path / name).unlink()

    after, total = group.total()
    assert total.counters["n"] == 7
    assert after.label != before.label
    group.close()


def test_a_damaged_folded_file_begins_a_new_group(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    group, _ = member(tmp_path, 7)
    before, _ = group.total()
    (tmp_path / f"{KEY}.folded").write_bytes(b"\x00damaged")

    after, total = group.total()
    assert total.counters["n"] == 7
    assert after.label != before.label
    assert "damaged" in caplog.text
    group.close()


FULL = OSError(errno.ENOSPC, "No space left on device")


def test_on_a_full_disk_the_total_is_the_last_that_all_could_see(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    group, figures = member(tmp_path, 7)
    group.publish()
    with monkeypatch.context() as full:
        full.setattr(os, "pwrite", lambda *_: (_ for _ in ()).throw(FULL))
        figures.counters["n"], figures.counts, figures.sums = 9, [9, 18], [4.5]
        assert [group.total()[1].counters["n"] for _ in range(3)] == [7] * 3
        assert not group.sharing

    assert group.total()[1].counters["n"] == counted(tmp_path) == 9
    assert group.sharing
    assert caplog.text.count("No space left") == 1
    group.close()


def test_on_a_full_disk_the_dead_are_counted_from_their_own_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    group, figures = member(tmp_path, 7)
    assert group.total()[1].counters["n"] == 7
    killed(publishing(tmp_path, 5))
    with monkeypatch.context() as full:
        full.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(FULL))
        figures.counters["n"], figures.counts, figures.sums = 9, [9, 18], [4.5]
        assert [group.total()[1].counters["n"] for _ in range(3)] == [14] * 3
        assert caplog.text.count("No space left") == 1

    assert group.total()[1].counters["n"] == 14
    assert len(files(tmp_path)) == 2
    group.close()


def test_a_write_that_is_cut_short_is_told_and_keeps_what_the_file_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.pwrite
    own = OwnFile(tmp_path / "k.a.live", Totals({"n": 1}))
    with monkeypatch.context() as full:
        full.setattr(os, "pwrite", lambda file, content, start: real(file, content[: len(content) // 2], start))
        for number in (2, 3, 4):
            with pytest.raises(OSError, match="No space left"):
                own.write(Totals({"n": number}))
            assert read_figures(own.path)[0].counters["n"] == 1

    assert own.write(Totals({"n": 5}))
    assert read_figures(own.path)[0].counters["n"] == 5
    own.close()


@pytest.mark.parametrize("strange", ["other magic", "other figures", "garbage"])
def test_a_file_of_another_version_is_left_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, strange: str
) -> None:
    killed(publishing(tmp_path, 5))
    killed(publishing(tmp_path, 10))
    path = min(tmp_path.glob("*.live"))
    known = path.read_bytes()
    n = int(read_figures(path)[0].counters["n"])
    if strange == "other magic":
        path.write_bytes(known.replace(b"mpgroup1", b"mpgroup9"))
    elif strange == "garbage":
        path.write_bytes(bytes(range(1, 256)) * 20)
    else:
        made = OwnFile(path, Totals(counters="not a mapping"))  # type: ignore[arg-type]
        made.close()
    before = path.read_bytes()

    assert [counted(tmp_path) for _ in range(3)] == [15 - n] * 3
    assert path.read_bytes() == before
    assert path.name in caplog.text


def test_a_forked_child_counts_apart_and_does_not_end_its_parent(tmp_path: Path) -> None:
    group, figures = member(tmp_path, 7)
    group.publish()

    def child() -> None:
        group.after_fork()
        figures.counters["n"], figures.counts, figures.sums = 3, [3, 6], [1.5]
        group.publish()
        group.close()

    killed(child)
    total = group.total()[1]
    assert total.counters["n"] == 10
    assert total.gauges == {"queued": 7}
    group.close()


def test_a_directory_that_cannot_be_written_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(OSError, match="file"):
        member(tmp_path / "file")


@pytest.fixture
def crowd() -> Iterator[list[int]]:
    children: list[int] = []
    yield children
    for child in children:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def test_totals_never_fall_and_end_exact_while_processes_are_killed_and_replaced(
    tmp_path: Path, crowd: list[int]
) -> None:
    """Each worker tells, over a pipe, what it has published; a reader must never see less than what was told."""
    told, tell = os.pipe()

    def work() -> None:
        group, figures = member(tmp_path)
        for number in range(1, 100_000):
            figures.counters["n"], figures.counts, figures.sums = number, [number, 2 * number], [number / 2]
            group.publish()
            os.write(tell, f"{os.getpid()} {number}\n".encode())
            if number % 7 == 0:
                group.fold(wait=False)

    choose = random.Random(3)  # noqa: S311 - whom to kill
    published: dict[int, int] = {}
    rest = b""
    reader, _ = member(tmp_path)
    last = 0
    for _ in range(60):
        while len(crowd) < 3:
            crowd.append(forked(work))
        for _ in range(5):
            *lines, rest = (rest + os.read(told, 65536)).split(b"\n")
            published.update(tuple(map(int, line.split())) for line in lines)  # type: ignore[misc]
            total = reader.total()[1].counters["n"]
            assert total >= max(last, sum(published.values()))
            last = total
        victim = crowd.pop(choose.randrange(len(crowd)))
        os.kill(victim, signal.SIGKILL)
        os.waitpid(victim, 0)
    for child in crowd:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    crowd.clear()
    os.close(tell)
    while chunk := os.read(told, 65536):
        rest += chunk
    os.close(told)
    published.update(tuple(map(int, line.split())) for line in rest.split(b"\n")[:-1])  # type: ignore[misc]
    reader.close()

    # A worker may have been killed after it published and before it told: at most one each.
    assert sum(published.values()) <= counted(tmp_path) <= sum(published.values()) + len(published)
    member(tmp_path)[0].fold()
    assert len(files(tmp_path)) == 1


def test_whoever_must_go_on_leaves_its_figures_to_the_thread_that_is_writing(tmp_path: Path) -> None:
    group, figures = member(tmp_path, 1)
    group.publish()
    with group._guard:
        figures.counters["n"], figures.counts, figures.sums = 5, [5, 10], [2.5]
        other = threading.Thread(target=group.publish_quietly)
        other.start()
        other.join(60)
        waits = other.is_alive()
        group.publish_quietly()

    assert not waits
    assert counted(tmp_path) == 5


def test_a_signal_handler_may_end_it_in_the_middle_of_publishing(tmp_path: Path) -> None:
    def work() -> None:
        group, figures = member(tmp_path, 5)
        signal.signal(signal.SIGUSR1, lambda number, frame: (group.close(), os._exit(0)))
        with group._guard:
            figures.counters["n"] = 5
            os.kill(os.getpid(), signal.SIGUSR1)
            os._exit(1)

    child = forked(work)
    timer = threading.Timer(60, os.kill, (child, signal.SIGKILL))
    timer.start()
    _, status = os.waitpid(child, 0)
    timer.cancel()

    assert os.waitstatus_to_exitcode(status) == 0
    assert counted(tmp_path) == 5
