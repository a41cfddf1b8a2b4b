"""What an import costs: fresh interpreters, and the list of modules that must not be there."""

from __future__ import annotations

import importlib.util
import json
import subprocess
from collections.abc import Callable

import pytest

RunPython = Callable[..., subprocess.CompletedProcess[str]]

# Whatever takes longer than a few milliseconds, and every third-party package that a first import does not need.
HEAVY = {
    "aiohttp", "anyio", "asyncio", "attr", "attrs", "click", "cloudpickle", "fluent", "httpcore", "httpx", "jinja2",
    "jsonschema", "matplotlib", "msgpack", "msgspec", "multiprocessing", "numpy", "openapi_python_client", "packaging",
    "pandas", "plotly", "prometheus_client", "pyarrow", "pydantic", "requests", "rich", "scipy", "sklearn", "sqlite3",
    "ssl", "starlette", "unittest", "uvicorn", "yaml",
}  # fmt: skip

# Importing these loads nothing of HEAVY: names are lazy.
LIGHT = [
    "modelport",
    "modelport.bedrock",
    "modelport.boxkite",
    "modelport.cli",
    "modelport.monitor",
    "modelport_api",
    "modelport_api.codex",
    "modelport_api.codex.v1",
]


def loaded(run_python: RunPython, program: str) -> set[str]:
    """The modules that the program adds to those of a bare interpreter."""
    listing = (
        "import sys; before = set(sys.modules)\n{}\nimport json; print(json.dumps(sorted(set(sys.modules) - before)))"
    )
    return set(json.loads(run_python(listing.format(program)).stdout.splitlines()[-1]))


def models_in(modules: set[str]) -> set[str]:
    return {name for name in modules if name.startswith("modelport_api.") and ".models." in name}


@pytest.mark.parametrize("module", LIGHT)
def test_an_import_loads_nothing_heavy(module: str, run_python: RunPython) -> None:
    modules = loaded(run_python, f"import {module}")

    assert {name for name in modules if name.partition(".")[0] in HEAVY} == set()
    assert models_in(modules) == set()


def test_the_list_of_light_modules_is_of_modules_that_exist() -> None:
    assert [name for name in LIGHT if importlib.util.find_spec(name) is None] == []


def test_a_client_loads_httpx_and_no_model(run_python: RunPython) -> None:
    modules = loaded(
        run_python, "from modelport_api.codex.v1 import Client\nClient(base_url='http://127.0.0.1:9/codex/api')"
    )

    assert "httpx" in modules
    assert models_in(modules) == set()


def test_a_face_loads_no_model_before_its_first_call(run_python: RunPython) -> None:
    modules = loaded(
        run_python, "from modelport import Codex\nCodex(url='http://127.0.0.1:9/codex', user='u', password='p')"
    )

    assert "httpx" in modules
    assert models_in(modules) == set()
    assert {"pandas", "numpy", "pyarrow", "sklearn", "yaml", "starlette"} & modules == set()


def test_the_command_line_shows_its_help_without_loading_a_platform(run_python: RunPython) -> None:
    modules = loaded(
        run_python,
        "from modelport.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass\n",
    )

    assert {name for name in modules if name.partition(".")[0] in HEAVY - {"click", "asyncio", "unittest"}} == set()
    assert not any(name.startswith(("modelport.codex", "modelport_api.codex", "modelport.sandbox")) for name in modules)
