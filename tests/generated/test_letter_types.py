"""Both type checkers, in their strict modes, over the clients of all the small documents together."""

from __future__ import annotations

import importlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.generated.letters import Letters
from tests.generated.test_letter_names import HOSTILE, hostile


@pytest.fixture(scope="module")
def all_letters(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds every package."""
    made = Letters(tmp_path_factory.mktemp("all-letters"))
    for path in sorted(Path(__file__).parent.glob("test_letter_*.py")):
        module = importlib.import_module(f"tests.generated.{path.stem}")
        if hasattr(module, "DOCUMENT"):
            made.write(path.stem.removeprefix("test_"), module.DOCUMENT)
    for index in (0, 7, 16):  # the others differ in nothing that a type checker sees
        made.write(f"letter_hostile_{index}", hostile(HOSTILE[index]))
    return made.folder


def test_mypy_finds_nothing_in_strict_mode(all_letters: Path, tmp_path: Path) -> None:
    packages = sorted(path.parent.name for path in all_letters.glob("*/__init__.py"))
    command = ["-m", "mypy", "--strict", "--no-incremental", "--cache-dir", str(tmp_path), *packages]
    finished = subprocess.run(
        [sys.executable, *command], cwd=all_letters, capture_output=True, text=True, check=False, timeout=300
    )

    assert "Success: no issues found" in finished.stdout, finished.stdout


def test_pyright_finds_nothing_in_strict_mode(all_letters: Path, root: Path) -> None:
    pyright = shutil.which("pyright", path=str(Path(sys.executable).parent))
    if pyright is None:
        pytest.skip("pyright is not installed")
    # The runtime is checked where it is written.
    settings = {
        "typeCheckingMode": "strict",
        "include": ["."],
        "ignore": ["**/_runtime"],
        "venvPath": str(root),
        "venv": ".venv",
    }
    (all_letters / "pyrightconfig.json").write_text(json.dumps(settings))
    finished = subprocess.run(
        [pyright, "--pythonpath", sys.executable],
        cwd=all_letters,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )

    assert "0 errors, 0 warnings" in finished.stdout, finished.stdout
