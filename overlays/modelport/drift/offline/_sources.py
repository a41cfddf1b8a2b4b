"""What can be compared: files here or in a store, Arrow tables, frames, batches."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

from modelport._extras import require
from modelport.drift.offline._errors import OfflineError

if TYPE_CHECKING:
    from types import ModuleType

__all__ = ["ArrowSource", "BatchSource", "FileSource", "Source", "SparkSource", "parquet_names", "source_of"]

FileFormat: TypeAlias = Literal["parquet", "csv"]

_S3_OPTIONS = (
    "aws_access_key_id",
    "aws_secret_access_key",
    "aws_session_token",
    "aws_region",
    "aws_endpoint_url",
)
_TRUTH_SUFFIX = "_labels.parquet"
_SUFFIXES: dict[str, FileFormat] = {".parquet": "parquet", ".pq": "parquet", ".csv": "csv"}


@dataclass(frozen=True, slots=True)
class FileSource:
    """Parquet or CSV files.

    Attributes:
        root: The path as it was given.
        files: Each file, or (in a store) the pattern.
        format: What they are.
        options: How to reach the store, by the names of `object_store`: ``aws_endpoint_url`` and the like.
    """

    root: str
    files: tuple[str, ...]
    format: FileFormat
    options: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)

    @property
    def is_remote(self) -> bool:
        """Whether they are in a store and not on this machine's disk."""
        return "://" in self.root

    @property
    def is_hive(self) -> bool:
        """Whether folders are called ``name=value``."""
        return any("=" in part for path in self.files for part in path.split("/")[:-1])

    def dataset(self) -> Any:
        """The files in a store as a ``pyarrow.dataset``."""
        dataset: Any = require("pyarrow.dataset", "parquet")
        filesystem = _s3(self.root, self.options)
        base = self.root.partition("://")[2].partition("*")[0].rstrip("/")
        kind = "csv" if self.format == "csv" else "parquet"
        try:
            return dataset.dataset(base, format=kind, filesystem=filesystem, partitioning="hive")
        except (OSError, ValueError) as error:
            raise OfflineError(f"{self.root}: {error}") from error


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
    if source.is_remote or source.format != "parquet":
        return []
    pq: Any = require("pyarrow.parquet", "parquet")
    try:
        return list(pq.read_schema(source.files[0]).names)
    except (OSError, ValueError) as error:
        raise OfflineError(f"{source.files[0]}: {error}") from error


def polars_options(source: FileSource) -> dict[str, Any]:
    """Arguments of Polars' scans for a store."""
    return {"storage_options": dict(source.options)} if source.is_remote and source.options else {}


def _files(path: str, options: Mapping[str, str]) -> FileSource:
    if "://" in path:
        return _remote(path, options)
    if Path(path).is_dir():
        found = sorted(
            str(file) for file in Path(path).rglob("*") if file.suffix.lower() in _SUFFIXES and file.is_file()
        )
    elif Path(path).is_file():
        found = [path]
    else:
        # Not Path.glob, which wants the pattern apart from the folder.
        found = sorted(file for file in glob.glob(path, recursive=True) if Path(file).is_file())  # noqa: PTH207
    # Ground truth lies beside the predictions, and is not one of them.
    found = [file for file in found if not file.endswith(_TRUTH_SUFFIX)] or found
    if not found:
        raise OfflineError(
            f"{path}: no Parquet or CSV file there (of a log, name the folder that holds models/predictions)"
        )
    formats: set[FileFormat | None] = {_SUFFIXES.get(Path(file).suffix.lower()) for file in found}
    only = formats.pop() if len(formats) == 1 else None
    if only is None:
        raise OfflineError(f"{path}: files must be all .parquet or all .csv")
    return FileSource(path, tuple(found), only)


def _remote(path: str, options: Mapping[str, str]) -> FileSource:
    if not path.startswith(("s3://", "s3a://")):
        raise OfflineError(f"{path}: of stores only s3:// is known")
    if path.endswith("/") or not Path(path).suffix:
        path = path.rstrip("/") + "/**/*.parquet"
    kind = _SUFFIXES.get(Path(path).suffix.lower())
    if kind is None:
        raise OfflineError(f"{path}: files must be .parquet or .csv")
    return FileSource(path, (path,), kind, dict(options) or _from_environment())


def _from_environment() -> dict[str, str]:
    """How to reach S3 by the variables that its own tools read."""
    found = {name: os.environ[name.upper()] for name in _S3_OPTIONS if os.environ.get(name.upper())}
    if found.get("aws_endpoint_url", "").startswith("http://"):
        found["aws_allow_http"] = "true"
    return found


def _s3(root: str, options: Mapping[str, str]) -> Any:
    fs: Any = require("pyarrow.fs", "parquet")
    scheme, _, endpoint = options.get("aws_endpoint_url", "").rpartition("://")
    arguments = {
        "access_key": options.get("aws_access_key_id"),
        "secret_key": options.get("aws_secret_access_key"),
        "session_token": options.get("aws_session_token"),
        "region": options.get("aws_region"),
        "endpoint_override": endpoint or None,
        "scheme": scheme or "https",
    }
    try:
        return fs.S3FileSystem(**{name: value for name, value in arguments.items() if value})
    except (OSError, ValueError) as error:
        raise OfflineError(f"{root}: {error}") from error


def _frame(data: Any, package: str) -> Source:
    pa: ModuleType = require("pyarrow", "parquet")
    arrow: Any = pa
    if package == "polars":
        return ArrowSource((data.collect() if hasattr(data, "collect") else data).to_arrow())
    if package == "pandas":
        try:
            return ArrowSource(arrow.Table.from_pandas(data, preserve_index=False))
        except (arrow.ArrowInvalid, arrow.ArrowTypeError) as error:
            raise OfflineError(f"a column of several types: {error}") from error
    if isinstance(data, arrow.RecordBatch):
        return ArrowSource(arrow.Table.from_batches([data]))
    if isinstance(data, arrow.Table):
        return ArrowSource(data)
    return BatchSource(data)
