# Derived from overlays/modelport/codex/_async/pipeline.py by modelport_tools.unasync; do not edit.
"""Do what a pipeline says: train, deploy, watch."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelport._io._sync._shim import to_thread
from modelport.codex._inputs import check_choice
from modelport.codex._monitoring_config import monitoring_config
from modelport.codex._records import GroupToken, told_of
from modelport.codex.pipeline import Pipeline
from modelport.errors import ConflictError, InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelport._waiting import OnProgress
    from modelport.codex._files import FilePath
    from modelport.codex._sync.client import Codex
    from modelport.codex._sync.model import Model
    from modelport.codex._sync.monitoring import Monitoring
    from modelport.codex._sync.training_execution import TrainingExecution

__all__ = ["PipelineResult", "run_pipeline"]


@dataclass(frozen=True)
class PipelineResult:
    """What a pipeline made; None where it has no such section.

    Attributes:
        group_token: The token of the group, if the pipeline created it: keep it, it is shown once.
    """

    execution: TrainingExecution | None = None
    model: Model | None = None
    monitoring: Monitoring | None = None
    group_token: GroupToken | None = None


def run_pipeline(
    codex: Codex,
    pipeline: Pipeline | FilePath,
    timeout: float | None,
    on_progress: OnProgress | None,
) -> PipelineResult:
    """Run it step by step, waiting for each."""
    if not isinstance(pipeline, Pipeline):
        pipeline = to_thread(Pipeline.from_file, pipeline)
    token = _ensure_group(codex, pipeline.group)
    execution: TrainingExecution | None = None
    model: Model | None = None
    monitoring: Monitoring | None = None
    if pipeline.training is not None:
        execution = _train(codex, pipeline, pipeline.training)
        execution.wait(timeout=timeout, on_progress=on_progress)
    if pipeline.deploy is not None:
        with told_of(f"the pipeline got as far as {execution!r}"):
            model = _deploy(codex, pipeline, pipeline.deploy, execution)
            model.wait(timeout=timeout, on_progress=on_progress)
    if pipeline.monitoring is not None:
        with told_of(f"the pipeline got as far as {model or execution!r}"):
            monitoring = _watch(codex, pipeline, pipeline.monitoring, execution, model)
            monitoring.wait(timeout=timeout, on_progress=on_progress)
    return PipelineResult(execution, model, monitoring, token)


def _ensure_group(codex: Codex, name: str) -> GroupToken | None:
    if any(group.name == name for group in codex.groups.list()):
        return None
    try:
        return codex.groups.create(name, description="created by a pipeline")
    except ConflictError:
        return None  # another program was faster


def _train(codex: Codex, pipeline: Pipeline, section: Mapping[str, Any]) -> TrainingExecution:
    training = codex.trainings.create(
        section["experiment_name"], group=pipeline.group, model_type=section["model_type"]
    )
    run_name = section.get("run_name") or f"Pipeline run {dt.datetime.now(dt.UTC):%Y-%m-%d %H:%M:%S}"
    kind = check_choice(section["training_type"], "training_type", ("Custom", "AutoML", "External"))
    common: dict[str, Any] = {"description": section.get("description")}
    if kind == "AutoML":
        return training.run_automl(run_name, data=section["data"], config=section["config"], **common)
    if kind == "Custom":
        return training.run_custom(
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
    return training.run_external(
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


def _deploy(codex: Codex, pipeline: Pipeline, section: Mapping[str, Any], execution: TrainingExecution | None) -> Model:
    common: dict[str, Any] = {
        "operation": section["operation"],
        "schema": section.get("schema"),
        "input_type": section.get("input_type"),
        "env": section.get("env"),
        "extra": section.get("extra", ()),
    }
    if execution is None:
        return codex.models.create(
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
    return execution.promote(
        section.get("name") or training["experiment_name"][:31],
        source=section.get("source"),
        function=section.get("score_function"),
        requirements=section.get("packages"),
        **common,
    )


def _watch(
    codex: Codex,
    pipeline: Pipeline,
    section: Mapping[str, Any],
    execution: TrainingExecution | None,
    model: Model | None,
) -> Monitoring:
    model_hash = model.hash if model is not None else section.get("model_hash")
    if not model_hash:
        raise InvalidInputError("monitoring: there is no model to watch: give model_hash, or a deploy section")
    # The run goes into a copy: the user's file stays as it is.
    number = None if execution is None else str(execution.id)
    config = monitoring_config(section["config"], training_execution=number)
    return codex.monitoring.register(
        model_hash,
        config,
        group=pipeline.group,
        preprocess=section["preprocess"],
        preprocess_function=section["preprocess_function"],
        shap_function=section["shap_function"],
        requirements=section.get("packages"),
    )
