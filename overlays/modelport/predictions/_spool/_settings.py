"""What a caller says about a spool."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

import msgspec

if TYPE_CHECKING:
    import os

__all__ = ["Spool", "SpoolMode"]

SpoolMode: TypeAlias = Literal["batch", "record", "batch+fdatasync"]

_DEFAULT_MAX_BYTES = 1 << 30
_DEFAULT_SEGMENT_BYTES = 16 << 20


class Spool(msgspec.Struct, frozen=True):
    """A directory where records wait for the sinks, through outages, restarts and crashes.

    Several processes and monitors may share one directory. Each process writes files of its own (mode 0600) and locks
    them; what a process leaves behind when it dies is shipped by the next one that comes along or is there already.
    So a record may arrive twice after a crash, with the same ``prediction_id``, but it arrives.

    Attributes:
        directory: Where; made if it is not there.
        mode: ``"batch"`` writes each step of the drain, so that a SIGKILL loses at most what was logged within the
            last `interval`. ``"record"`` writes each record in the thread that logs it: a SIGKILL loses nothing.
            ``"batch+fdatasync"`` waits for the disk after each step: a power cut loses at most one interval too.
        max_bytes: What one process may have on disk, with what it has taken over from dead ones; beyond it new records
            are dropped and counted (``spool_full``), a step of up to 1000 as a whole.
        segment_bytes: A file is followed by another at this size, and removed once all sinks have passed it.
    """

    directory: str
    mode: SpoolMode = "batch"
    max_bytes: int = _DEFAULT_MAX_BYTES
    segment_bytes: int = _DEFAULT_SEGMENT_BYTES

    def __post_init__(self) -> None:
        """Refuse what cannot work.

        Raises:
            ValueError: An unknown mode, or a limit below 1.
        """
        if self.mode not in get_args(SpoolMode):
            message = f"mode is one of {get_args(SpoolMode)}, not {self.mode!r}"
            raise ValueError(message)
        if min(self.max_bytes, self.segment_bytes) < 1:
            message = "max_bytes and segment_bytes must be at least 1"
            raise ValueError(message)

    @classmethod
    def of(cls, given: str | os.PathLike[str] | Spool) -> Spool:
        """`given` itself, or a spool of the default kind in that directory."""
        return given if isinstance(given, Spool) else cls(str(Path(given)))
