"""Tables to upload, from what data scientists have: a file, a DataFrame, an array."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from modelport._extras import require
from modelport.errors import InvalidInputError
from modelport_api.codex.v1 import File

if TYPE_CHECKING:
    from os import PathLike

__all__ = ["FilePath", "TableSource", "check_path", "table_file"]

FilePath: TypeAlias = "str | PathLike[str]"
TableSource: TypeAlias = "FilePath | Any"
"""A .csv or .parquet file, or a pandas DataFrame (or Series)."""

_TABLE_SUFFIXES = (".csv", ".parquet")
_CSV_PROBE_BYTES = 1 << 20


def check_path(path: FilePath, what: str, suffixes: tuple[str, ...] = ()) -> Path:
    """The path of a file that can be read.

    Raises:
        InvalidInputError: It is missing, a folder, unreadable, or its name ends otherwise.
    """
    place = Path(path).expanduser()
    if suffixes and place.suffix.lower() not in suffixes:
        raise InvalidInputError(f"{what} must be a {' or '.join(suffixes)} file, not {str(path)!r}")
    if not place.exists():
        raise InvalidInputError(f"{what}: there is no file {str(path)!r} (looked in {place.parent.resolve()})")
    if not place.is_file():
        raise InvalidInputError(f"{what}: {str(path)!r} is not a file")
    if not os.access(place, os.R_OK):
        raise InvalidInputError(f"{what}: {str(path)!r} cannot be read; check its permissions")
    return place


def table_file(
    source: TableSource,
    what: str,
    stem: str | None = None,
    suffixes: tuple[str, ...] = _TABLE_SUFFIXES,
    frame: str = ".parquet",
) -> File:
    """A table with at least one row, from a file or a DataFrame.

    Args:
        stem: What the file is called on the platform, without suffix; its own name by default.
        suffixes: What a file may be.
        frame: What a DataFrame becomes: .parquet, .csv or .json (a list of records).

    Raises:
        InvalidInputError: The file is missing, empty or of another kind, or there are no rows.
    """
    if not isinstance(source, str | os.PathLike):
        return _frame_file(source, what, stem or "data", frame)
    place = check_path(cast("FilePath", source), what, suffixes)
    suffix = place.suffix.lower()
    if place.stat().st_size == 0 or (suffix == ".csv" and not _has_rows(place)):
        raise InvalidInputError(f"{what}: {os.fspath(place)!r} has no rows")
    return File(place, name=f"{stem}{suffix}" if stem else place.name, content_type="application/octet-stream")


def _has_rows(place: Path) -> bool:
    """Whether a csv file has a line beside the header; a giant first line counts, the server will judge it."""
    with place.open("rb") as file:
        head = file.read(_CSV_PROBE_BYTES)
    lines = [line for line in head.splitlines() if line.strip()]
    return len(lines) > 1 or len(head) == _CSV_PROBE_BYTES


def _frame_file(source: Any, what: str, stem: str, suffix: str) -> File:
    frame = _as_frame(source, what)
    if not len(frame):
        raise InvalidInputError(f"{what} has no rows")
    if suffix == ".csv":
        return File(frame.to_csv(index=False).encode(), name=f"{stem}.csv", content_type="text/csv")
    if suffix == ".json":
        text: str = frame.to_json(orient="records")
        return File(text.encode(), name=f"{stem}.json", content_type="application/json")
    require("pyarrow", "training")
    buffer = io.BytesIO()
    # Parquet wants text for the names of columns.
    frame.rename(columns=str).to_parquet(buffer, index=False)
    return File(buffer.getvalue(), name=f"{stem}.parquet", content_type="application/octet-stream")


def _as_frame(source: Any, what: str) -> Any:
    """A DataFrame from a DataFrame, a Series, an array or a list.

    Raises:
        InvalidInputError: It is nothing of the kind.
        MissingExtraError: pandas is not installed.
    """
    pandas = require("pandas", "training")
    if isinstance(source, pandas.DataFrame):
        return source
    if isinstance(source, pandas.Series):
        return source.to_frame(name=source.name if source.name is not None else what)
    try:
        frame = pandas.DataFrame(source)
    except (TypeError, ValueError) as error:
        raise InvalidInputError(f"{what} must be a file, a DataFrame, a Series or an array: {error}") from error
    frame.columns = [what] if frame.shape[1] == 1 else [f"{what}_{index}" for index in range(frame.shape[1])]
    return frame
