"""The files that one journal becomes."""

from __future__ import annotations

import gzip
import logging
from collections import defaultdict
from typing import TYPE_CHECKING, Literal, TypeAlias

import msgspec

from modelport.predictions._delivery import told
from modelport.predictions._gently import in_steps
from modelport.predictions._paths import PREFIX, minute_names, minute_of, path_part
from modelport.predictions._record import GroundTruth
from modelport.predictions.columns import to_parquet
from modelport.predictions.reading._lines import decode_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from modelport.predictions._record import Record

__all__ = ["FORMATS", "Format", "files_of", "stem_of", "window_of"]

Format: TypeAlias = Literal["txt", "txt.gz", "parquet"]
FORMATS: tuple[Format, ...] = ("txt", "txt.gz", "parquet")

WINDOW_MINUTES = 15
"""Records of one quarter of an hour share a file, as in the guides' layout."""

_LINES_PER_STEP = 200

_logger = logging.getLogger("modelport.predictions")


def stem_of(logger_id: str, replica_id: str) -> str:
    """What names a file beside its time."""
    return f"{path_part(logger_id)}-{path_part(replica_id)}"


def window_of(timestamp_ns: int) -> int:
    """The minute at which the quarter of an hour of a record begins."""
    return minute_of(timestamp_ns) // WINDOW_MINUTES * WINDOW_MINUTES


def files_of(lines: Iterable[bytes], name: str, form: Format) -> Iterator[tuple[str, bytes]]:
    """Yield path and content of each file that the journal called `name` becomes.

    The same journal gives the same paths, whoever ships it: what a process that died half-way has put is replaced.
    """
    groups: defaultdict[tuple[str, int], list[tuple[bytes, Record]]] = defaultdict(list)
    for step in in_steps(lines, _LINES_PER_STEP):
        for line in step:
            try:
                record = decode_line(line)
                window = window_of(record.timestamp_ns)
                minute_names(window)
            except (msgspec.DecodeError, UnicodeDecodeError, OverflowError, RecursionError) as error:
                _logger.warning("journal %s: an unreadable line is left out: %s", name, told(error))
                continue
            groups[record.endpoint, window].append((line, record))
    for (endpoint, window), group in groups.items():
        yield from _encoded(group, name, endpoint, window, form)


def _path(name: str, endpoint: str, window: int, suffix: str) -> str:
    date, clock = minute_names(window)
    return f"{PREFIX}/{path_part(endpoint)}/{date}/{clock}_{name}{suffix}"


def _encoded(
    group: Sequence[tuple[bytes, Record]], name: str, endpoint: str, window: int, form: Format
) -> Iterator[tuple[str, bytes]]:
    text = b"".join(line for line, _ in group)
    if form == "txt":
        yield _path(name, endpoint, window, ".txt"), text
    elif form == "txt.gz":
        yield _path(name, endpoint, window, ".txt.gz"), gzip.compress(text, mtime=0)
    else:
        yield from _as_parquet(group, text, name, endpoint, window)


def _as_parquet(
    group: Sequence[tuple[bytes, Record]], text: bytes, name: str, endpoint: str, window: int
) -> Iterator[tuple[str, bytes]]:
    truths = [record for _, record in group if isinstance(record, GroundTruth)]
    predictions = [record for _, record in group if not isinstance(record, GroundTruth)]
    try:
        files = [
            (_path(name, endpoint, window, suffix), to_parquet(records))
            for suffix, records in ((".parquet", predictions), ("_labels.parquet", truths))
            if records
        ]
    except Exception as error:  # noqa: BLE001 - records must not wait for ever on a fault of the encoder
        _logger.warning("journal %s: no Parquet could be made of it, it is kept as text: %s", name, told(error))
        files = [(_path(name, endpoint, window, ".txt"), text)]
    yield from files
