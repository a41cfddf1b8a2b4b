"""What the working directory belongs to, for the commands that need no document named: a project, or this checkout."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from modelport_tools.project import Project

CATALOG = Path("openapi") / "catalog.toml"
_HOW = "write a table [tool.modelport.clients.PACKAGE] into pyproject.toml"


def find_project(start: Path | None = None) -> Project | Path:
    """The nearest project here or above: its clients, or the root of a checkout of modelport.

    Raises:
        click.UsageError: There is none.
        SpecError: The table of a project is malformed.
    """
    from modelport_tools import project

    here = (start or Path.cwd()).resolve()
    for directory in (here, *here.parents):
        found = project.load(directory)
        if found:
            return found
        if (directory / CATALOG).is_file():
            return directory
    raise click.UsageError(f"no project with clients here or above {here}: say which document, or {_HOW}")


def find_specs(start: Path | None = None) -> list[tuple[Path, tuple[Path, ...]]]:
    """The documents of `find_project`, each with its patches.

    Raises:
        click.UsageError: There is no project.
        SpecError: Its table or catalog is malformed.
    """
    from modelport_tools import catalog

    found = find_project(start)
    entries = catalog.load(found) if isinstance(found, Path) else found.clients
    return [(entry.spec, entry.patches) for entry in entries]
