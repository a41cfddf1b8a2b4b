"""What can be compared: files here or in a store, Arrow tables, frames, batches."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

from modelport._extras import require
from modelport.drift.offline import _remote
from modelport.drift.offline._arrow import plain_columns
from modelport.drift.offline._errors import OfflineError

if TYPE_CHECKING:
    from types import ModuleType

__all__ = [
    "ArrowSource",
    "BatchSource",
    "FileSource",
    "Source",
    "SparkSource",
    "format_of",
    "is_hive",
    "parquet_names",
    "source_of",
]

FileFormat: TypeAlias = Literal["parquet", "csv"]

TRUTH_SUFFIX = "_labels.parquet"
"""How files of ground truth end, as `ParquetSink` names them."""
_SUFFIXES: dict[str, FileFormat] = {
    ".parquet": "parquet", ".pq": "parquet", ".csv": "csv", ".csv.gz": "csv", ".csv.bz2": "csv", ".csv.zst": "csv",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class FileSource:
    """Parquet or CSV files.

    Attributes:
        root: The path as it was given.
        files: Each file, in a store as ``s3://bucket/key``.
        format: What they are.
        truths: Files of ground truth that lay among them.
        options: How to reach the store, by the names of `object_store`: ``aws_endpoint_url`` and the like.
    """

    root: str
    files: tuple[str, ...]
    format: FileFormat
    truths: int = 0
    options: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)

    @property
    def is_remote(self) -> bool:
        """Whether they are in a store and not on this machine's disk."""
        return "://" in self.root

    def dataset(self) -> Any:
        """Parquet files in a store as a ``pyarrow.dataset``."""
        paths = [file.partition("://")[2] for file in self.files]
        return _remote.open_dataset(self.root, paths, self.options)

    def open(self, file: str) -> Any:
        """One of the files, as a path or a stream that Arrow reads."""
        if not self.is_remote:
            return file
        return _remote.open_stream(self.root, file.partition("://")[2], self.options)


@dataclass(frozen=True, slots=True)
class ArrowSource:
    """A ``pyarrow.Table`` in memory."""

    table: Any


@dataclass(frozen=True, slots=True)
class BatchSource:
    """Arrow record batches or tables, read once and one after the other."""

    batches: Iterable[Any]


@dataclass(frozen=True, slots=True)
class SparkSource:
    """A Spark DataFrame."""

    frame: Any


Source: TypeAlias = "FileSource | ArrowSource | BatchSource | SparkSource"


def source_of(data: object, options: Mapping[str, str] | None = None) -> Source:
    """What `data` is.

    Args:
        data: A path, pattern or folder of Parquet or CSV files, an ``s3://`` address of such; an Arrow table, a
            record batch or a reader of them; a pandas, polars or Spark data frame; an iterable of Arrow batches.
        options: How to reach a store.

    Raises:
        OfflineError: None of these, or no file there.
    """
    if isinstance(data, (str, os.PathLike)):
        return _files(os.fspath(cast("str", data)), options or {})
    package = type(data).__module__.partition(".")[0]
    if package == "pyspark":
        return SparkSource(data)
    if package in {"pyarrow", "pandas", "polars"}:
        return _frame(data, package)
    if isinstance(data, Iterable):
        return BatchSource(cast("Iterable[Any]", data))
    raise OfflineError(f"not a kind of data that can be compared: {type(data).__name__}")


def parquet_names(source: FileSource | ArrowSource) -> list[str]:
    """The names of the columns as the (first) file has them; empty where the engine has to say."""
    if isinstance(source, ArrowSource):
        return list(source.table.schema.names)
    if source.is_remote:
        return []
    pq: Any = require("pyarrow.parquet", "parquet")
    try:
        return list(pq.read_schema(source.files[0]).names)
    except (OSError, ValueError) as error:
        raise OfflineError(f"{source.files[0]}: {error}") from error


def format_of(path: str) -> FileFormat | None:
    """What the name says that a file is; None where it is neither."""
    return next((kind for suffix, kind in _SUFFIXES.items() if path.lower().endswith(suffix)), None)


def is_hive(files: Sequence[str]) -> bool:
    """Whether folders are called ``name=value``."""
    return any("=" in part for path in files for part in path.split("/")[:-1])


def _files(path: str, options: Mapping[str, str]) -> FileSource:
    if not path:
        raise OfflineError("no data: the path is empty")
    if "://" in path:
        return _in_store(path, options)
    if Path(path).is_dir():
        found = sorted(str(file) for file in Path(path).rglob("*") if format_of(file.name) and file.is_file())
    elif Path(path).is_file():
        found = [path]
    else:
        # Not Path.glob, which wants the pattern apart from the folder.
        found = sorted(file for file in glob.glob(path, recursive=True) if Path(file).is_file())  # noqa: PTH207
    if not found:
        raise OfflineError(
            f"{path}: no Parquet or CSV file there (of a log, name the folder that holds models/predictions)"
        )
    files = _without_truth(found)
    formats: set[FileFormat | None] = {format_of(file) for file in files}
    only = formats.pop() if len(formats) == 1 else None
    if only is None:
        raise OfflineError(
            f"{path}: files must be all .parquet or all .csv (.csv.gz); JSON lines are for `modelport drift compare`"
        )
    return FileSource(path, tuple(files), only, len(found) - len(files))


def _without_truth(files: Sequence[str]) -> list[str]:
    """Ground truth lies beside the predictions, and is not one of them."""
    return [file for file in files if not file.endswith(TRUTH_SUFFIX)] or list(files)


def _in_store(path: str, options: Mapping[str, str]) -> FileSource:
    _remote.split(path)
    kind = format_of(path)
    if kind is None or path.endswith("/"):
        return _in_store(path.rstrip("/") + "/**/*.parquet", options)
    reach = _remote.reach(options)
    found = [f"s3://{file}" for file in _remote.find(path, reach)]
    if not found:
        raise OfflineError(f"{path}: no {'CSV' if kind == 'csv' else 'Parquet'} file there")
    files = _without_truth(found)
    return FileSource(path, tuple(files), kind, len(found) - len(files), reach)


def _frame(data: Any, package: str) -> Source:
    pa: ModuleType = require("pyarrow", "parquet")
    arrow: Any = pa
    try:
        if package == "polars":
            data = (data.collect() if hasattr(data, "collect") else data).to_arrow()
        elif package == "pandas":
            data = arrow.Table.from_pandas(data, preserve_index=False)
    except (arrow.ArrowException, TypeError) as error:
        raise OfflineError(f"a column of several types, or of one that Arrow has not: {error}") from error
    if isinstance(data, arrow.RecordBatch):
        data = arrow.Table.from_batches([data])
    return ArrowSource(plain_columns(data)) if isinstance(data, arrow.Table) else BatchSource(data)
