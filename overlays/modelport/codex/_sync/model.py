# Derived from overlays/modelport/codex/_async/model.py by modelport_tools.unasync; do not edit.
"""A model on the platform."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from modelport._io._sync._shim import to_thread
from modelport.codex._bodies import input_or_dataset
from modelport.codex._inputs import check_choice, check_group_token, day_range
from modelport.codex._predict_code import predict_code, sample_of
from modelport.codex._predict_input import predict_input, script_hash
from modelport.codex._records import given
from modelport.codex._states import HOST
from modelport.codex._sync._prepare import prepared_input
from modelport.codex._sync._work import Work
from modelport.codex._sync.monitoring import Monitoring, register
from modelport.codex._sync.prediction import PredictionExecution
from modelport.errors import InvalidInputError
from modelport_api.codex.v1 import UNSET, models

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from modelport._waiting import OnProgress
    from modelport.codex._files import FilePath, JsonSource, Requirements, TableSource
    from modelport.codex._inputs import Day
    from modelport.codex._sync._prepare import Preparation
    from modelport.codex._sync._session import Session
    from modelport.codex._sync.preprocessing import Preprocessing
    from modelport_api._runtime.types import RequestOptions

__all__ = ["Model"]

_INPUTS = (".csv", ".parquet", ".json")


class Model(Work):
    """A model on the platform; `wait` waits until it is deployed.

    Attributes:
        group: The group that owns it.
        hash: Its hash, the letter M and 63 digits.
        operation: ``Sync`` or ``Async``.
        name: Its name; may be empty if it was not asked for.
    """

    _states = HOST

    def __init__(
        self,
        session: Session,
        group: str,
        model_hash: str,
        operation: str,
        *,
        name: str = "",
        sample: Mapping[str, Any] | str | None = None,
        input_type: str | None = None,
    ) -> None:
        super().__init__(session)
        self.group = group
        self.hash = model_hash
        self.operation = operation
        self.name = name
        self._sample = sample
        self._input_type = input_type or ("json" if operation == "Sync" else "csv")
        self._token: str | None = None

    def __repr__(self) -> str:
        return f"Model({self.hash!r}, group={self.group!r}, operation={self.operation!r}, name={self.name!r})"

    @property
    def _subject(self) -> str:
        return f"model {self.hash}"

    @property
    def _operation_id(self) -> str:
        return self.hash

    def _ask(self, options: RequestOptions) -> Any:
        return self._session.client.models.get_model_status(self.group, self.hash, **options)

    def describe(self) -> models.ModelDetail:
        """The server's record of the model."""
        return self._session.client.models.describe_model(self.group, self.hash).description

    def host(self) -> None:
        """Begin the build of an uploaded model; wait for it next."""
        operation = models.OperationPath(self.operation.lower())
        self._session.client.models.host_model(operation, self.group, self.hash)

    def restart(self) -> None:
        """Begin to bring a deployed, disabled or recovered model up anew; wait for it next."""
        self._session.client.models.restart_model(self.group, self.hash)

    def disable(self) -> None:
        """Stop it; `restart` brings it back."""
        self._session.client.models.disable_model(self.group, self.hash)

    def delete(self) -> None:
        """Delete it, for good; nothing is asked."""
        self._session.client.models.delete_model(self.group, self.hash)

    def health(self, *, group_token: str | None = None) -> models.ModelHealth:
        """What a deployed Sync model says of itself; its message is ``OK`` if all is well."""
        self._must_be("Sync", "health is for Sync models; ask for its status")
        client = self._session.for_group(self.group, group_token or self._token)
        return client.models.get_model_health(self.group, self.hash)

    def logs(
        self,
        *,
        start: Day | None = None,
        end: Day | None = None,
        routine: str | None = None,
        type: str | None = None,  # noqa: A002 - the word of the platform
    ) -> list[models.LogEntry]:
        """What its script and its build wrote.

        Args:
            start: The first day, a date or yyyy-mm-dd; by default six days before `end`.
            end: The last day; by default today (UTC).
            routine: ``Run`` or ``Host``; both by default.
            type: ``Ok``, ``Error``, ``Debug`` or ``Warning``; all by default.
        """
        first, last = day_range(start, end)
        wanted_routine = None if routine is None else check_choice(routine, "routine", ("Run", "Host"))
        wanted_type = None if type is None else check_choice(type, "type", ("Ok", "Error", "Debug", "Warning"))
        answer = self._session.client.models.get_model_logs(
            self.group,
            self.hash,
            start=first,
            end=last,
            routine=UNSET if wanted_routine is None else models.LogRoutine(wanted_routine),
            type_=UNSET if wanted_type is None else models.LogType(wanted_type),
        )
        return answer.results or []

    @property
    def docs(self) -> str:
        """The address of the model's own OpenAPI page."""
        group = quote(self.group, safe="")
        return f"{self._session.api_url}/model/{self.operation.lower()}/docs/{group}/{self.hash}"

    def set_token(self, group_token: str | None) -> None:
        """Use a group token for this handle's predictions; None goes back to the client's."""
        self._token = None if group_token is None else check_group_token(group_token)

    def predict(
        self,
        data: Any,
        *,
        preprocessing: Preprocessing | str | None = None,
        group_token: str | None = None,
        timeout: float | None = None,
    ) -> Any:
        """What the model's script returned for one input; for Sync models.

        Args:
            data: The input, like the sample given as schema: a mapping, a pandas Series, or a DataFrame of one row.
            preprocessing: A Sync preprocessing, or its hash, to run on the input first.
            group_token: In place of the one that is set.
            timeout: Seconds for each phase of the attempt; by default the client's.

        Raises:
            InvalidInputError: It is an Async model, or the input cannot be written as JSON.
            AuthenticationError: The group token is wrong or has expired.
        """
        self._must_be("Sync", "predict is for Sync models; this one takes files: submit() or predict_file()")
        body = models.PredictBody(
            input_=predict_input(data),
            script_hash=given(script_hash(preprocessing)),
        )
        client = self._session.for_group(self.group, group_token or self._token)
        options: RequestOptions = {} if timeout is None else {"timeout": timeout}
        return client.predictions.predict(self.group, self.hash, body=body, **options)

    def submit(
        self,
        data: TableSource | None = None,
        *,
        dataset: str | None = None,
        preprocessing: Preparation | None = None,
        group_token: str | None = None,
    ) -> PredictionExecution:
        """A started run over many inputs; for Async models.

        Args:
            data: A .csv, .parquet or .json file, as the model takes it, or a DataFrame (sent as its input type).
                With a multi-dataset preprocessing, a mapping from its datasets to files.
            dataset: The hash of a dataset that the platform has, in place of `data`.
            preprocessing: An Async preprocessing to run first; this waits for it and sends on what it made.
            group_token: In place of the one that is set.

        Raises:
            InvalidInputError: It is a Sync model, or the file is missing, empty or of another kind.
        """
        self._must_be("Async", "submit is for Async models; this one answers at once: predict()")
        token = group_token or self._token
        if preprocessing is None:
            return self._submit(data, dataset, token)
        with prepared_input(preprocessing, data, dataset, token) as prepared:
            return self._submit(prepared, None, token)

    def _submit(self, data: TableSource | None, dataset: str | None, token: str | None) -> PredictionExecution:
        frame = f".{self._input_type}"
        file, dataset_hash = to_thread(input_or_dataset, data, dataset, "data", suffixes=_INPUTS, frame=frame)
        body = models.SubmitPredictionBody(input_=file, dataset_hash=dataset_hash)
        client = self._session.for_group(self.group, token)
        started = client.predictions.submit_prediction(self.group, self.hash, body=body)
        return PredictionExecution(self._session, self.group, self.hash, started.execution_id, token)

    def predict_file(
        self,
        data: TableSource | None = None,
        folder: FilePath = ".",
        *,
        dataset: str | None = None,
        preprocessing: Preparation | None = None,
        group_token: str | None = None,
        timeout: float | None = None,
        on_progress: OnProgress | None = None,
    ) -> list[Path]:
        """The files with the predictions, in `folder`: submits, waits, downloads and unpacks.

        The arguments are those of `submit` and `wait`.
        """
        execution = self.submit(data, dataset=dataset, preprocessing=preprocessing, group_token=group_token)
        execution.wait(timeout=timeout, on_progress=on_progress)
        return execution.download_files(folder)

    def execution(self, execution_id: int) -> PredictionExecution:
        """A handle on a run that was started before, here or elsewhere; no request is sent."""
        self._must_be("Async", "only Async models have executions")
        return PredictionExecution(self._session, self.group, self.hash, int(execution_id), self._token)

    def predict_code(self, language: str = "curl", *, data: Any = None) -> str:
        """A program that calls this model; it reads the group token from ``MLOPS_GROUP_TOKEN``.

        Args:
            language: One of ``modelport.predict_code.languages()``.
            data: The input to put into it; by default the sample that the model was uploaded with.

        Raises:
            MissingExtraError: The extra ``predict-code`` is not installed.
        """
        sample = self._sample if data is None else predict_input(data)
        if sample is None and self.operation == "Sync":
            found = self._session.client.models.search_models(name=given(self.name or None), group=self.group)
            sample = self._sample = sample_of(found.results, self.hash)
        secrets = [token for token in (self._token, self._session.group_token(self.group)) if token]
        return predict_code(
            language,
            api_url=self._session.api_url,
            group=self.group,
            model_hash=self.hash,
            operation=self.operation,
            name=self.name,
            sample=sample,
            secrets=secrets,
        )

    def register_monitoring(
        self,
        configuration: JsonSource,
        *,
        preprocess: FilePath | None = None,
        preprocess_function: str = "parse",
        shap_function: str = "get_shap",
        requirements: Requirements | None = None,
        host: bool = True,
    ) -> Monitoring:
        """A registered monitoring of this model, its validation begun; wait for it next.

        Args:
            configuration: ``configuration.json``, or a mapping: Period, TrainData, InputCols, OutputCols.
            preprocess: The script with the two functions, .py or .ipynb.
            preprocess_function: Rebuilds the training features from raw input.
            shap_function: Gives SHAP values for them.
            requirements: A requirements.txt, or its lines.
            host: Begin the validation; without it, call `host` on the monitoring later.

        Raises:
            InvalidInputError: The configuration lacks something, or a file is wrong; nothing was sent.
        """
        return register(
            self._session,
            self.group,
            self.hash,
            configuration,
            preprocess=preprocess,
            preprocess_function=preprocess_function,
            shap_function=shap_function,
            requirements=requirements,
            host=host,
        )

    def _must_be(self, operation: str, advice: str) -> None:
        if self.operation != operation:
            raise InvalidInputError(f"model {self.hash} is {self.operation}: {advice}")
