"""Look after work on the server until it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from modelport._waiting import TRANSIENT_ERRORS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from modelport._waiting import Status, Waiting

    AsyncCheck: TypeAlias = Callable[[float], Awaitable[Status]]
    AsyncSleep: TypeAlias = Callable[[float], Awaitable[None]]

__all__ = ["poll"]

_LONGEST_LOOK_SECONDS = 60.0
_SHORTEST_LOOK_SECONDS = 1.0


async def poll(check: AsyncCheck, waiting: Waiting, sleep: AsyncSleep) -> Status:
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
            status = await check(allowed)
        except TRANSIENT_ERRORS as error:
            pause = waiting.stumbled(error)
        else:
            next_pause = waiting.saw(status)
            if next_pause is None:
                return status
            pause = next_pause
        await sleep(pause)
