# Derived from overlays/modelport/codex/_async/preprocessings.py by modelport_tools.unasync; do not edit.
"""Preprocessing scripts: register, find."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelport.codex._bodies import preprocessing_body
from modelport.codex._files import env_file, extra_files, requirements_file, sample_file, source_file
from modelport.codex._inputs import (
    check_choice,
    check_day,
    check_function,
    check_group,
    check_hash,
    check_name,
    check_operation,
    check_python_version,
)
from modelport.codex._records import given, told_of
from modelport.codex._states import HOST
from modelport.codex._sync.multi_preprocessing import MultiPreprocessing
from modelport.codex._sync.preprocessing import Preprocessing
from modelport.errors import InvalidInputError
from modelport_api.codex.v1 import UNSET, models

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from modelport.codex._files import FilePath, JsonSource, Requirements, TableSource
    from modelport.codex._inputs import Day
    from modelport.codex._sync._session import Session
    from modelport_api.codex.v1 import Unset

__all__ = ["Preprocessings"]

_STATES = sorted({*HOST.done, *HOST.failed, "Ready", "Building", "Recovering"})


class Preprocessings:
    """``codex.preprocessing``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def create(
        self,
        name: str,
        *,
        group: str,
        operation: str,
        source: FilePath,
        requirements: Requirements,
        schema: TableSource,
        function: str | None = None,
        python_version: str = "3.10",
        env: JsonSource | None = None,
        extra: Sequence[FilePath] = (),
        host: bool = True,
    ) -> Preprocessing:
        """A script with one input, uploaded, and its build begun; wait for it next.

        Args:
            name: Up to 31 characters.
            group: Who owns it.
            operation: ``sync`` prepares one input, ``async`` a file.
            source: The script, .py or .ipynb.
            requirements: A requirements.txt, or its lines.
            schema: A sample of the input.
            function: The function in the script; by default ``process`` for sync and ``build_df`` for async.
            python_version: ``3.8``, ``3.9`` or ``3.10``.
            env: Variables for the script: a file whose name ends in .env, or a mapping.
            extra: Files to put beside the script.
            host: Begin the build; without it, call `host` later.

        Raises:
            InvalidInputError: A file or argument cannot work; nothing was sent.
        """
        kind = check_operation(operation)
        body = preprocessing_body(
            name=name,
            operation=kind,
            source=source,
            function=function or ("process" if kind == "Sync" else "build_df"),
            requirements=requirements,
            schema=schema,
            python_version=python_version,
            env=env,
            extra=extra,
        )
        registered = self._session.client.preprocessing.register_preprocessing(check_group(group), body=body)
        created = Preprocessing(self._session, group, registered.hash_, kind)
        if host:
            with told_of(f"the script was uploaded as {created.hash}; codex.preprocessing.get finds it"):
                created.host()
        return created

    def get(self, script_hash: str, *, group: str) -> Preprocessing:
        """The script with this hash; asks the server what it is."""
        script_hash = check_hash(script_hash, "S")
        answer = self._session.client.preprocessing.describe_preprocessing(check_group(group), script_hash)
        return Preprocessing(self._session, group, script_hash, str(answer.description.operation))

    def search(
        self,
        *,
        name: str | None = None,
        state: str | None = None,
        group: str | None = None,
        start: Day | None = None,
        end: Day | None = None,
    ) -> list[models.PreprocessingSummary]:
        """The scripts with one input that fit all filters; `start` and `end` are days."""
        answer = self._session.client.preprocessing.search_preprocessings(
            name=given(name),
            state=_state(state),
            group=given(group),
            start=UNSET if start is None else check_day(start, "start"),
            end=UNSET if end is None else check_day(end, "end"),
        )
        return answer.results

    def create_multi(
        self,
        name: str,
        *,
        group: str,
        source: FilePath,
        requirements: Requirements,
        schemas: Mapping[str, TableSource] | None = None,
        datasets: Sequence[str] = (),
        function: str = "build_df",
        python_version: str = "3.10",
        env: JsonSource | None = None,
        extra: Sequence[FilePath] = (),
        host: bool = True,
    ) -> MultiPreprocessing:
        """A script over several datasets, uploaded part by part, and its build begun; wait for it next.

        Args:
            name: Up to 31 characters.
            group: Who owns it.
            source: The script, .py or .ipynb.
            requirements: A requirements.txt, or its lines.
            schemas: By the name of the dataset: a sample of it.
            datasets: Hashes of datasets that the platform has, in place of samples.
            function: The function in the script.
            python_version: ``3.8``, ``3.9`` or ``3.10``.
            env: Variables for the script: a file whose name ends in .env, or a mapping.
            extra: Files to put beside the script.
            host: Begin the build; without it, call `host` later.

        Raises:
            InvalidInputError: A file or argument cannot work; nothing was sent.
        """
        script = models.PreprocessingScriptBody(
            preprocess_reference=check_function(function, "function"),
            python_version=models.PythonVersion(check_python_version(python_version)),
            script=source_file(source, function),
        )
        packages = models.PreprocessingRequirementsBody(requirements=requirements_file(requirements))
        variables = None if env is None else models.PreprocessingEnvBody(env=env_file(env))
        samples = [
            models.PreprocessingSchemaBody(dataset_name=key, schema_file=sample_file(sample, "Async", "schemas"))
            for key, sample in (schemas or {}).items()
        ]
        samples += [models.PreprocessingSchemaBody(dataset_hash=check_hash(entry, "D")) for entry in datasets]
        if not samples:
            raise InvalidInputError("a multi-dataset preprocessing needs schemas, datasets, or both")
        files = extra_files(extra)
        body = models.CreatePreprocessingBody(name=check_name(name), operation=models.OperationType("Async"))
        v2 = self._session.client.preprocessing_v2
        script_hash = v2.create_preprocessing(check_group(group), body=body).preprocess_hash
        with told_of(f"the script was created as {script_hash}; codex.preprocessing.get_multi finds it"):
            for sample in samples:
                v2.set_schema(script_hash, body=sample)
            v2.set_script(script_hash, body=script)
            v2.set_requirements(script_hash, body=packages)
            if variables is not None:
                v2.set_env(script_hash, body=variables)
            for file in files:
                part = models.PreprocessingExtraFileBody(extra_file_name=file.name or "extra", extra_file=file)
                v2.add_extra_file(script_hash, body=part)
            created = MultiPreprocessing(self._session, group, script_hash)
            if host:
                created.host()
        return created

    def get_multi(self, script_hash: str, *, group: str) -> MultiPreprocessing:
        """A handle on a script over several datasets; no request is sent."""
        return MultiPreprocessing(self._session, check_group(group), check_hash(script_hash, "S"))

    def search_multi(
        self,
        *,
        state: str | None = None,
        group: str | None = None,
        start: Day | None = None,
        end: Day | None = None,
    ) -> list[models.PreprocessingScript]:
        """The scripts over several datasets that fit all filters; `start` and `end` are days."""
        answer = self._session.client.preprocessing_v2.list_preprocessings(
            state=_state(state),
            group=given(group),
            start=UNSET if start is None else check_day(start, "start"),
            end=UNSET if end is None else check_day(end, "end"),
        )
        return answer.result


def _state(state: str | None) -> models.ModelState | Unset:
    return UNSET if state is None else models.ModelState(check_choice(state, "state", _STATES))
