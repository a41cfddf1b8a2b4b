"""Progress on the terminal: a moving line on a tty, plain lines everywhere else."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from modelport._extras import require
from modelport.demo._story import Step

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from rich.console import Console

    from modelport.demo._story import Story


class Teller:
    """Tells each step as it happens and keeps it in the story."""

    def __init__(self, console: Console | None, story: Story, clock: Callable[[], float] = time.monotonic) -> None:
        rich_console: Any = require("rich.console", "demo")
        self._console: Console = console or rich_console.Console(stderr=True, highlight=False)
        self._story = story
        self._clock = clock
        self._start = clock()

    @contextmanager
    def step(self, title: str) -> Generator[Note]:
        """A step of the demo; what is noted last becomes its detail."""
        # Here, because rich comes with an extra.
        from rich.markup import escape

        began = self._clock()
        note = Note()
        if self._console.is_terminal:
            with self._console.status(title) as status:
                note.show = lambda text: status.update(f"{title} [dim]{escape(text)}[/dim]")
                yield note
        else:
            yield note
        seconds = self._clock() - began
        self._story.steps.append(Step(title=title, detail=note.text, began=began - self._start, seconds=seconds))
        mark = "[green]✓[/green]" if self._console.is_terminal else "-"
        self._console.print(f"{mark} {title} [dim]({seconds:.1f} s)[/dim] {escape(note.text)}", soft_wrap=True)

    def say(self, text: str) -> None:
        """A line of its own."""
        self._console.print(text, soft_wrap=True, markup=False)


class Note:
    """What a step has to say about itself."""

    def __init__(self) -> None:
        self.text = ""
        self.show: Callable[[str], None] = lambda _: None

    def __call__(self, text: str) -> None:
        """Say how far the step has come; the last word stays."""
        self.text = text
        self.show(text)
