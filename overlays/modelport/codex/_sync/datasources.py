# Derived from overlays/modelport/codex/_async/datasources.py by modelport_tools.unasync; do not edit.
"""Places in a cloud that datasets are imported from."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from modelport.codex._files import json_file
from modelport.codex._inputs import check_choice, check_group
from modelport.codex._sync.datasets import Dataset
from modelport.errors import InvalidInputError
from modelport_api.codex.v1 import models

if TYPE_CHECKING:
    from modelport.codex._files import JsonSource
    from modelport.codex._sync._session import Session

__all__ = ["DataSource", "DataSources"]

# The class has a method `list`, which hides the builtin from its annotations.
DataSourceList: TypeAlias = "list[models.Datasource]"
_PROVIDERS = ("Azure", "AWS", "GCP")


class DataSource:
    """A data source.

    Attributes:
        group: The group it belongs to.
        name: Its name.
    """

    def __init__(self, session: Session, group: str, name: str) -> None:
        self._session = session
        self.group = group
        self.name = name

    def __repr__(self) -> str:
        return f"DataSource({self.name!r}, group={self.group!r})"

    def import_dataset(self, uri: str, name: str, *, force: bool = False) -> list[Dataset]:
        """The datasets that an import makes, one for each file; wait for each.

        Args:
            uri: Where the file is, in the cloud's own notation.
            name: What to call the dataset.
            force: Fetch it even if the platform has it.
        """
        if not uri or not name:
            raise InvalidInputError("an import needs a uri and a name")
        body = models.ImportDatasetBody(uri=uri, name=name)
        answer = self._session.client.datasources.import_dataset(self.group, self.name, body=body, force=force)
        return [Dataset(self._session, self.group, dataset_hash) for dataset_hash in answer.datasets]

    def delete(self) -> None:
        """Delete it; the datasets that came from it stay."""
        self._session.client.datasources.delete_datasource(self.group, self.name)


class DataSources:
    """``codex.datasources``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def create(self, name: str, *, group: str, provider: str, credentials: JsonSource) -> DataSource:
        """A new data source.

        Args:
            name: What to call it.
            group: The group that may use it.
            provider: ``GCP``, ``AWS`` or ``Azure``.
            credentials: The cloud's own JSON file, or what would be in it; it goes to the platform.

        Raises:
            InvalidInputError: The credentials are no JSON object, or the provider is unknown.
        """
        if not name.strip():
            raise InvalidInputError("the name of a data source is empty")
        body = models.RegisterDatasourceBody(
            name=name,
            provider=models.DataSourceProvider(check_choice(provider, "provider", _PROVIDERS)),
            credentials=json_file(credentials, "credentials", "credentials.json"),
        )
        self._session.client.datasources.register_datasource(check_group(group), body=body)
        return DataSource(self._session, group, name)

    def list(self, *, group: str, provider: str) -> DataSourceList:
        """The data sources of a group in a cloud."""
        kind = models.DataSourceProvider(check_choice(provider, "provider", _PROVIDERS))
        answer = self._session.client.datasources.list_datasources(group=check_group(group), provider=kind)
        return answer.results

    def get(self, name: str, *, group: str) -> DataSource:
        """A handle on a data source; no request is sent."""
        return DataSource(self._session, check_group(group), name)
