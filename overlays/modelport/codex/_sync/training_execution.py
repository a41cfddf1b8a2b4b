# Derived from overlays/modelport/codex/_async/training_execution.py by modelport_tools.unasync; do not edit.
"""One run of a training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelport.codex._bodies import promote_body
from modelport.codex._files import json_object
from modelport.codex._records import told_of
from modelport.codex._states import EXECUTION
from modelport.codex._sync._work import Work
from modelport.codex._sync.model import Model

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from modelport.codex._files import FilePath, JsonSource, Requirements, TableSource
    from modelport.codex._sync._session import Session
    from modelport_api._runtime.types import RequestOptions
    from modelport_api.codex.v1 import models

__all__ = ["TrainingExecution", "upload_run"]


class TrainingExecution(Work):
    """One run of a training.

    Attributes:
        group: The group of the training.
        training_hash: The training.
        id: The number of the run; ``codex.trainings.execution(...)`` resumes it in another process.
    """

    _states = EXECUTION

    def __init__(self, session: Session, group: str, training_hash: str, execution_id: int) -> None:
        super().__init__(session)
        self.group = group
        self.training_hash = training_hash
        self.id = execution_id

    def __repr__(self) -> str:
        return f"TrainingExecution({self.id}, training_hash={self.training_hash!r}, group={self.group!r})"

    @property
    def _subject(self) -> str:
        return f"execution {self.id} of training {self.training_hash}"

    @property
    def _operation_id(self) -> str:
        return str(self.id)

    def _ask(self, options: RequestOptions) -> Any:
        return self._session.client.training.get_training_execution_status(self.group, self.id, **options)

    def start(self) -> None:
        """Start an uploaded run; those made by ``run_...`` are started."""
        self._session.client.training.start_training_execution(self.group, self.training_hash, self.id)

    def describe(self) -> models.TrainingExecutionDetail:
        """The server's record of the run: metrics, parameters, time taken (ms)."""
        answer = self._session.client.training.describe_training_execution(self.group, self.training_hash, self.id)
        return answer.description

    def download_result(self, path: FilePath = ".") -> Path:
        """Where the zip of what the run made is now.

        Args:
            path: A file, or a folder in which it is named ``training-<id>.zip``.

        Raises:
            NotReadyError: The run has not ended.
            OperationFailedError: It failed.
            DownloadError: The disk is full or refuses; nothing is left at `path`, an older file stays.
        """
        training = self._session.client.training
        call = training.with_streaming_response.get_training_execution_result(self.group, self.id)
        return self._save(call, path, f"training-{self.id}.zip", "zip")

    def promote(
        self,
        name: str,
        *,
        operation: str,
        source: FilePath | None = None,
        function: str | None = None,
        schema: TableSource | None = None,
        input_type: str | None = None,
        requirements: Requirements | None = None,
        env: JsonSource | None = None,
        extra: Sequence[FilePath] = (),
        host: bool = True,
    ) -> Model:
        """A model made of this run, which must have succeeded, its build begun; wait for it next.

        An AutoML run needs `name` and `operation` only.

        Args:
            name: Up to 31 characters.
            operation: ``sync`` answers each call; ``async`` takes files.
            source: The scoring script, .py or .ipynb.
            function: The scoring function in the script; by default ``score``.
            schema: One sample of the input: a mapping or .json file for sync, any table for async.
            input_type: ``json``, ``csv`` or ``parquet``; by default json for sync and csv for async.
            requirements: A requirements.txt, or its lines; by default those of the training.
            env: Variables for the script: a file whose name ends in .env, or a mapping.
            extra: Files to put beside the script.
            host: Begin the build; without it, call `host` on the model later.

        Raises:
            InvalidInputError: A file or argument cannot work; nothing was sent.
        """
        body = promote_body(
            name=name,
            operation=operation,
            source=source,
            function=function,
            schema=schema,
            input_type=input_type,
            requirements=requirements,
            env=env,
            extra=extra,
        )
        kind = str(body.operation)
        promoted = self._session.client.training.promote_training_execution(
            self.group, self.training_hash, self.id, body=body
        )
        sample = json_object(schema, "schema") if schema is not None and kind == "Sync" else None
        model = Model(
            self._session,
            self.group,
            promoted.model_hash,
            kind,
            name=name,
            sample=sample,
            input_type=str(body.input_type),
        )
        if host:
            with told_of(f"the model was made as {model.hash}; codex.models.get finds it, host() builds it"):
                model.host()
        return model


def upload_run(
    session: Session, group: str, training_hash: str, body: models.UploadTrainingBody, *, start: bool
) -> TrainingExecution:
    """Upload a run of a training, and start it if asked to."""
    uploaded = session.client.training.upload_training_execution(group, training_hash, body=body)
    execution = TrainingExecution(session, group, training_hash, uploaded.execution_id)
    if start:
        with told_of(f"the run was uploaded as number {execution.id} of training {training_hash}; start() starts it"):
            execution.start()
    return execution
