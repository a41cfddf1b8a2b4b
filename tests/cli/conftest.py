"""The command line as a real program, and its commands."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

Modelport = Callable[..., subprocess.CompletedProcess[str]]

# What `modelport` is when the script directory is not on PATH.
PROGRAM = [sys.executable, "-m", "modelport.cli"]


def environment(**variables: str) -> dict[str, str]:
    return {**os.environ, "COLUMNS": "100", "NO_COLOR": "1", **variables}


@pytest.fixture(scope="session")
def modelport() -> Modelport:
    """Run ``modelport ARGUMENTS...`` in a process of its own."""

    def run(
        *arguments: str | Path, stdin: str = "", cwd: Path | None = None, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*PROGRAM, *map(str, arguments)],
            input=stdin,
            capture_output=True,
            text=True,
            cwd=cwd,
            env=environment(**variables),
            timeout=100,
            check=False,
        )

    return run


@dataclass
class Sandbox:
    process: subprocess.Popen[str]
    hello: dict[str, Any]

    @property
    def codex_url(self) -> str:
        return str(self.hello["codex_url"])


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """``modelport sandbox`` on a free port."""
    errors = tmp_path_factory.mktemp("sandbox") / "stderr"
    with errors.open("w") as stderr:
        process = subprocess.Popen(
            [*PROGRAM, "sandbox", "--port", "0", "--json"],
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            env=environment(),
        )
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        pytest.fail(f"the sandbox did not start: {errors.read_text()}")
    yield Sandbox(process, json.loads(line))
    process.send_signal(signal.SIGTERM)
    process.stdout.close()
    assert process.wait(timeout=20) == 0
