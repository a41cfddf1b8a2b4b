"""What a destination for predictions has to offer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelport.predictions._frame import Frame
    from modelport.predictions._record import Record

__all__ = ["DEFAULT_MAX_BUFFER", "DEFAULT_MAX_BUFFER_BYTES", "Sink"]

DEFAULT_MAX_BUFFER = 100_000
"""Records kept for a sink that is down, unless told otherwise."""

DEFAULT_MAX_BUFFER_BYTES = 256 * 1024 * 1024
"""Bytes of encoded records kept for a sink that is down, unless told otherwise."""


class Sink(ABC):
    """A destination. Subclass it to ship predictions elsewhere.

    Each sink is called from one thread of its own, so it may block: neither the request path nor another sink waits
    for it. What it cannot take is kept, up to `max_buffer` records, and offered again.

    Attributes:
        name: How metrics and log lines call this sink. Two sinks of one monitor need different names.
        max_buffer: Records kept while the sink is down; beyond it new ones are dropped and counted.
        max_buffer_bytes: Bytes of them, as they are kept (msgpack); whichever bound is met first.
        takes_frames: Whether `write_frames` is there: for sinks that can do with records as they are kept.
        lost: Records that it had taken and that are lost all the same, such as with a file that somebody has removed.
    """

    name: str = "sink"
    max_buffer: int = DEFAULT_MAX_BUFFER
    max_buffer_bytes: int = DEFAULT_MAX_BUFFER_BYTES
    takes_frames: bool = False
    lost: int = 0

    @abstractmethod
    def write(self, records: Sequence[Record]) -> None:
        """Take all of `records` (never empty, at most 1000) or raise having taken none of them.

        Raises:
            OSError: The destination is out of reach for now; the same records are offered again after a pause.
            Exception: Anything else is final: records are then offered one by one, and those that fail are dropped
                and counted.
        """

    def write_frames(self, frames: Sequence[Frame]) -> None:
        """As `write`, for a sink whose `takes_frames` is true: take all of `frames` or raise having taken none.

        Frames are what modelport keeps records as; `Frame.records` decodes one, and ``pack_frame`` is its form in a
        file. After an error other than OSError the records go to `write`, one by one.
        """
        raise NotImplementedError

    def close(self) -> bool | None:  # noqa: B027 - most sinks have nothing to close
        """Let go of connections and files. Called once, after the last `write`.

        Returns:
            False if it leaves records behind that have not arrived, as a journal for the next start does.
        """

    def after_fork(self) -> None:  # noqa: B027 - most sinks own nothing that a fork shares
        """Forget, in a forked child, what the parent owns. It must not touch a connection the parent still uses."""
