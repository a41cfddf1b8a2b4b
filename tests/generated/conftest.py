from __future__ import annotations

from pathlib import Path

import pytest

from modelport_tools.generate import generate_one

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
