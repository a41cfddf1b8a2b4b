# Derived from tools/modelport_tools/runtime/_async/polling.py by modelport_tools.unasync; do not edit.
"""Look after work on the server until it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeAlias, TypeVar, cast

from ..encode import build_path
from ..expressions import linked_arguments
from ..polling import rules_of
from ..types import UNSET, RequestOptions, Timeout
from ..waiting import TRANSIENT_ERRORS, States, Waiting
from ._shim import sleep

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..operation import Follow, Operation
    from ..waiting import Patience, Status
    from .transport import Transport

    Check: TypeAlias = Callable[[float], Status]
    Sleep: TypeAlias = Callable[[float], None]

T = TypeVar("T")

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


class Call(NamedTuple, Generic[T]):
    """What a call is made of; it may be made again and again."""

    transport: Transport
    operation: Operation[T]
    arguments: Mapping[str, Any]
    options: RequestOptions
    body: object = UNSET

    def status(self, seconds: float) -> Status:
        """Make it once, in no more than so many seconds: what it says of the work that it asks for."""
        # One request a look: repeating is the schedule's business here.
        options: RequestOptions = {"max_retries": 0, **self.options}
        usual = self.transport.settings.timeout
        if "timeout" not in options and not isinstance(usual, Timeout):
            options["timeout"] = seconds if usual is None else min(seconds, usual)
        response = self.transport.exchange(self.operation, self.arguments, options, self.body)
        return rules_of(self.operation).status(response)


def wait(call: Call[T], patience: Patience) -> T:
    """The answer of a call once it says that the work has ended well.

    Raises:
        OperationFailedError: It ended badly.
        WaitTimeoutError: The deadline passed first.
        APIError: The server cannot be asked, or refuses.
    """
    operation = call.operation
    rules = rules_of(operation)
    url = operation.base_url(call.transport.settings.base_url) + build_path(operation, call.arguments)
    waiting = Waiting(
        f"{operation.name} ({operation.method} {url})",
        "",
        States(frozenset(rules.success), frozenset(rules.failure)),
        polling=patience.polling(rules),
        on_progress=patience.on_progress,
    )
    status = poll(call.status, waiting, sleep)
    return cast("T", status.body)


def call_and_wait(call: Call[Any], follow: Follow[T], patience: Patience) -> T:
    """Make a call that starts some work, and wait for the work.

    Raises:
        APIProtocolError: The answer does not say what was started.
        OperationFailedError: The work ended badly.
        WaitTimeoutError: The deadline passed first.
        APIError: The server cannot be asked, or refuses.
    """
    patience.polling(rules_of(follow.operation))  # a wrong argument is told before anything is started
    response = call.transport.exchange(call.operation, call.arguments, call.options, call.body)
    linked = linked_arguments(call.operation, call.arguments, call.body, response, follow)
    return wait(Call(call.transport, follow.operation, linked, call.options), patience)
