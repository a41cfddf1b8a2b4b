from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from modelport_tools.generate import generate_one
from tests.generated.letters import Letters, Probe
from tests.unit.runtime.server import ScriptedServer
from tests.unit.runtime.worlds import World

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
def letters(tmp_path_factory: pytest.TempPathFactory) -> Letters:
    return Letters(tmp_path_factory.mktemp("letters"))


@pytest.fixture(params=["sync", "async"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
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
def probe(request: pytest.FixtureRequest, letters: Letters, world: World, server: ScriptedServer) -> Probe:
    """A client of the module's own document."""
    name = request.module.__name__.rpartition(".")[2].removeprefix("test_")
    return Probe(letters.package(name, request.module.DOCUMENT), world, server)
