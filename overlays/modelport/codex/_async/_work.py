"""Work on the server that is looked after and whose result is fetched."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Self

from modelport._downloads import download_path
from modelport._io._async.download import save
from modelport._waiting import Waiting
from modelport.codex._states import gone_status, no_result, status_of
from modelport.errors import GoneError
from modelport_api._runtime._async.polling import poll

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from modelport._io._async.download import AsyncStreamedBody
    from modelport._waiting import OnProgress, States, Status
    from modelport.codex._async._session import AsyncSession
    from modelport.codex._files import FilePath
    from modelport_api._runtime.types import RequestOptions

__all__ = ["AsyncWork"]


class AsyncWork(ABC):
    """A handle on something that the server is doing; making one does no network."""

    _states: ClassVar[States]

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    @property
    @abstractmethod
    def _subject(self) -> str:
        """What it is, for messages."""

    @property
    @abstractmethod
    def _operation_id(self) -> str:
        """What to resume it from."""

    @abstractmethod
    async def _ask(self, options: RequestOptions) -> Any:
        """Send one status request."""

    async def status(self) -> Status:
        """Its state now, and the server's message."""
        return await self._look({})

    async def wait(
        self,
        *,
        timeout: float | None = None,  # noqa: ASYNC109 - a deadline kept by the schedule, not by cancelling
        on_progress: OnProgress | None = None,
    ) -> Self:
        """This handle, once the work has ended well.

        Looks at once, then after growing pauses; trouble on the way is ridden out.

        Args:
            timeout: Seconds from now; by default what the client's `Polling` says.
            on_progress: Called with a `Progress` after each look.

        Raises:
            OperationFailedError: It ended badly; carries the server's message.
            WaitTimeoutError: The deadline passed; the work goes on.
        """
        session = self._session
        waiting = Waiting(
            self._subject,
            self._operation_id,
            self._states,
            polling=session.polling,
            timeout_seconds=timeout,
            on_progress=on_progress,
            clock=session.clock,
            chance=session.chance,
        )
        await poll(self._timed_look, waiting, session.sleep)
        return self

    async def _timed_look(self, seconds: float) -> Status:
        # One request a look: repeating is the schedule's business here.
        return await self._look({"timeout": seconds, "max_retries": 0})

    async def _look(self, options: RequestOptions) -> Status:
        try:
            return status_of(await self._ask(options))
        except GoneError as error:
            return gone_status(error)

    async def _save(
        self,
        response: AbstractAsyncContextManager[AsyncStreamedBody],
        path: FilePath,
        name: str,
        kind: str | None = None,
    ) -> Path:
        """Stream a result to `path`, or under `name` into it if it is a folder."""
        try:
            return await save(response, download_path(path, name), kind=kind)
        except GoneError as error:
            raise no_result(error, self._states, self._subject, self._operation_id) from error
