# Derived from overlays/modelport/codex/_async/multi_preprocessing.py by modelport_tools.unasync; do not edit.
"""Scripts that prepare several datasets at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelport._io._sync._shim import to_thread
from modelport.codex._files import table_file
from modelport.codex._inputs import check_hash
from modelport.codex._records import execution_number, known, told_of
from modelport.codex._states import EXECUTION, HOST
from modelport.codex._sync._work import Work
from modelport.codex._sync.datasets import Dataset
from modelport.errors import InvalidInputError, NotReadyError
from modelport_api.codex.v1 import models

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from modelport.codex._files import FilePath, TableSource
    from modelport.codex._sync._session import Session
    from modelport_api._runtime.types import RequestOptions

__all__ = ["MultiPreprocessing", "MultiPreprocessingRun"]


class MultiPreprocessingRun(Work):
    """One run over several datasets.

    Attributes:
        group: The group of the script.
        script_hash: The script.
        id: The number of the run; ``preprocessing.execution(id)`` resumes it in another process.
    """

    _states = EXECUTION

    def __init__(self, session: Session, group: str, script_hash: str, execution_id: int) -> None:
        super().__init__(session)
        self.group = group
        self.script_hash = script_hash
        self.id = execution_id

    def __repr__(self) -> str:
        return f"MultiPreprocessingRun({self.id}, script_hash={self.script_hash!r}, group={self.group!r})"

    @property
    def _subject(self) -> str:
        return f"run {self.id} of preprocessing {self.script_hash}"

    @property
    def _operation_id(self) -> str:
        return str(self.id)

    def _ask(self, options: RequestOptions) -> models.PreprocessingExecutionStatus:
        return self._session.client.preprocessing_v2.get_preprocessing_execution_status(
            self.script_hash, self.id, **options
        )

    def describe(self) -> models.PreprocessingExecutionDetail:
        """The server's record of the run."""
        return self._session.client.preprocessing_v2.describe_preprocessing_execution(self.script_hash, self.id)

    def output(self) -> Dataset:
        """The dataset that the run made, which the platform keeps.

        Raises:
            NotReadyError: There is none yet.
        """
        record = self._ask({})
        dataset_hash = known(record.output_dataset_hash)
        if dataset_hash is None:
            raise NotReadyError(subject=self._subject, operation_id=self._operation_id, state=str(record.status))
        return Dataset(self._session, self.group, dataset_hash)

    def download(self, path: FilePath = ".") -> Path:
        """Where the parquet file of the result is now; in a folder it is named ``preprocessed-<id>.parquet``."""
        v2 = self._session.client.preprocessing_v2
        call = v2.with_streaming_response.get_preprocessing_execution_result(self.script_hash, self.id)
        return self._save(call, path, f"preprocessed-{self.id}.parquet", "parquet")


class MultiPreprocessing(Work):
    """A script over several datasets; `wait` waits until it is deployed.

    Attributes:
        group: Who owns it.
        hash: Its hash.
    """

    _states = HOST
    operation = "Async"

    def __init__(self, session: Session, group: str, script_hash: str) -> None:
        super().__init__(session)
        self.group = group
        self.hash = script_hash

    def __repr__(self) -> str:
        return f"MultiPreprocessing({self.hash!r}, group={self.group!r})"

    @property
    def _subject(self) -> str:
        return f"preprocessing {self.hash}"

    @property
    def _operation_id(self) -> str:
        return self.hash

    def _ask(self, options: RequestOptions) -> Any:
        return self._session.client.preprocessing_v2.get_preprocessing_host_status(self.hash, **options)

    def describe(self) -> models.PreprocessingScriptDetail:
        """The server's record of the script."""
        return self._session.client.preprocessing_v2.get_preprocessing(self.hash)

    def host(self) -> None:
        """Begin the build; wait for it next."""
        self._session.client.preprocessing_v2.start_preprocessing_host(self.hash)

    def submit(
        self, files: Mapping[str, TableSource] | None = None, *, datasets: Sequence[str] = ()
    ) -> MultiPreprocessingRun:
        """A started run.

        Args:
            files: By the name of the dataset: a .csv or .parquet file, or a DataFrame.
            datasets: Hashes of datasets that the platform has.

        Raises:
            InvalidInputError: There is nothing to run on, or a file is missing, empty or of another kind.
        """
        hashes = [check_hash(dataset_hash, "D") for dataset_hash in datasets]
        uploads = {name: to_thread(table_file, source, f"files[{name!r}]") for name, source in (files or {}).items()}
        if not hashes and not uploads:
            raise InvalidInputError("a run needs files, datasets, or both")
        v2 = self._session.client.preprocessing_v2
        number = execution_number(v2.create_preprocessing_execution(self.hash))
        with told_of(f"the run was created as number {number} of preprocessing {self.hash} and was not started"):
            for name, file in uploads.items():
                body = models.PreprocessingInputBody(dataset_name=name, input_=file)
                v2.set_preprocessing_input(self.hash, number, body=body)
            for dataset_hash in hashes:
                body = models.PreprocessingInputBody(dataset_hash=dataset_hash)
                v2.set_preprocessing_input(self.hash, number, body=body)
            v2.start_preprocessing_execution(self.hash, number)
        return MultiPreprocessingRun(self._session, self.group, self.hash, number)

    def execution(self, execution_id: int) -> MultiPreprocessingRun:
        """A handle on a run that was started before, here or elsewhere; no request is sent."""
        return MultiPreprocessingRun(self._session, self.group, self.hash, int(execution_id))
