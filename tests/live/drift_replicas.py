"""Serving processes on command: ``python drift_replicas.py FOLDER``.

Everything is imported once; each replica is then a fork of its own with a monitor of its own, so that a replica can be
killed and replaced between two scrapes. A line of JSON per command comes in, one answer per line goes out.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from modelport.drift import Baseline
from modelport.monitor import ModelMonitor

FOLDER = Path(sys.argv[1])


class Server(ThreadingHTTPServer):
    request_queue_size = 64

    def server_bind(self) -> None:
        # Several replicas behind one port, as gunicorn's workers are.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        super().server_bind()


def replica(channel: Any, endpoint: str, baseline: str, port: int, options: dict[str, Any]) -> None:
    monitor = ModelMonitor(endpoint, baseline=Baseline.load(FOLDER / baseline), interval=0.01, **options)
    scrapes = 0

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            nonlocal scrapes
            body, content_type = monitor.export_http(dict(self.headers))
            self.send_response(200)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            scrapes += 1

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
            pass

    for line in channel:
        command = json.loads(line)
        match command["do"]:
            case "log":
                for row in command["rows"]:
                    monitor.log(row, row[0])
                assert monitor.flush(60)
            case "listen":
                server = Server(("127.0.0.1", port), Handler)
                threading.Thread(target=server.serve_forever, daemon=True).start()
            case "end":
                monitor.close()
        channel.write(json.dumps({"scrapes": scrapes}) + "\n")
        channel.flush()
        if command["do"] == "end":
            os._exit(0)


def main() -> None:
    replicas: dict[str, tuple[int, Any]] = {}
    for line in sys.stdin:
        command = json.loads(line)
        name = command.pop("name")
        answer: dict[str, Any] = {}
        if command["do"] == "start":
            ours, theirs = socket.socketpair()
            child = os.fork()
            if child == 0:
                ours.close()
                for _, other in replicas.values():
                    other.close()
                arguments = command["endpoint"], command["baseline"], command["port"], command["options"]
                try:
                    replica(theirs.makefile("rw"), *arguments)
                finally:
                    os._exit(1)
            theirs.close()
            replicas[name] = child, ours.makefile("rw")
        elif command["do"] == "kill":
            child, channel = replicas.pop(name)
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            channel.close()
        else:
            _, channel = replicas[name]
            channel.write(json.dumps(command) + "\n")
            channel.flush()
            answer = json.loads(channel.readline())
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
    for child, _ in replicas.values():
        os.kill(child, signal.SIGKILL)


if __name__ == "__main__":
    main()
