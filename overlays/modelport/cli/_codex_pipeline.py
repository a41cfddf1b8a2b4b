"""``modelport codex pipeline``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from modelport.cli._codex import connected
from modelport.cli._output import json_option, show

if TYPE_CHECKING:
    from modelport import Codex


@click.group()
def pipeline() -> None:
    """Train, deploy and watch what a file describes."""


@pipeline.command("run")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@json_option
@connected
def run_pipeline(client: Codex, file: Path, *, as_json: bool) -> None:
    """Run the pipeline of the YAML file FILE. The file is only read."""
    show(client.run_pipeline(file), as_json=as_json)
