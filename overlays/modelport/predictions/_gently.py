"""Long work of a background thread, in steps between which the threads that serve requests have their turn."""

from __future__ import annotations

import time
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["MAX_STEP", "in_steps", "pause", "step_size"]

MAX_STEP = 1000
"""Records in one step. One conversion of 50 000 would hold the interpreter for a tenth of a second."""

_SHORT_STEP = 100
_SHORT_BACKLOG = 2 * MAX_STEP
_PAUSE_SECONDS = 0.0005

Item = TypeVar("Item")


def step_size(waiting: int) -> int:
    """Records to take of those that wait.

    Few while there are few, so that an event loop that wakes in the midst of a step waits for next to nothing; many,
    which is cheaper, where a thread has to catch up.
    """
    return _SHORT_STEP if waiting <= _SHORT_BACKLOG else MAX_STEP


def pause() -> None:
    """Let other threads go on. Asleep, a thread gives the interpreter away at once; busy, only when 5 ms are over."""
    time.sleep(_PAUSE_SECONDS)


def in_steps(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Yield `items` in lists of `size`, with a short sleep between them."""
    iterator = iter(items)
    while step := list(islice(iterator, size)):
        yield step
        pause()
