"""Servers that lie, break off or fill the disk: each case ends in a named error, and nothing is lost."""

from __future__ import annotations

import errno
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx

from modelport import _downloads
from modelport.errors import (
    APIConnectionError,
    APIProtocolError,
    DecodeError,
    DownloadError,
    GoneError,
    InvalidInputError,
    ModelportError,
    NotFoundError,
    NotReadyError,
    OperationFailedError,
    ServerError,
    UnsafeArchiveError,
    WaitTimeoutError,
)
from tests.unit.codex.blocking import Blocking
from tests.unit.codex.conftest import HASH, Clock, Face
from tests.unit.codex.test_face import M, S, T, async_model, multi, run_of, status, sync_model, zipped

HTML = {"content-type": "text/html"}
STATUS = f"/model/status/clinic/{M}"
RESULT = "/model/async/result/clinic/3"


class Cut(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body that breaks off."""

    def __iter__(self) -> Iterator[bytes]:
        yield zipped()[:20]
        raise httpx.RemoteProtocolError("peer closed connection without sending complete message body")

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self:
            yield chunk


# --- answers of a call


@pytest.mark.parametrize(
    ("response", "error", "message"),
    [
        (httpx.Response(200, text="<html>hello</html>", headers=HTML), DecodeError, "not JSON"),
        (httpx.Response(200, text=""), DecodeError, "empty"),
        (httpx.Response(200, text='{"Status": "Depl'), DecodeError, "not JSON"),
        (httpx.Response(200, json={}), DecodeError, "Status"),
        (httpx.Response(200, json={"Status": 3}), DecodeError, "Status"),
        (httpx.Response(200, json=[]), DecodeError, "fit"),
        (
            httpx.Response(404, json={"Error": {"Type": "E", "Message": "no such group"}}),
            NotFoundError,
            "no such group",
        ),
        (httpx.Response(410, text="<html>gone</html>", headers=HTML), GoneError, "410"),
        (httpx.Response(410, json={"Error": {"Type": "E", "Message": "expired"}}), GoneError, "expired"),
        (httpx.Response(500, text="<html>sorry</html>", headers=HTML), ServerError, "500"),
        (httpx.Response(520, text=""), ServerError, "520"),
        (httpx.Response(302, headers={"location": "http://evil.test/"}), ModelportError, "302"),
        (httpx.ConnectError("refused"), APIConnectionError, "refused"),
        (httpx.RemoteProtocolError("Server disconnected"), ModelportError, "disconnected"),
    ],
)
def test_a_bad_answer_is_a_named_error(
    codex: Blocking, server: respx.MockRouter, response: Any, error: type[Exception], message: str
) -> None:
    server.get(STATUS).mock(side_effect=[response])

    with pytest.raises(error, match=message):
        sync_model(codex).status()


def test_an_unknown_state_is_told_and_waited_through(codex: Blocking, server: respx.MockRouter) -> None:
    states = iter(["Defrosting", "Deployed"])
    server.get(STATUS).mock(side_effect=lambda _: httpx.Response(200, json={"Status": next(states)}))
    told: list[str] = []
    sync_model(codex).wait(on_progress=lambda progress: told.append(progress.state))

    assert told == ["Defrosting", "Deployed"]


def test_a_status_that_comes_with_410_is_a_status(codex: Blocking, server: respx.MockRouter) -> None:
    server.get("/model/async/status/clinic/3").respond(
        410, json={"ExecutionId": "3", "Status": "Failed", "Message": "score() raised ValueError"}
    )
    execution = async_model(codex).execution(3)

    assert execution.status().state == "Failed"
    with pytest.raises(OperationFailedError, match=r"score\(\) raised ValueError") as caught:
        execution.wait()
    assert caught.value.operation_id == "3"


# --- waits


def test_a_wait_looks_at_once_and_then_by_its_schedule(codex: Blocking, server: respx.MockRouter, clock: Clock) -> None:
    states = iter(["Ready", "Building", "Recovering", "Deployed"])
    route = server.get(STATUS).mock(side_effect=lambda _: httpx.Response(200, json={"Status": next(states)}))
    model = sync_model(codex)

    assert repr(model.wait()) == repr(model)
    assert clock.sleeps == [1.0, 1.5, 2.25]
    assert route.call_count == 4


def test_a_wait_that_finds_it_done_does_not_sleep(codex: Blocking, server: respx.MockRouter, clock: Clock) -> None:
    server.get(STATUS).respond(200, json={"Status": "Deployed"})
    sync_model(codex).wait()

    assert clock.sleeps == []


@pytest.mark.parametrize("state", ["Failed", "FailedRecovery", "Disabled", "DisabledRecovery", "Deleted"])
def test_a_model_that_will_not_be_deployed_ends_the_wait(codex: Blocking, server: respx.MockRouter, state: str) -> None:
    server.get(STATUS).respond(200, json={"Status": state, "Message": "no module named nunpy"})

    with pytest.raises(OperationFailedError, match=f"model {M} is {state}: no module named nunpy"):
        sync_model(codex).wait()


def test_a_requested_run_is_not_finished(codex: Blocking, server: respx.MockRouter, clock: Clock) -> None:
    states = iter(["Uploaded", "Requested", "Running", "Succeeded"])
    server.get(f"/v2/preprocessing/{S}/execution/7/status").mock(
        side_effect=lambda _: httpx.Response(200, json={"Status": next(states)})
    )
    multi(codex).execution(7).wait()

    assert len(clock.sleeps) == 3


def test_a_deadline_ends_the_wait_and_the_id_resumes_it(
    codex: Blocking, server: respx.MockRouter, clock: Clock
) -> None:
    route = server.get("/training/status/clinic/7").respond(200, json={"Status": "Running"})

    with pytest.raises(WaitTimeoutError, match="is still Running after 10 s") as caught:
        run_of(codex).wait(timeout=10)
    assert sum(clock.sleeps) == pytest.approx(10)
    assert route.call_count == codex._inner._session.polling.backoff.most_looks(10)

    server.get("/training/status/clinic/7").respond(200, json={"Status": "Succeeded"})
    codex.trainings.execution(T, int(caught.value.operation_id), group="clinic").wait()


def test_a_wait_rides_out_trouble_with_one_request_a_look(face: Face, server: respx.MockRouter, clock: Clock) -> None:
    answers: Iterator[Any] = iter(
        [httpx.ConnectError("refused"), httpx.Response(503), httpx.ReadTimeout("slow"), httpx.Response(429)]
    )

    def answer(_: httpx.Request) -> httpx.Response:
        value = next(answers, httpx.Response(200, json={"Status": "Deployed"}))
        if isinstance(value, Exception):
            raise value
        return value

    route = server.get(STATUS).mock(side_effect=answer)
    sync_model(face(max_retries=2)).wait()

    assert route.call_count == 5
    assert len(clock.sleeps) == 4


def test_a_wait_gives_up_on_trouble_that_stays(codex: Blocking, server: respx.MockRouter) -> None:
    route = server.get(STATUS).respond(503)

    with pytest.raises(ServerError):
        sync_model(codex).wait()
    assert route.call_count == 6


def test_a_wait_ends_at_once_when_the_thing_is_not_there(codex: Blocking, server: respx.MockRouter) -> None:
    route = server.get(STATUS).respond(404, json={"Error": {"Type": "E", "Message": "no such model"}})

    with pytest.raises(NotFoundError, match="no such model"):
        sync_model(codex).wait()
    assert route.call_count == 1


# --- downloads


@pytest.mark.parametrize(
    ("response", "error", "message"),
    [
        (httpx.Response(200, content=b"<html>", headers=HTML), DownloadError, "web page"),
        (httpx.Response(200, json={"Status": "Succeeded"}), DownloadError, "no zip file"),
        (httpx.Response(200, content=b""), DownloadError, "no zip file"),
        (httpx.Response(200, content=zipped()[:-10]), DownloadError, "only a part of a zip file"),
        (httpx.Response(200, stream=Cut()), (APIConnectionError, APIProtocolError), "peer closed"),
        (httpx.Response(410, json={"Status": "Running"}), NotReadyError, "no result yet"),
        (httpx.Response(410, json={"Status": "Failed", "Message": "boom"}), OperationFailedError, "is Failed: boom"),
        (httpx.Response(410, json={"Status": "Succeeded"}), GoneError, "410"),
        (httpx.Response(410, json={"Error": {"Type": "E", "Message": "expired"}}), GoneError, "expired"),
        (httpx.Response(500, text="<html>", headers=HTML), ServerError, "500"),
    ],
)
@pytest.mark.parametrize("old", [None, "old result"])
def test_a_bad_download_leaves_what_was_there(
    codex: Blocking,
    server: respx.MockRouter,
    files: Path,
    response: httpx.Response,
    error: type[Exception],
    message: str,
    old: str | None,
) -> None:
    server.get(RESULT).mock(return_value=response)
    place = files / "down" / "result.zip"
    place.parent.mkdir()
    if old:
        place.write_text(old)

    with pytest.raises(error, match=message):
        async_model(codex).execution(3).download(place)
    assert [path.name for path in place.parent.iterdir()] == (["result.zip"] if old else [])
    assert not old or place.read_text() == old


def test_a_full_disk_is_a_typed_error_and_leaves_nothing(
    codex: Blocking, server: respx.MockRouter, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.get(RESULT).respond(200, content=zipped())

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(_downloads.os, "fsync", full)
    (files / "down").mkdir()

    with pytest.raises(DownloadError, match="No space left on device"):
        async_model(codex).execution(3).download(files / "down")
    assert list((files / "down").iterdir()) == []


@pytest.mark.parametrize("name", ["../evil.csv", "/etc/evil.csv", "a/../../evil.csv"])
def test_an_archive_that_would_write_elsewhere_is_refused(
    codex: Blocking, server: respx.MockRouter, files: Path, name: str
) -> None:
    server.get(RESULT).respond(200, content=zipped(name))
    before = sorted(files.rglob("*"))

    with pytest.raises(UnsafeArchiveError, match="written outside its folder"):
        async_model(codex).execution(3).download_files(files / "out")
    assert not list(files.parent.glob("evil*"))
    assert sorted(files.rglob("*")) in (before, sorted([*before, files / "out"]))


def test_a_large_result_is_never_whole_in_memory(
    codex: Blocking, server: respx.MockRouter, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Large(Cut):
        def __iter__(self) -> Iterator[bytes]:
            yield b"PK\x03\x04"
            for _ in range(64):
                yield bytes(1 << 18)
            yield zipped()

    sizes: list[int] = []
    write = _downloads.AtomicFile.write
    monkeypatch.setattr(
        _downloads.AtomicFile, "write", lambda self, chunk: (sizes.append(len(chunk)), write(self, chunk))[1]
    )
    server.get(RESULT).mock(return_value=httpx.Response(200, stream=Large()))

    assert async_model(codex).execution(3).download(files).stat().st_size > (16 << 20)
    assert max(sizes) < (2 << 20)


# --- uploads that go half way


def half_way(codex: Any) -> list[tuple[Callable[[], Any], str]]:
    upload = {"source": "app.py", "model": "model.pkl", "requirements": ["a==1"], "schema": {"x": 1}}
    return [
        (lambda: codex.models.create("scorer", group="clinic", operation="sync", **upload), M),
        (lambda: run_of(codex).promote("scorer", operation="sync", source="app.py", schema={"x": 1}), M),
        (
            lambda: codex.preprocessing.create_multi(
                "clean", group="clinic", source="prep.py", requirements=["a==1"], schemas={"base": "data.csv"}
            ),
            S,
        ),
    ]


@pytest.mark.parametrize("index", range(3))
def test_what_was_done_before_an_error_is_told_with_it(
    codex: Blocking, server: respx.MockRouter, files: Path, index: int
) -> None:
    server.post("/model/upload/clinic").respond(201, json={"ModelHash": M})
    server.post(f"/training/promote/clinic/{T}/7").respond(201, json={"ModelHash": M})
    server.post("/v2/preprocessing/clinic").respond(201, json={"PreprocessHash": S})
    server.route().respond(500)
    call, found = half_way(codex)[index]

    with pytest.raises(ServerError) as caught:
        call()
    assert any(found in note for note in caught.value.__notes__)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"source": "no.py"}, "there is no file"),
        ({"model": "no.pkl"}, "there is no file"),
        ({"requirements": "no.txt"}, "there is no file"),
        ({"schema": "data.csv"}, "schema must be a .json file"),
        ({"schema": None}, "a Sync model needs schema"),
        ({"schema": {"x": float("inf")}}, "cannot be written as JSON"),
        ({"python_version": "3.12"}, "python_version must be one of"),
        ({"operation": "batch"}, "operation must be one of"),
        ({"input_type": "csv"}, "a Sync model takes json"),
        ({"name": "x" * 32}, "the limit is 31"),
        ({"function": "scoring"}, "no function 'scoring'"),
        ({"env": "data.csv"}, "must end in .env"),
        ({"extra": ["app.py"]}, "two files are named 'app.py'"),
        ({"group": ""}, "group is empty"),
    ],
)
def test_bad_input_is_refused_before_any_request(
    codex: Blocking, server: respx.MockRouter, files: Path, change: dict[str, Any], message: str
) -> None:
    good: dict[str, Any] = {
        "name": "scorer", "group": "clinic", "operation": "sync", "source": "app.py", "model": "model.pkl",
        "requirements": "requirements.txt", "schema": "sample.json",
    }  # fmt: skip

    with pytest.raises(InvalidInputError, match=message):
        codex.models.create(**{**good, **change})
    assert server.calls.call_count == 0


def test_a_group_that_is_not_there_is_the_servers_word(codex: Blocking, server: respx.MockRouter, files: Path) -> None:
    server.post("/training/register/nowhere").respond(
        404, json={"Error": {"Type": "GroupError", "Message": "group nowhere does not exist"}}
    )

    with pytest.raises(NotFoundError, match="group nowhere does not exist"):
        codex.trainings.create("cancer", group="nowhere", model_type="regression")


@pytest.mark.parametrize("group", ["../admin", "a/b", "a?b=c", "a#b", "ü b"])
def test_a_group_cannot_change_where_a_request_goes(codex: Blocking, server: respx.MockRouter, group: str) -> None:
    seen: list[bytes] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.raw_path)
        return httpx.Response(404)

    server.route().mock(side_effect=answer)
    model = codex.models.handle(M, group=group, operation="sync")
    with pytest.raises(ModelportError):
        model.status()

    for path in seen:
        assert path.startswith(b"/api/model/status/")
        assert path.endswith(b"/" + M.encode())
        assert path.count(b"/") == 5
    assert "?" not in model.docs
    assert model.docs.count("/") == len(f"http://codex.test/api/model/sync/docs/g/{M}".split("/")) - 1


def test_hash_is_a_real_hash() -> None:
    assert len("M" + HASH) == 64
    assert status("/x", "y").answer == {"Status": "y"}
