"""What a generated package loads, and when: names of modules, no times."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from modelport_tools.generate import generate_one
from tests.bench.large import document
from tests.generated.test_stand_alone import clean_environment

OPERATIONS = 12
START = """
import sys
sys.modules["click"] = None  # else httpx draws in its command line
bare = set(sys.modules)
"""
SYNC = "from large import Client; client = Client('http://host')"
ASYNC = "from large import AsyncClient; client = AsyncClient('http://host')"
CALL = """
import httpx
answer = {"ThingId": "t", "DisplayName": "d", "CreatedAt": "2026-01-01T00:00:00Z", "State": "ready"}
transport = httpx.MockTransport(lambda request: httpx.Response(200, json=answer))
from large import models
with Client("http://host", http_client=httpx.Client(transport=transport)) as client:
    client.group3.update_thing3("t", body=models.Thing3In(display_name="d"))
"""
END = "print(*sorted(set(sys.modules) - bare))"
NEVER = {"anyio", "dateutil", "numpy", "pydantic", "rich"}
FOR_SOME_CALLS = {"asyncio", "dataclasses", "httpcore", "msgspec", "pathlib", "uuid"}
FOR_MODELS = {"attr", "attrs"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that holds the package ``large``, of a small number of operations with a model each way."""
    made = tmp_path_factory.mktemp("lazy")
    spec = made / "spec.json"
    spec.write_text(json.dumps(document(OPERATIONS)))
    generate_one(spec, output=made, package="large")
    return made


def loaded(folder: Path, *programs: str) -> set[str]:
    """The modules that the programs add to those of a bare interpreter."""
    finished = subprocess.run(
        [sys.executable, "-c", "\n".join([START, *programs, END])],
        env=clean_environment(folder), capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert finished.returncode == 0, finished.stderr
    return set(finished.stdout.split())


@pytest.fixture(scope="module")
def httpx_alone(folder: Path) -> set[str]:
    return loaded(folder, "import httpx")


def own(modules: set[str], part: str) -> set[str]:
    prefix = f"large.{part}."
    return {name.removeprefix(prefix) for name in modules if name.startswith(prefix)}


def others(modules: set[str]) -> set[str]:
    """The packages of others, and the modules of the standard library."""
    return {name.partition(".")[0] for name in modules if not name.startswith("large")}


def test_importing_the_package_loads_nothing_of_others(folder: Path) -> None:
    modules = loaded(folder, "import large")
    heavy = {"httpx", "json", "ssl", "decimal", "logging", *NEVER, *FOR_SOME_CALLS, *FOR_MODELS}

    assert {name for name in modules if name.startswith("large")} == {"large"}
    assert others(modules) & heavy == set()


@pytest.mark.parametrize(("program", "of_its_world"), [(SYNC, set()), (ASYNC, {"asyncio"})])
def test_making_a_client_loads_httpx_and_neither_models_nor_operations(
    folder: Path, httpx_alone: set[str], program: str, of_its_world: set[str]
) -> None:
    modules = loaded(folder, program)
    heavy = (NEVER | FOR_SOME_CALLS | FOR_MODELS | {"decimal"}) - of_its_world

    assert "httpx" in modules
    assert own(modules, "models") == own(modules, "operations") == set()
    assert others(modules - httpx_alone) & heavy == set()


def test_a_call_loads_what_it_uses(folder: Path, httpx_alone: set[str]) -> None:
    modules = loaded(folder, SYNC, CALL)

    assert own(modules, "models") == {"thing_3_in", "thing_3_out", "thing_3_owner", "thing_3_state", "thing_3_metric"}
    assert own(modules, "operations") == {"group3"}
    assert others(modules - httpx_alone) & (NEVER | FOR_SOME_CALLS) == set()
    assert "large._runtime.compiled" not in modules
    assert not any(name.startswith("large._runtime._async") for name in modules)
