"""``modelport codex trainings``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from modelport.cli._codex import connected, group_option, timeout_option
from modelport.cli._output import json_option, show
from modelport.cli._progress import Progress

if TYPE_CHECKING:
    from modelport import Codex

_COLUMNS = ("training_hash", "experiment_name", "group_name", "model_type")

training_argument = click.argument("training", metavar="TRAINING")
execution_argument = click.argument("execution", metavar="EXECUTION", type=int)


@click.group()
def trainings() -> None:
    """Find trainings, wait for executions, fetch results. TRAINING is a hash, EXECUTION a number."""


@trainings.command("list")
@json_option
@connected
def list_trainings(client: Codex, *, as_json: bool) -> None:
    """List the training experiments."""
    show(client.trainings.search(), as_json=as_json, columns=_COLUMNS)


@trainings.command("show")
@training_argument
@click.argument("execution", metavar="[EXECUTION]", type=int, required=False)
@group_option
@json_option
@connected
def show_training(client: Codex, training: str, execution: int | None, *, group: str, as_json: bool) -> None:
    """Show a training, or one execution of it."""
    if execution is None:
        show(client.trainings.get(training, group=group).describe(), as_json=as_json)
    else:
        show(client.trainings.execution(training, execution, group=group).describe(), as_json=as_json)


@trainings.command("wait")
@training_argument
@execution_argument
@group_option
@timeout_option
@json_option
@connected
def wait_for_training(
    client: Codex, training: str, execution: int, *, group: str, timeout: float, as_json: bool
) -> None:
    """Wait until an execution has ended; fails with the server's message when the training failed."""
    handle = client.trainings.execution(training, execution, group=group)
    with Progress() as progress:
        handle.wait(timeout=timeout, on_progress=progress)
    show(handle.status(), as_json=as_json)


@trainings.command("result")
@training_argument
@execution_argument
@group_option
@click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), help="The file to write; training-EXECUTION.zip."
)
@connected
def result(client: Codex, training: str, execution: int, *, group: str, output: Path | None) -> None:
    """Download what an execution produced, as a zip, and print its path."""
    target = output or Path(f"training-{execution}.zip")
    click.echo(client.trainings.execution(training, execution, group=group).download_result(target))
