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
