"""Long work of a background thread, in steps between which the threads that serve requests have their turn."""

from __future__ import annotations

import time
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["in_steps"]

_PAUSE_SECONDS = 0.0005
"""Asleep, a thread gives the interpreter away at once; busy, it lets others wait for 5 ms each time."""

Item = TypeVar("Item")


def in_steps(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Yield `items` in lists of `size`, with a short sleep between them."""
    iterator = iter(items)
    while step := list(islice(iterator, size)):
        yield step
        time.sleep(_PAUSE_SECONDS)
