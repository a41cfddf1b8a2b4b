"""Do what a pipeline says: train, deploy, watch."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelport._io._async._shim import to_thread
from modelport.codex._inputs import check_choice
from modelport.codex._monitoring_config import monitoring_config
from modelport.codex._records import GroupToken, told_of
from modelport.codex.pipeline import Pipeline
from modelport.errors import ConflictError, InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelport._waiting import OnProgress
    from modelport.codex._async.client import AsyncCodex
    from modelport.codex._async.model import AsyncModel
    from modelport.codex._async.monitoring import AsyncMonitoring
    from modelport.codex._async.training_execution import AsyncTrainingExecution
    from modelport.codex._files import FilePath

__all__ = ["AsyncPipelineResult", "run_pipeline"]


@dataclass(frozen=True)
class AsyncPipelineResult:
    """What a pipeline made; None where it has no such section.

    Attributes:
        group_token: The token of the group, if the pipeline created it: keep it, it is shown once.
    """

    execution: AsyncTrainingExecution | None = None
    model: AsyncModel | None = None
    monitoring: AsyncMonitoring | None = None
    group_token: GroupToken | None = None


async def run_pipeline(
    codex: AsyncCodex,
    pipeline: Pipeline | FilePath,
    timeout: float | None,  # noqa: ASYNC109 - a deadline kept by the schedule, not by cancelling
    on_progress: OnProgress | None,
) -> AsyncPipelineResult:
    """Run it step by step, waiting for each."""
    if not isinstance(pipeline, Pipeline):
        pipeline = await to_thread(Pipeline.from_file, pipeline)
    token = await _ensure_group(codex, pipeline.group)
    execution: AsyncTrainingExecution | None = None
    model: AsyncModel | None = None
    monitoring: AsyncMonitoring | None = None
    if pipeline.training is not None:
        execution = await _train(codex, pipeline, pipeline.training)
        await execution.wait(timeout=timeout, on_progress=on_progress)
    if pipeline.deploy is not None:
        with told_of(f"the pipeline got as far as {execution!r}"):
            model = await _deploy(codex, pipeline, pipeline.deploy, execution)
            await model.wait(timeout=timeout, on_progress=on_progress)
    if pipeline.monitoring is not None:
        with told_of(f"the pipeline got as far as {model or execution!r}"):
            monitoring = await _watch(codex, pipeline, pipeline.monitoring, execution, model)
            await monitoring.wait(timeout=timeout, on_progress=on_progress)
    return AsyncPipelineResult(execution, model, monitoring, token)


async def _ensure_group(codex: AsyncCodex, name: str) -> GroupToken | None:
    if any(group.name == name for group in await codex.groups.list()):
        return None
    try:
        return await codex.groups.create(name, description="created by a pipeline")
    except ConflictError:
        return None  # another program was faster


async def _train(codex: AsyncCodex, pipeline: Pipeline, section: Mapping[str, Any]) -> AsyncTrainingExecution:
    training = await codex.trainings.create(
        section["experiment_name"], group=pipeline.group, model_type=section["model_type"]
    )
    run_name = section.get("run_name") or f"Pipeline run {dt.datetime.now(dt.UTC):%Y-%m-%d %H:%M:%S}"
    kind = check_choice(section["training_type"], "training_type", ("Custom", "AutoML", "External"))
    common: dict[str, Any] = {"description": section.get("description")}
    if kind == "AutoML":
        return await training.run_automl(run_name, data=section["data"], config=section["config"], **common)
    if kind == "Custom":
        return await training.run_custom(
            run_name,
            data=section["data"],
            source=section["source"],
            function=section["train_function"],
            requirements=section["packages"],
            python_version=pipeline.python_version,
            env=section.get("env"),
            extra=section.get("extra", ()),
            **common,
        )
    return await training.run_external(
        run_name,
        features=section["X_train"],
        target=section["y_train"],
        output=section.get("model_outputs"),
        model=section["model_file"],
        parameters=section.get("model_params"),
        metrics=section.get("model_metrics"),
        requirements=section.get("packages"),
        python_version=section.get("python_version") or pipeline.python_version,
        env=section.get("env"),
        extra=section.get("extra", ()),
        **common,
    )


async def _deploy(
    codex: AsyncCodex, pipeline: Pipeline, section: Mapping[str, Any], execution: AsyncTrainingExecution | None
) -> AsyncModel:
    common: dict[str, Any] = {
        "operation": section["operation"],
        "schema": section.get("schema"),
        "input_type": section.get("input_type"),
        "env": section.get("env"),
        "extra": section.get("extra", ()),
    }
    if execution is None:
        return await codex.models.create(
            section["name"],
            group=pipeline.group,
            source=section["source"],
            function=section["score_function"],
            model=section["model"],
            requirements=section["packages"],
            python_version=pipeline.python_version,
            **common,
        )
    training = pipeline.training or {}
    return await execution.promote(
        section.get("name") or training["experiment_name"][:31],
        source=section.get("source"),
        function=section.get("score_function"),
        requirements=section.get("packages"),
        **common,
    )


async def _watch(
    codex: AsyncCodex,
    pipeline: Pipeline,
    section: Mapping[str, Any],
    execution: AsyncTrainingExecution | None,
    model: AsyncModel | None,
) -> AsyncMonitoring:
    model_hash = model.hash if model is not None else section.get("model_hash")
    if not model_hash:
        raise InvalidInputError("monitoring: there is no model to watch: give model_hash, or a deploy section")
    # The run goes into a copy: the user's file stays as it is.
    number = None if execution is None else str(execution.id)
    config = monitoring_config(section["config"], training_execution=number)
    return await codex.monitoring.register(
        model_hash,
        config,
        group=pipeline.group,
        preprocess=section["preprocess"],
        preprocess_function=section["preprocess_function"],
        shap_function=section["shap_function"],
        requirements=section.get("packages"),
    )
