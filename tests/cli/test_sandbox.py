"""``modelport sandbox`` as a program."""

from __future__ import annotations

import signal
import socket
import time
from pathlib import Path

import httpx
import pytest

from tests.cli.conftest import Modelport, Sandbox, first_line, started


def test_it_says_in_one_json_line_where_it_listens_and_whom_it_knows(sandbox: Sandbox) -> None:
    assert sandbox.codex_url.startswith("http://127.0.0.1:")
    assert sandbox.hello["demo_credentials"] == {"demo": "demo"}
    assert sandbox.hello["tenant"] == "demo"
    assert httpx.get(f"{sandbox.codex_url}/api/health").status_code == 200


def test_a_chosen_password_is_taken_and_not_shown(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with started(
        "sandbox", "--port", "0", "--user", "ana:pass:word", "--tenant", "risk", "--state", str(state)
    ) as process:
        line = first_line(process)
        login = next(word for word in line.split() if word.startswith("http")) + "/api/login"
        taken = httpx.post(login, data={"user": "ana", "password": "pass:word", "tenant": "risk"})
        refused = httpx.post(login, data={"user": "demo", "password": "demo", "tenant": "risk"})
        process.terminate()
        said, complained = process.communicate(timeout=20)

    assert process.returncode == 0
    assert (taken.status_code, refused.status_code) == (200, 401)
    assert "pass:word" not in line + said + complained
    assert state.is_dir()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_cleanly(number: signal.Signals) -> None:
    with started("sandbox", "--port", "0") as process:
        first_line(process)
        asked = time.monotonic()
        process.send_signal(number)
        _, complained = process.communicate(timeout=20)

    assert process.returncode == 0
    assert complained == ""
    assert time.monotonic() - asked < 5


def test_a_port_that_is_taken_is_one_line(modelport: Modelport) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        answer = modelport("sandbox", "--port", str(taken.getsockname()[1]))

    assert answer.returncode == 1
    assert answer.stderr.startswith("modelport: error: cannot listen on 127.0.0.1 port")
    assert answer.stderr.count("\n") == 1
