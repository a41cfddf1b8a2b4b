"""Bodies of uploads, from checked arguments. No network here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelport.codex._files import (
    env_file,
    extra_files,
    json_file,
    plain_file,
    requirements_file,
    sample_file,
    source_file,
    table_file,
)
from modelport.codex._inputs import (
    check_function,
    check_hash,
    check_input_type,
    check_name,
    check_operation,
    check_python_version,
)
from modelport.codex._records import given
from modelport.errors import InvalidInputError
from modelport_api.codex.v1 import UNSET, models

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelport.codex._files import FilePath, JsonSource, Requirements, TableSource
    from modelport_api.codex.v1 import File, Unset

__all__ = [
    "automl_body",
    "custom_body",
    "external_body",
    "input_or_dataset",
    "preprocessing_body",
    "promote_body",
    "upload_model_body",
]

_RUN_NAME_LIMIT = 250


def upload_model_body(
    *,
    name: str,
    operation: str,
    source: FilePath,
    model: FilePath,
    requirements: Requirements,
    schema: TableSource | None,
    function: str,
    python_version: str,
    input_type: str | None,
    env: JsonSource | None,
    extra: Sequence[FilePath],
) -> models.UploadModelBody:
    """The body that uploads a model trained elsewhere."""
    kind = check_operation(operation)
    if kind == "Sync" and schema is None:
        raise InvalidInputError("a Sync model needs schema: one sample of its input, as a mapping or a .json file")
    script = source_file(source, check_function(function, "function"))
    artifact = plain_file(model, "model")
    return models.UploadModelBody(
        name=check_name(name),
        model_reference=function,
        operation=models.OperationType(kind),
        input_type=models.InputType(check_input_type(input_type, kind)),
        python_version=models.PythonVersion(check_python_version(python_version)),
        source=script,
        model=artifact,
        requirements=requirements_file(requirements),
        schema=UNSET if schema is None else sample_file(schema, kind),
        env=_env(env),
        extra=_extra(extra, script, artifact),
    )


def promote_body(
    *,
    name: str,
    operation: str,
    source: FilePath | None,
    function: str | None,
    schema: TableSource | None,
    input_type: str | None,
    requirements: Requirements | None,
    env: JsonSource | None,
    extra: Sequence[FilePath],
) -> models.PromoteBody:
    """The body that makes a model of a training execution; an AutoML one needs no script."""
    kind = check_operation(operation)
    if source is None and (function, requirements, env) != (None, None, None):
        raise InvalidInputError(
            "function, requirements and env go with a source; an AutoML execution takes none of them"
        )
    if source is not None and kind == "Sync" and schema is None:
        raise InvalidInputError("a Sync model needs schema: one sample of its input, as a mapping or a .json file")
    reference = check_function(function or "score", "function")
    script = None if source is None else source_file(source, reference)
    return models.PromoteBody(
        name=check_name(name),
        operation=models.OperationType(kind),
        input_type=models.InputType(check_input_type(input_type, kind)),
        model_reference=UNSET if script is None else reference,
        source=given(script),
        schema=UNSET if schema is None else sample_file(schema, kind),
        env=_env(env),
        requirements=UNSET if requirements is None else requirements_file(requirements),
        extra=_extra(extra, script),
    )


def custom_body(
    run_name: str,
    *,
    data: TableSource | None,
    dataset: str | None,
    source: FilePath,
    function: str,
    requirements: Requirements,
    python_version: str,
    env: JsonSource | None,
    extra: Sequence[FilePath],
    description: str | None,
) -> models.UploadTrainingBody:
    """The body of a training that runs the user's script."""
    script = source_file(source, check_function(function, "function"))
    train_data, dataset_hash = input_or_dataset(data, dataset, "data")
    return models.UploadTrainingBody(
        run_name=_run_name(run_name),
        training_type=models.TrainingType("Custom"),
        description=given(description),
        train_data=train_data,
        dataset_hash=dataset_hash,
        source=script,
        requirements=requirements_file(requirements),
        training_reference=function,
        python_version=models.PythonVersion(check_python_version(python_version)),
        env=_env(env),
        extra=_extra(extra, script, train_data),
    )


def automl_body(
    run_name: str,
    *,
    data: TableSource | None,
    dataset: str | None,
    config: JsonSource,
    description: str | None,
) -> models.UploadTrainingBody:
    """The body of a training that the platform designs."""
    train_data, dataset_hash = input_or_dataset(data, dataset, "data")
    return models.UploadTrainingBody(
        run_name=_run_name(run_name),
        training_type=models.TrainingType("AutoML"),
        description=given(description),
        train_data=train_data,
        dataset_hash=dataset_hash,
        conf_dict=json_file(config, "config", "conf.json"),
    )


def external_body(
    run_name: str,
    *,
    features: TableSource,
    target: TableSource,
    output: TableSource | None,
    model: FilePath | File | None,
    parameters: JsonSource | None,
    metrics: JsonSource | None,
    requirements: Requirements | None,
    python_version: str,
    env: JsonSource | None,
    extra: Sequence[FilePath | File],
    description: str | None,
) -> models.UploadTrainingBody:
    """The body that registers a training which ran elsewhere."""
    artifact = _file(model, "model")
    parquet = (".parquet",)
    return models.UploadTrainingBody(
        run_name=_run_name(run_name),
        training_type=models.TrainingType("External"),
        description=given(description),
        python_version=models.PythonVersion(check_python_version(python_version)),
        features=table_file(features, "features", "features", parquet),
        target=table_file(target, "target", "target", parquet),
        output=UNSET if output is None else table_file(output, "output", "predictions", parquet),
        model=given(artifact),
        parameters=UNSET if parameters is None else json_file(parameters, "parameters", "parameters.json"),
        metrics=UNSET if metrics is None else json_file(metrics, "metrics", "metrics.json"),
        requirements=UNSET if requirements is None else requirements_file(requirements),
        env=_env(env),
        extra=_extra_or_files(extra, artifact),
    )


def preprocessing_body(
    *,
    name: str,
    operation: str,
    source: FilePath,
    function: str,
    requirements: Requirements,
    schema: TableSource,
    python_version: str,
    env: JsonSource | None,
    extra: Sequence[FilePath],
) -> models.RegisterPreprocessingBody:
    """The body that registers a script with one input."""
    kind = check_operation(operation)
    script = source_file(source, check_function(function, "function"))
    return models.RegisterPreprocessingBody(
        name=check_name(name),
        script_reference=function,
        operation=models.OperationType(kind),
        python_version=models.PythonVersion(check_python_version(python_version)),
        source=script,
        requirements=requirements_file(requirements),
        schema=sample_file(schema, kind),
        env=_env(env),
        extra=_extra(extra, script),
    )


def input_or_dataset(
    data: TableSource | None,
    dataset: str | None,
    what: str,
    suffixes: tuple[str, ...] = (".csv", ".parquet"),
    frame: str = ".parquet",
) -> tuple[File | Unset, str | Unset]:
    """A table to upload, or the hash of one that the platform has: one of the two.

    Raises:
        InvalidInputError: Both are given, or neither.
    """
    if (data is None) == (dataset is None):
        raise InvalidInputError(f"give either {what} (a file or a DataFrame) or dataset (a hash), and not both")
    if dataset is not None:
        return UNSET, check_hash(dataset, "D")
    return table_file(data, what, suffixes=suffixes, frame=frame), UNSET


def _run_name(name: str) -> str:
    if not name.strip() or len(name) > _RUN_NAME_LIMIT or not name.isprintable():
        raise InvalidInputError(f"run_name must be 1 to {_RUN_NAME_LIMIT} printable characters, not {name!r}")
    return name


def _env(env: JsonSource | None) -> File | Unset:
    return UNSET if env is None else env_file(env)


def _extra(paths: Sequence[FilePath], *beside: Any) -> list[File] | Unset:
    files = extra_files(paths, [file.name for file in beside if file])
    return files or UNSET


def _extra_or_files(entries: Sequence[FilePath | File], beside: File | None) -> list[File] | Unset:
    from modelport_api.codex.v1 import File

    ready = [entry for entry in entries if isinstance(entry, File)]
    taken = [file.name for file in (*ready, beside) if file and file.name]
    files = extra_files([entry for entry in entries if not isinstance(entry, File)], taken)
    return [*ready, *files] or UNSET


def _file(source: FilePath | File | None, what: str) -> File | None:
    from modelport_api.codex.v1 import File

    if source is None or isinstance(source, File):
        return source
    return plain_file(source, what)
