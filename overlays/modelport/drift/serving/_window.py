"""The last stretch of time out of counts that only grow."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelport.drift.serving._snapshot import CountsSnapshot

__all__ = ["DriftWindow"]

_STEPS = 12


class DriftWindow:
    """Keeps a dozen snapshots over `seconds` and subtracts the oldest from the newest.

    What it covers is between `seconds` and a twelfth more, or everything while the process is younger.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._kept: deque[tuple[float, CountsSnapshot]] = deque(maxlen=_STEPS + 2)

    def observe(self, now: float, snapshot: Callable[[], CountsSnapshot]) -> None:
        """Take and remember a snapshot at `now` (monotonic seconds) if the last one is old enough."""
        if not self._kept or now - self._kept[-1][0] >= self._seconds / _STEPS:
            self._kept.append((now, snapshot()))

    def reset(self) -> None:
        """Forget all snapshots."""
        self._kept.clear()

    def copy(self) -> DriftWindow:
        """An empty window of the same length."""
        return DriftWindow(self._seconds)

    def recent(self, now: float, snapshot: CountsSnapshot, *, whole: bool = True) -> CountsSnapshot:
        """What was counted in the window that ends with `snapshot`, taken at `now`.

        Args:
            now: Monotonic seconds.
            snapshot: The counts at that time.
            whole: Nothing was counted before the window's first snapshot, so that a young window is all of it.
        """
        oldest = None
        for moment, earlier in list(self._kept):
            if now - moment >= self._seconds:
                oldest = earlier
        if oldest is None and not whole and self._kept:
            oldest = self._kept[0][1]
        return snapshot if oldest is None else snapshot - oldest

    def covers(self, age: float) -> bool:
        """Whether the window is at least as long as `age`, in seconds."""
        return age <= self._seconds
