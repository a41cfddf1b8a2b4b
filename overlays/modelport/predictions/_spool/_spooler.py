"""The spool of one monitor in one process: writing to a run of its own, shipping from that and from orphaned ones."""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from modelport._files import HAS_LOCKS
from modelport._owned_directory import OwnedDirectory, left_behind
from modelport.predictions._frame_file import iter_frames, pack_frame
from modelport.predictions._paths import path_part
from modelport.predictions._spool._backlog import Left, RunReader, SinkBacklog
from modelport.predictions._spool._cursor import Position
from modelport.predictions._spool._run import Run
from modelport.predictions._spool._writer import SpoolFullError, Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from modelport.predictions._frame import Frame
    from modelport.predictions._spool._backlog import Written
    from modelport.predictions._spool._settings import Spool

__all__ = ["SpoolFullError", "Spooler"]

_LOOK_EVERY_SECONDS = 30.0

_logger = logging.getLogger("modelport.predictions")


class Spooler:
    """Writes frames to disk and gives each sink its backlog.

    Attributes:
        settings: What the caller said.
        backlogs: What each sink has still to take, by the sink's name.
        failures: Writes that the disk refused.
    """

    def __init__(
        self,
        settings: Spool,
        endpoint: str,
        sinks: Iterable[str],
        lost: Callable[[str, int], None] = lambda _sink, _records: None,
    ) -> None:
        """Make and lock a directory of our own.

        Args:
            settings: What the caller said.
            endpoint: Names the folder, as different endpoints share nothing.
            sinks: The names of those that take records out of it.
            lost: Called with a sink's name and a number of records that somebody has removed before it had them.

        Raises:
            OSError: It cannot be made, or the system has no file locks.
            ValueError: There is no sink that would ever take anything out of it.
        """
        self.settings = settings
        self._folder = Path(settings.directory) / path_part(endpoint)
        self._sinks = [(name, path_part(name)) for name in sinks]
        if not self._sinks:
            message = "a spool keeps records for sinks, and there is none"
            raise ValueError(message)
        if not HAS_LOCKS:  # pragma: no cover - Windows
            message = "a spool needs file locks, which this system does not have"
            raise OSError(message)
        self._lost = lost
        self._next_look = 0.0
        self._looking = threading.RLock()
        self._open()

    def append(self, frame: Frame) -> None:
        """Write a frame, whole or not at all.

        Raises:
            SpoolFullError: `max_bytes` are in use.
            OSError: The disk refuses it.
        """
        if self._looks_first:
            self.look()
        try:
            self._writer.append(pack_frame(frame), frame.count)
        except OSError as error:
            self._failed(error)
            raise

    def look(self) -> bool:
        """See that our files are there and, now and then, adopt what dead processes left; whether there was any."""
        self._keep()
        # Whoever comes while another thread looks waits for it. Reentrant, as a signal handler may be who comes.
        with self._looking:
            now = time.monotonic()
            if now < self._next_look:
                return False
            self._next_look = now + _LOOK_EVERY_SECONDS
            found = self.adopt()
            self._looks_first = False
            return found > 0

    def adopt(self) -> int:
        """Take over the runs of dead processes, as far as there is room for them, and say how many there were."""
        found = 0
        ours = {self._own.path, *(run.path for run in tuple(self._adopted)), *self._done}
        for home in left_behind(self._folder, but=ours):
            run = Run(home, self._sinks)
            try:
                found += self._ship_from(run)
            except OSError as error:
                # Nothing of it is lost: we look again, and so does everybody else.
                run.release()
                _logger.warning("spool: cannot read yet what %s has left: %r", run.path.name, error)
        return found

    def close(self) -> None:
        """Leave what sinks have not taken to whoever comes next, and remove the rest."""
        self._keep()
        self._writer.close()
        for run, end in ((self._own, self._writer.end), *tuple(self._adopted.items())):
            if run.passed_by_ours(end) and not run.waits_for(end):
                run.remove()
            else:
                run.release()

    def after_fork(self) -> None:
        """In a forked child: everything open is the parent's; begin with a run of our own.

        Raises:
            OSError: It cannot be made.
        """
        self._writer.forget()
        for run in (self._own, *self._adopted):
            run.forget()
        self._open()

    def _open(self) -> None:
        self.failures = 0
        self._next_look = time.monotonic()
        # What others have left counts; but it is not looked for in a thread that serves a request.
        self._looks_first = self.settings.mode != "record"
        self._looking = threading.RLock()
        self._adopted: dict[Run, Position] = {}
        # Of which only sinks that are none of ours have something to take.
        self._done: set[Path] = set()
        self.backlogs = {name: SinkBacklog() for name, _ in self._sinks}
        self._own = run = Run(OwnedDirectory.make(self._folder), self._sinks)
        run.claim()
        self._writer = writer = Writer(
            run,
            max_bytes=self.settings.max_bytes,
            segment_bytes=self.settings.segment_bytes,
            sync=self.settings.mode == "batch+fdatasync",
            beside=self._adopted,
        )

        def passed() -> None:
            run.remove_passed(writer.end.segment)

        self._add_readers(run, dict.fromkeys(self.backlogs, writer), passed)

    def _keep(self) -> None:
        """Make our files again if somebody has removed them."""
        try:
            self._writer.restore()
        except BlockingIOError:
            # Another thread is writing; there will be another look.
            pass
        except OSError as error:
            self._failed(error)

    def _failed(self, error: OSError) -> None:
        self.failures += 1
        if self.failures & (self.failures - 1) == 0:
            # At powers of two only, as for sinks.
            _logger.warning("spool: writing failed (%d so far): %r", self.failures, error)

    def _ship_from(self, run: Run) -> int:
        if not run.sizes:
            run.remove()
            return 0
        if not self._has_room_for(run):
            run.release()
            return 0
        end = Position(*max(run.sizes.items()))
        left = _left_of(run, end)
        run.claim()
        self._adopted[run] = end

        def passed() -> None:
            run.remove_passed(end.segment)
            if run.passed_by_ours(end) and self._adopted.pop(run, None) is not None:
                self._finish(run, end)

        self._add_readers(run, left, passed)
        if run.passed_by_ours(end):
            passed()
            return 0
        _logger.info("spool: shipping what %s has left", run.path.name)
        return 1

    def _has_room_for(self, run: Run) -> bool:
        """Whether it fits into `max_bytes`, or we have next to nothing ourselves: what is too large must go too."""
        used = self._writer.used_bytes
        return used + run.left_bytes <= self.settings.max_bytes or used <= self._writer.segment_bytes

    def _finish(self, run: Run, end: Position) -> None:
        """Remove what all of our sinks have passed, unless there are others."""
        for backlog in self.backlogs.values():
            backlog.leave(run)
        others = run.waits_for(end)
        if not others:
            run.remove()
            return
        self._done.add(run.path)
        run.release()
        _logger.warning("spool: %s keeps records for %s, which this process has not", run.path, ", ".join(others))

    def _add_readers(self, run: Run, written: Mapping[str, Written], passed: Callable[[], None]) -> None:
        for name, backlog in self.backlogs.items():
            backlog.add(RunReader(run, name, written[name], passed, self._lost))


def _left_of(run: Run, end: Position) -> dict[str, Left]:
    """What each sink has still to take, by its name."""
    left = {name: Left(end) for name in run.cursors}
    first = min(cursor.position.segment for cursor in run.cursors.values())
    for number in run.sizes:
        if number < first:
            continue
        with run.segment(number).open("rb") as file:
            for offset, frame in iter_frames(file):
                for name, cursor in run.cursors.items():
                    if cursor.position <= (number, offset):
                        left[name].add(number, frame.count)
    return left
