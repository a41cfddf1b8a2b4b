"""A sandbox in this process, and workers for scripts written in a test."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette

from modelport.sandbox import Limits, SandboxSettings, create_app
from modelport.sandbox.runner import Environment, Outcome, Runner
from tests.contract.in_process import InProcess

LIMITS = Limits(predict_seconds=10, run_seconds=30, build_seconds=20, upload_bytes=1024 * 1024, output_bytes=4096)


@pytest.fixture
def app() -> Iterator[Starlette]:
    application = create_app(SandboxSettings(limits=LIMITS))
    yield application
    application.state.close()


@pytest.fixture
def box(app: Starlette) -> InProcess:
    return InProcess(app)


@pytest.fixture
def runner() -> Iterator[Runner]:
    made = Runner(LIMITS)
    yield made
    made.close()


Score = Callable[..., Outcome]


@pytest.fixture
def score(runner: Runner, tmp_path: Path) -> Score:
    """Call `score` of a script once, in a worker of its own."""

    def call(script: str, data: str = "{}", *, seconds: float = 10.0, **variables: str) -> Outcome:
        (tmp_path / "app.py").write_text(script, "utf-8")
        base = f"{tmp_path}/"
        worker = runner.spawn(Environment(Path(sys.executable)), cwd=tmp_path, variables=variables)
        load: dict[str, Any] = {"do": "load", "source": base + "app.py", "reference": "score", "base_path": base}
        loaded = worker.request(load, seconds=20)
        if not loaded.ok:
            return loaded
        return worker.request({"do": "score", "data": data, "base_path": base, "reference": "score"}, seconds=seconds)

    return call
