"""Models: upload, find."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from modelport.codex._async.model import AsyncModel
from modelport.codex._bodies import upload_model_body
from modelport.codex._files import json_object
from modelport.codex._inputs import check_choice, check_group, check_hash, check_operation
from modelport.codex._records import given, known, told_of
from modelport.codex._states import HOST
from modelport_api.codex.v1 import models

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelport.codex._async._session import AsyncSession
    from modelport.codex._files import FilePath, JsonSource, Requirements, TableSource

__all__ = ["AsyncModels"]

_STATES = sorted({*HOST.done, *HOST.failed, "Ready", "Building", "Recovering"})


class AsyncModels:
    """``codex.models``."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def create(
        self,
        name: str,
        *,
        group: str,
        operation: str,
        source: FilePath,
        model: FilePath,
        requirements: Requirements,
        schema: TableSource | None = None,
        function: str = "score",
        python_version: str = "3.10",
        input_type: str | None = None,
        env: JsonSource | None = None,
        extra: Sequence[FilePath] = (),
        host: bool = True,
    ) -> AsyncModel:
        """A model that was trained elsewhere, uploaded, and its build begun; wait for it next.

        Args:
            name: Up to 31 characters.
            group: Who owns it.
            operation: ``sync`` answers each call; ``async`` takes files.
            source: The scoring script, .py or .ipynb.
            model: The trained model, as the script reads it.
            requirements: A requirements.txt, or its lines; pin the versions.
            schema: One sample of the input: a mapping or .json file for sync, any table for async.
            function: The scoring function in the script.
            python_version: ``3.8``, ``3.9`` or ``3.10``.
            input_type: ``json``, ``csv`` or ``parquet``; by default json for sync and csv for async.
            env: Variables for the script: a file whose name ends in .env, or a mapping.
            extra: Files to put beside the script.
            host: Begin the build; without it, call `host` on the model later.

        Raises:
            InvalidInputError: A file or argument cannot work; nothing was sent.
            NotFoundError: There is no such group.
        """
        body = upload_model_body(
            name=name,
            operation=operation,
            source=source,
            model=model,
            requirements=requirements,
            schema=schema,
            function=function,
            python_version=python_version,
            input_type=input_type,
            env=env,
            extra=extra,
        )
        uploaded = await self._session.client.models.upload_model(check_group(group), body=body)
        sample = _sample(schema) if str(body.operation) == "Sync" else None
        created = AsyncModel(
            self._session,
            group,
            uploaded.model_hash,
            str(body.operation),
            name=name,
            sample=sample,
            input_type=str(body.input_type),
        )
        if host:
            with told_of(f"the model was uploaded as {created.hash}; codex.models.get finds it, host() builds it"):
                await created.host()
        return created

    async def get(self, model_hash: str, *, group: str) -> AsyncModel:
        """The model with this hash; asks the server what it is.

        Raises:
            InvalidInputError: That is not the hash of a model.
            NotFoundError: The group has no such model.
        """
        model_hash = check_hash(model_hash, "M")
        detail = (await self._session.client.models.describe_model(check_group(group), model_hash)).description
        return AsyncModel(
            self._session,
            group,
            model_hash,
            str(detail.operation),
            name=detail.name,
            sample=known(detail.schema),
            input_type=known(detail.input_),
        )

    def handle(self, model_hash: str, *, group: str, operation: str, name: str = "") -> AsyncModel:
        """The same without asking the server, for programs that know what the model is."""
        kind = check_operation(operation)
        return AsyncModel(self._session, check_group(group), check_hash(model_hash, "M"), kind, name=name)

    async def search(
        self, *, name: str | None = None, state: str | None = None, group: str | None = None
    ) -> list[models.ModelSummary]:
        """The models that fit all filters.

        Args:
            name: A part of the name.
            state: Such as ``Deployed``.
            group: A part of the group's name.
        """
        wanted = None if state is None else models.ModelState(check_choice(state, "state", _STATES))
        answer = await self._session.client.models.search_models(
            name=given(name), state=given(wanted), group=given(group)
        )
        return answer.results


def _sample(schema: Any) -> Mapping[str, Any] | None:
    return None if schema is None else json_object(cast("JsonSource", schema), "schema")
