"""Clients that a project names in its pyproject.toml."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelport_tools import project
from modelport_tools.errors import OutputError, SpecError
from modelport_tools.generate import generate_project
from modelport_tools.project import Client, Project
from tests.unit.tools.specs import document, operation, write

TABLE = "[tool.modelport.clients.acme_api]\n"
TWO = """
[project]
name = "x"
[tool.modelport.clients.acme_api]
spec = "openapi/acme.json"
output = "src"
patches = ["openapi/fixes.json"]
[tool.modelport.clients.other]
spec = "other.json"
"""


@pytest.fixture
def two(tmp_path: Path) -> Project:
    (tmp_path / "openapi").mkdir()
    write(tmp_path / "openapi", document(), "acme.json")
    action = {"target": "$.paths['/things'].get", "update": {"operationId": "patched"}}
    write(tmp_path / "openapi", {"overlay": "1.0.0", "actions": [action]}, "fixes.json")
    write(tmp_path, document({"/others": {"get": operation("listOthers")}}), "other.json")
    write(tmp_path, TWO, "pyproject.toml")
    found = project.load(tmp_path)
    assert found is not None
    return found


def test_the_clients_come_in_the_order_of_the_file(two: Project) -> None:
    root = two.root

    assert two.clients == (
        Client("acme_api", root / "openapi/acme.json", root / "src", (root / "openapi/fixes.json",)),
        Client("other", root / "other.json", root),
    )


def test_all_are_generated_and_checked_together(two: Project) -> None:
    report = generate_project(two)

    assert [one.package for one in report.packages] == ["acme_api", "other"]
    assert {"src/acme_api/client.py", "other/client.py"} <= set(report.changed)
    assert "def patched(" in (two.root / "src/acme_api/operations/default.py").read_text()
    assert generate_project(two, check=True).fresh

    (two.root / "other/client.py").unlink()
    stale = generate_project(two, check=True)

    assert stale.changed == ("other/client.py",)
    assert [one.changed for one in stale.packages] == [(), ("client.py",)]


def test_when_one_cannot_be_used_none_is_written(two: Project) -> None:
    write(two.root, "{", "other.json")
    with pytest.raises(SpecError, match=r"other\.json:1: is not JSON"):
        generate_project(two)

    assert not (two.root / "src").exists()


def test_a_foreign_folder_is_left_alone(two: Project) -> None:
    (two.root / "other").mkdir()
    (two.root / "other/mine.py").touch()
    with pytest.raises(OutputError, match="not a package"):
        generate_project(two)

    assert [path.name for path in (two.root / "other").iterdir()] == ["mine.py"]
    assert not (two.root / "src").exists()


@pytest.mark.parametrize("text", ["", "[project]\nname = 'x'\n", "[tool.ruff]\n"])
def test_a_project_that_names_none_is_none(tmp_path: Path, text: str) -> None:
    assert project.load(tmp_path) is None

    write(tmp_path, text, "pyproject.toml")

    assert project.load(tmp_path) is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[tool.modelport]\n", "clients: needs a table"),
        ("[tool.modelport.clients]\n", "clients: needs a table"),
        ("tool.modelport = 7\n", "clients: needs a table"),
        (TABLE, "/acme_api: needs spec"),
        (TABLE + "spec = 7\n", "/acme_api: spec, output and http-client must be texts"),
        (TABLE + "spec = 'a'\npatches = 'b'\n", "/acme_api: spec, output and http-client must be texts"),
        (TABLE + "spec = 'a'\npatches = [7]\n", "/acme_api: spec, output and http-client must be texts"),
        (TABLE + "spec = 'a'\npatch = []\n", "/acme_api/patch: is not known: there is spec, output, patches"),
        ("[tool.modelport]\nclient = 7\n[tool.modelport.clients.a]\nspec = 'a'\n", "clients: needs a table"),
        ("x = 1\n[tool\ny = 2\n", ":2: cannot be read: "),
        ("tool = 7\n", "clients: needs a table"),
    ],
)
def test_a_malformed_table_is_refused_with_its_place(tmp_path: Path, text: str, says: str) -> None:
    write(tmp_path, text, "pyproject.toml")
    with pytest.raises(SpecError) as caught:
        project.load(tmp_path)

    assert says in str(caught.value)
    assert str(caught.value).startswith(str(tmp_path / "pyproject.toml"))
