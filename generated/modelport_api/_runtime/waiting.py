"""When to look again at work on a server, and what each look means. Pure: sleeping and asking are elsewhere."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, TypeAlias

from .errors import (
    APIConnectionError,
    APIError,
    APIStatusError,
    APITimeoutError,
    ClientConfigError,
    OperationFailedError,
    RateLimitError,
    ServerError,
    WaitTimeoutError,
)
from .retry import retry_after_seconds

if TYPE_CHECKING:
    from .polling import PollingRules

TRANSIENT_ERRORS = (APIConnectionError, APITimeoutError, RateLimitError, ServerError)
"""What a wait rides out: the work goes on while the way to it is broken."""

Clock: TypeAlias = Callable[[], float]


@dataclass(frozen=True)
class Backoff:
    """The pauses between looks: the first, how they grow, where they stop growing, all in seconds.

    Args:
        jitter: The share of a pause that chance adds, so that many waits do not knock at once. It only ever
            lengthens a pause.
    """

    initial_seconds: float = 1.0
    factor: float = 1.5
    max_seconds: float = 30.0
    jitter: float = 0.1

    _refusal: ClassVar[type[APIError]] = ClientConfigError

    def __post_init__(self) -> None:
        is_right = 0 <= self.initial_seconds <= self.max_seconds and self.factor >= 1 and self.jitter >= 0
        if not is_right:
            raise self._refusal(
                "a backoff needs initial_seconds >= 0, factor >= 1, max_seconds >= initial_seconds and jitter >= 0"
            )

    def pause_seconds(self, looks: int, chance: float = 0.0) -> float:
        """The pause after so many looks; `chance` is from 0 to 1."""
        # A float overflows at about 1.5 ** 1750; long before that the cap rules.
        growth = self.factor ** min(looks - 1, 500)
        return min(self.initial_seconds * growth, self.max_seconds) * (1 + self.jitter * chance)

    def most_looks(self, timeout_seconds: float) -> int:
        """How many looks a wait takes at most: one at once, one after each pause, the last at the deadline."""
        looks, elapsed = 1, 0.0
        while elapsed < timeout_seconds:
            elapsed += max(self.pause_seconds(looks), 1e-9)
            looks += 1
        return looks


@dataclass(frozen=True)
class Polling:
    """How waits look after work on the server.

    Args:
        backoff: The pauses between looks.
        timeout_seconds: The deadline of a wait that is given none of its own.
        tolerated_failures: How many looks in a row may fail by network or server trouble.
        max_retry_after_seconds: The longest pause that the server may ask for.
    """

    backoff: Backoff = Backoff()
    timeout_seconds: float = 3600.0
    tolerated_failures: int = 5
    max_retry_after_seconds: float = 120.0


@dataclass(frozen=True)
class Status:
    """What one look saw: the state in the server's words, and its message if it gave one.

    Attributes:
        has_failed: Whether the answer says so by other means than its state.
        body: The whole answer, if it is kept.
        retry_after_seconds: How long the server asks to wait.
    """

    state: str
    message: str | None = None
    has_failed: bool = False
    body: Any = field(default=None, repr=False)
    retry_after_seconds: float = 0.0


@dataclass(frozen=True)
class Progress:
    """What a wait tells after each look.

    Attributes:
        subject: What is waited for, such as ``model M7ab...``.
        state: The server's word; that of the look before if this one failed, and empty if none succeeded.
        message: The server's message, if it gave one.
        looks: How many there have been.
        elapsed_seconds: Since the wait began.
        next_look_seconds: The pause that follows; None after the last look.
        error: The trouble that kept this look from seeing anything, which is ridden out; usually None.
    """

    subject: str
    state: str
    message: str | None
    looks: int
    elapsed_seconds: float
    next_look_seconds: float | None
    error: APIError | None = None


OnProgress: TypeAlias = Callable[[Progress], object]


@dataclass(frozen=True)
class States:
    """Which states end a wait; every other one, unknown ones included, means that it goes on."""

    done: frozenset[str]
    failed: frozenset[str]


class Patience(NamedTuple):
    """What a caller says of a wait.

    Attributes:
        poll_interval: Seconds between looks, always the same; None for growing ones from what the document says.
        wait_timeout: Seconds in all; None for ever.
        on_progress: Called after each look.
    """

    poll_interval: float | None
    wait_timeout: float | None
    on_progress: OnProgress | None

    def polling(self, rules: PollingRules) -> Polling:
        """The schedule of a wait.

        Raises:
            ClientConfigError: If a number of seconds is none.
        """
        first = rules.interval_seconds
        if self.poll_interval is None:
            backoff = Backoff(first, max_seconds=max(first, Backoff.max_seconds))
        else:
            backoff = Backoff(self.poll_interval, 1.0, self.poll_interval, jitter=0.0)
        timeout = float("inf") if self.wait_timeout is None else self.wait_timeout
        if not timeout >= 0:
            raise ClientConfigError(f"wait_timeout must be a number of seconds from 0 up, not {timeout!r}")
        return Polling(backoff, timeout, max_retry_after_seconds=_LONGEST_PAUSE_SECONDS)


_LONGEST_PAUSE_SECONDS = 86_400.0


@dataclass
class Waiting:
    """One wait: fed with what each look saw, it says how long to pause, that it is over, or why it failed."""

    subject: str
    operation_id: str
    states: States
    polling: Polling = Polling()
    timeout_seconds: float | None = None
    on_progress: OnProgress | None = None
    clock: Clock = time.monotonic
    chance: Clock = random.random
    _looks: int = 0
    _failures: int = 0
    _last: Status | None = None
    _started: float = field(init=False)

    _refusal: ClassVar[type[APIError]] = ClientConfigError

    def __post_init__(self) -> None:
        if self.timeout_seconds is None:
            self.timeout_seconds = self.polling.timeout_seconds
        if not self.timeout_seconds >= 0:
            raise self._refusal(f"a timeout must be a number of seconds from 0 up, not {self.timeout_seconds!r}")
        self._started = self.clock()

    @property
    def elapsed_seconds(self) -> float:
        """Since the wait began."""
        return self.clock() - self._started

    @property
    def remaining_seconds(self) -> float:
        """Until the deadline."""
        return max((self.timeout_seconds or 0.0) - self.elapsed_seconds, 0.0)

    def saw(self, status: Status) -> float | None:
        """The pause before the next look; None if the work is done.

        Raises:
            OperationFailedError: The work ended badly.
            WaitTimeoutError: The deadline has passed.
        """
        self._looks += 1
        self._failures = 0
        self._last = status
        has_failed = status.has_failed or status.state in self.states.failed
        ended = has_failed or status.state in self.states.done
        pause = None if ended else self._pause(status.retry_after_seconds)
        self._tell(pause)
        if has_failed:
            raise OperationFailedError(
                subject=self.subject,
                operation_id=self.operation_id,
                state=status.state,
                server_message=status.message,
                body=status.body,
            )
        if not ended and pause is None:
            raise self._too_late()
        return pause

    def stumbled(self, error: APIError) -> float:
        """The pause before the next look, after one that failed by network or server trouble.

        Raises:
            APIError: The same error, if there have been too many in a row.
            WaitTimeoutError: The deadline has passed.
        """
        self._looks += 1
        self._failures += 1
        too_many = self._failures > self.polling.tolerated_failures
        headers: Mapping[str, str] = error.headers if isinstance(error, APIStatusError) else {}
        pause = None if too_many else self._pause(retry_after_seconds(headers) or 0.0)
        self._tell(pause, error)
        if too_many:
            raise error
        if pause is None:
            raise self._too_late() from error
        return pause

    def _pause(self, at_least: float) -> float | None:
        remaining = self.remaining_seconds
        if remaining <= 0:
            return None
        pause = self.polling.backoff.pause_seconds(self._looks, self.chance())
        asked = min(at_least, self.polling.max_retry_after_seconds)
        return min(max(pause, asked), remaining)  # the last look is at the deadline

    def _tell(self, pause: float | None, error: APIError | None = None) -> None:
        if self.on_progress is None:
            return
        last = self._last or Status("")
        elapsed = self.elapsed_seconds
        self.on_progress(Progress(self.subject, last.state, last.message, self._looks, elapsed, pause, error))

    def _too_late(self) -> WaitTimeoutError:
        last = self._last
        return WaitTimeoutError(
            subject=self.subject,
            operation_id=self.operation_id,
            state=last.state if last else None,
            elapsed_seconds=self.elapsed_seconds,
            body=last.body if last else None,
        )
