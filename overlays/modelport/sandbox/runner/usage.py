"""What a session of processes uses, and how to find processes by a mark in their environment (Linux)."""

from __future__ import annotations

import contextlib
import os
import signal
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Usage:
    """Resident memory and number of processes of a session."""

    memory_bytes: int = 0
    processes: int = 0


def usage(session: int) -> Usage:
    """Sum over the processes of a session; zeros where /proc is not there."""
    memory = count = 0
    for entry in _processes():
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except (OSError, UnicodeDecodeError):
            continue
        if int(fields[3]) == session:
            count += 1
            memory += int(fields[21]) * PAGE_BYTES
    return Usage(memory, count)


def kill_marked(mark: str) -> int:
    """Kill every process that was started with this `NAME=value` in its environment; how many were."""
    needle, killed = mark.encode(), 0
    for entry in _processes():
        try:
            if needle not in (entry / "environ").read_bytes().split(b"\0"):
                continue
        except OSError:
            continue
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(int(entry.name), signal.SIGKILL)
            killed += 1
    return killed


def _processes() -> list[Path]:
    try:
        return [PROC / name for name in os.listdir(PROC) if name.isdigit()]  # noqa: PTH208 - names only, many times a second
    except OSError:
        return []
