"""The face against a sandbox that fails on purpose, over real sockets."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from modelport import AsyncCodex, Codex
from modelport.codex import Backoff, Polling
from modelport.errors import (
    APIConnectionError,
    APIProtocolError,
    APITimeoutError,
    DecodeError,
    DownloadError,
    ServerError,
)
from modelport.sandbox import Sandbox
from tests.unit.codex.blocking import Blocking

BACKOFF = Backoff(0.02, 1.2, 0.2, jitter=0)
SCORE = """
import os

def score(data_path, model_path):
    output = os.path.join(data_path, "output.csv")
    with open(output, "wb") as file:
        file.write(os.urandom(3_000_000))
    return output
"""
Control = Callable[..., Any]


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox() as box:
        yield box


@pytest.fixture
def control(box: Sandbox) -> Iterator[Control]:
    def call(method: str, path: str, body: Any = None) -> Any:
        request = urllib.request.Request(f"{box.control_url}{path}", method=method)
        request.add_header("Content-Type", "application/json")
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(request, data=data, timeout=10) as answer:
            return json.load(answer)

    yield call
    call("DELETE", "/faults")


@pytest.fixture(params=["sync", "async"])
def codex(request: pytest.FixtureRequest, box: Sandbox) -> Iterator[Blocking]:
    with asyncio.Runner() as runner:
        kind = Codex if request.param == "sync" else AsyncCodex
        polling = Polling(BACKOFF, timeout_seconds=30)
        inner = kind(box.codex_url, user="demo", password="demo", tenant="demo", polling=polling, max_retries=0)
        with Blocking(inner, runner, set()) as codex:
            yield codex


@pytest.fixture
def model(codex: Blocking, tmp_path: Path) -> Any:
    (tmp_path / "batch.py").write_text(SCORE)
    (tmp_path / "model.bin").write_bytes(bytes(2_000_000))
    (tmp_path / "data.csv").write_text("x\n1\n")
    group = codex.groups.create(f"faulty_{len(codex.groups.list())}").group
    return codex.models.create(
        "batch", group=group, operation="async", source=tmp_path / "batch.py", model=tmp_path / "model.bin",
        requirements=[], schema=tmp_path / "data.csv",
    ).wait()  # fmt: skip


def operations(control: Control) -> list[str]:
    return [entry["operationId"] for entry in control("GET", "/requests")["requests"]]


def test_an_expired_token_is_renewed_and_an_upload_sent_again_whole(
    codex: Blocking, model: Any, control: Control, tmp_path: Path
) -> None:
    control("DELETE", "/tokens")
    control("DELETE", "/requests")
    again = codex.models.create(
        "again", group=model.group, operation="async", source=tmp_path / "batch.py", model=tmp_path / "model.bin",
        requirements=[], schema=tmp_path / "data.csv",
    )  # fmt: skip

    assert operations(control) == ["upload_model", "login", "upload_model", "host_model"]
    assert again.wait().status().state == "Deployed"


def test_a_wait_rides_out_a_server_that_fails_and_cuts(model: Any, control: Control, tmp_path: Path) -> None:
    fault = {"operation_id": "get_prediction_status", "times": 1}
    control("POST", "/faults", [{**fault, "status": 503}, {**fault, "cut": "before"}, {**fault, "cut": "middle"}])
    execution = model.submit(tmp_path / "data.csv")
    control("DELETE", "/requests")
    looks: list[int] = []
    execution.wait(on_progress=lambda progress: looks.append(progress.looks))

    assert operations(control).count("get_prediction_status") == len(looks) >= 4
    assert len(looks) <= BACKOFF.most_looks(30)


@pytest.mark.parametrize(
    ("fault", "errors"),
    [
        ({"cut": "middle"}, (APIConnectionError, APIProtocolError)),
        ({"cut": "before"}, (APIConnectionError, APIProtocolError)),
        ({"truncate": True}, DownloadError),
        ({"html": True, "status": 200}, DownloadError),
        ({"status": 500}, ServerError),
    ],
)
def test_a_download_that_breaks_leaves_the_old_file(
    model: Any, control: Control, tmp_path: Path, fault: dict[str, Any], errors: Any
) -> None:
    execution = model.submit(tmp_path / "data.csv").wait()
    place = tmp_path / "down" / "result.zip"
    place.parent.mkdir()
    place.write_text("old")
    control("POST", "/faults", {"operation_id": "get_prediction_result", "times": 1, **fault})
    with pytest.raises(errors):
        execution.download(place)

    assert place.read_text() == "old"
    assert [path.name for path in place.parent.iterdir()] == ["result.zip"]
    assert execution.download(place).stat().st_size > 3_000_000


def test_html_in_place_of_json_is_named(codex: Blocking, control: Control) -> None:
    control("POST", "/faults", {"operation_id": "list_groups", "html": True, "status": 200})

    with pytest.raises(DecodeError, match="not JSON"):
        codex.groups.list()


def test_a_slow_server_ends_in_a_timeout(box: Sandbox, control: Control) -> None:
    control("POST", "/faults", {"operation_id": "get_health", "delay_seconds": 5})
    with Codex(box.codex_url, timeout=0.2, max_retries=0) as codex, pytest.raises(APITimeoutError):
        codex.health()


def test_calls_do_not_log_in_again(codex: Blocking, model: Any, control: Control) -> None:
    control("DELETE", "/requests")
    for _ in range(5):
        model.status()
        codex.models.get(model.hash, group=model.group)

    assert set(operations(control)) == {"get_model_status", "describe_model"}
