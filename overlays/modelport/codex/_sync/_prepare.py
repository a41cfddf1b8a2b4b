# Derived from overlays/modelport/codex/_async/_prepare.py by modelport_tools.unasync; do not edit.
"""Run an Async preprocessing in front of an Async model, and hand on what it made."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, cast

from modelport.codex._sync.multi_preprocessing import MultiPreprocessing
from modelport.codex._sync.preprocessing import Preprocessing
from modelport.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Generator
    from os import PathLike

    from modelport.codex._files import TableSource

__all__ = ["Preparation", "prepared_input"]

Preparation: TypeAlias = Preprocessing | MultiPreprocessing


@contextmanager
def prepared_input(
    preprocessing: Preparation,
    data: TableSource | None,
    dataset: str | None,
    token: str | None,
) -> Generator[Path]:
    """The file that a preprocessing made of an input; it is gone after the block."""
    with tempfile.TemporaryDirectory(prefix="modelport-") as scratch:
        if isinstance(preprocessing, MultiPreprocessing):
            files = _by_name(data)
            started = preprocessing.submit(files, datasets=[] if dataset is None else [dataset])
            started.wait()
            yield started.download(Path(scratch) / "preprocessed.parquet")
        else:
            if dataset is not None or data is None:
                raise InvalidInputError("a preprocessing with one input takes data: a file or a DataFrame")
            run = preprocessing.submit(data, group_token=token)
            run.wait()
            paths = run.download_files(scratch)
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
