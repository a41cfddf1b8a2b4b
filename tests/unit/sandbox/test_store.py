"""State: documents, counters, rows, files, and two processes on one folder."""

from __future__ import annotations

import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from modelport.sandbox.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path / "state")
    yield made
    made.close()


def test_documents_are_written_read_changed_and_removed(store: Store) -> None:
    assert store.add("k", "a", {"n": 1}, parent="p")
    assert not store.add("k", "a", {"n": 2})
    store.patch("k", "a", m=3)
    store.put("k", "b", {"n": 9}, parent="q")

    assert store.get("k", "a") == {"n": 1, "m": 3}
    assert store.all("k") == [{"n": 1, "m": 3}, {"n": 9}]
    assert store.all("k", parent="q") == [{"n": 9}]
    assert store.remove("k", "a")
    assert not store.remove("k", "a")
    assert store.get("k", "a") is None
    assert store.patch("k", "a", n=1) is None


def test_a_change_that_fails_leaves_nothing_behind(store: Store) -> None:
    store.put("k", "a", {"n": 1})

    def spoil(body: dict[str, int]) -> None:
        body["n"] = 2
        raise KeyError("no")

    with pytest.raises(KeyError):
        store.update("k", "a", spoil)
    assert store.get("k", "a") == {"n": 1}


def test_threads_count_without_losing_one(store: Store) -> None:
    seen: list[int] = []
    threads = [threading.Thread(target=lambda: seen.extend(store.next_id("c") for _ in range(20))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(seen) == list(range(1, 161))


def test_rows_come_in_order_within_a_span(store: Store) -> None:
    for at in (3.0, 1.0, 2.0):
        store.append("log", "m", {"at": at}, at=at)

    assert [body["at"] for _, body in store.rows("log", "m", since=1.0, until=3.0)] == [1.0, 2.0]
    assert store.rows("log", "other") == []


def test_only_the_owner_may_read_the_files(store: Store) -> None:
    assert stat.S_IMODE(store.root.stat().st_mode) == 0o700
    assert stat.S_IMODE((store.root / "state.db").stat().st_mode) == 0o600
    assert stat.S_IMODE(store.folder("codex", "models").stat().st_mode) == 0o700


@pytest.mark.parametrize("part", ["..", ".", "", "a/b", "a\0b"])
def test_a_folder_name_cannot_leave_the_state(store: Store, part: str) -> None:
    with pytest.raises(ValueError, match="no folder name"):
        store.folder("codex", part)


def test_a_temporary_state_goes_with_the_store() -> None:
    store = Store()
    root = store.root
    store.put("k", "a", {})
    store.close()

    assert not root.exists()


def test_reset_forgets_everything(store: Store) -> None:
    store.put("k", "a", {})
    store.next_id("c")
    (store.folder("codex") / "file").write_text("x")
    store.reset()

    assert store.get("k", "a") is None
    assert store.next_id("c") == 1
    assert not (store.folder("codex") / "file").exists()


def test_work_of_a_process_that_died_is_marked_by_the_next_and_that_of_a_living_one_is_not(tmp_path: Path) -> None:
    root = tmp_path / "state"
    program = (
        "import os, sys; from pathlib import Path; from modelport.sandbox.store import Store\n"
        f"store = Store(Path({str(root)!r}))\n"
        "store.put('k', 'a', {'State': 'Running'})\n"
        "store.begin('k', 'a', on_crash={'State': 'Failed', 'Message': 'interrupted'})\n"
        "print('ready', flush=True); sys.stdin.readline(); os._exit(1)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as first:
        assert first.stdout is not None
        first.stdout.readline()
        second = Store(root)
        assert second.get("k", "a") == {"State": "Running"}
        second.close()
        first.communicate("go\n")
    third = Store(root)

    assert third.get("k", "a") == {"State": "Failed", "Message": "interrupted"}
    third.close()


def test_two_processes_write_into_one_state(tmp_path: Path) -> None:
    root = tmp_path / "state"
    program = (
        "from pathlib import Path; from modelport.sandbox.store import Store\n"
        f"store = Store(Path({str(root)!r}))\n"
        "for _ in range(100):\n    store.put('k', str(store.next_id('c')), {})\nstore.close()"
    )
    processes = [subprocess.Popen([sys.executable, "-c", program]) for _ in range(3)]
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    store = Store(root)

    assert len(store.all("k")) == 300
    store.close()
