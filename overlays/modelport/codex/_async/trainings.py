"""Trainings: experiments and their runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelport._io._async._shim import to_thread
from modelport.codex._async.training_execution import AsyncTrainingExecution, upload_run
from modelport.codex._async.training_logger import AsyncTrainingLogger
from modelport.codex._bodies import automl_body, custom_body, external_body
from modelport.codex._inputs import check_day, check_experiment_name, check_group, check_hash, check_model_type
from modelport.codex._records import given
from modelport_api.codex.v1 import UNSET, models

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelport.codex._async._session import AsyncSession
    from modelport.codex._files import FilePath, JsonSource, Requirements, TableSource
    from modelport.codex._inputs import Day
    from modelport_api.codex.v1 import File

__all__ = ["AsyncTraining", "AsyncTrainings"]


class AsyncTraining:
    """A training experiment, which holds runs.

    Attributes:
        group: Who owns it.
        hash: Its hash, the letter T and 63 digits.
        name: Its name.
        model_type: ``Classification``, ``Regression`` or ``Unsupervised``.
    """

    def __init__(self, session: AsyncSession, group: str, training_hash: str, name: str, model_type: str) -> None:
        self._session = session
        self.group = group
        self.hash = training_hash
        self.name = name
        self.model_type = model_type

    def __repr__(self) -> str:
        return f"AsyncTraining({self.hash!r}, group={self.group!r}, name={self.name!r}, model_type={self.model_type!r})"

    async def describe(self) -> models.TrainingDetail:
        """The server's record of the training and its runs."""
        return (await self._session.client.training.describe_training(self.group, self.hash)).description

    def execution(self, execution_id: int) -> AsyncTrainingExecution:
        """A handle on a run that was started before, here or elsewhere; no request is sent."""
        return AsyncTrainingExecution(self._session, self.group, self.hash, int(execution_id))

    async def run_custom(
        self,
        run_name: str,
        *,
        source: FilePath,
        requirements: Requirements,
        data: TableSource | None = None,
        dataset: str | None = None,
        function: str = "train",
        python_version: str = "3.10",
        env: JsonSource | None = None,
        extra: Sequence[FilePath] = (),
        description: str | None = None,
        start: bool = True,
    ) -> AsyncTrainingExecution:
        """A started run of your own training script; wait for it next.

        Args:
            run_name: What to call it.
            source: The script, .py or .ipynb.
            requirements: A requirements.txt, or its lines.
            data: A .csv or .parquet file, or a DataFrame; give this or `dataset`.
            dataset: The hash of a dataset that the platform has.
            function: The training function in the script.
            python_version: ``3.8``, ``3.9`` or ``3.10``.
            env: Variables for the script: a file whose name ends in .env, or a mapping.
            extra: Files to put beside the script.
            description: Free text.
            start: Start it; without this, call `start` on the execution later.

        Raises:
            InvalidInputError: A file or argument cannot work; nothing was sent.
        """
        body = await to_thread(
            custom_body,
            run_name,
            data=data,
            dataset=dataset,
            source=source,
            function=function,
            requirements=requirements,
            python_version=python_version,
            env=env,
            extra=extra,
            description=description,
        )
        return await upload_run(self._session, self.group, self.hash, body, start=start)

    async def run_automl(
        self,
        run_name: str,
        *,
        config: JsonSource,
        data: TableSource | None = None,
        dataset: str | None = None,
        description: str | None = None,
        start: bool = True,
    ) -> AsyncTrainingExecution:
        """A started run that the platform designs; wait for it next.

        Args:
            run_name: What to call it.
            config: The recipe: a .json file, or what would be in it.
            data: A .csv or .parquet file, or a DataFrame; give this or `dataset`.
            dataset: The hash of a dataset that the platform has.
            description: Free text.
            start: Start it; without this, call `start` on the execution later.

        Raises:
            InvalidInputError: A file or argument cannot work; nothing was sent.
        """
        body = await to_thread(
            automl_body, run_name, data=data, dataset=dataset, config=config, description=description
        )
        return await upload_run(self._session, self.group, self.hash, body, start=start)

    async def run_external(
        self,
        run_name: str,
        *,
        features: TableSource,
        target: TableSource,
        output: TableSource | None = None,
        model: FilePath | File | None = None,
        parameters: JsonSource | None = None,
        metrics: JsonSource | None = None,
        requirements: Requirements | None = None,
        python_version: str = "3.10",
        env: JsonSource | None = None,
        extra: Sequence[FilePath | File] = (),
        description: str | None = None,
        start: bool = True,
    ) -> AsyncTrainingExecution:
        """A run that registers a training which ran elsewhere; wait for it next.

        Args:
            run_name: What to call it.
            features: A .parquet file or a DataFrame.
            target: A .parquet file, a DataFrame or a Series.
            output: The predictions: a .parquet file, a DataFrame, a Series or an array.
            model: The trained model.
            parameters: A .json file, or a mapping.
            metrics: A .json file, or a mapping.
            requirements: A requirements.txt, or its lines.
            python_version: ``3.8``, ``3.9`` or ``3.10``.
            env: Variables for the script: a file whose name ends in .env, or a mapping.
            extra: Further files, such as plots.
            description: Free text.
            start: Start it; without this, call `start` on the execution later.

        Raises:
            InvalidInputError: A file or argument cannot work; nothing was sent.
        """
        body = await to_thread(
            external_body,
            run_name,
            features=features,
            target=target,
            output=output,
            model=model,
            parameters=parameters,
            metrics=metrics,
            requirements=requirements,
            python_version=python_version,
            env=env,
            extra=extra,
            description=description,
        )
        return await upload_run(self._session, self.group, self.hash, body, start=start)

    def logger(self, run_name: str) -> AsyncTrainingLogger:
        """A logger that gathers a local training and registers it as a run of this one."""

        async def owner() -> AsyncTraining:
            return self

        return AsyncTrainingLogger(self._session, run_name, owner)


class AsyncTrainings:
    """``codex.trainings``."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def create(self, name: str, *, group: str, model_type: str) -> AsyncTraining:
        """A new training experiment.

        Args:
            name: 3 to 32 letters, digits and spaces.
            group: Who owns it.
            model_type: ``classification``, ``regression`` or ``unsupervised``.

        Raises:
            InvalidInputError: The name or the type cannot be one.
            NotFoundError: There is no such group.
        """
        kind = check_model_type(model_type)
        body = models.RegisterTrainingBody(
            experiment_name=check_experiment_name(name), model_type=models.ModelType(kind)
        )
        registered = await self._session.client.training.register_training(check_group(group), body=body)
        return AsyncTraining(self._session, group, registered.training_hash, name, kind)

    async def get(self, training_hash: str, *, group: str) -> AsyncTraining:
        """The training with this hash; asks the server what it is."""
        training_hash = check_hash(training_hash, "T")
        detail = (await self._session.client.training.describe_training(check_group(group), training_hash)).description
        return AsyncTraining(self._session, group, training_hash, detail.experiment_name, str(detail.model_type))

    async def search(
        self,
        *,
        name: str | None = None,
        group: str | None = None,
        model_type: str | None = None,
        start: Day | None = None,
        end: Day | None = None,
    ) -> list[models.TrainingSummary]:
        """The trainings that fit all filters; `start` and `end` are days."""
        answer = await self._session.client.training.search_trainings(
            name=given(name),
            group=given(group),
            model_type=UNSET if model_type is None else models.ModelType(check_model_type(model_type)),
            start=UNSET if start is None else check_day(start, "start"),
            end=UNSET if end is None else check_day(end, "end"),
        )
        return answer.results

    def execution(self, training_hash: str, execution_id: int, *, group: str) -> AsyncTrainingExecution:
        """A handle on a run that was started before, here or elsewhere; no request is sent."""
        training_hash = check_hash(training_hash, "T")
        return AsyncTrainingExecution(self._session, check_group(group), training_hash, int(execution_id))

    def logger(self, name: str, *, group: str, model_type: str, run_name: str | None = None) -> AsyncTrainingLogger:
        """A logger that gathers a local training; saving it makes the experiment and registers the run.

        Args:
            name: Of the experiment: 3 to 32 letters, digits and spaces.
            group: Who owns it.
            model_type: ``classification``, ``regression`` or ``unsupervised``.
            run_name: Of the run; by default that of the experiment.
        """
        check_experiment_name(name)
        check_model_type(model_type)

        async def owner() -> AsyncTraining:
            return await self.create(name, group=group, model_type=model_type)

        return AsyncTrainingLogger(self._session, run_name or name, owner)
