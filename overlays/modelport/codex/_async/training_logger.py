"""Register a training that ran on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelport._io._async._shim import to_thread
from modelport.codex._async.training_execution import upload_run
from modelport.codex._gather import GatheredTraining

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from modelport.codex._async._session import AsyncSession
    from modelport.codex._async.training_execution import AsyncTrainingExecution
    from modelport.codex._async.trainings import AsyncTraining

__all__ = ["AsyncTrainingLogger"]


class AsyncTrainingLogger(GatheredTraining):
    """Gathers a local training; `save` registers it as an external run.

    Made by ``training.logger(...)`` or ``codex.trainings.logger(...)``.
    """

    def __init__(self, session: AsyncSession, run_name: str, owner: Callable[[], Awaitable[AsyncTraining]]) -> None:
        super().__init__(run_name)
        self._session = session
        self._owner = owner
        self._training: AsyncTraining | None = None

    async def save(self, *, start: bool = True) -> AsyncTrainingExecution:
        """The registered run; wait for it next.

        After an error nothing that was gathered is lost: call it again.

        Args:
            start: Start it; without this, call `start` on the execution later.

        Raises:
            InvalidInputError: Data or model are missing, or something cannot be written; nothing was sent.
        """
        body = await to_thread(self._body)
        if self._training is None:
            self._training = await self._owner()
        return await upload_run(self._session, self._training.group, self._training.hash, body, start=start)
