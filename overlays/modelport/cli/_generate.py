"""``modelport generate``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from modelport._extras import require
from modelport.cli._checkout import find_root
from modelport.cli._output import json_option, note, print_json, show

if TYPE_CHECKING:
    from modelport_tools.generate import GenerationReport

_STALE = 1


@click.command()
@click.argument("spec", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    help="With SPEC: the directory for the package.",
)
@click.option("--package", help="With SPEC: the import name of the package, such as acme_api.")
@click.option(
    "--patch",
    "patches",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="With SPEC: an OpenAPI Overlay to apply first; may be repeated, applied in this order.",
)
@click.option(
    "--http-client",
    type=click.Choice(["httpx", "httpx2"]),
    help="With SPEC: what the package speaks through; by default what it was generated for before, else httpx.",
)
@click.option("--check", is_flag=True, help="Write nothing; exit 1 when a file would change.")
@json_option
def generate(
    spec: Path | None,
    *,
    output: Path | None,
    package: str | None,
    patches: tuple[Path, ...],
    http_client: str | None,
    check: bool,
    as_json: bool,
) -> int:
    """Write a typed client from the OpenAPI document SPEC; without SPEC, all clients of this checkout."""
    require("openapi_python_client", "generate")
    from modelport_tools.generate import generate_all, generate_one

    if spec is None:
        if output or package or patches or http_client:
            raise click.UsageError(
                "--output, --package, --patch and --http-client go with a SPEC; "
                "those of the checkout are in its catalog"
            )
        report = generate_all(find_root(), check=check)
    elif output is None or package is None:
        raise click.UsageError("a SPEC needs --output and --package")
    else:
        report = generate_one(
            spec, output=output, package=package, patches=patches, check=check, http_client=http_client
        )
    return _tell(report, check=check, as_json=as_json)


def _tell(report: GenerationReport, *, check: bool, as_json: bool) -> int:
    """Say what was generated and what changed, or would; the exit code."""
    rows = [
        {"package": one.package, "operations": one.operations_out, "models": one.models, "changed": len(one.changed)}
        for one in report.packages
    ]
    if as_json:
        print_json({"packages": rows, "changed": report.changed, "fresh": report.fresh})
    else:
        show(rows, as_json=False)
        _tell_changes(report, check=check)
    return _STALE if check and not report.fresh else 0


def _tell_changes(report: GenerationReport, *, check: bool) -> None:
    if report.fresh:
        note("every file is fresh")
    elif check:
        click.echo(report.diff)
        note(f"{len(report.changed)} files are stale: generate them again")
    else:
        note(f"{len(report.changed)} files written")
