"""``modelport codex``: its subcommands, and how they reach the server."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from modelport.cli._lazy import Entry, LazyGroup

if TYPE_CHECKING:
    from collections.abc import Callable

    Command = TypeVar("Command", bound=Callable[..., Any])

_HERE = "modelport.cli"

ENTRIES = {
    "whoami": Entry(f"{_HERE}._codex_session", "whoami", "Check the server and the credentials."),
    "groups": Entry(f"{_HERE}._codex_session", "groups", "List and create groups, renew their tokens."),
    "models": Entry(f"{_HERE}._codex_models", "models", "Find, watch, call and manage models."),
    "trainings": Entry(f"{_HERE}._codex_trainings", "trainings", "Find trainings, wait for executions, fetch results."),
    "pipeline": Entry(f"{_HERE}._codex_pipeline", "pipeline", "Train, deploy and watch what a file describes."),
}

_SETTINGS = {
    "profile": "Take the settings of this profile. [MODELPORT_PROFILE]",
    "url": "The server. [MODELPORT_CODEX_URL, MLOPS_URL]",
    "user": "Log in as this user. [MODELPORT_CODEX_USER, MLOPS_USER]",
    "tenant": "The tenant to log in to. [MODELPORT_CODEX_TENANT, MLOPS_TENANT]",
}


@click.pass_context
def _remember(ctx: click.Context, /, **settings: str | None) -> None:
    ctx.obj = {name: value for name, value in settings.items() if value is not None}


codex = LazyGroup(
    "codex",
    entries=ENTRIES,
    callback=_remember,
    params=[click.Option([f"--{name}"], metavar=name.upper(), help=text) for name, text in _SETTINGS.items()],
    help="""Drive a Datarisk MLOps Codex server.

    Settings come from these options, then the environment, then the profile. The password has no option (other
    programs could read it): MODELPORT_CODEX_PASSWORD, MLOPS_PASSWORD or the profile. Tokens of groups likewise:
    MODELPORT_CODEX_GROUP_TOKEN or MLOPS_GROUP_TOKEN.
    """,
)

group_option = click.option("-g", "--group", required=True, help="The group that it belongs to.")
timeout_option = click.option(
    "--timeout", type=click.FloatRange(min=0), default=1800.0, show_default=True, help="Seconds to wait at most."
)


def connected(command: Command) -> Command:
    """Hand the command a client as its first argument, closed when it ends."""

    @click.pass_context
    @functools.wraps(command)
    def with_client(ctx: click.Context, /, *arguments: Any, **options: Any) -> Any:
        from modelport import Codex

        settings = cast("dict[str, Any]", ctx.find_object(dict) or {})
        with Codex.from_env(**settings) as client:
            return command(client, *arguments, **options)

    return cast("Command", with_client)
