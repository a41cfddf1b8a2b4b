# Derived from overlays/modelport/_io/_async/poll.py by modelport_tools.unasync; do not edit.
"""Look after work on the server until it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from modelport._waiting import TRANSIENT_ERRORS

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelport._waiting import Status, Waiting

    Check: TypeAlias = Callable[[float], Status]
    Sleep: TypeAlias = Callable[[float], None]

__all__ = ["poll"]

_LONGEST_LOOK_SECONDS = 60.0
_SHORTEST_LOOK_SECONDS = 1.0


def poll(check: Check, waiting: Waiting, sleep: Sleep) -> Status:
    """The status with which the work ended well.

    The first look is at once. `check` is given the seconds that it may take: a server that hangs must not
    carry a wait far past its deadline.

    Raises:
        OperationFailedError: The work ended badly.
        WaitTimeoutError: The deadline passed first.
        APIError: The server cannot be asked, or refuses.
    """
    while True:
        allowed = min(max(waiting.remaining_seconds, _SHORTEST_LOOK_SECONDS), _LONGEST_LOOK_SECONDS)
        try:
            status = check(allowed)
        except TRANSIENT_ERRORS as error:
            pause = waiting.stumbled(error)
        else:
            next_pause = waiting.saw(status)
            if next_pause is None:
                return status
            pause = next_pause
        sleep(pause)
