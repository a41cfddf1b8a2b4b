"""What a destination for predictions has to offer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelport.predictions._record import Prediction

__all__ = ["DEFAULT_MAX_BUFFER", "Sink"]

DEFAULT_MAX_BUFFER = 100_000
"""Records kept for a sink that is down, unless told otherwise."""


class Sink(ABC):
    """A destination. Subclass it to ship predictions elsewhere.

    Each sink is called from one thread of its own, so it may block: neither the request path nor another sink waits
    for it. What it cannot take is kept, up to `max_buffer` records, and offered again.

    Attributes:
        name: How metrics and log lines call this sink. Two sinks of one monitor need different names.
        max_buffer: Records kept while the sink is down; beyond it new ones are dropped and counted.
    """

    name: str = "sink"
    max_buffer: int = DEFAULT_MAX_BUFFER

    @abstractmethod
    def write(self, records: Sequence[Prediction]) -> None:
        """Take all of `records` (never empty, at most 1000) or raise having taken none of them.

        Raises:
            OSError: The destination is out of reach for now; the same records are offered again after a pause.
            Exception: Anything else is final: records are then offered one by one, and those that fail are dropped
                and counted.
        """

    def close(self) -> None:  # noqa: B027 - most sinks have nothing to close
        """Let go of connections and files. Called once, after the last `write`."""

    def after_fork(self) -> None:  # noqa: B027 - most sinks own nothing that a fork shares
        """Forget, in a forked child, what the parent owns. It must not touch a connection the parent still uses."""
