"""Reading logged predictions back."""

from __future__ import annotations

import datetime as dt
import logging
import re
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from modelport.predictions._paths import PREFIX, path_part
from modelport.predictions._record import Prediction, from_json_line, to_nanoseconds

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator


__all__ = ["read_predictions"]

# A collector names a file by a window (of up to an hour here), and may flush a record into the window after its own.
_SLACK = dt.timedelta(hours=1)
_FILE_NAME = re.compile(r"(\d{2})(\d{2})_.*\.txt")

_logger = logging.getLogger("modelport.predictions")


def read_predictions(
    directory: str | os.PathLike[str],
    endpoint: str | None = None,
    start: dt.datetime | None = None,
    end: dt.datetime | None = None,
    *,
    on_error: Callable[[Path, int, Exception], None] | None = None,
) -> Iterator[Prediction]:
    """Yield the predictions below `directory`, the root given to `FileSink`, file by file in order of their names.

    Args:
        directory: Holds ``models/predictions/{endpoint}/{date}/{HHMM}_....txt``.
        endpoint: Only this endpoint; by default all.
        start: Only predictions made at or after it (aware).
        end: Only predictions made before it (aware).
        on_error: Called with path, line number and error for a line that cannot be read, such as the last one of a
            file still being written. By default such lines are skipped and their number is logged per file.

    Raises:
        ValueError: `start` or `end` has no time zone.
        FileNotFoundError: `directory` does not exist.
    """
    first = None if start is None else to_nanoseconds(start)
    last = None if end is None else to_nanoseconds(end)
    root = Path(directory)
    if not root.is_dir():
        message = f"no such directory: {root}"
        raise FileNotFoundError(message)
    return _read(root, endpoint, (start, end), (first, last), on_error)


def _read(
    root: Path,
    endpoint: str | None,
    window: tuple[dt.datetime | None, dt.datetime | None],
    window_ns: tuple[int | None, int | None],
    on_error: Callable[[Path, int, Exception], None] | None,
) -> Iterator[Prediction]:
    first, last = window_ns
    for path in _files(root, endpoint, window):
        for record in _records(path, on_error):
            if (first is None or record.timestamp_ns >= first) and (last is None or record.timestamp_ns < last):
                yield record


def _files(root: Path, endpoint: str | None, window: tuple[dt.datetime | None, dt.datetime | None]) -> Iterator[Path]:
    base = root / PREFIX
    folders = [base / path_part(endpoint)] if endpoint is not None else sorted(base.glob("*/"))
    for folder in folders:
        for path in sorted(folder.glob("*/*.txt")):
            moment = _moment(path)
            if moment is not None and _overlaps(moment, window):
                yield path


def _moment(path: Path) -> dt.datetime | None:
    clock = _FILE_NAME.fullmatch(path.name)
    if clock is None:
        return None
    try:
        date = dt.datetime.strptime(path.parent.name, "%Y-%m-%d").replace(tzinfo=dt.UTC)
        return date.replace(hour=int(clock[1]), minute=int(clock[2]))
    except ValueError:
        return None


def _overlaps(moment: dt.datetime, window: tuple[dt.datetime | None, dt.datetime | None]) -> bool:
    start, end = window
    # Compared as differences: a datetime near year 1 or 9999 has no room for the slack itself.
    return (start is None or start - moment <= _SLACK) and (end is None or moment - end < _SLACK)


def _records(path: Path, on_error: Callable[[Path, int, Exception], None] | None) -> Iterator[Prediction]:
    bad = 0
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                record = from_json_line(line)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                bad += 1
                if on_error is not None:
                    on_error(path, number, error)
                continue
            if isinstance(record, Prediction):
                yield record
    if bad and on_error is None:
        _logger.warning("%s: %d unreadable lines skipped", path, bad)
