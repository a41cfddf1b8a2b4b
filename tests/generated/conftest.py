from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from modelport_tools.generate import generate_one
from tests.generated.letters import Letters, Probe
from tests.generated.lists import KEY, LISTS
from tests.unit.runtime.conftest import other_server, server, world
from tests.unit.runtime.server import ScriptedServer
from tests.unit.runtime.worlds import World
from tests.unit.tools.specs import write

__all__ = ["other_server", "server", "world"]

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture(scope="session")
def golden_spec() -> Path:
    return GOLDEN / "spec.yaml"


@pytest.fixture(scope="session")
def awkward(tmp_path_factory: pytest.TempPathFactory, golden_spec: Path) -> Path:
    """The folder that holds the package ``awkward``, generated from the golden document."""
    output = tmp_path_factory.mktemp("stand-alone")
    generate_one(golden_spec, output=output, package="awkward")
    return output


@pytest.fixture(scope="session")
def awkward_httpx2(tmp_path_factory: pytest.TempPathFactory, golden_spec: Path) -> Path:
    """The same for httpx2."""
    output = tmp_path_factory.mktemp("stand-alone-httpx2")
    generate_one(golden_spec, output=output, package="awkward", http_client="httpx2")
    return output


@pytest.fixture(params=["awkward", "awkward_httpx2"])
def either(request: pytest.FixtureRequest) -> Path:
    """One after the other."""
    folder: Path = request.getfixturevalue(request.param)
    return folder


@pytest.fixture(scope="session")
def lists(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """The package that is generated from the document of lists."""
    folder = tmp_path_factory.mktemp("lists")
    generate_one(write(folder, LISTS), output=folder, package="lists")
    sys.path.insert(0, str(folder))
    try:
        yield importlib.import_module("lists")
    finally:
        sys.path.remove(str(folder))


@pytest.fixture
def client(lists: ModuleType, world: World, server: ScriptedServer, pauses: list[float]) -> Any:
    """A client that sends every request once."""
    kind = lists.AsyncClient if world.is_async else lists.Client
    return world.opened(kind(f"{server.url}/api", credentials={"key": KEY}, max_retries=0, timeout=5.0))


@pytest.fixture
def pauses(lists: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses between looks, which take no time here."""
    taken: list[float] = []

    async def sleep(seconds: float) -> None:
        taken.append(seconds)

    for module in ("transport", "polling"):
        monkeypatch.setattr(importlib.import_module(f"lists._runtime._sync.{module}"), "sleep", taken.append)
        monkeypatch.setattr(importlib.import_module(f"lists._runtime._async.{module}"), "sleep", sleep)
    return taken


@pytest.fixture(scope="session")
def letters(tmp_path_factory: pytest.TempPathFactory) -> Letters:
    return Letters(tmp_path_factory.mktemp("letters"))


@pytest.fixture
def probe(request: pytest.FixtureRequest, letters: Letters, world: World, server: ScriptedServer) -> Probe:
    """A client of the module's own document."""
    name = request.module.__name__.rpartition(".")[2].removeprefix("test_")
    return Probe(letters.package(name, request.module.DOCUMENT), world, server)
