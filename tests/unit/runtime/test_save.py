"""Downloads that survive a cut: what is asked for, what is kept, and what never appears under the final name."""

from __future__ import annotations

import errno
import gzip
import os
import pickle
import stat
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from modelport_api._runtime import partial
from modelport_api._runtime.errors import (
    APIConnectionError,
    APIProtocolError,
    NotFoundError,
    SaveError,
    ServerError,
)
from modelport_api._runtime.partial import PartialFile
from modelport_api._runtime.ranges import resource_of
from tests.unit.runtime.operations import operation
from tests.unit.runtime.server import ScriptedServer, Step, answer, head
from tests.unit.runtime.test_streams import streaming
from tests.unit.runtime.worlds import World

CONTENT = bytes(range(256)) * 40
TOTAL = len(CONTENT)
TAG = {"ETag": '"v1"', "Accept-Ranges": "bytes"}
GET = operation(responses={"200": {"application/octet-stream": "bytes"}})


def whole(headers: dict[str, str] | None = None, *, cut: int | None = None, content: bytes = CONTENT) -> Step:
    """All of the content, or its start and a cut."""
    start = head(200, {"Content-Length": str(len(content)), **(TAG if headers is None else headers)})
    return Step(start + content[:cut], close=cut is not None)


def rest(start: int, headers: dict[str, str] | None = None, *, cut: int | None = None) -> Step:
    """The content from a place on, or a part of that and a cut."""
    fields = {"Content-Range": f"bytes {start}-{TOTAL - 1}/{TOTAL}", "Content-Length": str(TOTAL - start)}
    return Step(head(206, {**fields, "ETag": '"v1"', **(headers or {})}) + CONTENT[start:cut], close=cut is not None)


def save(world: World, server: ScriptedServer, path: Path, described: Any = GET, **options: Any) -> int:
    """Save the answer to a file."""
    settings = {name: options.pop(name) for name in ("max_retries", "headers") if name in options}
    transport = streaming(world, world.base_client(server.url, **settings))
    with world.entered(world.run(transport.call(described, {}, {}))) as response:
        size: int = world.run(response.save(path, **options))
    return size


def ranges(server: ScriptedServer) -> list[tuple[str | None, str | None]]:
    return [(one.header("Range"), one.header("If-Range")) for one in server.requests]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_body_becomes_a_file_of_its_own(world: World, server: ScriptedServer, tmp_path: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    server.script = [whole()]
    place = tmp_path / "new" / "a.bin"

    assert save(world, server, place, on_progress=lambda done, total: seen.append((done, total))) == TOTAL
    assert place.read_bytes() == CONTENT
    assert names(place.parent) == ["a.bin"]
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert seen[0] == (0, TOTAL)
    assert seen[-1] == (TOTAL, TOTAL)
    assert seen == sorted(seen)


def test_a_cut_body_is_gone_on_with(world: World, server: ScriptedServer, tmp_path: Path, pauses: list[float]) -> None:
    seen: list[int] = []
    server.script = [whole(cut=100), rest(100, cut=5000), rest(5000)]

    assert save(world, server, tmp_path / "a", on_progress=lambda done, _: seen.append(done)) == TOTAL
    assert (tmp_path / "a").read_bytes() == CONTENT
    assert ranges(server) == [(None, None), ("bytes=100-", '"v1"'), ("bytes=5000-", '"v1"')]
    assert [one.header("Accept-Encoding") for one in server.requests[1:]] == ["identity"] * 2
    assert [0.3 < pause <= 1 for pause in pauses] == [True, True]
    assert {0, 100, 5000, TOTAL} <= {*seen}
    assert seen == sorted(seen)
    assert names(tmp_path) == ["a"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Last-Modified": "Wed, 01 Jan 2025 10:00:00 GMT", "Date": "Wed, 01 Jan 2025 10:05:00 GMT"},
        {"ETag": '"v1"'},  # it says nothing of ranges: it may give them
    ],
)
def test_a_date_tells_the_content_too(
    world: World, server: ScriptedServer, tmp_path: Path, headers: dict[str, str]
) -> None:
    server.script = [whole(headers, cut=100), rest(100, {**headers, "ETag": '"v1"'})]

    assert save(world, server, tmp_path / "a") == TOTAL
    assert ranges(server)[1] == ("bytes=100-", headers.get("ETag", headers.get("Last-Modified")))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"ETag": 'W/"v1"', "Accept-Ranges": "bytes"},
        # A weak tag is a tag: its date must not be used either (RFC 9110, 13.1.5).
        {"ETag": 'W/"v1"', "Last-Modified": "Wed, 01 Jan 2025 10:00:00 GMT", "Date": "Wed, 01 Jan 2025 10:05:00 GMT"},
        {"Last-Modified": "Wed, 01 Jan 2025 10:05:00 GMT", "Date": "Wed, 01 Jan 2025 10:05:00 GMT"},
        {"Last-Modified": "Wed, 01 Jan 2025 10:05:00 GMT"},
        {"ETag": '"v1"', "Accept-Ranges": "none"},
    ],
)
def test_what_cannot_be_told_from_another_is_fetched_anew(
    world: World, server: ScriptedServer, tmp_path: Path, headers: dict[str, str]
) -> None:
    server.script = [whole(headers, cut=5000), whole(headers)]

    assert save(world, server, tmp_path / "a") == TOTAL
    assert (tmp_path / "a").read_bytes() == CONTENT
    assert ranges(server) == [(None, None)] * 2


CHANGED = CONTENT[::-1]


@pytest.mark.parametrize(
    "steps",
    [
        [whole({"ETag": '"v2"'}, content=CHANGED)],
        # A part of something else, or another part: not to be put together with what is there.
        [rest(100, {"ETag": '"v2"'}), whole({"ETag": '"v2"'}, content=CHANGED)],
        [rest(200), whole({"ETag": '"v2"'}, content=CHANGED)],
        [rest(100, {"Content-Range": f"bytes 100-{TOTAL - 1}/{TOTAL + 1}"}), whole(content=CHANGED)],
        [rest(100, {"Content-Range": "items 1-2/3"}), whole(content=CHANGED)],
        [rest(100, {"Content-Encoding": "br"}), whole(content=CHANGED)],
        [answer(416, b"", {"Content-Range": "bytes */50"}), whole(content=CHANGED)],
    ],
)
def test_changed_content_is_fetched_anew(
    world: World, server: ScriptedServer, tmp_path: Path, steps: list[Step]
) -> None:
    server.script = [whole(cut=100), *steps]

    assert save(world, server, tmp_path / "a") == TOTAL
    assert (tmp_path / "a").read_bytes() == CHANGED


def test_packed_content_is_not_gone_on_with(world: World, server: ScriptedServer, tmp_path: Path) -> None:
    packed = gzip.compress(os.urandom(4000))
    headers = {**TAG, "Content-Encoding": "gzip"}
    seen: list[int | None] = []
    server.script = [whole(headers, content=packed, cut=3000), whole(headers, content=packed)]

    assert save(world, server, tmp_path / "a", on_progress=lambda _, total: seen.append(total)) == 4000
    assert (tmp_path / "a").read_bytes() == gzip.decompress(packed)
    assert ranges(server) == [(None, None)] * 2
    assert {*seen} == {None}


def test_trouble_on_the_way_counts_as_attempts(
    world: World, server: ScriptedServer, tmp_path: Path, pauses: list[float]
) -> None:
    server.script = [whole(cut=100), answer(503, b"", {"Retry-After": "7"}), rest(100, cut=100), rest(100)]

    assert save(world, server, tmp_path / "a", max_retries=3) == TOTAL
    assert pauses[1] == 7
    assert len(server.requests) == 4


@pytest.mark.parametrize("max_retries", [0, 2])
def test_attempts_end(world: World, server: ScriptedServer, tmp_path: Path, max_retries: int) -> None:
    server.script = [whole(cut=100), *[rest(100, cut=100)] * 5]

    with pytest.raises(APIConnectionError) as caught:
        save(world, server, tmp_path / "a", max_retries=max_retries)
    assert caught.value.attempts == len(server.requests) == max_retries + 1
    assert not (tmp_path / "a").exists()


def test_an_error_that_no_repeat_helps_ends_it(world: World, server: ScriptedServer, tmp_path: Path) -> None:
    server.script = [whole(cut=100), answer(404, {"message": "gone"})]

    with pytest.raises(NotFoundError, match="gone"):
        save(world, server, tmp_path / "a")
    assert not (tmp_path / "a").exists()


def test_a_call_that_must_not_be_repeated_is_not(world: World, server: ScriptedServer, tmp_path: Path) -> None:
    described = operation(method="POST", responses={"200": {"application/octet-stream": "bytes"}}, idempotent=False)
    server.script = [whole(cut=100)]

    with pytest.raises(APIConnectionError):
        save(world, server, tmp_path / "a", described)
    assert len(server.requests) == 1
    assert names(tmp_path) == []


def test_a_range_that_nobody_asked_for_is_refused(world: World, server: ScriptedServer, tmp_path: Path) -> None:
    server.script = [whole(cut=100), rest(200), rest(0)]

    with pytest.raises(APIProtocolError, match="all of it was asked for"):
        save(world, server, tmp_path / "a")


def test_a_range_of_the_callers_own_is_saved_as_it_is(world: World, server: ScriptedServer, tmp_path: Path) -> None:
    server.script = [rest(100, cut=200), rest(100)]

    assert save(world, server, tmp_path / "a", headers={"Range": "bytes=100-"}) == TOTAL - 100
    assert ranges(server) == [("bytes=100-", None)] * 2


# What a later call finds.


@pytest.fixture
def left(world: World, server: ScriptedServer, tmp_path: Path) -> Path:
    """The place of a file of which 5,000 bytes came."""
    server.script = [whole(cut=5000)]
    (tmp_path / "a").write_bytes(b"old")
    with pytest.raises(APIConnectionError):
        save(world, server, tmp_path / "a", max_retries=0)
    server.requests.clear()
    return tmp_path / "a"


def test_what_came_is_kept_private_beside_the_old_file(left: Path) -> None:
    assert left.read_bytes() == b"old"
    assert names(left.parent) == [".a.part", ".a.part.key", "a"]
    assert [stat.S_IMODE((left.parent / name).stat().st_mode) for name in names(left.parent)[:2]] == [0o600] * 2
    assert (left.parent / ".a.part").read_bytes() == CONTENT[:5000]
    assert "v1" not in (left.parent / ".a.part.key").read_text()


def test_a_later_call_goes_on_with_it(world: World, server: ScriptedServer, left: Path) -> None:
    seen: list[int] = []
    server.script = [whole(), rest(5000)]

    assert save(world, server, left, max_retries=0, on_progress=lambda done, _: seen.append(done)) == TOTAL
    assert left.read_bytes() == CONTENT
    assert ranges(server) == [(None, None), ("bytes=5000-", '"v1"')]
    assert seen[0] == 5000
    assert names(left.parent) == ["a"]


@pytest.mark.parametrize(
    ("headers", "options"),
    [
        ({"ETag": '"v2"', "Accept-Ranges": "bytes"}, {}),
        ({"ETag": '"v1"'}, {}),  # what is on its way already is better than a guess
        (TAG, {"resume": False}),
    ],
)
def test_a_later_call_begins_anew(
    world: World, server: ScriptedServer, left: Path, headers: dict[str, str], options: dict[str, Any]
) -> None:
    server.script = [whole(headers, content=CHANGED)]

    assert save(world, server, left, **options) == TOTAL
    assert left.read_bytes() == CHANGED
    assert len(server.requests) == 1


def test_what_is_there_as_a_whole_is_not_fetched_again(world: World, server: ScriptedServer, left: Path) -> None:
    (left.parent / ".a.part").write_bytes(CONTENT)
    server.script = [whole()]

    assert save(world, server, left) == TOTAL
    assert left.read_bytes() == CONTENT
    assert len(server.requests) == 1


def test_two_at_once_do_not_write_into_one_file(world: World, server: ScriptedServer, left: Path) -> None:
    other = PartialFile(left)
    key = (left.parent / ".a.part.key").read_text()
    other.open(key)
    assert other.size == 5000
    server.script = [whole()]

    assert save(world, server, left) == TOTAL
    other.keep()
    assert left.read_bytes() == CONTENT
    assert (left.parent / ".a.part").read_bytes() == CONTENT[:5000]


def test_a_link_that_lies_in_wait_is_not_followed(world: World, server: ScriptedServer, tmp_path: Path) -> None:
    (tmp_path / "victim").write_bytes(b"precious")
    (tmp_path / ".a.part").symlink_to(tmp_path / "victim")
    server.script = [whole()]

    assert save(world, server, tmp_path / "a") == TOTAL
    assert (tmp_path / "victim").read_bytes() == b"precious"
    assert (tmp_path / "a").read_bytes() == CONTENT


def test_a_callback_that_fails_stops_it_and_keeps_what_came(
    world: World, server: ScriptedServer, tmp_path: Path
) -> None:
    def refuse(done: int, _: int | None) -> None:
        if done:
            raise KeyboardInterrupt

    server.script = [whole()]

    with pytest.raises(KeyboardInterrupt):
        save(world, server, tmp_path / "a", on_progress=refuse)
    assert ".a.part" in names(tmp_path)
    assert "a" not in names(tmp_path)


# Disks.


def test_a_full_disk_is_one_clear_error_and_leaves_nothing(
    world: World, server: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(partial.os, "fsync", full)
    server.script = [whole()]

    with pytest.raises(SaveError, match=r"cannot write .*/a: No space left on device") as caught:
        save(world, server, tmp_path / "a")
    assert (caught.value.errno, caught.value.path) == (errno.ENOSPC, str(tmp_path / "a"))
    assert isinstance(caught.value, OSError)
    assert names(tmp_path) == []
    copied = pickle.loads(pickle.dumps(caught.value))
    assert (str(copied), copied.errno, copied.path) == (str(caught.value), errno.ENOSPC, str(tmp_path / "a"))


@pytest.mark.parametrize("place", ["file/a", "."])
def test_a_place_that_takes_no_file(world: World, server: ScriptedServer, tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("")
    server.script = [whole()]

    with pytest.raises(SaveError, match="cannot write"):
        save(world, server, tmp_path / place)
    assert names(tmp_path) == ["file"]


def test_errors_before_the_body_are_those_of_every_call(world: World, server: ScriptedServer, tmp_path: Path) -> None:
    server.script = [answer(500, {"message": "m"})]

    with pytest.raises(ServerError):
        save(world, server, tmp_path / "a")
    assert names(tmp_path) == []


def test_memory_does_not_grow_with_the_size(world: World, server: ScriptedServer, tmp_path: Path) -> None:
    size = 64 << 20

    def feed() -> Iterator[bytes]:
        piece = bytes(1 << 18)
        for _ in range(size // len(piece)):
            yield piece

    server.script = [Step(head(200, {"Content-Length": str(size)}), feed=feed)]
    tracemalloc.start()
    try:
        assert save(world, server, tmp_path / "a") == size
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < size // 4


def test_what_an_answer_says_of_its_content() -> None:
    assert resource_of("GET", 200, {"etag": '"a"', "content-length": "5"}).total == 5
    assert not resource_of("GET", 206, {"etag": '"a"'}).is_resumable
    assert not resource_of("POST", 200, {"etag": '"a"'}).is_resumable
    assert not resource_of("GET", 200, {"etag": '"\u00e4"'}).is_resumable
    assert not resource_of("GET", 200, {"etag": '"'}).is_resumable
    assert resource_of("GET", 200, {"accept-ranges": "items, Bytes", "etag": '"a"'}).is_resumable
