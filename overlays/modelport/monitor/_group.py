"""Processes that serve one model behind one port, counted as one: gunicorn's workers, and those they replace.

Each process has a file of its own (`OwnFile`). A reader adds up all of them and the folded file, which holds what
ended processes had counted, so no figure falls when a process dies. Whoever reads folds the files of the dead away:
the folded file is replaced by one with their figures and their names, then they are removed. A reader passes over
files whose name the folded file has, and begins again if the folded file changed meanwhile. So a file counts exactly
once, before, while and after it is folded, and wherever a folder may be killed. Only folding and the making of files
need the lock, which is on the directory itself.
"""

from __future__ import annotations

import errno
import logging
import os
import secrets
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from modelport._files import HAS_LOCKS, try_lock, unlock
from modelport.monitor._group_file import LayoutError, OwnFile, read_figures
from modelport.monitor._group_totals import Totals

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

__all__ = ["Group", "ProcessGroup", "shared_directory"]

_log = logging.getLogger("modelport.monitor")

_UNLOCKED_ATTEMPTS = 5
_LOCK_SECONDS = 10.0
_LOCK_STEP_SECONDS = 0.005


def shared_directory(directory: str | os.PathLike[str], setting: str = "multiprocess_dir") -> Path:
    """`directory`, made if it is not there.

    Args:
        directory: Where it is.
        setting: Who names it, for the error.

    Raises:
        OSError: It cannot be made or written; the text names the setting.
    """
    path = Path(directory)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = f"{setting}: no directory can be made here ({error.strerror})"
        raise type(error)(error.errno, reason, str(path)) from None
    if not os.access(path, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, f"{setting}: the directory cannot be written", str(path))
    return path


class Group(msgspec.Struct, array_like=True):
    """What the folded file holds.

    Attributes:
        label: Of the group, new with its first process.
        started_ns: When that was.
        generation: New with every fold.
        folded: Names of the files that `totals` has and that may not have been removed yet.
        totals: What ended processes had counted.
    """

    label: str
    started_ns: int
    generation: int = 0
    folded: list[str] = []
    totals: Totals = msgspec.field(default_factory=Totals)


class ProcessGroup:
    """This process's part in a group, and the figures of the whole group.

    Safe to use from several threads. The directory must be on a local disk or in memory, and needs no cleaning.

    Attributes:
        sharing: Whether the directory last took what this process had counted and told what the others had.
    """

    def __init__(self, directory: str | os.PathLike[str], key: str, figures: Callable[[], Totals]) -> None:
        """Prepare; files are made by the first `publish` or `total`.

        Args:
            directory: Made if it is not there.
            key: Of what is counted together; part of the files' names.
            figures: Gives what this process has counted.

        Raises:
            OSError: The directory cannot be made or written.
            ValueError: The platform has no file locks.
        """
        if not HAS_LOCKS:
            message = "multiprocess_dir needs flock, which this platform has not"
            raise ValueError(message)
        self._directory = shared_directory(directory)
        self._key = key
        self._figures = figures
        self._folded = self._directory / f"{key}.folded"
        self._own: OwnFile | None = None
        self._ended = False
        self.sharing = True
        self._last: tuple[Group, Totals] | None = None
        self._warned: set[str] = set()
        self._due = False
        # Reentrant: a signal handler that closes the monitor may have interrupted this thread while it holds it.
        self._guard = threading.RLock()

    def publish(self) -> None:
        """Write what this process has counted.

        Raises:
            OSError: The directory cannot be written.
        """
        with self._guard:
            self._due = False
            if self._ended:
                return
            figures = self._figures()
            if self._own is not None and self._own.write(figures):
                return
            with self._locked():
                self._begin(figures)

    def publish_quietly(self) -> None:
        """As `publish`, for a thread that must go on: it waits for no other, and a failure is logged, once.

        Where another thread is writing, that one does it again.
        """
        self._due = True
        while self._due and self._guard.acquire(blocking=False):
            try:
                self._publish_or_warn()
            finally:
                self._guard.release()

    def _publish_or_warn(self) -> None:
        try:
            self.publish()
        except OSError as error:
            self.sharing = False
            self._warn_once("", f"counts cannot be shared with other processes: {error}")
        else:
            self.sharing = True

    def _warn_once(self, key: str, message: str) -> None:
        if key not in self._warned:
            self._warned.add(key)
            _log.warning(message)

    def total(self) -> tuple[Group, Totals]:
        """The group, and what all its processes have counted, up to this moment for this one.

        While the directory refuses, as on a full disk, they are those of before: what only this process's pages showed
        would be taken back by the pages of the others.

        Raises:
            OSError: It has refused from the start.
        """
        self._publish_or_warn()
        try:
            self._last = self._total()
        except OSError:
            self.sharing = False
            if self._last is None:
                raise
        return self._last

    def _total(self) -> tuple[Group, Totals]:
        if self._read_group() is None:
            with self._locked():
                self._begin_group()
        for _ in range(_UNLOCKED_ATTEMPTS):
            found = self._added_up()
            if found is not None:
                break
        else:
            with self._locked():
                found = self._added_up()
        if found is None:
            message = f"{self._directory} changes all the time"
            raise OSError(message)
        group, totals, dead = found
        if dead:
            try:
                self.fold(wait=False)
            except OSError as error:
                self._warn_once("fold", f"counts of ended processes stay in files of their own: {error}")
        return group, totals

    def fold(self, *, wait: bool = True) -> None:
        """Put the files of ended processes into one; do nothing if somebody else is at it and `wait` is false."""
        try:
            with self._locked(wait=wait):
                self._fold()
        except BlockingIOError:
            pass

    def close(self) -> None:
        """Write for the last time, and let this process count as ended."""
        with self._guard:
            self._publish_or_warn()
            self._ended = True
            if self._own is not None:
                self._own.close()
                self._own = None

    def after_fork(self) -> None:
        """Forget, in a forked child, the parent's file."""
        self._guard = threading.RLock()
        self._due = False
        if self._own is not None:
            self._own.close()
            self._own = None

    def _begin(self, figures: Totals) -> None:
        self._begin_group()
        path = self._directory / f"{self._key}.{os.getpid()}-{secrets.token_hex(8)}.live"
        if self._own is not None and self._own.path.exists():
            path = self._own.path  # it has become too small: the larger one takes its place
        before, self._own = self._own, OwnFile(path, figures)
        if before is not None:
            before.close()

    def _begin_group(self) -> None:
        if self._read_group() is None:
            now = time.time_ns()
            self._write_group(Group(f"{now // 1_000_000}-{secrets.token_hex(4)}", now))

    def _added_up(self) -> tuple[Group, Totals, bool] | None:
        """The group, its figures, and whether there are dead files; None if files were folded meanwhile."""
        group = self._read_group()
        if group is None:
            return None
        total, any_dead = group.totals, False
        for path in self._files(".live"):
            if path.name in group.folded:
                continue
            found = self._read(path)
            if found is None:
                continue
            figures, living = found
            total = total.plus(figures, gauges=living)
            any_dead = any_dead or not living
        after = self._read_group()
        if after is None or (after.label, after.generation) != (group.label, group.generation):
            return None
        return group, total, any_dead

    def _fold(self) -> None:
        group = self._read_group()
        if group is None:
            return
        files = {path.name: path for path in self._files(".live")}
        for name in group.folded:
            if name in files:
                files.pop(name).unlink(missing_ok=True)
        for abandoned in self._files(".new"):
            abandoned.unlink(missing_ok=True)
        total, dead = group.totals, list[Path]()
        for path in files.values():
            found = self._read(path)
            if found is not None and not found[1]:
                total = total.plus(found[0], gauges=False)
                dead.append(path)
        if not dead:
            return
        names = [path.name for path in dead]
        self._write_group(Group(group.label, group.started_ns, group.generation + 1, names, total))
        for path in dead:
            path.unlink(missing_ok=True)

    def _read(self, path: Path) -> tuple[Totals, bool] | None:
        """What a file says and whether its owner lives; None if it is gone, or is of another version's layout."""
        try:
            return read_figures(path)
        except FileNotFoundError:
            return None
        except LayoutError as error:
            self._warn_once(path.name, f"{path} is left alone and not counted: {error}")
            return None

    def _files(self, suffix: str) -> list[Path]:
        return sorted(self._directory.glob(f"{self._key}.*{suffix}"))

    def _read_group(self) -> Group | None:
        try:
            return msgspec.msgpack.decode(self._folded.read_bytes(), type=Group)
        except FileNotFoundError:
            return None
        except (msgspec.DecodeError, ValueError) as error:
            _log.warning("%s is damaged, counting begins again: %s", self._folded, error)
            return None

    def _write_group(self, group: Group) -> None:
        new = self._folded.with_suffix(".folding")
        with new.open("wb") as file:
            file.write(msgspec.msgpack.encode(group))
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._folded)

    @contextmanager
    def _locked(self, *, wait: bool = True) -> Generator[None]:
        deadline = time.monotonic() + (_LOCK_SECONDS if wait else 0)
        descriptor = self._opened()
        try:
            while not try_lock(descriptor):
                if time.monotonic() >= deadline:
                    message = f"{self._directory} is locked"
                    raise BlockingIOError(message)
                time.sleep(_LOCK_STEP_SECONDS)
            try:
                yield
            finally:
                unlock(descriptor)
        finally:
            os.close(descriptor)

    def _opened(self) -> int:
        try:
            return os.open(self._directory, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            # Somebody has cleared up. Counting goes on from this process's own figures.
            self._directory.mkdir(parents=True, exist_ok=True)
            return os.open(self._directory, os.O_RDONLY | os.O_CLOEXEC)
