"""What differs between the two worlds beyond spelling; written by hand on both sides."""

from __future__ import annotations

from threading import Lock
from time import sleep
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Lock", "sleep", "to_thread"]

P = ParamSpec("P")
T = TypeVar("T")


def to_thread(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a function that blocks: nothing else waits for this thread."""
    return function(*args, **kwargs)
