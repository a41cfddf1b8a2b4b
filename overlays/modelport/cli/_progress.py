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
    def subject(self) -> str:
        """What is waited for."""
        ...

    @property
    def state(self) -> object:
        """The server's word for where the work stands."""
        ...

    @property
    def elapsed_seconds(self) -> float:
        """How long the wait has lasted."""
        ...


class Progress:
    """``with Progress() as progress: model.wait(on_progress=progress)``."""

    def __init__(self) -> None:
        self._shown = ""
        self._living = sys.stderr.isatty()

    def __call__(self, tick: Tick) -> None:
        """Show one check."""
        state = f"{tick.subject} is {getattr(tick.state, 'value', tick.state) or 'out of reach'}"
        line = f"{state} ({tick.elapsed_seconds:.0f} s)"
        if self._living:
            start = "\n" if self._shown.partition(" is ")[0] not in {"", tick.subject} else ""
            click.echo(f"{start}{_CLEAR_LINE}{line}", err=True, nl=False)
        elif state != self._shown:
            click.echo(line, err=True)
        self._shown = state

    def __enter__(self) -> Self:
        """Begin with an empty line."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the last state standing."""
        if self._living and self._shown:
            click.echo(err=True)
