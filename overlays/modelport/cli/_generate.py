"""``modelport generate``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from modelport._extras import require
from modelport.cli._checkout import find_project
from modelport.cli._output import json_option, note, print_json, show
from modelport.cli._progress import Steps

if TYPE_CHECKING:
    from modelport_tools.generate import GenerationReport

_STALE = 1


@click.command()
@click.argument("spec", required=False, type=click.Path(path_type=Path))
@click.option("--output", type=click.Path(path_type=Path), help="With SPEC: the directory for the package.")
@click.option("--package", help="With SPEC: the import name of the package, such as acme_api.")
@click.option(
    "--patch",
    "patches",
    multiple=True,
    type=click.Path(path_type=Path),
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
    """Write a typed client from the OpenAPI document SPEC into OUTPUT/PACKAGE.

    Without SPEC: every client that [tool.modelport.clients] of the nearest pyproject.toml names.

    A package that was generated before is replaced as a whole; any other folder is left alone. Nothing is written
    when a document cannot be used.
    """
    require("openapi_python_client", "generate")
    from modelport_tools.generate import generate_all, generate_one, generate_project

    if spec is not None:
        if output is None or package is None:
            raise click.UsageError(f"{spec} needs --output DIRECTORY and --package NAME")
        with Steps() as steps:
            report = generate_one(
                spec,
                output=output,
                package=package,
                patches=patches,
                check=check,
                http_client=http_client,
                on_step=steps,
            )
    elif output or package or patches or http_client:
        raise click.UsageError(
            "--output, --package, --patch and --http-client go with a SPEC; a project says them in pyproject.toml"
        )
    else:
        project = find_project()
        with Steps() as steps:
            if isinstance(project, Path):
                report = generate_all(project, check=check, on_step=steps)
            else:
                report = generate_project(project, check=check, on_step=steps)
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
        note(f"{_files(report)} stale: run modelport generate without --check")
    else:
        note(f"{_files(report)} changed")


def _files(report: GenerationReport) -> str:
    count = len(report.changed)
    return "1 file" if count == 1 else f"{count} files"
