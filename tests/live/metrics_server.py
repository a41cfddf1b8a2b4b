"""The page of a monitor behind a port, as services serve it, with the scrapes counted."""

from __future__ import annotations

import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from modelport.monitor import ModelMonitor


class MetricsServer:
    """Serves `monitor` from a thread of its own.

    Attributes:
        scrapes: How many were answered.
    """

    def __init__(self, monitor: ModelMonitor, port: int) -> None:
        self.scrapes = 0
        answered = self._answered

        class Page(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body, content_type = monitor.export_http(dict(self.headers))
                self.send_response(200)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
                answered()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name there
                pass

        self._server = _Server(("127.0.0.1", port), Page)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _answered(self) -> None:
        self.scrapes += 1


class _Server(ThreadingHTTPServer):
    request_queue_size = 64

    def server_bind(self) -> None:
        # Several replicas behind one port, as gunicorn's workers are.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        super().server_bind()
