"""Where the project's own specifications are, for the commands that work on them."""

from __future__ import annotations

from pathlib import Path

import click

CATALOG = Path("openapi") / "catalog.toml"


def find_root(start: Path | None = None) -> Path:
    """The checkout that the working directory belongs to.

    Raises:
        click.UsageError: There is none above it.
    """
    here = (start or Path.cwd()).resolve()
    for directory in (here, *here.parents):
        if (directory / CATALOG).is_file():
            return directory
    raise click.UsageError(f"no {CATALOG} here or above {here}: say which document, or run inside a checkout")
