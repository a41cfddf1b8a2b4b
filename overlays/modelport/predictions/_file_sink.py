"""Predictions in rotating files, as lines of JSON or as frames of msgpack."""

from __future__ import annotations

import os
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from modelport._files import (
    CLOSE_ON_EXEC,
    PRIVATE_FILE,
    append_whole,
    make_private_directory,
    sync_directories,
    try_lock,
    unlock,
)
from modelport.predictions._frame_file import pack_frame
from modelport.predictions._frame_maker import frames_of
from modelport.predictions._paths import PREFIX, default_replica_id, minute_names, minute_of, path_part
from modelport.predictions._record import to_json_line
from modelport.predictions._sink import DEFAULT_MAX_BUFFER, Sink

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from modelport.predictions._frame import Frame
    from modelport.predictions._record import Record

__all__ = ["FileSink"]

_DEFAULT_MAX_FILE_BYTES = 64 * 1024 * 1024
_MAX_FILES_PER_MINUTE = 10_000
_SUFFIXES = {"jsonl": ".txt", "msgpack": ".msgpack"}


class FileSink(Sink):
    """Append predictions to ``models/predictions/{endpoint}/{date}/{HHMM}_{logger_id}-{replica_id}.txt``.

    With ``format="msgpack"`` the name ends in ``.msgpack``, and the file holds frames, the very bytes that modelport
    keeps records as (`modelport.predictions.read_frames` reads them): a small part of the cost.

    Date and minute are those of the prediction, in UTC. A file that has reached `max_file_bytes`, or that another
    process is writing, is followed by ``..._{replica_id}.1.txt`` and so on. Files are created with mode 0600. A
    batch goes in whole or not at all; a line that a crash or a full disk has cut is ended before the next one.
    """

    def __init__(
        self,
        directory: str | os.PathLike[str],
        *,
        format: Literal["jsonl", "msgpack"] = "jsonl",  # noqa: A002 - the word for it
        logger_id: str | None = None,
        replica_id: str | None = None,
        max_file_bytes: int = _DEFAULT_MAX_FILE_BYTES,
        fsync: bool = False,
        max_buffer: int = DEFAULT_MAX_BUFFER,
        name: str = "file",
    ) -> None:
        """Prepare a sink; nothing is created before the first prediction.

        Args:
            directory: The root below which the layout begins.
            format: ``"jsonl"`` for lines of JSON, which anything reads, or ``"msgpack"`` for frames.
            logger_id: Names the writing process; by default made from its process id, anew after a fork.
            replica_id: Names the model server; by default ``BEDROCK_POD_NAME``, ``POD_NAME`` or the host name.
            max_file_bytes: A file is not appended to once it is this large.
            fsync: Wait for the disk after every batch: survives a power cut, costs milliseconds per batch.
            max_buffer: Records kept while the disk is full or gone.
            name: How metrics call this sink.

        Raises:
            ValueError: Another format, or a file of no byte.
        """
        if format not in _SUFFIXES:
            message = f"format is one of {sorted(_SUFFIXES)}, not {format!r}"
            raise ValueError(message)
        if max_file_bytes < 1:
            message = f"max_file_bytes is at least 1, not {max_file_bytes}"
            raise ValueError(message)
        self.takes_frames = format == "msgpack"
        self._suffix = _SUFFIXES[format]
        self.directory = Path(directory)
        self.name = name
        self.max_buffer = max_buffer
        self._logger_id = logger_id
        self._replica_id = replica_id or default_replica_id()
        self._max_file_bytes = max_file_bytes
        self._fsync = fsync

    def write(self, records: Sequence[Record]) -> None:
        """Append `records`.

        Raises:
            OSError: The disk is full, or the directory cannot be written. What had been written of this batch has
                been taken back.
        """
        encode = _as_frames if self.takes_frames else _as_lines
        groups = groupby(sorted(records, key=_file_key), _file_key)
        self._append_all((key, encode(list(group))) for key, group in groups)

    def write_frames(self, frames: Sequence[Frame]) -> None:
        """Append `frames` as they are.

        Raises:
            OSError: As for `write`.
        """
        if any(minute_of(frame.first_ns) != minute_of(frame.last_ns) for frame in frames):
            # A file holds the records of its minute; such a frame has to be taken apart.
            self.write([record for frame in frames for record in frame.records()])
            return
        groups = groupby(frames, lambda frame: (frame.endpoint, minute_of(frame.first_ns)))
        self._append_all((key, b"".join(map(pack_frame, group))) for key, group in groups)

    def _append_all(self, parts: Iterable[tuple[tuple[str, int], bytes]]) -> None:
        done: list[_Appended] = []
        try:
            for (endpoint, minute), content in parts:
                done.append(self._append(endpoint, minute, content))
        except BaseException:
            for appended in reversed(done):
                appended.take_back()
            raise

    def _append(self, endpoint: str, minute: int, content: bytes) -> _Appended:
        date, clock = minute_names(minute)
        folder = self.directory / PREFIX / path_part(endpoint) / date
        logger_id = self._logger_id or f"modelport{os.getpid()}"
        stem = f"{clock}_{path_part(logger_id)}-{path_part(self._replica_id)}"
        for path in self._candidates(folder, stem):
            descriptor = _open(path)
            try:
                if try_lock(descriptor) and os.fstat(descriptor).st_size < self._max_file_bytes:
                    start = _append(descriptor, content, fsync=self._fsync, lines=not self.takes_frames)
                    if self._fsync and not start:
                        sync_directories(folder, self.directory)
                    return _Appended(path, start, os.fstat(descriptor).st_size)
            finally:
                unlock(descriptor)
                os.close(descriptor)
        message = f"more than {_MAX_FILES_PER_MINUTE} files for one minute: {folder / stem}"
        raise OSError(message)

    def _candidates(self, folder: Path, stem: str) -> Iterable[Path]:
        yield folder / f"{stem}{self._suffix}"
        for number in range(1, _MAX_FILES_PER_MINUTE):
            yield folder / f"{stem}.{number}{self._suffix}"


class _Appended:
    """An append that can be undone while no other batch has followed it."""

    def __init__(self, path: Path, start: int, end: int) -> None:
        self._path = path
        self._start = start
        self._end = end

    def take_back(self) -> None:
        descriptor = _open(self._path)
        try:
            if try_lock(descriptor) and os.fstat(descriptor).st_size == self._end:
                os.ftruncate(descriptor, self._start)
        finally:
            unlock(descriptor)
            os.close(descriptor)


def _file_key(record: Record) -> tuple[str, int]:
    return record.endpoint, minute_of(record.timestamp_ns)


def _open(path: Path) -> int:
    # No O_TRUNC and no O_EXCL: after a restart within the same minute the file goes on where it ended.
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | CLOSE_ON_EXEC | getattr(os, "O_NOFOLLOW", 0)
    try:
        return os.open(path, flags, PRIVATE_FILE)
    except FileNotFoundError:
        make_private_directory(path.parent)
        return os.open(path, flags, PRIVATE_FILE)


def _as_lines(records: list[Record]) -> bytes:
    return b"".join(map(to_json_line, records))


def _as_frames(records: list[Record]) -> bytes:
    return b"".join(map(pack_frame, frames_of(records)))


def _append(descriptor: int, content: bytes, *, fsync: bool, lines: bool) -> int:
    """Append `content` whole and return where they begin; on failure leave the file as it was, if it lets us."""
    size = os.fstat(descriptor).st_size
    if lines and size and os.pread(descriptor, 1, size - 1) != b"\n":
        content = b"\n" + content
    # Where a part of it stays, the next append ends the cut line first.
    append_whole(descriptor, content, size, os.fsync if fsync else None)
    return size
