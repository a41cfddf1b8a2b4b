# Derived from overlays/modelport/codex/_async/preprocessing.py by modelport_tools.unasync; do not edit.
"""Scripts that prepare the input of a model: one input each. Those with several datasets are beside this."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelport._archives import unpack
from modelport._io._sync._shim import to_thread
from modelport.codex._files import table_file
from modelport.codex._inputs import check_choice, check_group_token, day_range
from modelport.codex._predict_input import predict_input
from modelport.codex._states import EXECUTION, HOST
from modelport.codex._sync._work import Work
from modelport.errors import InvalidInputError
from modelport_api.codex.v1 import UNSET, models

if TYPE_CHECKING:
    from modelport.codex._files import FilePath, TableSource
    from modelport.codex._inputs import Day
    from modelport.codex._sync._session import Session
    from modelport_api._runtime.types import RequestOptions

__all__ = ["Preprocessing", "PreprocessingRun"]


class PreprocessingRun(Work):
    """One run of an Async preprocessing with one input.

    Attributes:
        group: The group of the script.
        id: The number of the run; ``preprocessing.execution(id)`` resumes it in another process.
    """

    _states = EXECUTION

    def __init__(self, session: Session, group: str, execution_id: int, token: str | None = None) -> None:
        super().__init__(session)
        self.group = group
        self.id = execution_id
        self._token = token

    def __repr__(self) -> str:
        return f"PreprocessingRun({self.id}, group={self.group!r})"

    @property
    def _subject(self) -> str:
        return f"preprocessing run {self.id}"

    @property
    def _operation_id(self) -> str:
        return str(self.id)

    def _ask(self, options: RequestOptions) -> Any:
        client = self._session.for_group(self.group, self._token)
        return client.preprocessing.get_preprocessing_run_status(self.group, self.id, **options)

    def download(self, path: FilePath = ".") -> Path:
        """Where the zip of the result is now; in a folder it is named ``preprocessing-<id>.zip``."""
        client = self._session.for_group(self.group, self._token)
        call = client.preprocessing.with_streaming_response.get_preprocessing_run_result(self.group, self.id)
        return self._save(call, path, f"preprocessing-{self.id}.zip", "zip")

    def download_files(self, folder: FilePath = ".") -> list[Path]:
        """The files of the result, unpacked into a folder."""
        with tempfile.TemporaryDirectory(prefix="modelport-") as scratch:
            archive = self.download(Path(scratch) / "result.zip")
            return to_thread(unpack, archive, Path(folder))


class Preprocessing(Work):
    """A script with one input; `wait` waits until it is deployed.

    Attributes:
        group: Who owns it.
        hash: Its hash.
        operation: ``Sync`` or ``Async``.
    """

    _states = HOST

    def __init__(self, session: Session, group: str, script_hash: str, operation: str) -> None:
        super().__init__(session)
        self.group = group
        self.hash = script_hash
        self.operation = operation
        self._token: str | None = None

    def __repr__(self) -> str:
        return f"Preprocessing({self.hash!r}, group={self.group!r}, operation={self.operation!r})"

    @property
    def _subject(self) -> str:
        return f"preprocessing {self.hash}"

    @property
    def _operation_id(self) -> str:
        return self.hash

    def _ask(self, options: RequestOptions) -> Any:
        return self._session.client.preprocessing.get_preprocessing_status(self.group, self.hash, **options)

    def describe(self) -> models.PreprocessingDetail:
        """The server's record of the script."""
        return self._session.client.preprocessing.describe_preprocessing(self.group, self.hash).description

    def host(self) -> None:
        """Begin the build; wait for it next."""
        operation = models.OperationPath(self.operation.lower())
        self._session.client.preprocessing.host_preprocessing(operation, self.group, self.hash)

    def logs(
        self,
        *,
        start: Day | None = None,
        end: Day | None = None,
        routine: str | None = None,
        type: str | None = None,  # noqa: A002 - the word of the platform
    ) -> list[models.LogEntry]:
        """What the script and its build wrote; the arguments are those of a model's `logs`."""
        first, last = day_range(start, end)
        wanted_routine = None if routine is None else check_choice(routine, "routine", ("Run", "Host"))
        wanted_type = None if type is None else check_choice(type, "type", ("Ok", "Error", "Debug", "Warning"))
        answer = self._session.client.preprocessing.get_preprocessing_logs(
            self.group,
            self.hash,
            start=first,
            end=last,
            routine=UNSET if wanted_routine is None else models.LogRoutine(wanted_routine),
            type_=UNSET if wanted_type is None else models.LogType(wanted_type),
        )
        return answer.results or []

    def set_token(self, group_token: str | None) -> None:
        """Use a group token for this handle's runs; None goes back to the client's."""
        self._token = None if group_token is None else check_group_token(group_token)

    def run(self, data: Any, *, group_token: str | None = None) -> Any:
        """What the script returned for one input; for Sync scripts.

        Raises:
            InvalidInputError: It is an Async script, or the input cannot be written as JSON.
        """
        if self.operation != "Sync":
            raise InvalidInputError(f"preprocessing {self.hash} is Async: use submit()")
        body = models.RunPreprocessingBody(input_=predict_input(data))
        client = self._session.for_group(self.group, group_token or self._token)
        return client.preprocessing.run_preprocessing(self.group, self.hash, body=body)

    def submit(self, data: TableSource, *, group_token: str | None = None) -> PreprocessingRun:
        """A started run over a .csv or .parquet file, or a DataFrame; for Async scripts.

        Raises:
            InvalidInputError: It is a Sync script, or the file is missing, empty or of another kind.
        """
        if self.operation != "Async":
            raise InvalidInputError(f"preprocessing {self.hash} is Sync: use run()")
        token = group_token or self._token
        body = models.SubmitPreprocessingBody(dataset=to_thread(table_file, data, "data"))
        client = self._session.for_group(self.group, token)
        started = client.preprocessing.submit_preprocessing(self.group, self.hash, body=body)
        return PreprocessingRun(self._session, self.group, started.execution_id, token)

    def execution(self, execution_id: int) -> PreprocessingRun:
        """A handle on a run that was started before, here or elsewhere; no request is sent."""
        return PreprocessingRun(self._session, self.group, int(execution_id), self._token)
