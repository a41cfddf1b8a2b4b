"""Run an Async preprocessing in front of an Async model, and hand on what it made."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, cast

from modelport.codex._async.multi_preprocessing import AsyncMultiPreprocessing
from modelport.codex._async.preprocessing import AsyncPreprocessing
from modelport.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from os import PathLike

    from modelport.codex._files import TableSource

__all__ = ["AsyncPreparation", "prepared_input"]

AsyncPreparation: TypeAlias = AsyncPreprocessing | AsyncMultiPreprocessing


@asynccontextmanager
async def prepared_input(
    preprocessing: AsyncPreparation,
    data: TableSource | None,
    dataset: str | None,
    token: str | None,
) -> AsyncGenerator[Path]:
    """The file that a preprocessing made of an input; it is gone after the block."""
    with tempfile.TemporaryDirectory(prefix="modelport-") as scratch:
        if isinstance(preprocessing, AsyncMultiPreprocessing):
            files = _by_name(data)
            started = await preprocessing.submit(files, datasets=[] if dataset is None else [dataset])
            await started.wait()
            yield await started.download(Path(scratch) / "preprocessed.parquet")
        else:
            if dataset is not None or data is None:
                raise InvalidInputError("a preprocessing with one input takes data: a file or a DataFrame")
            run = await preprocessing.submit(data, group_token=token)
            await run.wait()
            paths = await run.download_files(scratch)
            if len(paths) != 1:
                names = ", ".join(path.name for path in paths) or "none"
                raise InvalidInputError(f"a model takes one file; the preprocessing made: {names}")
            yield paths[0]


def _by_name(data: TableSource | None) -> Mapping[str, TableSource]:
    """Files by the name of their dataset: a lone file is the dataset of its own name."""
    if data is None:
        return {}
    if isinstance(data, Mapping):
        return cast("Mapping[str, TableSource]", data)
    if isinstance(data, str | Path):
        return {Path(cast("str | PathLike[str]", data)).stem: data}
    return {"data": data}
