# Derived from overlays/modelport/codex/_async/prediction.py by modelport_tools.unasync; do not edit.
"""Predictions of Async models: a file goes in, a zip comes out."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelport._archives import unpack
from modelport._io._sync._shim import to_thread
from modelport.codex._states import EXECUTION
from modelport.codex._sync._work import Work

if TYPE_CHECKING:
    from modelport._archives import ArchiveLimits
    from modelport.codex._files import FilePath
    from modelport.codex._sync._session import Session
    from modelport_api._runtime.types import RequestOptions
    from modelport_api.codex.v1 import models

__all__ = ["PredictionExecution"]


class PredictionExecution(Work):
    """One run of an Async model.

    Attributes:
        group: The group of the model.
        model_hash: The model.
        id: The number of the run; ``model.execution(id)`` resumes it in another process.
    """

    _states = EXECUTION

    def __init__(
        self, session: Session, group: str, model_hash: str, execution_id: int, token: str | None = None
    ) -> None:
        super().__init__(session)
        self.group = group
        self.model_hash = model_hash
        self.id = execution_id
        self._token = token

    def __repr__(self) -> str:
        return f"PredictionExecution({self.id}, model_hash={self.model_hash!r}, group={self.group!r})"

    @property
    def _subject(self) -> str:
        return f"prediction {self.id} of model {self.model_hash}"

    @property
    def _operation_id(self) -> str:
        return str(self.id)

    def _ask(self, options: RequestOptions) -> Any:
        client = self._session.for_group(self.group, self._token)
        return client.predictions.get_prediction_status(self.group, self.id, **options)

    def describe(self) -> models.ModelExecutionDetail:
        """The server's record of the run."""
        answer = self._session.client.models.describe_model_execution(self.group, self.model_hash, self.id)
        return answer.description

    def download(self, path: FilePath = ".") -> Path:
        """Where the zip of the result is now.

        Args:
            path: A file, or a folder in which it is named ``prediction-<id>.zip``.

        Raises:
            NotReadyError: The run has not ended.
            OperationFailedError: It failed.
            DownloadError: The disk is full or refuses; nothing is left at `path`, an older file stays.
        """
        client = self._session.for_group(self.group, self._token)
        call = client.predictions.with_streaming_response.get_prediction_result(self.group, self.id)
        return self._save(call, path, f"prediction-{self.id}.zip", "zip")

    def download_files(self, folder: FilePath = ".", *, limits: ArchiveLimits | None = None) -> list[Path]:
        """The files of the result, unpacked into a folder.

        Raises:
            UnsafeArchiveError: The zip would write outside the folder, or is beyond the limits.
            NotReadyError: The run has not ended.
        """
        with tempfile.TemporaryDirectory(prefix="modelport-") as scratch:
            archive = self.download(Path(scratch) / "result.zip")
            return to_thread(unpack, archive, Path(folder), limits)
