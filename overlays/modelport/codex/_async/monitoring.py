"""Watching models that the platform hosts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelport.codex._async._work import AsyncWork
from modelport.codex._async.external_monitoring import AsyncExternalMonitoring, create_external
from modelport.codex._files import json_bytes, requirements_file, source_file
from modelport.codex._inputs import check_choice, check_function, check_group, check_hash, day_range
from modelport.codex._monitoring_config import PERIODS, monitoring_config
from modelport.codex._records import told_of
from modelport.codex._states import MONITORING
from modelport_api.codex.v1 import UNSET, File, models

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelport.codex._async._session import AsyncSession
    from modelport.codex._files import FilePath, JsonSource, Requirements
    from modelport.codex._inputs import Day
    from modelport_api._runtime.types import RequestOptions

__all__ = ["AsyncMonitoring", "AsyncMonitorings", "register"]


class AsyncMonitoring(AsyncWork):
    """The monitoring of one model; `wait` waits until it is validated.

    Attributes:
        group: The group of the model.
        model_hash: The model.
        period: ``Day``, ``Week``, ``Month`` or ``Year``.
    """

    _states = MONITORING

    def __init__(self, session: AsyncSession, group: str, model_hash: str, period: str) -> None:
        super().__init__(session)
        self.group = group
        self.model_hash = model_hash
        self.period = period

    def __repr__(self) -> str:
        return f"AsyncMonitoring({self.model_hash!r}, group={self.group!r}, period={self.period!r})"

    @property
    def _subject(self) -> str:
        return f"monitoring of model {self.model_hash}"

    @property
    def _operation_id(self) -> str:
        return self.model_hash

    async def _ask(self, options: RequestOptions) -> Any:
        period = models.Period(self.period)
        return await self._session.client.monitoring.get_monitoring_status(
            self.group, self.model_hash, period, **options
        )

    async def host(self) -> None:
        """Begin the validation; wait for it next."""
        period = models.Period(self.period)
        await self._session.client.monitoring.host_monitoring(self.group, self.model_hash, period)

    async def records(self, *, start: Day | None = None, end: Day | None = None) -> list[models.MonitoringRecord]:
        """What the monitoring recorded; by default over the last seven days, today (UTC) included."""
        return await records(self._session, self.group, self.model_hash, start, end)


class AsyncMonitorings:
    """``codex.monitoring``."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def register(
        self,
        model_hash: str,
        configuration: JsonSource,
        *,
        group: str,
        preprocess: FilePath | None = None,
        preprocess_function: str = "parse",
        shap_function: str = "get_shap",
        requirements: Requirements | None = None,
        host: bool = True,
    ) -> AsyncMonitoring:
        """A registered monitoring of a model; see ``model.register_monitoring``."""
        return await register(
            self._session,
            check_group(group),
            check_hash(model_hash, "M"),
            configuration,
            preprocess=preprocess,
            preprocess_function=preprocess_function,
            shap_function=shap_function,
            requirements=requirements,
            host=host,
        )

    def get(self, model_hash: str, *, group: str, period: str) -> AsyncMonitoring:
        """A handle on a monitoring; no request is sent."""
        chosen = check_choice(period, "period", PERIODS)
        return AsyncMonitoring(self._session, check_group(group), check_hash(model_hash, "M"), chosen)

    async def records(
        self, monitored_hash: str, *, group: str, start: Day | None = None, end: Day | None = None
    ) -> list[models.MonitoringRecord]:
        """What was recorded of a model, or of an external monitoring; by default over the last seven days."""
        return await records(self._session, check_group(group), check_hash(monitored_hash, "S"), start, end)

    async def create_external(
        self,
        name: str,
        *,
        group: str,
        training_execution: int,
        period: str,
        input_columns: Sequence[str],
        output_columns: Sequence[str],
        datasource: str,
        datasource_uri: str,
        extraction: str = "Full",
        date_column: str | None = None,
        reference_date: Day | None = None,
        python_version: str = "3.10",
        model: FilePath | None = None,
        requirements: Requirements | None = None,
        source: FilePath | None = None,
        preprocess_function: str = "parse",
        shap_function: str = "get_shap",
        host: bool = True,
    ) -> AsyncExternalMonitoring:
        """A registered monitoring of a model that is served elsewhere, its validation begun; wait for it next.

        Args:
            name: What to call it.
            group: Who owns it.
            training_execution: The external training that holds the baseline.
            period: ``Day``, ``Week``, ``Quarter``, ``Month`` or ``Year``.
            input_columns: Columns of the input to watch.
            output_columns: Columns of the output to watch.
            datasource: The name of the data source to read from.
            datasource_uri: The file to read in it.
            extraction: ``Full`` or ``Incremental``.
            date_column: The column that holds the date; give this or `reference_date`.
            reference_date: The date where there is no such column.
            python_version: For the script.
            model: The model, for the SHAP values.
            requirements: A requirements.txt, or its lines.
            source: The script with the two functions, .py or .ipynb.
            preprocess_function: Rebuilds the training features.
            shap_function: Gives SHAP values for them.
            host: Begin the validation; without it, call `host` later.

        Raises:
            InvalidInputError: A file or argument cannot work; nothing was sent.
        """
        return await create_external(
            self._session,
            name,
            group=group,
            training_execution=training_execution,
            period=period,
            input_columns=input_columns,
            output_columns=output_columns,
            datasource=datasource,
            datasource_uri=datasource_uri,
            extraction=extraction,
            date_column=date_column,
            reference_date=reference_date,
            python_version=python_version,
            model=model,
            requirements=requirements,
            source=source,
            preprocess_function=preprocess_function,
            shap_function=shap_function,
            host=host,
        )

    async def list_external(self) -> list[models.ExternalMonitoring]:
        """The monitorings of models served elsewhere that the user can see."""
        return (await self._session.client.external_monitoring.list_external_monitorings()).result

    def get_external(self, external_hash: str, *, group: str) -> AsyncExternalMonitoring:
        """A handle on a monitoring of a model served elsewhere; no request is sent."""
        return AsyncExternalMonitoring(self._session, check_group(group), check_hash(external_hash, "S"))


async def register(
    session: AsyncSession,
    group: str,
    model_hash: str,
    configuration: JsonSource,
    *,
    preprocess: FilePath | None,
    preprocess_function: str,
    shap_function: str,
    requirements: Requirements | None,
    host: bool,
) -> AsyncMonitoring:
    """Check, upload and host a monitoring."""
    config = monitoring_config(configuration)
    check_function(preprocess_function, "preprocess_function")
    check_function(shap_function, "shap_function")
    if preprocess is not None:
        source_file(preprocess, shap_function, "preprocess")
    body = models.RegisterMonitoringBody(
        preprocess_reference=preprocess_function,
        shap_reference=shap_function,
        configuration=File(json_bytes(config, "configuration"), "configuration.json", "application/json"),
        source=UNSET if preprocess is None else source_file(preprocess, preprocess_function, "preprocess"),
        requirements=UNSET if requirements is None else requirements_file(requirements),
    )
    await session.client.monitoring.register_monitoring(group, model_hash, body=body)
    monitoring = AsyncMonitoring(session, group, model_hash, config["Period"])
    if host:
        with told_of(f"the monitoring of {model_hash} was registered; host() on it begins the validation"):
            await monitoring.host()
    return monitoring


async def records(
    session: AsyncSession, group: str, monitored_hash: str, start: Day | None, end: Day | None
) -> list[models.MonitoringRecord]:
    """What was recorded in a range of days."""
    first, last = day_range(start, end)
    answer = await session.client.monitoring.search_monitoring_records(group, monitored_hash, start=first, end=last)
    return answer.results or []
