"""The root command and its options."""

from __future__ import annotations

import logging
import sys

import click

from modelport._version import __version__
from modelport.cli._lazy import LazyGroup
from modelport.cli._registry import COMMANDS


def _show_version(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:  # noqa: FBT001 (click calls it)
    del parameter
    if value and not ctx.resilient_parsing:
        click.echo(f"modelport {__version__}")
        ctx.exit()


def _set_up(*, verbose: int, debug: bool) -> None:
    """Show the library's own log events on stderr. ``debug`` is read where errors are reported."""
    del debug
    if verbose:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
        for name in ("modelport", "modelport_api"):
            logging.getLogger(name).addHandler(handler)
            logging.getLogger(name).setLevel(logging.INFO if verbose == 1 else logging.DEBUG)


_OPTIONS: list[click.Parameter] = [
    click.Option(["-v", "--verbose"], count=True, help="Log what is sent, on stderr; twice for more."),
    click.Option(
        ["--debug"], is_flag=True, envvar="MODELPORT_DEBUG", help="Show a traceback with an error. [MODELPORT_DEBUG]"
    ),
    click.Option(
        ["--version"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_show_version,
        help="Print the version and exit.",
    ),
]

cli = LazyGroup(
    "modelport",
    entries=COMMANDS,
    help="Typed clients, overlays and a local sandbox for machine-learning platforms.",
    callback=_set_up,
    params=_OPTIONS,
)
