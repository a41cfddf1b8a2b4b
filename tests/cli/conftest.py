"""The command line as a real program, and its commands."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
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


@contextmanager
def started(
    *arguments: str, stderr: int | None = subprocess.PIPE, variables: Mapping[str, str] = MappingProxyType({})
) -> Iterator[subprocess.Popen[str]]:
    """``modelport ARGUMENTS...``, running; killed at the end if it still runs then."""
    with subprocess.Popen(
        [*PROGRAM, *arguments],
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        env=environment(**variables),
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def first_line(process: subprocess.Popen[str]) -> str:
    """What it said first; the test fails with its complaint if it said nothing."""
    assert process.stdout is not None
    return process.stdout.readline() or pytest.fail(
        f"it did not start: {process.stderr.read() if process.stderr else 'its complaint is above'}"
    )


@dataclass
class Sandbox:
    hello: dict[str, Any]

    @property
    def codex_url(self) -> str:
        return str(self.hello["codex_url"])


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """``modelport sandbox`` on a free port."""
    # No pipe for stderr: nobody would empty it while the tests run.
    with started("sandbox", "--port", "0", "--json", stderr=None) as process:
        yield Sandbox(json.loads(first_line(process)))
        process.terminate()
        assert process.wait(timeout=20) == 0
