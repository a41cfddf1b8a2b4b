"""One worker process: spawned with limits, asked over a socket, killed with everything it started."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelport.sandbox.runner.usage import Usage, kill_marked, usage

if TYPE_CHECKING:
    from modelport.sandbox._settings import Limits
    from modelport.sandbox.runner.guard import Guard

BOOT = Path(__file__).parent / "child" / "_boot.py"
MARK_VARIABLE = "MODELPORT_SANDBOX_WORKER"
HEADER = struct.Struct(">Q")
WATCH_SECONDS = 0.2
MAX_ANSWER_BYTES = 256 * 1024 * 1024
FILE_BYTES = 4 * 1024**3
NOTE_CUT = "\n[output cut: {dropped} more characters were printed]\n"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a request to a worker ended: a value, or a kind of failure and its text; and what was printed."""

    ok: bool
    value: Any = None
    kind: str = ""
    error: str = ""
    output: str = ""
    seconds: float = 0.0


class Worker:
    """A process that runs user code. Requests are answered one at a time."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        cwd: Path,
        environment: Mapping[str, str],
        mark: str,
        limits: Limits,
        guard: Guard,
    ) -> None:
        self._limits = limits
        self._guard = guard
        self._mark = mark
        self._busy = threading.Lock()
        self._channel, theirs = socket.socketpair()
        reader, writer = os.pipe()
        with theirs:
            numbers = (theirs.fileno(), limits.output_bytes, limits.memory_bytes, FILE_BYTES)
            self._process = subprocess.Popen(
                [*command, str(BOOT), *map(str, numbers)],
                cwd=cwd,
                env={**environment, MARK_VARIABLE: mark},
                stdin=subprocess.DEVNULL,
                stdout=writer,
                stderr=writer,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )
        os.close(writer)
        os.set_blocking(reader, False)
        self._channel.setblocking(False)
        self._output = reader
        guard.add(self._process.pid)

    @property
    def pid(self) -> int:
        """The process id, which is also the id of its session."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the process can take another request."""
        return self._process.poll() is None

    def request(self, message: Mapping[str, Any], *, seconds: float) -> Outcome:
        """Send one request and wait for its answer; a worker that breaks a limit is killed."""
        started = time.monotonic()
        deadline = started + seconds
        if not self._busy.acquire(timeout=seconds):
            return Outcome(
                False, kind="timeout", error=_late(seconds, "was still busy with earlier requests"), seconds=seconds
            )
        try:
            outcome = self._exchange(message, deadline, seconds)
        finally:
            self._busy.release()
        took = time.monotonic() - started
        return Outcome(outcome.ok, outcome.value, outcome.kind, outcome.error, outcome.output, took)

    def _exchange(self, message: Mapping[str, Any], deadline: float, seconds: float) -> Outcome:
        exchange = _Exchange(self._channel, self._output, self._limits.output_bytes)
        exchange.outgoing = _frame(message)
        watched = time.monotonic()
        while exchange.answer is None:
            now = time.monotonic()
            if now >= deadline:
                return self._fail("timeout", _late(seconds, "did not finish"), exchange)
            if now - watched >= WATCH_SECONDS:
                watched = now
                if (broken := self._broken(usage(self.pid))) is not None:
                    return self._fail("memory" if "memory" in broken else "processes", broken, exchange)
            if not exchange.step(min(WATCH_SECONDS, deadline - now)):
                return self._fail("died", self._obituary(), exchange)
        exchange.drain()
        return _outcome(exchange.answer, exchange.printed())

    def _broken(self, used: Usage) -> str | None:
        if used.memory_bytes > self._limits.memory_bytes:
            return f"the script used more memory than the limit of {self._limits.memory_bytes // 1024**2} MiB"
        if used.processes > self._limits.processes:
            return f"the script started more than {self._limits.processes} processes"
        return None

    def _fail(self, kind: str, text: str, exchange: _Exchange) -> Outcome:
        exchange.drain()
        self.kill()
        return Outcome(False, kind=kind, error=text, output=exchange.printed())

    def _obituary(self) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(1.0)
        code = self._process.returncode
        if code is None or code >= 0:
            return f"the script ended its process (exit status {code}) before it returned"
        name = signal.Signals(-code).name
        return f"the process of the script was killed by {name}" + (" (out of memory?)" if name == "SIGKILL" else "")

    def kill_session(self) -> None:
        """Kill the session of the process; takes no lock."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    def kill(self) -> None:
        """End the process and everything it started, also what left its session."""
        self.kill_session()
        kill_marked(f"{MARK_VARIABLE}={self._mark}")
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(5.0)
        self._guard.discard(self.pid)

    def close(self) -> None:
        """Kill and let go of the descriptors; waits for a request under way to notice."""
        self.kill()
        with self._busy:
            self._channel.close()
            if self._output >= 0:
                os.close(self._output)
                self._output = -1


class _Exchange:
    """One request and its answer, with the output that comes meanwhile."""

    def __init__(self, channel: socket.socket, output: int, limit: int) -> None:
        self._channel, self._pipe, self._limit = channel, output, limit
        self._incoming = bytearray()
        self._text = bytearray()
        self._dropped = 0
        self._open = True
        self.outgoing = b""
        self.answer: dict[str, Any] | None = None

    def step(self, seconds: float) -> bool:
        """Move bytes for at most that long; False when the worker is gone."""
        reading: list[Any] = [self._channel, *([self._pipe] if self._open else [])]
        readable, writable, _ = select.select(reading, [self._channel] if self.outgoing else [], [], max(0.0, seconds))
        try:
            if writable:
                self.outgoing = self.outgoing[self._channel.send(self.outgoing[: 1 << 18]) :]
            if self._pipe in readable:
                self._read_output()
            return self._read_answer() if self._channel in readable else True
        except (BrokenPipeError, ConnectionResetError):
            return False

    def _read_output(self) -> bool:
        try:
            data = os.read(self._pipe, 1 << 18)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        self._open = bool(data)
        room = max(0, self._limit - len(self._text))
        self._text += data[:room]
        self._dropped += max(0, len(data) - room)
        return self._open

    def _read_answer(self) -> bool:
        data = self._channel.recv(1 << 20)
        if not data:
            return False
        self._incoming += data
        if len(self._incoming) >= HEADER.size:
            size = HEADER.unpack(self._incoming[: HEADER.size])[0]
            if size > MAX_ANSWER_BYTES:
                self.answer = {
                    "ok": False,
                    "kind": "contract",
                    "error": "the result of the script is too large to send",
                }
            elif len(self._incoming) >= HEADER.size + size:
                self.answer = json.loads(self._incoming[HEADER.size : HEADER.size + size])
                self._dropped += int(self.answer.get("dropped", 0)) if self.answer else 0
        return True

    def drain(self) -> None:
        """Take what is in the output pipe now."""
        for _ in range(64):
            if not self._open or not self._read_output():
                return

    def printed(self) -> str:
        """The text printed, cut at the limit with a note."""
        text = self._text.decode("utf-8", "replace")
        return text + NOTE_CUT.format(dropped=self._dropped) if self._dropped else text


def _frame(message: Mapping[str, Any]) -> bytes:
    body = json.dumps(message).encode()
    return HEADER.pack(len(body)) + body


def _late(seconds: float, what: str) -> str:
    return f"the script {what} within the limit of {seconds:g} seconds"


def _outcome(answer: dict[str, Any], output: str) -> Outcome:
    if answer["ok"]:
        return Outcome(True, value=answer["value"], output=output)
    return Outcome(False, kind=str(answer["kind"]), error=str(answer["error"]), output=output)
