"""The end of a process with several monitors."""

from __future__ import annotations

import time

import pytest

from modelport.monitor import _lifecycle


class Slow:
    """Takes what it is given to close, by the clock of the test."""

    def __init__(self, clock: list[float], takes: float) -> None:
        self._clock = clock
        self._takes = takes
        self.given: float | None = None

    def close(self, timeout: float) -> None:
        self.given = timeout
        self._clock[0] += min(self._takes, timeout)

    def flush(self, timeout: float) -> None:
        """Nothing to ship."""

    def after_fork_in_child(self) -> None:
        """Nothing to forget."""


def test_all_monitors_of_a_process_share_its_five_last_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(_lifecycle, "_managed", {})
    stuck = [Slow(clock, 3.0), Slow(clock, 60.0), Slow(clock, 60.0), Slow(clock, 60.0)]
    for item in stuck:
        _lifecycle.manage(item)

    _lifecycle._at_exit()

    assert [item.given for item in stuck] == [5.0, 2.0, 1.0, 1.0]


def test_one_that_fails_to_close_keeps_no_other_from_it(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(Slow):
        def close(self, timeout: float) -> None:
            raise OSError

    monkeypatch.setattr(_lifecycle, "_managed", {})
    broken, whole = Broken([0.0], 0.0), Slow([0.0], 0.0)
    _lifecycle.manage(broken)
    _lifecycle.manage(whole)

    _lifecycle._at_exit()

    assert whole.given is not None
