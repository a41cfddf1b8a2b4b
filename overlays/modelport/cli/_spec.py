"""``modelport spec``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from modelport._extras import require
from modelport.cli._checkout import find_project, find_specs
from modelport.cli._output import json_option, note, print_json, show
from modelport.cli._progress import Steps

if TYPE_CHECKING:
    from modelport_tools.catalog import Entry
    from modelport_tools.diff import DiffReport

_COLOURS = {"breaking": "red", "source": "yellow", "additive": "green"}
_COLUMNS = ("platform", "version", "default", "package", "spec")
_COUNTS = (
    "spec", "kilobytes", "operations_in", "operations_out", "models", "untyped_results", "untyped_fields", "seconds",
    "valid",
)  # fmt: skip
_FAULTY = 2


@click.group()
def spec() -> None:
    """List, check and compare OpenAPI documents."""


@spec.command("list")
@json_option
def list_specs(*, as_json: bool) -> None:
    """List the documents of the nearest project: of pyproject.toml, or of a checkout's catalog."""
    from modelport_tools import catalog

    found = find_project()
    if isinstance(found, Path):
        show([_catalogued(entry, found) for entry in catalog.load(found)], as_json=as_json, columns=_COLUMNS)
        return
    rows = [
        {
            "package": client.package,
            "spec": _relative(client.spec, found.root),
            "output": _relative(client.output, found.root),
            "patches": [_relative(patch, found.root) for patch in client.patches],
        }
        for client in found.clients
    ]
    show(rows, as_json=as_json)


def _catalogued(entry: Entry, root: Path) -> dict[str, Any]:
    return {
        "platform": entry.platform,
        "title": entry.title,
        "version": entry.version,
        "default": entry.default,
        "package": entry.package,
        "spec": _relative(entry.spec, root),
        "patches": [_relative(patch, root) for patch in entry.patches],
        "source": entry.source,
    }


def _relative(path: Path, root: Path) -> str:
    return (path.relative_to(root) if path.is_relative_to(root) else path).as_posix()


@spec.command("check")
@click.argument("documents", nargs=-1, metavar="[SPEC]...", type=click.Path(path_type=Path))
@click.option(
    "--patch",
    "overlays",
    multiple=True,
    type=click.Path(path_type=Path),
    help="With one SPEC: an OpenAPI Overlay to apply first; may be repeated, applied in this order.",
)
@json_option
def check_specs(*, documents: tuple[Path, ...], overlays: tuple[Path, ...], as_json: bool) -> int:
    """Check documents against the OpenAPI standard and our own needs; without SPEC, those of the project, patched.

    The table counts the operations of each document and those that a client would have, its classes, and the results
    and fields that are Any. A document with a fault is told in one sentence, with its place. Nothing is written.
    """
    if overlays and len(documents) != 1:
        raise click.UsageError("--patch goes with one SPEC")
    require("openapi_python_client", "generate")
    from modelport_tools.errors import SpecError

    chosen: list[tuple[Path, tuple[Path, ...]]] = [(document, overlays) for document in documents] or find_specs()
    rows: list[dict[str, Any]] = []
    faults: list[SpecError] = []
    with Steps() as steps:
        for document, patches in chosen:
            try:
                rows.append(_check(document, patches, steps))
            except SpecError as error:
                faults.append(error)
                rows.append(_row(document) | {"valid": False, "fault": " ".join(str(error).split())})
    if faults and len(chosen) == 1:
        raise faults[0]
    show(rows, as_json=as_json, columns=_COUNTS)
    for fault in filter(None, (row["fault"] for row in rows)):
        note(f"modelport: error: {fault}")
    return _FAULTY if faults else 0


@spec.command("diff")
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@click.option(
    "--fail-on",
    type=click.Choice(["breaking", "source", "none"]),
    default="breaking",
    show_default=True,
    help="Exit 1 when there is such a change, or a worse one.",
)
@click.option("--all", "show_all", is_flag=True, help="Show changes of mere text too; JSON always holds them.")
@json_option
def diff_specs(old: Path, new: Path, *, fail_on: str, show_all: bool, as_json: bool) -> int:
    """Tell what changed from the document OLD to the document NEW, and whom it breaks."""
    require("openapi_python_client", "generate")
    from modelport_tools.diff import Label, diff_files

    report = diff_files(old, new)
    if as_json:
        print_json(report.as_json())
    else:
        _tell_changes(report, show_all=show_all)
    return int(report.fails(None if fail_on == "none" else Label(fail_on)))


def _tell_changes(report: DiffReport, *, show_all: bool) -> None:
    """The changes, grouped by label, worst first."""
    from modelport_tools.diff import Label

    for label, count in report.counts.items():
        if count and (show_all or label is not Label.INFO):
            _print_heading(f"{label.value} ({count})", _COLOURS.get(label.value, ""))
            for line in report.lines(label):
                click.echo(f"  {line}")
    if not report.changes:
        note("nothing changed")
    elif hidden := 0 if show_all else report.counts[Label.INFO]:
        note(f"{hidden} changes of mere text: --all shows them")


def _print_heading(text: str, colour: str) -> None:
    """A line in colour on a terminal."""
    if sys.stdout.isatty():
        from rich.console import Console
        from rich.text import Text

        Console().print(Text(text, style=f"bold {colour}"))
    else:
        click.echo(text)


def _check(path: Path, patches: tuple[Path, ...], steps: Steps) -> dict[str, Any]:
    """Everything but writing: a document is good when a client can be made from it, with every operation."""
    from dataclasses import asdict

    from modelport_tools.survey import survey

    steps(f"{path}: counting")
    found = asdict(survey(path, patches))
    found["kilobytes"] = round(found.pop("size_bytes") / 1000)
    return _row(path) | found | {"spec": str(path), "seconds": round(found["seconds"], 2), "valid": True}


def _row(path: Path) -> dict[str, Any]:
    return {"spec": str(path), **dict.fromkeys(_COUNTS[1:]), "fields": None, "fault": None}
