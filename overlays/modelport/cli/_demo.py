"""``modelport demo``."""

from __future__ import annotations

from pathlib import Path

import click

from modelport._extras import require
from modelport.cli._output import note


@click.command()
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("demo-output"),
    show_default=True,
    help="Where the report, the programs and the logged predictions go.",
)
@click.option("--open/--no-open", "open_report", default=False, show_default=True, help="Open the report in a browser.")
@click.option("--keep", is_flag=True, help="Leave the sandbox running at the end, until Ctrl-C.")
def demo(*, output: Path, open_report: bool, keep: bool) -> None:
    """Train, deploy, call and watch a real model on the local sandbox, and write a report that works offline."""
    require("sklearn", "demo")
    from modelport.demo import run

    report = run(output, keep=keep)
    click.echo(report)
    if open_report and click.launch(str(report)):
        note("no browser could be started; open the report yourself")
