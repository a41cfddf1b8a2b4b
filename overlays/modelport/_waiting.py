"""Waiting for work on a server: that of the generated clients, with the errors of the faces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelport.errors import APIError, InvalidInputError
from modelport_api._runtime import waiting
from modelport_api._runtime.waiting import TRANSIENT_ERRORS, Clock, OnProgress, Polling, Progress, States, Status

if TYPE_CHECKING:
    from typing import ClassVar

__all__ = ["TRANSIENT_ERRORS", "Backoff", "Clock", "OnProgress", "Polling", "Progress", "States", "Status", "Waiting"]


class Backoff(waiting.Backoff):
    """The pauses between looks: the first, how they grow, where they stop growing, all in seconds.

    Args:
        jitter: The share of a pause that chance adds, so that many waits do not knock at once. It only ever
            lengthens a pause.
    """

    _refusal: ClassVar[type[APIError]] = InvalidInputError


class Waiting(waiting.Waiting):
    """One wait: fed with what each look saw, it says how long to pause, that it is over, or why it failed."""

    _refusal: ClassVar[type[APIError]] = InvalidInputError
