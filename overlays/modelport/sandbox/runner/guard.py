"""A tiny process that outlives the server by a moment, to kill what a killed server left behind."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading

# Runs without site packages: it must be small and quick. One line per change: +pid or -pid; at the end of input (the
# server is gone, however it went) it kills the sessions that are left and whatever carries the server's mark.
_SCRIPT = """
import os, signal, sys
mark = sys.argv[1].encode()
for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(name, signal.SIG_IGN)
pids = set()
for line in sys.stdin:
    (pids.add if line[0] == "+" else pids.discard)(int(line[1:]))
for pid in pids:
    try:
        os.killpg(pid, signal.SIGKILL)
    except OSError:
        pass
try:
    names = [name for name in os.listdir("/proc") if name.isdigit()]
except OSError:
    names = []
for name in names:
    try:
        with open("/proc/" + name + "/environ", "rb") as handle:
            found = any(entry.startswith(mark) for entry in handle.read().split(b"\\0"))
        if found:
            os.kill(int(name), signal.SIGKILL)
    except OSError:
        pass
"""


class Guard:
    """Tells the guarding process which sessions are ours. `mark` is the start of the variable that marks workers."""

    def __init__(self, mark: str) -> None:
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _SCRIPT, mark],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env={},
            text=True,
        )

    def add(self, pid: int) -> None:
        """A worker has started."""
        self._tell(f"+{pid}\n")

    def discard(self, pid: int) -> None:
        """A worker has ended."""
        self._tell(f"-{pid}\n")

    def _tell(self, line: str) -> None:
        stream = self._process.stdin
        with self._lock, contextlib.suppress(OSError, ValueError):
            if stream is not None:
                stream.write(line)
                stream.flush()

    def close(self) -> None:
        """End the guard, which kills what is still registered."""
        with self._lock, contextlib.suppress(OSError):
            if self._process.stdin is not None:
                self._process.stdin.close()
        try:
            self._process.wait(5.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
