"""The spool of one monitor in one process: writing to a run of its own, shipping from that and from orphaned ones."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import TYPE_CHECKING

from modelport.predictions._frame_file import iter_frames, pack_frame
from modelport.predictions._paths import path_part
from modelport.predictions._spool._backlog import RunReader, SinkBacklog
from modelport.predictions._spool._cursor import Position
from modelport.predictions._spool._run import Run, adopt_run, names_in, new_run
from modelport.predictions._spool._writer import SpoolFullError, Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from modelport.predictions._frame import Frame
    from modelport.predictions._spool._settings import Spool

__all__ = ["SpoolFullError", "Spooler"]

_LOOK_EVERY_SECONDS = 30.0
_ABANDONED_SECONDS = 60.0

_logger = logging.getLogger("modelport.predictions")


class Spooler:
    """Writes frames to disk and gives each sink its backlog.

    Attributes:
        settings: What the caller said.
        backlogs: What each sink has still to take, by the sink's name.
        failures: Writes that the disk refused.
    """

    def __init__(self, settings: Spool, endpoint: str, sinks: Iterable[str]) -> None:
        """Make and lock a directory of our own.

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
        self._next_look = 0.0
        self._open()

    def append(self, frame: Frame) -> None:
        """Write a frame, whole or not at all.

        Raises:
            SpoolFullError: `max_bytes` are in use.
            OSError: The disk refuses it.
        """
        try:
            self._writer.append(pack_frame(frame), frame.count)
        except OSError as error:
            self.failures += 1
            if self.failures & (self.failures - 1) == 0:
                # At powers of two only, as for sinks.
                _logger.warning("spool: writing failed (%d so far): %r", self.failures, error)
            raise

    def look(self) -> bool:
        """Adopt, now and then, what dead processes have left; whether there was anything."""
        now = time.monotonic()
        if now < self._next_look:
            return False
        self._next_look = now + _LOOK_EVERY_SECONDS
        return self.adopt() > 0

    def adopt(self) -> int:
        """Take over the runs of dead processes, and say how many there were."""
        found = 0
        for path in self._others():
            if path.name.startswith(".") and not _abandoned(path):
                continue
            run = adopt_run(path, self._sinks)
            if run is None:
                continue
            try:
                found += self._ship_from(run)
            except OSError as error:
                # Nothing of it is lost: we look again, and so does everybody else.
                run.release()
                _logger.warning("spool: cannot read yet what %s has left: %r", run.path.name, error)
        return found

    def close(self) -> None:
        """Leave what sinks have not taken to whoever comes next, and remove the rest."""
        self._writer.close()
        for run, end in ((self._own, self._writer.end), *tuple(self._adopted.items())):
            if run.passed_by_all(end):
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
        self._adopted: dict[Run, Position] = {}
        self.backlogs = {name: SinkBacklog() for name, _ in self._sinks}
        self._own = run = new_run(self._folder, self._sinks)
        self._writer = writer = Writer(
            run,
            max_bytes=self.settings.max_bytes,
            segment_bytes=self.settings.segment_bytes,
            sync=self.settings.mode == "batch+fdatasync",
        )

        def passed() -> None:
            run.remove_passed(writer.end.segment)

        self._add_readers(run, lambda: writer.end, lambda _: lambda: writer.records, passed)

    def _ship_from(self, run: Run) -> int:
        numbers = run.segments()
        if not numbers:
            run.remove()
            return 0
        end = Position(numbers[-1], run.segment(numbers[-1]).stat().st_size)
        counts = {name: _records_from(run, run.cursors[name].position) for name, _ in self._sinks}
        self._adopted[run] = end

        def passed() -> None:
            run.remove_passed(end.segment)
            if run.passed_by_all(end) and self._adopted.pop(run, None) is not None:
                run.remove()
                for backlog in self.backlogs.values():
                    backlog.leave(run)

        self._add_readers(run, lambda: end, lambda name: lambda: counts[name], passed)
        if run.passed_by_all(end):
            passed()
        _logger.info("spool: shipping what %s has left", run.path.name)
        return 1

    def _add_readers(
        self,
        run: Run,
        end: Callable[[], Position],
        records: Callable[[str], Callable[[], int]],
        passed: Callable[[], None],
    ) -> None:
        for name, backlog in self.backlogs.items():
            backlog.add(RunReader(run, name, end, records(name), passed))

    def _others(self) -> list[Path]:
        ours = {self._own.path, *(run.path for run in tuple(self._adopted))}
        paths = [self._folder / name for name in names_in(self._folder)]
        return [path for path in paths if path not in ours]


def _abandoned(hidden: Path) -> bool:
    """Whether the making of a run was cut short by a death, not just by our looking."""
    try:
        return time.time() - hidden.stat().st_mtime > _ABANDONED_SECONDS
    except OSError:
        return False


def _records_from(run: Run, position: Position) -> int:
    """Records in whole frames behind `position`."""
    records = 0
    for number in run.segments():
        if number < position.segment:
            continue
        with run.segment(number).open("rb") as file:
            file.seek(position.offset if number == position.segment else 0)
            records += sum(frame.count for _, frame in iter_frames(file))
    return records
