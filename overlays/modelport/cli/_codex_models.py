"""``modelport codex models``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from modelport.cli._codex import connected, group_option, timeout_option
from modelport.cli._output import json_option, note, print_json, show
from modelport.cli._progress import Progress

if TYPE_CHECKING:
    from modelport import Codex

_COLUMNS = ("model_hash", "name", "group", "operation", "status")

model_argument = click.argument("model", metavar="MODEL")


@click.group()
def models() -> None:
    """Find, watch, call and manage models. MODEL is a model's hash."""


@models.command("list")
@click.option("--name", help="Only names that contain this.")
@click.option("--state", help="Only this state, such as Deployed.")
@click.option("-g", "--group", help="Only this group.")
@json_option
@connected
def list_models(client: Codex, *, name: str | None, state: str | None, group: str | None, as_json: bool) -> None:
    """List the models."""
    show(client.models.search(name=name, state=state, group=group), as_json=as_json, columns=_COLUMNS)


@models.command("show")
@model_argument
@group_option
@json_option
@connected
def show_model(client: Codex, model: str, *, group: str, as_json: bool) -> None:
    """Show what the server knows of a model."""
    show(client.models.get(model, group=group).describe(), as_json=as_json)


@models.command("wait")
@model_argument
@group_option
@timeout_option
@json_option
@connected
def wait_for_model(client: Codex, model: str, *, group: str, timeout: float, as_json: bool) -> None:
    """Wait until a model is deployed; fails with the server's message when the deployment fails."""
    handle = client.models.get(model, group=group)
    with Progress() as progress:
        handle.wait(timeout=timeout, on_progress=progress)
    show(handle.status(), as_json=as_json)


@models.command("predict")
@model_argument
@group_option
@click.option("--data", metavar="JSON", help="One record for a sync model: JSON, @FILE, or - for stdin.")
@click.option(
    "--file", "file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A file for an async model."
)
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("predictions"),
    show_default=True,
    help="Where the files of an async model's answer go.",
)
@timeout_option
@connected
def predict(
    client: Codex, model: str, *, group: str, data: str | None, file: Path | None, output: Path, timeout: float
) -> None:
    """Call a model and print its answer as JSON: the record of a sync model, the paths of an async model's files."""
    if (data is None) == (file is None):
        raise click.UsageError("say either --data (sync models) or --file (async models)")
    record = None if data is None else _record(data)
    handle = client.models.get(model, group=group)
    if file is None:
        print_json(handle.predict(record))
        return
    with Progress() as progress:
        print_json(handle.predict_file(file, output, timeout=timeout, on_progress=progress))


@models.command("logs")
@model_argument
@group_option
@click.option("--start", type=click.DateTime(["%Y-%m-%d"]), help="First day; a week ago if not said.")
@click.option("--end", type=click.DateTime(["%Y-%m-%d"]), help="Last day; today if not said.")
@click.option("--routine", type=click.Choice(["Run", "Host"]), help="Of predictions, or of the deployment.")
@click.option("--type", "kind", type=click.Choice(["Ok", "Error", "Debug", "Warning"]), help="Only this kind.")
@json_option
@connected
def logs(client: Codex, model: str, *, group: str, as_json: bool, **filters: Any) -> None:
    """Print the logs of a model."""
    days = {name: value.date() for name in ("start", "end") if (value := filters[name]) is not None}
    entries = client.models.get(model, group=group).logs(**days, routine=filters["routine"], type=filters["kind"])
    show(entries, as_json=as_json)


@models.command("disable")
@model_argument
@group_option
@connected
def disable(client: Codex, model: str, *, group: str) -> None:
    """Take a model out of service; `restart` brings it back."""
    client.models.get(model, group=group).disable()
    note(f"model {model} is disabled")


@models.command("restart")
@model_argument
@group_option
@click.option("--wait/--no-wait", default=True, show_default=True, help="Wait until it is deployed again.")
@timeout_option
@connected
def restart(client: Codex, model: str, *, group: str, wait: bool, timeout: float) -> None:
    """Start a model again."""
    handle = client.models.get(model, group=group)
    handle.restart()
    if wait:
        with Progress() as progress:
            handle.wait(timeout=timeout, on_progress=progress)


@models.command("delete")
@model_argument
@group_option
@click.option("--yes", is_flag=True, help="Do not ask.")
@connected
def delete(client: Codex, model: str, *, group: str, yes: bool) -> None:
    """Delete a model for good."""
    if not yes:
        click.confirm(f"delete the model {model} of the group {group} for good?", abort=True, err=True)
    client.models.get(model, group=group).delete()
    note(f"model {model} is deleted")


def _list_languages(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:  # noqa: FBT001 (click calls it)
    del parameter
    if value and not ctx.resilient_parsing:
        from modelport import predict_code

        click.echo("\n".join(predict_code.languages()))
        ctx.exit()


@models.command("code")
@model_argument
@group_option
@click.option("--language", "-l", default="curl", show_default=True, help="What to write it in; --list names all.")
@click.option(
    "--list",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_list_languages,
    help="List what --language takes.",
)
@connected
def code(client: Codex, model: str, *, group: str, language: str) -> None:
    """Print a program that calls a model; it takes the group's token from the environment."""
    click.echo(client.models.get(model, group=group).predict_code(language), nl=False)


def _record(text: str) -> Any:
    """The record that --data says, gives the file of, or announces on stdin."""
    source = "--data"
    if text == "-":
        source, text = "stdin", sys.stdin.read()
    elif text.startswith("@"):
        source, text = text[1:], Path(text[1:]).read_text(encoding="utf-8")
    try:
        return json.loads(text)
    except ValueError as error:
        raise click.UsageError(f"{source} is not JSON: {error}") from error
