# Derived from overlays/modelport/codex/_async/external_monitoring.py by modelport_tools.unasync; do not edit.
"""Watching models that are served elsewhere."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from modelport.codex._files import plain_file, requirements_file, source_file
from modelport.codex._inputs import check_choice, check_day, check_function, check_group, check_python_version
from modelport.codex._records import given, told_of
from modelport.codex._states import MONITORING
from modelport.codex._sync._work import Work
from modelport.errors import InvalidInputError
from modelport_api.codex.v1 import UNSET, models

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelport.codex._files import FilePath, Requirements
    from modelport.codex._inputs import Day
    from modelport.codex._sync._session import Session
    from modelport_api._runtime.types import RequestOptions

__all__ = ["ExternalMonitoring", "create_external"]

_PERIODS = ("Day", "Week", "Quarter", "Month", "Year")


class ExternalMonitoring(Work):
    """The monitoring of a model that is served elsewhere; `wait` waits until it is validated.

    Attributes:
        group: Who owns it.
        hash: Its hash.
    """

    _states = MONITORING

    def __init__(self, session: Session, group: str, external_hash: str) -> None:
        super().__init__(session)
        self.group = group
        self.hash = external_hash

    def __repr__(self) -> str:
        return f"ExternalMonitoring({self.hash!r}, group={self.group!r})"

    @property
    def _subject(self) -> str:
        return f"external monitoring {self.hash}"

    @property
    def _operation_id(self) -> str:
        return self.hash

    def _ask(self, options: RequestOptions) -> Any:
        return self._session.client.external_monitoring.get_external_monitoring_status(self.hash, **options)

    def host(self) -> None:
        """Begin the validation; wait for it next."""
        self._session.client.external_monitoring.host_external_monitoring(self.hash)

    def set_model(self, model: FilePath) -> None:
        """Upload the model."""
        body = models.ExternalMonitoringModelBody(model=plain_file(model, "model"))
        self._session.client.external_monitoring.set_monitoring_model(self.hash, body=body)

    def set_requirements(self, requirements: Requirements) -> None:
        """Upload a requirements.txt, or its lines."""
        body = models.ExternalMonitoringRequirementsBody(requirements=requirements_file(requirements))
        self._session.client.external_monitoring.set_monitoring_requirements(self.hash, body=body)

    def set_script(
        self,
        source: FilePath,
        *,
        preprocess_function: str = "parse",
        shap_function: str = "get_shap",
        python_version: str = "3.10",
    ) -> None:
        """Upload the script with the two functions."""
        body = _script_body(source, preprocess_function, shap_function, python_version)
        self._session.client.external_monitoring.set_monitoring_script(self.hash, body=body)


def _script_body(
    source: FilePath, preprocess_function: str, shap_function: str, python_version: str
) -> models.ExternalMonitoringScriptBody:
    source_file(source, check_function(shap_function, "shap_function"))
    return models.ExternalMonitoringScriptBody(
        preprocess_reference=check_function(preprocess_function, "preprocess_function"),
        shap_reference=shap_function,
        python_version=models.PythonVersion(check_python_version(python_version)),
        script=source_file(source, preprocess_function),
    )


def create_external(
    session: Session,
    name: str,
    *,
    group: str,
    training_execution: int,
    period: str,
    input_columns: Sequence[str],
    output_columns: Sequence[str],
    datasource: str,
    datasource_uri: str,
    extraction: str,
    date_column: str | None,
    reference_date: Day | None,
    python_version: str,
    model: FilePath | None,
    requirements: Requirements | None,
    source: FilePath | None,
    preprocess_function: str,
    shap_function: str,
    host: bool,
) -> ExternalMonitoring:
    """Check everything, then register, upload each part and host."""
    if not name.strip() or not input_columns or not output_columns:
        raise InvalidInputError("an external monitoring needs a name, input_columns and output_columns")
    if isinstance(input_columns, str) or isinstance(output_columns, str):
        raise InvalidInputError("input_columns and output_columns must be lists of names")
    body = models.RegisterExternalMonitoringBody(
        name=name,
        group=check_group(group),
        training_execution_id=int(training_execution),
        period=models.ExternalPeriod(check_choice(period, "period", _PERIODS)),
        input_cols=list(input_columns),
        output_cols=list(output_columns),
        data_source_name=datasource,
        extraction_type=models.ExtractionType(check_choice(extraction, "extraction", ("Full", "Incremental"))),
        data_source_uri=datasource_uri,
        column_name=given(date_column),
        reference_date=UNSET if reference_date is None else _iso_day(reference_date),
        python_version=models.PythonVersion(check_python_version(python_version)),
    )
    if model is not None:
        plain_file(model, "model")
    if requirements is not None:
        requirements_file(requirements)
    if source is not None:
        _script_body(source, preprocess_function, shap_function, python_version)
    registered = session.client.external_monitoring.register_external_monitoring(body=body)
    monitoring = ExternalMonitoring(session, group, registered.external_monitoring_hash)
    with told_of(f"the monitoring was registered as {monitoring.hash}; codex.monitoring.get_external finds it"):
        if model is not None:
            monitoring.set_model(model)
        if requirements is not None:
            monitoring.set_requirements(requirements)
        if source is not None:
            monitoring.set_script(
                source,
                preprocess_function=preprocess_function,
                shap_function=shap_function,
                python_version=python_version,
            )
        if host:
            monitoring.host()
    return monitoring


def _iso_day(value: Day) -> dt.date:
    return dt.datetime.strptime(check_day(value, "reference_date"), "%d-%m-%Y").date()  # noqa: DTZ007 - a day
