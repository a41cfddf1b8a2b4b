"""``modelport sandbox`` as a program."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from pathlib import Path

import httpx
import pytest

from tests.cli.conftest import PROGRAM, Modelport, Sandbox, environment


def test_it_says_in_one_json_line_where_it_listens_and_whom_it_knows(sandbox: Sandbox) -> None:
    assert sandbox.codex_url.startswith("http://127.0.0.1:")
    assert sandbox.hello["demo_credentials"] == {"demo": "demo"}
    assert sandbox.hello["tenant"] == "demo"
    assert httpx.get(f"{sandbox.codex_url}/api/health").status_code == 200


def test_a_chosen_password_is_taken_and_not_shown(tmp_path: Path) -> None:
    arguments = [
        "sandbox",
        "--port",
        "0",
        "--user",
        "ana:pass:word",
        "--tenant",
        "risk",
        "--state",
        str(tmp_path / "s"),
    ]
    process = subprocess.Popen([*PROGRAM, *arguments], stdout=subprocess.PIPE, text=True, env=environment())
    assert process.stdout is not None
    line = process.stdout.readline()
    url = next(word for word in line.split() if word.startswith("http"))
    form = {"user": "ana", "password": "pass:word", "tenant": "risk"}
    taken = httpx.post(f"{url}/api/login", data=form).status_code
    refused = httpx.post(f"{url}/api/login", data={"user": "demo", "password": "demo", "tenant": "risk"}).status_code
    process.terminate()
    rest = process.stdout.read()
    process.stdout.close()

    assert process.wait(timeout=20) == 0
    assert (taken, refused) == (200, 401)
    assert "pass:word" not in line + rest
    assert (tmp_path / "s").is_dir()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_cleanly(number: signal.Signals) -> None:
    process = subprocess.Popen(
        [*PROGRAM, "sandbox", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
        start_new_session=True,
    )
    assert process.stdout is not None
    process.stdout.readline()
    started = time.monotonic()
    process.send_signal(number)
    _, told = process.communicate(timeout=20)

    assert process.returncode == 0
    assert told == ""
    assert time.monotonic() - started < 5


def test_a_port_that_is_taken_is_one_line(modelport: Modelport) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        answer = modelport("sandbox", "--port", str(taken.getsockname()[1]))

    assert answer.returncode == 1
    assert answer.stderr.startswith("modelport: error: cannot listen on 127.0.0.1 port")
    assert answer.stderr.count("\n") == 1
