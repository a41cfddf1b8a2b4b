"""``modelport codex pipeline``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from modelport.cli._codex import connected, timeout_option
from modelport.cli._output import json_option, show
from modelport.cli._progress import Progress

if TYPE_CHECKING:
    from modelport import Codex


@click.group()
def pipeline() -> None:
    """Train, deploy and watch what a file describes."""


@pipeline.command("run")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@timeout_option
@json_option
@connected
def run_pipeline(client: Codex, file: Path, *, timeout: float, as_json: bool) -> None:
    """Run the pipeline of the YAML file FILE and tell what it made. The file is only read."""
    with Progress() as progress:
        made = client.run_pipeline(file, timeout=timeout, on_progress=progress)
    told: dict[str, Any] = {}
    if made.execution is not None:
        told |= {"training": made.execution.training_hash, "execution": made.execution.id}
    if made.model is not None:
        told |= {"model": made.model.hash, "group": made.model.group}
    if made.monitoring is not None:
        told["monitoring"] = "registered"
    if made.group_token is not None:
        told |= {"group": made.group_token.group, "group_token": made.group_token.token}
    show(told, as_json=as_json)
