"""The reference in docs/cli.md, derived from the commands: ``python -m modelport.cli._reference docs/cli.md``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from modelport.cli._root import cli

if TYPE_CHECKING:
    from collections.abc import Iterator

BEGIN = "<!-- derived from the commands by `make generate`; do not edit below -->\n"


def walk(
    command: click.Command = cli, name: str = "modelport", parent: click.Context | None = None
) -> Iterator[tuple[click.Context, click.Command]]:
    """Every command, groups before what they hold."""
    context = click.Context(command, parent=parent, info_name=name)
    yield context, command
    if isinstance(command, click.Group):
        for child_name in command.list_commands(context):
            child = command.get_command(context, child_name)
            if child is not None and not child.hidden:
                yield from walk(child, child_name, context)


def reference() -> str:
    """The section of every command."""
    return "\n".join(_section(context, command) for context, command in walk())


def page(current: str) -> str:
    """The page with its derived part renewed."""
    written, _, _ = current.partition(BEGIN)
    return f"{written}{BEGIN}\n{reference()}"


def main(path: Path, *, check: bool) -> int:
    """Renew the page, or say whether it is fresh."""
    current = path.read_text(encoding="utf-8")
    renewed = page(current)
    if current == renewed:
        return 0
    if check:
        click.echo(f"{path} does not tell what the commands say: run `make generate`", err=True)
        return 1
    path.write_text(renewed, encoding="utf-8")
    return 0


def _section(context: click.Context, command: click.Command) -> str:
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    lines = [f"## {context.command_path}", "", "```console", usage, "```", ""]
    lines += [_paragraphs(command.help or ""), ""]
    options = [parameter for parameter in command.params if isinstance(parameter, click.Option)]
    if records := [record for option in options if (record := option.get_help_record(context))]:
        lines += ["| option | |", "| --- | --- |"]
        lines += [f"| `{name}` | {_cell(text)} |" for name, text in records]
        lines += [""]
    if isinstance(command, click.Group):
        lines += [f"- [`{name}`](#{_anchor(context, name)})" for name in command.list_commands(context)]
        lines += [""]
    return "\n".join(lines)


def _paragraphs(text: str) -> str:
    return "\n\n".join(" ".join(block.split()) for block in text.split("\n\n"))


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _anchor(context: click.Context, name: str) -> str:
    return f"{context.command_path} {name}".replace(" ", "-")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), check="--check" in sys.argv[2:]))
