"""Predictions as lines of JSON in rotating files."""

from __future__ import annotations

import contextlib
import os
import socket
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from modelport.predictions._paths import PREFIX, minute_names, minute_of, path_part
from modelport.predictions._record import to_json_line
from modelport.predictions._sink import DEFAULT_MAX_BUFFER, Sink

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows has no advisory locks; there each process writes files of its own
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from modelport.predictions._record import Record

__all__ = ["FileSink"]

_FILE_MODE = 0o600
_DIRECTORY_MODE = 0o700
_DEFAULT_MAX_FILE_BYTES = 64 * 1024 * 1024
_MAX_FILES_PER_MINUTE = 10_000


class FileSink(Sink):
    """Append predictions to ``models/predictions/{endpoint}/{date}/{HHMM}_{logger_id}-{replica_id}.txt``.

    Date and minute are those of the prediction, in UTC. A file that has reached `max_file_bytes`, or that another
    process is writing, is followed by ``..._{replica_id}.1.txt`` and so on. Files are created with mode 0600. A
    batch goes in whole or not at all; a line that a crash or a full disk has cut is ended before the next one.
    """

    def __init__(
        self,
        directory: str | os.PathLike[str],
        *,
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
            logger_id: Names the writing process; by default made from its process id, anew after a fork.
            replica_id: Names the model server; by default ``BEDROCK_POD_NAME``, ``POD_NAME`` or the host name.
            max_file_bytes: A file is not appended to once it is this large.
            fsync: Wait for the disk after every batch: survives a power cut, costs milliseconds per batch.
            max_buffer: Records kept while the disk is full or gone.
            name: How metrics call this sink.
        """
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
        done: list[_Appended] = []
        try:
            for (endpoint, minute), group in groupby(sorted(records, key=_file_key), _file_key):
                done.append(self._append(endpoint, minute, b"".join(map(to_json_line, group))))
        except BaseException:
            for appended in reversed(done):
                appended.take_back()
            raise

    def _append(self, endpoint: str, minute: int, lines: bytes) -> _Appended:
        date, clock = minute_names(minute)
        folder = self.directory / PREFIX / path_part(endpoint) / date
        logger_id = self._logger_id or f"modelport{os.getpid()}"
        stem = f"{clock}_{path_part(logger_id)}-{path_part(self._replica_id)}"
        for path in self._candidates(folder, stem):
            descriptor = _open(path)
            try:
                if _locked(descriptor) and os.fstat(descriptor).st_size < self._max_file_bytes:
                    start = _append(descriptor, lines, fsync=self._fsync)
                    return _Appended(path, start, os.fstat(descriptor).st_size)
            finally:
                _unlock(descriptor)
                os.close(descriptor)
        message = f"more than {_MAX_FILES_PER_MINUTE} files for one minute: {folder / stem}"
        raise OSError(message)

    @staticmethod
    def _candidates(folder: Path, stem: str) -> Iterable[Path]:
        yield folder / f"{stem}.txt"
        for number in range(1, _MAX_FILES_PER_MINUTE):
            yield folder / f"{stem}.{number}.txt"


class _Appended:
    """An append that can be undone while no other batch has followed it."""

    def __init__(self, path: Path, start: int, end: int) -> None:
        self._path = path
        self._start = start
        self._end = end

    def take_back(self) -> None:
        descriptor = _open(self._path)
        try:
            if _locked(descriptor) and os.fstat(descriptor).st_size == self._end:
                os.ftruncate(descriptor, self._start)
        finally:
            _unlock(descriptor)
            os.close(descriptor)


def default_replica_id() -> str:
    """The pod's or the host's name."""
    return os.environ.get("BEDROCK_POD_NAME") or os.environ.get("POD_NAME") or socket.gethostname() or "unknown"


def _file_key(record: Record) -> tuple[str, int]:
    return record.endpoint, minute_of(record.timestamp_ns)


def _open(path: Path) -> int:
    # No O_TRUNC and no O_EXCL: after a restart within the same minute the file goes on where it ended.
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)
    try:
        return os.open(path, flags, _FILE_MODE)
    except FileNotFoundError:
        path.parent.mkdir(mode=_DIRECTORY_MODE, parents=True, exist_ok=True)
        return os.open(path, flags, _FILE_MODE)


def _locked(descriptor: int) -> bool:
    if fcntl is None:  # pragma: no cover - see the import
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _unlock(descriptor: int) -> None:
    # Closing is not enough: a child forked in between holds the same lock through its copy of the descriptor.
    if fcntl is not None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)


def _append(descriptor: int, lines: bytes, *, fsync: bool) -> int:
    """Append `lines` whole and return where they begin; on failure leave the file as it was, if it lets us."""
    size = os.fstat(descriptor).st_size
    if size and os.pread(descriptor, 1, size - 1) != b"\n":
        lines = b"\n" + lines
    try:
        rest = memoryview(lines)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        if fsync:
            os.fsync(descriptor)
    except BaseException:
        # Where that fails the cut line stays, and the next append ends it first.
        with contextlib.suppress(OSError):
            os.ftruncate(descriptor, size)
        raise
    return size
