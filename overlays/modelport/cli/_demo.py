"""``modelport demo``."""

from __future__ import annotations

from pathlib import Path

import click

from modelport.cli._output import json_option, note, show


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
@json_option
def demo(*, output: Path, open_report: bool, keep: bool, as_json: bool) -> None:
    """Train, deploy, call and watch a real model on the local sandbox, and write a report that works offline."""
    from modelport.demo import run

    result = run(output, keep=keep)
    if as_json:
        show({"report": result.report, "seconds": result.seconds, "figures": result.figures}, as_json=True)
    else:
        click.echo(result.report)
    if open_report and click.launch(str(result.report)):
        note("no browser could be started; open the report yourself")
