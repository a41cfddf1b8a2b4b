"""Datasets that the platform keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from modelport._downloads import MAGIC, download_path
from modelport._io._async._shim import to_thread
from modelport.codex._async._work import AsyncWork
from modelport.codex._inputs import check_group, check_hash
from modelport.codex._records import given
from modelport.codex._states import DATASET

if TYPE_CHECKING:
    from pathlib import Path

    from modelport.codex._async._session import AsyncSession
    from modelport.codex._files import FilePath
    from modelport_api._runtime.types import RequestOptions
    from modelport_api.codex.v1 import models

__all__ = ["AsyncDataset", "AsyncDatasets"]

# The class has a method `list`, which hides the builtin from its annotations.
DatasetList: TypeAlias = "list[models.Dataset]"


class AsyncDataset(AsyncWork):
    """A dataset.

    Attributes:
        group: The group it belongs to.
        hash: Its hash, the letter D and 63 digits.
    """

    _states = DATASET

    def __init__(self, session: AsyncSession, group: str, dataset_hash: str) -> None:
        super().__init__(session)
        self.group = group
        self.hash = dataset_hash

    def __repr__(self) -> str:
        return f"AsyncDataset({self.hash!r}, group={self.group!r})"

    @property
    def _subject(self) -> str:
        return f"dataset {self.hash}"

    @property
    def _operation_id(self) -> str:
        return self.hash

    async def _ask(self, options: RequestOptions) -> Any:
        return await self._session.client.datasets.get_dataset_status(self.group, self.hash, **options)

    async def download(self, path: FilePath) -> Path:
        """Where its file is now.

        Args:
            path: A file, or a folder in which it is named by the hash and by what it is: .parquet or .csv.

        Raises:
            DownloadError: The disk refuses; nothing is left at `path`.
        """
        place = download_path(path, self.hash)
        named = place.name != self.hash
        call = self._session.client.datasets.with_streaming_response.download_dataset(self.group, self.hash)
        saved = await self._save(call, place, self.hash)
        return saved if named else await to_thread(_with_suffix, saved)

    async def delete(self) -> None:
        """Delete it, for good."""
        await self._session.client.datasets.delete_dataset(self.group, self.hash)


def _with_suffix(path: Path) -> Path:
    """Name a file by what it is: the server does not tell."""
    with path.open("rb") as file:
        parquet = file.read(4).startswith(MAGIC["parquet"])
    return path.replace(path.with_name(f"{path.name}{'.parquet' if parquet else '.csv'}"))


class AsyncDatasets:
    """``codex.datasets``."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def list(
        self,
        *,
        group: str | None = None,
        origin: str | None = None,
        origin_id: str | None = None,
        datasource: str | None = None,
    ) -> DatasetList:
        """The datasets that fit all filters.

        Args:
            group: Of this group.
            origin: Made by this kind of thing, such as ``Datasource``.
            origin_id: Made by the thing with this hash.
            datasource: Imported from this data source.
        """
        answer = await self._session.client.datasets.list_datasets(
            group=given(group), origin=given(origin), origin_id=given(origin_id), datasource=given(datasource)
        )
        return answer.results

    def get(self, dataset_hash: str, *, group: str) -> AsyncDataset:
        """A handle on a dataset; no request is sent.

        Raises:
            InvalidInputError: That is not the hash of a dataset.
        """
        return AsyncDataset(self._session, check_group(group), check_hash(dataset_hash, "D"))
