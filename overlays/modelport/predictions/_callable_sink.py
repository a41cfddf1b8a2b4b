"""Predictions handed to a Python function."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

from modelport.predictions._sink import DEFAULT_MAX_BUFFER, Sink

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from modelport.predictions._record import Record

__all__ = ["CallableSink"]


class CallableSink(Sink):
    """Call a function with each batch: a list of at most 1000 `Prediction` and `GroundTruth`.

    It is called from one thread of its own and may block. An ``OSError`` means "later": the same list is offered
    again. Any other exception is final: the records are then offered one by one, and those that fail again are
    dropped and counted; a function that has taken a part of a list gets that part again.
    """

    def __init__(
        self,
        function: Callable[[list[Record]], object],
        *,
        max_buffer: int = DEFAULT_MAX_BUFFER,
        name: str | None = None,
    ) -> None:
        """Prepare a sink.

        Args:
            function: What to call; what it returns is ignored.
            max_buffer: Records kept while the function raises ``OSError``.
            name: How metrics call this sink; by default the function's name.

        Raises:
            TypeError: `function` is no callable, or a coroutine function, which nobody would await.
        """
        if not callable(function):
            message = f"a CallableSink needs a function, not {type(function).__name__}"
            raise TypeError(message)
        if inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__):
            message = "a CallableSink needs a plain function: it is called from a thread, where nothing awaits"
            raise TypeError(message)
        self.name = name or str(getattr(function, "__name__", "callable"))
        self.max_buffer = max_buffer
        self._function = function

    def write(self, records: Sequence[Record]) -> None:
        """Call the function with a list of `records`; whatever it raises is passed on."""
        self._function(list(records))
