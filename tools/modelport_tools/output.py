"""Bringing a folder to what was generated, as a whole: a reader sees the old package or the new one, nothing between.

The new folder is written beside the old one and changes places with it. What a run that was killed left behind is
removed by the next run into the same place.
"""

from __future__ import annotations

import difflib
import json
import os
import shutil
import sys
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from .document import is_object
from .errors import OutputError
from .render import GENERATOR, Files, write_files

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping

_DIFF_LINES = 200
_MARK = ".modelport-"
"""What the name of a folder begins with that is being written."""
_OLD = "retired"


def apply(target: Path, wanted: Files, *, check: bool, guard: bool) -> list[str]:
    """Bring a folder to what is wanted; returns the names of the files that differ.

    Args:
        target: The folder; a link is followed.
        wanted: The files, by their names relative to the folder.
        check: Write nothing.
        guard: Refuse a folder that was not generated.

    Raises:
        OutputError: If the folder holds something that was not generated, or cannot be read or written; it was left
            as it is.
    """
    if guard:
        refuse_foreign(target)
    try:
        real = target.resolve()
        changed = _changed(real, wanted)
        if changed and not check:
            _replace(real, wanted)
    except OSError as error:
        step = "read" if check else "written"
        raise OutputError(f"cannot be {step}: {error.strerror or error}", source=target) from error
    return changed


def refuse_foreign(target: Path) -> None:
    """See that a folder may be replaced: there is none, it is empty, or it was generated.

    Raises:
        OutputError: If not.
    """
    try:
        free = _is_free(target.resolve())
    except (OSError, RuntimeError) as error:  # a loop of links is a RuntimeError before Python 3.13
        reason = getattr(error, "strerror", None) or error
        raise OutputError(f"cannot be written: {reason}", source=target) from error
    if not free:
        raise OutputError("is not a package that modelport generated; choose another folder", source=target)


def recorded(target: Path, key: str) -> str | None:
    """What a package that was generated before says of itself; None if there is none, or it says nothing."""
    try:
        value = (_record(target) or {}).get(key)
    except OSError:
        return None
    return value if isinstance(value, str) else None


def diff(target: Path, wanted: Files, changed: Iterable[str]) -> str:
    """A unified diff from the folder to what is wanted, cut short where it is long."""
    lines: list[str] = []
    for name in changed:
        path = target / name
        old = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.is_file() else []
        lines += difflib.unified_diff(old, wanted.get(name, "").splitlines(), name, f"{name} (fresh)", lineterm="")
    rest = len(lines) - _DIFF_LINES
    return "\n".join([*lines[:_DIFF_LINES], *([f"... {rest} more lines"] if rest > 0 else [])])


def _changed(target: Path, wanted: Files) -> list[str]:
    present = _present(target)
    differing = {name for name, text in wanted.items() if present.get(name) != text.encode()}
    return sorted((present.keys() - wanted.keys()) | differing)


def _present(target: Path) -> dict[str, bytes]:
    if not target.is_dir():
        return {}
    paths = (path for path in target.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(target).as_posix(): path.read_bytes() for path in paths}


def _is_free(target: Path) -> bool:
    if not target.exists():
        return True
    if not target.is_dir():
        return False
    record = _record(target)
    return not any(target.iterdir()) if record is None else record.get("generator") == GENERATOR


def _record(target: Path) -> Mapping[str, object] | None:
    """What a generated package says of itself; None if there is no such file."""
    try:
        values: object = json.loads((target / "operations.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (ValueError, RecursionError):
        return {}
    return values if is_object(values) else {}


def _replace(target: Path, wanted: Files) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    prefix = f"{_MARK}{target.name}-"
    _sweep(target, prefix)
    with _workplace(target.parent, prefix) as place:
        fresh = place / target.name
        fresh.mkdir()
        write_files(fresh, wanted)
        _settle(fresh, target, place / _OLD)


def _settle(fresh: Path, target: Path, retired: Path) -> None:
    """Put the fresh folder in its place; what stood there ends in the workplace."""
    while True:
        if not target.exists():
            try:
                fresh.rename(target)
            except OSError:
                if not target.exists():
                    raise
                continue  # another run was faster
            return
        if _exchange(fresh, target):
            return
        os.replace(target, retired)  # noqa: PTH105 - beside its twin below
        try:
            os.replace(fresh, target)  # noqa: PTH105 - Path.replace returns a value nobody needs
        except BaseException:
            retired.rename(target)
            raise
        return


_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


def _exchange(one: Path, other: Path) -> bool:
    """Let two folders change places in one step of the system; False where it has no such step.

    Linux has it, as ``renameat2`` (since 3.15; by a function of glibc since 2.28).
    """
    if sys.platform != "linux":
        return False
    import ctypes

    rename = getattr(ctypes.CDLL(None), "renameat2", None)
    if rename is None:
        return False
    return bool(rename(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE) == 0)


@contextmanager
def _workplace(parent: Path, prefix: str) -> Generator[Path]:
    """A folder to write in, removed at the end; it is locked, so that no other run takes it for a leftover."""
    place, held = _begun(parent, prefix)
    try:
        yield place
    finally:
        _remove(place)
        _let_go(held)


def _begun(parent: Path, prefix: str) -> tuple[Path, int]:
    while True:
        place = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        held = _hold(place)
        if held is not None and place.is_dir():
            return place, held
        _let_go(held)  # another run swept it away before it was held


def _sweep(target: Path, prefix: str) -> None:
    """Remove what killed runs left: workplaces that nobody holds."""
    for leftover in target.parent.iterdir():
        if leftover.name.startswith(prefix):
            held = _hold(leftover)
            if held is not None and held >= 0:
                old = leftover / _OLD
                if old.exists() and not target.exists():
                    old.rename(target)
                _remove(leftover)
                _let_go(held)


_NOT_HELD = -1


def _hold(folder: Path) -> int | None:
    """Lock a folder; the system lets go of it when the process ends, however it ends.

    Returns:
        What `_let_go` needs, `_NOT_HELD` where the system has no such lock, None if another process holds the folder.
    """
    try:
        import fcntl
    except ImportError:  # not there on Windows, whose leftovers stay
        return _NOT_HELD
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    except OSError:  # a file system without locks
        os.close(handle)
        return _NOT_HELD
    return handle


def _let_go(held: int | None) -> None:
    if held is not None and held >= 0:
        os.close(held)


def _remove(folder: Path) -> None:
    """Remove a folder, read-only parts too."""
    for inner, _, _ in os.walk(folder):
        with suppress(OSError):
            Path(inner).chmod(0o700)
    shutil.rmtree(folder, ignore_errors=True)
