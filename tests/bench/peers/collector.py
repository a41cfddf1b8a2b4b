"""A collector of the forward protocol in a process of its own, so that it takes no CPU time from what is measured.

As a program (``python collector.py PORT [FILE]``) it prints its port, keeps what arrives as ``output``, and
acknowledges what asks for it. A line on its input is answered with how many records came and how many are different.
To FILE it appends the ``prediction_id`` of each record, as a line of JSON, before it acknowledges.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

__all__ = ["Arrived", "Collector"]


@dataclass(frozen=True)
class Arrived:
    """What a collector has."""

    records: int
    different: int


class Collector:
    """The program as its parent sees it."""

    def __init__(self, port: int = 0, *, file: Path | None = None) -> None:
        files = [] if file is None else [str(file)]
        self._process = subprocess.Popen(
            [sys.executable, __file__, str(port), *files], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())

    def arrived(self) -> Arrived:
        """What is there now."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return Arrived(**json.loads(self._process.stdout.readline()))

    def settled(self, quiet_seconds: float = 0.5, patience_seconds: float = 30.0) -> Arrived:
        """What is there once nothing more comes."""
        deadline = time.monotonic() + patience_seconds
        last, since = self.arrived(), time.monotonic()
        while time.monotonic() - since < quiet_seconds and time.monotonic() < deadline:
            time.sleep(0.02)
            now = self.arrived()
            if now != last:
                last, since = now, time.monotonic()
        return last

    def stop(self) -> Arrived:
        """End it at once, as a crash would, and say what it had."""
        had = self.arrived()
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
        return had


class _Server:
    def __init__(self, port: int, file: Path | None) -> None:
        self._file = None if file is None else file.open("ab", buffering=0)
        self._lock = threading.Lock()
        self._records = 0
        self._different: set[float] = set()
        self._socket = socket.create_server(("127.0.0.1", port))
        self.port: int = self._socket.getsockname()[1]

    def state(self) -> dict[str, int]:
        with self._lock:
            return {"records": self._records, "different": len(self._different)}

    def accept(self) -> None:
        while True:
            connection, _ = self._socket.accept()
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        import msgpack

        unpacker: Any = msgpack.Unpacker(timestamp=0, strict_map_key=False)
        try:
            while data := connection.recv(1 << 18):
                unpacker.feed(data)
                for message in unpacker:
                    self._take(connection, message)
        except OSError:
            return

    def _take(self, connection: socket.socket, message: list[Any]) -> None:
        import msgpack

        entries, option = message[1], message[-1]
        if isinstance(entries, bytes):  # "packed forward": the entries one after the other in one string
            unpacker: Any = msgpack.Unpacker(timestamp=0, strict_map_key=False)
            unpacker.feed(entries)
            entries = list(unpacker)
        records = [entry[1] for entry in entries] if isinstance(entries, list) else [message[2]]
        with self._lock:
            if self._file is not None:
                self._file.write(b"".join(json.dumps(record["prediction_id"]).encode() + b"\n" for record in records))
            self._records += len(records)
            self._different.update(record["output"] for record in records if "output" in record)
        if isinstance(option, dict) and "chunk" in option:
            connection.sendall(cast("bytes", msgpack.packb({"ack": option["chunk"]})))


def _main(port: int, file: Path | None) -> None:
    server = _Server(port, file)
    print(server.port, flush=True)
    threading.Thread(target=server.accept, daemon=True).start()
    for _ in sys.stdin:
        print(json.dumps(server.state()), flush=True)


if __name__ == "__main__":
    _main(int(sys.argv[1]), Path(sys.argv[2]) if sys.argv[2:] else None)
