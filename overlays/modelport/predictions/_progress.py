"""Going on with a batch where it broke off."""

from __future__ import annotations

__all__ = ["Progress"]


class Progress:
    """How much of the last batch has arrived where it broke off.

    Such a batch is offered again, whole or record by record, and its records have been decoded anew. So they are known
    by their encoded form.
    """

    def __init__(self) -> None:
        self._arrived: list[bytes] = []

    def passed(self, batch: list[bytes]) -> int:
        """How many of `batch`, from its first on, have arrived before. They are not asked for again."""
        arrived, self._arrived = self._arrived, []
        count = min(len(batch), len(arrived))
        if arrived[:count] != batch[:count]:
            return 0
        self._arrived = arrived[count:]
        return count

    def keep(self, arrived: list[bytes]) -> None:
        """Take note of what has arrived of a batch that now breaks off."""
        self._arrived = arrived
