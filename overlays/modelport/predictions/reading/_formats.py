"""The kinds of file, by suffix, and how each becomes records."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from modelport.predictions._frame_file import read_frames
from modelport.predictions.columns import read_parquet
from modelport.predictions.reading._lines import LineTooLongError, decode_line, split_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from modelport.predictions._record import Record
    from modelport.predictions.reading._sources import Source

__all__ = ["Item", "Job", "format_of"]

Item: TypeAlias = "Record | tuple[int, Exception]"
"""A record, or the number of a line (in frames: the offset of a byte) and why there is none."""

_GZIP_WINDOW = 16 + zlib.MAX_WBITS
_LABELS_PARQUET = "_labels.parquet"


class Job(msgspec.Struct, frozen=True):
    """One file to be read.

    Attributes:
        source: Where it lies.
        path: Its name there.
        endpoint: The endpoint of its folder, if that is known.
        truths: Whether ground truth is wanted and not predictions: a format may then leave the others unread.
    """

    source: Source
    path: str
    endpoint: str | None
    truths: bool


def format_of(path: str) -> Callable[[Job], Iterator[Item]] | None:
    """How to read a file of this name; None for one that holds no records."""
    for suffix, read in _FORMATS.items():
        if path.endswith(suffix):
            return read
    return None


def _read_text(job: Job) -> Iterator[Item]:
    return _read_lines(job.source.chunks(job.path), job)


def _read_gzip(job: Job) -> Iterator[Item]:
    errors: list[Exception] = []
    yield from _read_lines(_unzipped(job.source.chunks(job.path), errors), job)
    for error in errors:
        yield 0, error


def _read_lines(chunks: Iterable[bytes], job: Job) -> Iterator[Item]:
    for number, line in split_lines(chunks):
        if line is None:
            yield number, LineTooLongError("longer than 16 MiB")
            continue
        # Decoding is most of the work, and of most lines this tells already that they are no ground truth.
        if job.truths and b'"label"' not in line:
            continue
        try:
            record = decode_line(line, job.endpoint)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            yield number, error
        else:
            yield record


def _unzipped(chunks: Iterable[bytes], errors: list[Exception]) -> Iterator[bytes]:
    """The content of a gzip file of one or more members; what is wrong with it is added to `errors` at its end."""
    unzip = zlib.decompressobj(_GZIP_WINDOW)
    fed = False
    try:
        for chunk in chunks:
            data = chunk
            while data:
                if unzip.eof:
                    # NULs between members: what a crash leaves at the end of a file that is appended to later.
                    data = data.lstrip(b"\0")
                    unzip, fed = zlib.decompressobj(_GZIP_WINDOW), False
                    continue
                fed = True
                yield unzip.decompress(data, _MAX_PIECE_BYTES)
                data = unzip.unconsumed_tail or unzip.unused_data
        while fed and not unzip.eof and (piece := unzip.decompress(unzip.unconsumed_tail, _MAX_PIECE_BYTES)):
            yield piece
    except zlib.error as error:
        errors.append(error)
        return
    if fed and not unzip.eof:
        errors.append(EOFError("the gzip file is cut short"))


_MAX_PIECE_BYTES = 1024**2


def _read_parquet(job: Job) -> Iterator[Item]:
    # Predictions and ground truth lie in different files.
    if job.truths != job.path.endswith(_LABELS_PARQUET):
        return
    with job.source.seekable(job.path) as file:
        yield from _guarded(read_parquet(file))


def _read_frames(job: Job) -> Iterator[Item]:
    errors: list[Item] = []
    with job.source.seekable(job.path) as file:
        for record in read_frames(file, on_error=lambda offset, error: errors.append((offset, error))):
            yield from errors
            errors.clear()
            yield record
    yield from errors


def _guarded(records: Iterator[Record]) -> Iterator[Item]:
    """`records`, and instead of an error its place: after it nothing more of the file can be read."""
    count = 0
    try:
        for record in records:
            count += 1
            yield record
    except (ValueError, KeyError, TypeError, OSError, RecursionError) as error:
        # pyarrow's errors are ValueErrors and OSErrors; the file is local, so it is its content that is wrong.
        yield count + 1, error


_FORMATS: dict[str, Callable[[Job], Iterator[Item]]] = {
    ".txt": _read_text,
    ".jsonl": _read_text,
    ".txt.gz": _read_gzip,
    ".jsonl.gz": _read_gzip,
    ".msgpack": _read_frames,
    ".parquet": _read_parquet,
}
