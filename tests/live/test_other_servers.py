"""The middlewares under other servers and frameworks than uvicorn, FastAPI and Flask, each told to end by SIGTERM."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from modelport.predictions import read_predictions
from tests.live.prometheus import free_ports

pytestmark = [pytest.mark.live, pytest.mark.skipif(os.name != "posix", reason="needs signals and fork")]

SERVICES = Path(__file__).parent / "services"
PATIENCE_SECONDS = 60.0
CALLS = 40
SERVERS = {
    "starlette, hypercorn on trio": ("hypercorn", "-k", "trio", "-b", "{}", "starlette_app:app"),
    "starlette, hypercorn on asyncio": ("hypercorn", "-k", "asyncio", "-b", "{}", "starlette_app:app"),
    "django, hypercorn on asyncio": ("hypercorn", "-k", "asyncio", "-b", "{}", "django_app:asgi"),
    "django, gunicorn": ("gunicorn", "-w", "2", "-b", "{}", "django_app:wsgi"),
    "flask, gunicorn": ("gunicorn", "-w", "2", "--threads", "2", "-b", "{}", "flask_app:app"),
    "flask, gunicorn that loads before it forks": ("gunicorn", "--preload", "-w", "2", "-b", "{}", "flask_app:app"),
}


@pytest.fixture
def start(root: Path, tmp_path: Path) -> Iterator[Callable[..., tuple[subprocess.Popen[bytes], str]]]:
    programs = root / ".cache" / "venvs" / "web" / "bin"
    if not programs.is_dir():
        pytest.skip("web is not installed: run `make setup-test`")
    started: list[subprocess.Popen[bytes]] = []

    def run(program: str, *arguments: str) -> tuple[subprocess.Popen[bytes], str]:
        (port,) = free_ports(1)
        address = f"127.0.0.1:{port}"
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(map(str, (SERVICES, root / "overlays", root / "generated"))),
            "DIRECTORY": str(tmp_path),
        }
        with (tmp_path / "server.log").open("wb") as log:
            process = subprocess.Popen(
                [str(programs / program), *(argument.format(address) for argument in arguments)],
                env=environment, stdout=log, stderr=subprocess.STDOUT, cwd=tmp_path,
            )  # fmt: skip
        started.append(process)
        return process, f"http://{address}"

    yield run
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait()


def answering(process: subprocess.Popen[bytes], client: httpx.Client, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        try:
            client.get("/metrics").raise_for_status()
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return


@pytest.mark.parametrize("name", SERVERS)
def test_predictions_are_logged_and_nothing_is_lost_by_sigterm(
    name: str, start: Callable[..., tuple[subprocess.Popen[bytes], str]], tmp_path: Path
) -> None:
    process, url = start(*SERVERS[name])
    made: dict[str, float] = {}
    with httpx.Client(base_url=url, trust_env=False, timeout=PATIENCE_SECONDS) as client:
        answering(process, client, tmp_path / "server.log")
        for age in range(CALLS):
            answer = client.post("/predict", json={"age": age})
            made[answer.headers["x-prediction-id"]] = answer.json()["prediction"]
        assert "modelport_predictions_dropped_total" in client.get("/metrics").text
    assert list(read_predictions(tmp_path)) == []

    process.send_signal(signal.SIGTERM)
    process.wait(PATIENCE_SECONDS)

    found = {record.prediction_id: record.output for record in read_predictions(tmp_path)}
    assert found == made, (tmp_path / "server.log").read_text()
    assert len(made) == CALLS
