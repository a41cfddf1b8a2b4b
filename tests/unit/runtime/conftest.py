from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from modelport_api._runtime._async import download as async_download
from modelport_api._runtime._async import transport as async_transport
from modelport_api._runtime._sync import download as sync_download
from modelport_api._runtime._sync import transport as sync_transport
from modelport_tools.generate import generate_one
from tests.unit.runtime.server import ScriptedServer
from tests.unit.runtime.worlds import World

GOLDEN_SPEC = Path(__file__).parents[2] / "generated/golden/spec.yaml"


@pytest.fixture(params=["sync", "async"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """Runs a test for `Client` and for `AsyncClient`."""
    made = World(request.param)
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    made = ScriptedServer()
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def other_server() -> Iterator[ScriptedServer]:
    made = ScriptedServer()
    try:
        yield made
    finally:
        made.close()


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses between attempts, which take no time here."""
    taken: list[float] = []

    async def sleep(seconds: float) -> None:
        taken.append(seconds)

    for module in (sync_transport, sync_download):
        monkeypatch.setattr(module, "sleep", taken.append)
    for module in (async_transport, async_download):
        monkeypatch.setattr(module, "sleep", sleep)
    return taken


@pytest.fixture(scope="session")
def awkward_package(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The client that is generated from the golden document."""
    output = tmp_path_factory.mktemp("generated")
    generate_one(GOLDEN_SPEC, output=output, package="awkward_runtime")
    sys.path.insert(0, str(output))
    try:
        yield importlib.import_module("awkward_runtime")
    finally:
        sys.path.remove(str(output))
