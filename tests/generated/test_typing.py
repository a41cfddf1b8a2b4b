"""What type checkers see of pages and waits: exact types, in both worlds, and no misspelt argument gets through."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

USE = """
from __future__ import annotations

from datetime import datetime
from typing import assert_type

from lists import AsyncClient, AsyncPages, Client, Pages, Progress, models


def sync(client: Client) -> None:
    pages = client.pets.iter_pets(limit=1, timeout=3)
    assert_type(pages, Pages[models.Pet, models.PetList])
    for pet in pages:
        assert_type(pet, models.Pet)
        assert_type(pet.id, int)
    for body in pages.pages():
        assert_type(body, models.PetList)
    for pet in client.pets.iter_linked():
        assert_type(pet, models.Pet)
    for name in client.pets.iter_names(offset=3):
        assert_type(name, str)
    for event in client.pets.iter_events(since=datetime(2026, 1, 1)):
        assert_type(event.at, datetime)
    for pet in client.pets.iter_paged():
        assert_type(pet, models.Pet)
    client.pets.list_paged()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.pets.iter_pets(limt=1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    job = client.jobs.wait_for_job("7", poll_interval=1, wait_timeout=None, on_progress=told)
    assert_type(job, models.Job)
    assert_type(client.jobs.create_job_and_wait(body=models.Plan(name="n"), headers={"X": "y"}), models.Job)


async def awaited(client: AsyncClient) -> None:
    pages = client.pets.iter_pets()
    assert_type(pages, AsyncPages[models.Pet, models.PetList])
    async for pet in pages:
        assert_type(pet, models.Pet)
    async for body in pages.pages():
        assert_type(body, models.PetList)
    assert_type([name async for name in client.pets.iter_names()], list[str])
    assert_type(await client.jobs.wait_for_job("7", on_progress=lambda progress: progress.state), models.Job)
    assert_type(await client.jobs.create_job_and_wait(body=models.Plan(name="n")), models.Job)


def told(progress: Progress) -> None:
    assert_type(progress.next_look_seconds, float | None)
"""


@pytest.fixture(scope="module")
def folder(lists: ModuleType) -> Path:
    assert lists.__file__ is not None
    found = Path(lists.__file__).parents[1]
    (found / "use.py").write_text(USE, encoding="utf-8")
    return found


def test_mypy_sees_exact_types(folder: Path, tmp_path: Path) -> None:
    command = ["-m", "mypy", "--strict", "--no-incremental", "--cache-dir", str(tmp_path), "use.py", "lists"]
    finished = subprocess.run(
        [sys.executable, *command], cwd=folder, capture_output=True, text=True, check=False, timeout=120
    )

    assert "Success: no issues found" in finished.stdout, finished.stdout


def test_pyright_sees_exact_types(folder: Path, root: Path) -> None:
    pyright = shutil.which("pyright", path=str(Path(sys.executable).parent))
    if pyright is None:
        pytest.skip("pyright is not installed")
    settings = {"typeCheckingMode": "strict", "include": ["use.py", "lists"], "venvPath": str(root), "venv": ".venv"}
    (folder / "pyrightconfig.json").write_text(json.dumps(settings))
    finished = subprocess.run(
        [pyright, "--pythonpath", sys.executable], cwd=folder, capture_output=True, text=True, check=False, timeout=120
    )

    assert "0 errors, 0 warnings" in finished.stdout, finished.stdout
