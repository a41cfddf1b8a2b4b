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
    """Keeps a dozen snapshots or two over `seconds` and subtracts the oldest from the newest.

    What it covers is between `seconds` and a twelfth more, or everything while the process is younger. A snapshot is
    kept under the time since which the counts have been as they are, so that a pause is no part of the traffic
    before it.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._kept: deque[tuple[float, CountsSnapshot]] = deque()
        # When the counts last changed, and the last such time of which there is a snapshot.
        self._counted: float | None = None
        self._known: float | None = None

    def observe(self, now: float, snapshot: Callable[[], CountsSnapshot]) -> None:
        """Take and remember a snapshot at `now` (monotonic seconds) if the last one is old enough."""
        kept, counted = self._kept, self._counted
        changed = counted is None or counted != self._known
        if not kept or (changed and now - kept[-1][0] >= self._seconds / _STEPS):
            kept.append((now if counted is None else counted, snapshot()))
            self._known = counted
        while len(kept) > 1 and now - kept[1][0] >= self._seconds:
            kept.popleft()

    def before_count(self, now: float, snapshot: Callable[[], CountsSnapshot]) -> None:
        """Observe, and know that the counts change now. Without this they change whenever they are observed."""
        self.observe(now, snapshot)
        self._counted = now

    def reset(self) -> None:
        """Forget all snapshots."""
        self._kept.clear()
        self._counted = self._known = None

    def copy(self) -> DriftWindow:
        """An empty window of the same length."""
        return DriftWindow(self._seconds)

    def recent(self, now: float, snapshot: CountsSnapshot, *, whole: bool = True) -> CountsSnapshot:
        """What was counted in the window that ends with `snapshot`, taken at `now`.

        Args:
            now: Monotonic seconds.
            snapshot: The counts at that time.
            whole: Nothing was counted before the window's first snapshot, so that a young window is all of it.

        Raises:
            ValueError: The snapshot was taken before the window began.
        """
        oldest = None
        for moment, earlier in list(self._kept):
            if now - moment >= self._seconds:
                oldest = earlier
        if oldest is None and not whole and self._kept:
            oldest = self._kept[0][1]
        if oldest is None:
            return snapshot
        if snapshot.records + snapshot.uncounted < oldest.records + oldest.uncounted:
            message = f"the snapshot is older than the drift window, which is {self._seconds:g} seconds long"
            raise ValueError(message)
        return snapshot - oldest

    def covers(self, age: float) -> bool:
        """Whether the window is at least as long as `age`, in seconds."""
        return age <= self._seconds
