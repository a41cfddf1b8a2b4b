"""``modelport spec``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from modelport._extras import require
from modelport.cli._checkout import find_root
from modelport.cli._output import json_option, show

_COLUMNS = ("platform", "version", "default", "package", "spec")


@click.group()
def spec() -> None:
    """List and check the OpenAPI documents of this project."""


@spec.command("list")
@json_option
def list_specs(*, as_json: bool) -> None:
    """List the documents of the catalog."""
    from modelport_tools import catalog

    root = find_root()
    rows = [
        {
            "platform": entry.platform,
            "title": entry.title,
            "version": entry.version,
            "default": entry.default,
            "package": entry.package,
            "spec": entry.spec.relative_to(root).as_posix(),
            "patches": [patch.relative_to(root).as_posix() for patch in entry.patches],
            "source": entry.source,
        }
        for entry in catalog.load(root)
    ]
    show(rows, as_json=as_json, columns=_COLUMNS)


@spec.command("check")
@click.argument(
    "documents", nargs=-1, metavar="[SPEC]...", type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@json_option
def check_specs(*, documents: tuple[Path, ...], as_json: bool) -> None:
    """Check documents against the OpenAPI standard and our own needs; without SPEC, those of the catalog, patched."""
    require("openapi_python_client", "generate")
    from modelport_tools import catalog

    chosen: list[tuple[Path, tuple[Path, ...]]] = [(document, ()) for document in documents]
    if not chosen:
        chosen = [(entry.spec, entry.patches) for entry in catalog.load(find_root())]
    show([_check(document, patches) for document, patches in chosen], as_json=as_json)


def _check(path: Path, patches: tuple[Path, ...]) -> dict[str, Any]:
    """Everything but writing: a document is good when a client can be made from it, with every operation."""
    from modelport_tools.generate import generate_one

    # Nothing is written with `check`, so the directory need not exist.
    [report] = generate_one(path, output=Path("unwritten"), package="checked", patches=patches, check=True).packages
    return {"spec": str(path), "operations": report.operations_out, "models": report.models, "valid": True}
