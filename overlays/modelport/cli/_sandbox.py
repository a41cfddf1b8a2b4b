"""``modelport sandbox``."""

from __future__ import annotations

from pathlib import Path

import click

from modelport._extras import require


def _users(ctx: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    """The ``NAME:PASSWORD`` pairs; without any, the demo's."""
    del ctx, parameter
    pairs = [value.partition(":") for value in values]
    if not all(name and colon and password for name, colon, password in pairs):
        # The value may hold a password, so it is not repeated.
        raise click.BadParameter("say NAME:PASSWORD, neither of them empty")
    return {name: password for name, _, password in pairs} or {"demo": "demo"}


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", default=8787, show_default=True, type=click.IntRange(0, 65535), help="Port; 0 takes a free one."
)
@click.option(
    "--state",
    type=click.Path(file_okay=False, path_type=Path),
    help="Directory that keeps everything between runs; without it all is forgotten at the end.",
)
@click.option(
    "--user",
    "users",
    multiple=True,
    metavar="NAME:PASSWORD",
    callback=_users,
    help="Know this user instead of demo:demo; may be repeated.",
)
@click.option("--tenant", default="demo", show_default=True, help="The tenant that logins must name.")
@click.option(
    "--isolate", is_flag=True, help="Run user code in an environment made from its requirements file (by uv)."
)
@click.option(
    "--open-bind", is_flag=True, help="Allow a --host that is not loopback: whoever reaches it can run code here."
)
@click.option("--json", "as_json", is_flag=True, help="Say where it listens as a line of JSON.")
def sandbox(
    *,
    host: str,
    port: int,
    state: Path | None,
    users: dict[str, str],
    tenant: str,
    isolate: bool,
    open_bind: bool,
    as_json: bool,
) -> None:
    """Run the local server that stands in for the platforms and does the work.

    It prints where it listens and which credentials it knows, and ends cleanly on Ctrl-C or SIGTERM.
    """
    require("uvicorn", "sandbox")
    # Here, because it is an extra.
    from modelport.sandbox import SandboxSettings, serve

    try:
        settings = SandboxSettings(
            host=host,
            port=port,
            state=state,
            users=users,
            tenant=tenant,
            isolate=isolate,
            open_bind=open_bind,
            json=as_json,
        )
    except ValueError as error:
        raise click.UsageError(str(error).replace("open_bind=True", "--open-bind")) from error
    serve(settings)
