"""Progress, on stderr.

Of a wait: one living line on a terminal, elsewhere a line whenever the state changes.
Of work on this machine: one living line on a terminal, elsewhere nothing.
"""

from __future__ import annotations

import shutil
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


class Steps:
    """``with Steps() as steps: work(on_step=steps)``: what is being done, gone when it is done."""

    def __init__(self) -> None:
        self._living = sys.stderr.isatty()

    def __call__(self, step: str) -> None:
        """Show one step."""
        if self._living:
            # A path must not be able to drive the terminal; and a line that wraps could not be taken back.
            shown = "".join(letter if letter.isprintable() else " " for letter in step)
            width = max(shutil.get_terminal_size().columns - 1, 1)
            click.echo(f"{_CLEAR_LINE}{shown[:width]}", err=True, nl=False)

    def __enter__(self) -> Self:
        """Begin with nothing shown."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the line back."""
        if self._living:
            click.echo(_CLEAR_LINE, err=True, nl=False)
