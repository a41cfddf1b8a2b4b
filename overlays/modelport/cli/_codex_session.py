"""``modelport codex whoami`` and ``modelport codex groups``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from modelport.cli._codex import connected
from modelport.cli._output import json_option, note, show

if TYPE_CHECKING:
    from modelport import Codex


@click.command()
@json_option
@connected
def whoami(client: Codex, *, as_json: bool) -> None:
    """Check that the server answers and takes the credentials."""
    client.login()
    show({"url": client.url, "version": client.health().version, "credentials": "accepted"}, as_json=as_json)


@click.group()
def groups() -> None:
    """List and create groups, renew their tokens."""


@groups.command("list")
@json_option
@connected
def list_groups(client: Codex, *, as_json: bool) -> None:
    """List the groups."""
    show(client.groups.list(), as_json=as_json)


@groups.command("create")
@click.argument("name")
@click.option("--description", default="", help="What it is for.")
@json_option
@connected
def create_group(client: Codex, name: str, *, description: str, as_json: bool) -> None:
    """Create the group NAME and print its token, which the server shows only this once."""
    token = client.groups.create(name, description=description)
    _print_token(name, token.token, as_json=as_json)


@groups.command("refresh-token")
@click.argument("name")
@click.option("--force", is_flag=True, help="Replace a token that has not expired yet.")
@json_option
@connected
def refresh_token(client: Codex, name: str, *, force: bool, as_json: bool) -> None:
    """Renew the token of the group NAME and print it."""
    token = client.groups.refresh_token(name, force=force)
    _print_token(name, token.token, as_json=as_json)


def _print_token(name: str, token: str, *, as_json: bool) -> None:
    if as_json:
        show({"name": name, "token": token}, as_json=True)
        return
    click.echo(token)
    note(f"this is the token of the group {name}: keep it in MODELPORT_CODEX_GROUP_TOKEN, it is not shown again")
