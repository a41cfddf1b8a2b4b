# Derived from overlays/modelport/codex/_async/training_logger.py by modelport_tools.unasync; do not edit.
"""Register a training that ran on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelport._io._sync._shim import to_thread
from modelport.codex._gather import GatheredTraining
from modelport.codex._sync.training_execution import upload_run

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelport.codex._sync._session import Session
    from modelport.codex._sync.training_execution import TrainingExecution
    from modelport.codex._sync.trainings import Training

__all__ = ["TrainingLogger"]


class TrainingLogger(GatheredTraining):
    """Gathers a local training; `save` registers it as an external run.

    Made by ``training.logger(...)`` or ``codex.trainings.logger(...)``.
    """

    def __init__(self, session: Session, run_name: str, owner: Callable[[], Training]) -> None:
        super().__init__(run_name)
        self._session = session
        self._owner = owner
        self._training: Training | None = None

    def save(self, *, start: bool = True) -> TrainingExecution:
        """The registered run; wait for it next.

        After an error nothing that was gathered is lost: call it again.

        Args:
            start: Start it; without this, call `start` on the execution later.

        Raises:
            InvalidInputError: Data or model are missing, or something cannot be written; nothing was sent.
        """
        body = to_thread(self._body)
        if self._training is None:
            self._training = self._owner()
        return upload_run(self._session, self._training.group, self._training.hash, body, start=start)
