"""The worker's loop: read a request frame, do it, answer with a frame."""

from __future__ import annotations

import importlib
import json
import os
import resource
import socket
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .problems import ContractError, describe_exception

Task = Callable[[dict[str, Any]], Any]

HEADER = struct.Struct(">Q")
# Room above the watched memory limit for what is mapped but never touched (thread stacks, BLAS buffers, arrow pools).
ADDRESS_SLACK_BYTES = 6 * 1024**3

TASKS = {
    "load": ("scoring", "load"),
    "score": ("scoring", "score"),
    "run_async": ("scoring", "run_async"),
    "process": ("scoring", "score"),
    "build": ("preparing", "build"),
    "train": ("training", "train"),
    "register": ("training", "register"),
    "automl": ("automl", "train"),
    "monitor": ("watching", "monitor"),
    "validate_monitoring": ("watching", "validate"),
    "drift_columns": ("drift_data", "columns"),
    "to_table": ("preparing", "to_table"),
}


class BoundedText:
    """Standard output that passes on the first bytes of a request and counts the rest."""

    encoding = "utf-8"
    errors = "replace"

    def __init__(self, descriptor: int, limit: int) -> None:
        self._descriptor = descriptor
        self._limit = limit
        self._left = limit
        self.dropped = 0

    def renew(self) -> None:
        """A new request starts: the full limit is there again."""
        self._left = self._limit
        self.dropped = 0

    def write(self, text: str) -> int:
        """Take text as a text stream does."""
        if self._left <= 0:
            self.dropped += len(text)
            return len(text)
        data = str(text)[: self._left].encode("utf-8", "replace")
        self._left -= len(data)
        self.dropped += max(0, len(text) - len(data))
        while data:
            data = data[os.write(self._descriptor, data) :]
        return len(text)

    def writelines(self, lines: list[str]) -> None:
        """Write every line."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Nothing is held back."""

    def isatty(self) -> bool:
        """Never a terminal."""
        return False

    def fileno(self) -> int:
        """The pipe to the server."""
        return self._descriptor

    def writable(self) -> bool:
        """Always."""
        return True

    def readable(self) -> bool:
        """Never."""
        return False

    def seekable(self) -> bool:
        """Never."""
        return False

    @property
    def closed(self) -> bool:
        """Never closed."""
        return False


def main(arguments: list[str]) -> None:
    """Serve requests on the inherited socket until it closes."""
    descriptor, output_bytes, memory_bytes, file_bytes = map(int, arguments)
    _limit(memory_bytes, file_bytes)
    channel = socket.socket(fileno=descriptor)
    channel.set_inheritable(False)
    text = BoundedText(1, output_bytes)
    sys.stdout = sys.stderr = text  # pyright: ignore[reportAttributeAccessIssue]
    sys.stdin = Path(os.devnull).open()  # noqa: SIM115 - for the life of the process
    while (message := _receive(channel)) is not None:
        text.renew()
        answer = _perform(message)
        answer["dropped"] = text.dropped
        _send(channel, answer)


def _limit(memory_bytes: int, file_bytes: int) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))
    ceiling = memory_bytes + ADDRESS_SLACK_BYTES
    try:
        resource.setrlimit(resource.RLIMIT_AS, (ceiling, ceiling))
    except (OSError, ValueError):
        return


def _perform(message: dict[str, Any]) -> dict[str, Any]:
    module, name = TASKS[message["do"]]
    base = str(message.get("base_path", ""))
    try:
        task: Task = getattr(importlib.import_module(f".{module}", __package__), name)
        return {"ok": True, "value": task(message)}
    except ContractError as problem:
        return {"ok": False, "kind": problem.kind, "error": problem.text}
    except MemoryError as error:
        return {"ok": False, "kind": "memory", "error": describe_exception(error, base)}
    except BaseException as error:  # noqa: BLE001 - the script may raise anything, SystemExit too
        return {"ok": False, "kind": "raised", "error": describe_exception(error, base)}


def _receive(channel: socket.socket) -> dict[str, Any] | None:
    head = _read(channel, HEADER.size)
    if head is None:
        return None
    body = _read(channel, HEADER.unpack(head)[0])
    return None if body is None else json.loads(body)


def _read(channel: socket.socket, size: int) -> bytes | None:
    data = bytearray()
    while len(data) < size:
        chunk = channel.recv(min(1 << 20, size - len(data)))
        if not chunk:
            return None
        data += chunk
    return bytes(data)


def _send(channel: socket.socket, answer: dict[str, Any]) -> None:
    body = json.dumps(answer).encode()
    channel.sendall(HEADER.pack(len(body)) + body)
