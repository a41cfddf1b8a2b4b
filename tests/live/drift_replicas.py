"""Serving processes on command: ``python -m tests.live.drift_replicas FOLDER``.

Everything is imported once; each replica is then a fork of its own with a monitor of its own, so that a replica can be
killed and replaced between two scrapes. A line of JSON per command comes in, one answer per line goes out.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from pathlib import Path
from typing import Any

from modelport.drift import Baseline
from modelport.monitor import ModelMonitor
from tests.live.metrics_server import MetricsServer

FOLDER = Path(sys.argv[1])


def replica(channel: Any, endpoint: str, baseline: str, port: int, options: dict[str, Any]) -> None:
    monitor = ModelMonitor(endpoint, baseline=Baseline.load(FOLDER / baseline), interval=0.01, **options)
    server: MetricsServer | None = None
    for line in channel:
        command = json.loads(line)
        match command["do"]:
            case "log":
                for row in command["rows"]:
                    monitor.log(row, row[0])
                assert monitor.flush(60)
            case "listen":
                server = MetricsServer(monitor, port)
            case "end":
                monitor.close()
        channel.write(json.dumps({"scrapes": server.scrapes if server else 0}) + "\n")
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
