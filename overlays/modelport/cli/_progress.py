"""Progress of a wait, on stderr: one living line on a terminal, elsewhere a line whenever the state changes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Protocol, Self

import click

if TYPE_CHECKING:
    from types import TracebackType

_CLEAR_LINE = "\r\x1b[2K"


class Tick(Protocol):
    """What a wait tells at each check."""

    @property
    def state(self) -> object:
        """The server's word for where the work stands."""
        ...

    @property
    def elapsed_seconds(self) -> float:
        """How long the wait has lasted."""
        ...


class Progress:
    """``with Progress("model M7ab") as progress: model.wait(on_progress=progress)``."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._state = ""
        self._living = sys.stderr.isatty()

    def __call__(self, tick: Tick) -> None:
        """Show one check."""
        state = str(getattr(tick.state, "value", tick.state))
        line = f"{self._what}: {state} ({tick.elapsed_seconds:.0f} s)"
        if self._living:
            click.echo(f"{_CLEAR_LINE}{line}", err=True, nl=False)
        elif state != self._state:
            click.echo(line, err=True)
        self._state = state

    def __enter__(self) -> Self:
        """Begin with an empty line."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the last state standing."""
        if self._living and self._state:
            click.echo(err=True)
