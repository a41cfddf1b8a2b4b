"""A sink that collects records in a journal and ships them as whole files."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from typing import TYPE_CHECKING

from modelport._owned_directory import OwnedDirectory, left_behind
from modelport.predictions._background import BackgroundThread
from modelport.predictions._delivery import told
from modelport.predictions._paths import default_replica_id, minute_names
from modelport.predictions._record import to_json_line
from modelport.predictions._sink import DEFAULT_MAX_BUFFER, Sink
from modelport.predictions.rolling._files import FORMATS, files_of, stem_of, window_of
from modelport.predictions.rolling._journal import journals_in, new_journal, private_directory

if TYPE_CHECKING:
    from collections.abc import Container, Sequence
    from pathlib import Path

    from modelport.predictions._record import Record
    from modelport.predictions.rolling._destination import Destination
    from modelport.predictions.rolling._files import Format
    from modelport.predictions.rolling._journal import Journal

__all__ = [
    "DEFAULT_MAX_BACKLOG_BYTES",
    "DEFAULT_MAX_ROWS",
    "DEFAULT_MAX_SECONDS",
    "JournalFullError",
    "RollingSink",
]

DEFAULT_MAX_ROWS = 50_000
DEFAULT_MAX_SECONDS = 300.0
DEFAULT_MAX_BACKLOG_BYTES = 1024**3
_MAX_JOURNAL_BYTES = 32 * 1024**2
_FIRST_PAUSE_SECONDS = 0.5
_MAX_PAUSE_SECONDS = 60.0
_JOIN_SECONDS = 60.0
_MAX_IN_A_ROW = 2

_logger = logging.getLogger("modelport.predictions")


class JournalFullError(OSError):
    """The destination has been out of reach for so long that the journal has reached `max_backlog_bytes`."""


class RollingSink(Sink):
    """Records go to a journal on the local disk at once, and from there to `destination` as whole files.

    `write` returns when the journal has the records; from then on they survive the end of the process, whatever
    ended it. A file is made after `max_rows` records or `max_seconds`, at `roll` and at `close`. What a killed
    process has left in `journal` is shipped by the next sink that starts there.
    """

    def __init__(
        self,
        destination: Destination,
        form: Format,
        journal: Path,
        *,
        logger_id: str | None,
        replica_id: str | None,
        max_rows: int,
        max_seconds: float,
        max_backlog_bytes: int,
        fsync: bool,
        max_buffer: int = DEFAULT_MAX_BUFFER,
        name: str,
    ) -> None:
        if form not in FORMATS:
            message = f"the format is one of {', '.join(FORMATS)}, not {form!r}"
            raise ValueError(message)
        self.name = name
        self.max_buffer = max_buffer
        self.journal = journal
        self.destination = destination.label
        self._destination = destination
        self._form: Format = form
        self._logger_id = logger_id
        self._replica_id = replica_id or default_replica_id()
        self._max_rows = max_rows
        self._max_seconds = max_seconds
        self._max_backlog_bytes = max_backlog_bytes
        self._fsync = fsync
        self._reset()

    def _reset(self) -> None:
        self._pid = os.getpid()
        self._changed = threading.Condition()
        # Held while files are being shipped, so that none is shipped by two threads.
        self._shipping = threading.Lock()
        # Our own directory first, then those of dead processes; none before the first write.
        self._homes: list[OwnedDirectory] = []
        self._current: Journal | None = None
        self._sealed: list[Journal] = []
        self._thread: BackgroundThread | None = None
        self._closed = False
        self._last_error: BaseException | None = None
        self._failures = 0
        self.lost = 0

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.destination!r}, format={self._form!r})"

    @property
    def backlog_bytes(self) -> int:
        """Bytes in the journals that are not yet in a file at the destination."""
        with self._changed:
            current = self._current.size if self._current is not None else 0
            return current + sum(journal.size for journal in self._sealed)

    def write(self, records: Sequence[Record]) -> None:
        """Append `records` to the journal.

        Raises:
            OSError: The local disk is full or the journal may not be written.
            JournalFullError: Too much waits for the destination already.
            OverflowError: A time outside the years 1 to 9999, which no file can be named by.
        """
        times = [record.timestamp_ns for record in records]
        minute_names(window_of(min(times)))
        minute_names(window_of(max(times)))
        lines = b"".join(map(to_json_line, records))
        self._notice_fork()
        with self._changed:
            self._start()
            self._check_room(len(lines))
            if self._current is None:
                logger_id = self._logger_id or f"modelport{os.getpid()}"
                self._current = new_journal(self._homes[0], stem_of(logger_id, self._replica_id))
                self._changed.notify_all()
            self._current.append(lines, len(records), fsync=self._fsync)
            if self._current.rows >= self._max_rows or self._current.size >= _MAX_JOURNAL_BYTES:
                self._seal()

    def roll(self) -> None:
        """Ship everything written so far, now, and return when it has arrived.

        Raises:
            OSError: The destination cannot be written; the records stay in the journal. ``PermissionError`` where
                it refuses the credentials.
        """
        self._notice_fork()
        with self._changed:
            self._start()
            self._seal()
        self._ship()

    def close(self) -> bool:
        """Ship what is left.

        Returns:
            False if the destination has not taken all: the rest stays in the journal for the next start.
        """
        with self._changed:
            self._closed = True
            self._seal()
            self._changed.notify_all()
            thread = self._thread
        if thread is not None:
            thread.wait(time.monotonic() + _JOIN_SECONDS)
        try:
            self._ship()
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - whatever it is, the journal is left to the next start
            _logger.warning("sink %s: left in the journal %s: %s", self.name, self.journal, told(error))
        with self._changed:
            left = {journal.home for journal in self._sealed}
            for home in self._homes:
                if home in left:
                    home.release()
                else:
                    home.remove()
            self._homes.clear()
            self._sealed.clear()
        return not left

    def after_fork(self) -> None:
        """Leave the journals to the parent; the child begins its own."""
        if self._current is not None:
            self._current.forget()
        for home in self._homes:
            home.forget()
        self._reset()

    def _notice_fork(self) -> None:
        # Nobody else tells a sink that is used without a monitor.
        if self._pid != os.getpid():
            self.after_fork()

    def _start(self) -> None:
        """Take over what others left, and start the thread; the caller holds the lock."""
        if not self._homes:
            private_directory(self.journal)
            self._homes.append(OwnedDirectory.make(self.journal))
            for home in left_behind(self.journal, but={self._homes[0].path}):
                found = list(journals_in(home))
                if found:
                    self._homes.append(home)
                    self._sealed += found
                else:
                    home.remove()
        if self._thread is None and not self._closed:
            thread = BackgroundThread(self._run, f"modelport-roll-{self.name}")
            # Late in an interpreter's exit no thread can be started; close ships then.
            with contextlib.suppress(RuntimeError):
                thread.start()
                self._thread = thread

    def _check_room(self, more: int) -> None:
        if self.backlog_bytes + more > self._max_backlog_bytes:
            reason = "" if self._last_error is None else f"; last: {told(self._last_error)}"
            message = f"the journal {self.journal} is full ({self._max_backlog_bytes} bytes){reason}"
            raise JournalFullError(message)

    def _seal(self) -> None:
        """Let nothing more go into the current journal; the caller holds the lock."""
        if self._current is not None:
            self._current.seal()
            self._sealed.append(self._current)
            self._current = None
            self._changed.notify_all()

    def _run(self) -> None:
        pause = 0.0
        while self._wait(pause):
            try:
                self._ship()
                pause = 0.0
            except BaseException as error:  # noqa: BLE001 - this thread must go on: nobody else ships
                self._failed(error)
                pause = min(max(pause * 2, _FIRST_PAUSE_SECONDS), _MAX_PAUSE_SECONDS)

    def _wait(self, pause: float) -> bool:
        """Wait until a journal is to be shipped, but at least for `pause` seconds; False once the sink is closed."""
        earliest = time.monotonic() + pause
        with self._changed:
            while not self._closed:
                now = time.monotonic()
                if self._is_due(now):
                    self._seal()
                if self._sealed and now >= earliest:
                    return True
                self._changed.wait(self._seconds_to_wait(now, earliest))
            return False

    def _is_due(self, now: float) -> bool:
        return self._current is not None and now >= self._current.opened_at + self._max_seconds

    def _seconds_to_wait(self, now: float, earliest: float) -> float | None:
        """Seconds until the current journal is due or the sealed ones may be tried; None if there is neither."""
        times = [earliest] if self._sealed else []
        if self._current is not None:
            times.append(self._current.opened_at + self._max_seconds)
        return max(0.0, min(times) - now) if times else None

    def _ship(self) -> None:
        """Ship what is sealed.

        A journal that cannot be shipped comes last, so that it holds up no other; where two in a row cannot, it is
        the destination that is out of reach, and not they that are odd.

        Raises:
            BaseException: What the last one that could not be shipped met with.
        """
        with self._shipping:
            failed: dict[Journal, BaseException] = {}
            in_a_row = 0
            while in_a_row < _MAX_IN_A_ROW and (journal := self._next(failed)) is not None:
                try:
                    self._ship_one(journal)
                except KeyboardInterrupt:
                    raise
                except BaseException as error:  # noqa: BLE001 - raised in the end; a panic in Rust is no Exception
                    failed[journal] = error
                    in_a_row += 1
                    self._put_last(journal)
                else:
                    in_a_row = 0
                    self._shipped(journal)
            if failed:
                raise list(failed.values())[-1]

    def _next(self, failed: Container[Journal]) -> Journal | None:
        with self._changed:
            return next((journal for journal in self._sealed if journal not in failed), None)

    def _put_last(self, journal: Journal) -> None:
        with self._changed:
            self._sealed.remove(journal)
            self._sealed.append(journal)

    def _shipped(self, journal: Journal) -> None:
        with self._changed:
            self._sealed.remove(journal)
            journal.remove()
            home = journal.home
            if home is not self._homes[0] and all(other.home is not home for other in self._sealed):
                self._homes.remove(home)
                home.remove()

    def _ship_one(self, journal: Journal) -> None:
        try:
            lines = journal.lines()
        except FileNotFoundError:
            self.lost += journal.rows
            rows = journal.rows or "all its"
            _logger.warning(
                "sink %s: somebody has deleted the journal %s with %s records", self.name, journal.path, rows
            )
            return
        for path, content in files_of(lines, journal.name, self._form):
            self._destination.put(path, content)

    def _failed(self, error: BaseException) -> None:
        self._last_error = error
        self._failures += 1
        if self._failures & (self._failures - 1) == 0:
            # At powers of two only: an outage of a day must not write a day of log lines.
            _logger.warning("sink %s: cannot ship yet (%d failures): %s", self.name, self._failures, told(error))
