"""What the faces and middlewares cost: CPU per call, beside Boxkite's own call and beside a bare FastAPI or Flask app.

``python tests/bench/bench_faces.py`` prints this table alone. Boxkite runs in the environment that `make setup-test`
makes for it; without one its row is left out. Requests are handed to the applications in the process, without a
server or a network, which would hide what a middleware adds.
"""

from __future__ import annotations

import asyncio
import io
import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import fastapi
import flask

from modelport.boxkite import ModelMonitoringService
from modelport.drift import Baseline
from modelport.monitor import ModelMonitor, MonitorMiddleware, WSGIMonitorMiddleware, monitored
from tests.bench.measure import Row, minima
from tests.bench.run import table

FEATURES = 20
CALLS = 1000
BODY = json.dumps({"features": {f"f{n}": n / 7 for n in range(FEATURES)}}).encode()
BASELINE = Baseline.from_data(
    {f"f{n}": [value / 50 for value in range(500)] for n in range(FEATURES)}, output=[n / 500 for n in range(500)]
)
BOXKITE = Path(__file__).resolve().parents[2] / ".cache" / "venvs" / "boxkite" / "bin" / "python"

# Counts as ours does, sends nothing: its lightest form.
BOXKITE_PROGRAM = f"""
import sys, tempfile, time
from boxkite.monitoring.service import BaselineMetricCollector, LogExporter, ModelMonitoringService
class Nowhere(LogExporter):
    def emit(self, prediction):
        pass
path = tempfile.mktemp(suffix=".prom")
columns = [(f"f{{n}}", [value / 50 for value in range(500)]) for n in range({FEATURES})]
ModelMonitoringService.export_text(columns, [n / 500 for n in range(500)], path)
monitor = ModelMonitoringService(Nowhere(), BaselineMetricCollector(path))
row = [n / 7 for n in range({FEATURES})]
best = float("inf")
for _ in range(7):
    before = time.process_time_ns()
    for _ in range({CALLS}):
        monitor.log_prediction("", row, 0.5)
    best = min(best, (time.process_time_ns() - before) / {CALLS})
print(best)
"""


def main() -> list[Row]:
    with (
        ModelMonitor("e", baseline=BASELINE) as monitor,
        ModelMonitoringService(baseline=BASELINE, sinks=[]) as service,
    ):
        best = minima(
            {
                **_functions(monitor),
                **_applications("fastapi", _asgi_calls, _fastapi(), MonitorMiddleware(_fastapi(), monitor)),
                **_applications("flask", _wsgi_calls, _flask(), WSGIMonitorMiddleware(_flask(), monitor)),
                "log_prediction": lambda: _per_call(_log_predictions(service), time.process_time_ns),
            },
            rounds=15,
        )
    added = best["watched function"] - best["function"]
    rows = [
        Row("request: FastAPI with middleware / without", best["fastapi watched"], best["fastapi"], 1.6, "us"),
        Row("request: Flask with middleware / without", best["flask watched"], best["flask"], 1.6, "us"),
        Row("what monitored() adds to a call / a FastAPI request", added, best["fastapi"], 0.1, "us"),
    ]
    if BOXKITE.is_file():
        answer = subprocess.run([str(BOXKITE), "-c", BOXKITE_PROGRAM], check=True, capture_output=True, text=True)
        theirs = float(answer.stdout) / 1000
        rows.append(Row("process: log_prediction, counted / Boxkite's", best["log_prediction"], theirs, 0.2, "us"))
    return rows


def _per_call(work: Callable[[], object], clock: Callable[[], int]) -> float:
    before = clock()
    work()
    return (clock() - before) / CALLS / 1000


def _log_predictions(service: ModelMonitoringService) -> Callable[[], object]:
    row = [n / 7 for n in range(FEATURES)]

    def work() -> None:
        for _ in range(CALLS):
            service.log_prediction("", row, 0.5)
        # All of it: counting is part of what Boxkite does in its call.
        assert service.flush(60)

    return work


def _functions(monitor: ModelMonitor) -> Mapping[str, Callable[[], float]]:
    def predict(row: dict[str, float]) -> float:
        return 0.5

    row = {f"f{n}": n / 7 for n in range(FEATURES)}
    watched = monitored(monitor)(predict)

    def calls(function: Callable[[dict[str, float]], float]) -> Callable[[], None]:
        def work() -> None:
            for _ in range(CALLS):
                function(row)

        return work

    return {
        "function": lambda: _per_call(calls(predict), time.thread_time_ns),
        "watched function": lambda: _per_call(calls(watched), time.thread_time_ns),
    }


def _applications(
    name: str, calls: Callable[[Any], Callable[[], object]], bare: Any, watched: Any
) -> Mapping[str, Callable[[], float]]:
    return {
        name: lambda: _per_call(calls(bare), time.thread_time_ns),
        f"{name} watched": lambda: _per_call(calls(watched), time.thread_time_ns),
    }


def _fastapi() -> Any:
    app = fastapi.FastAPI()

    @app.post("/predict")
    async def predict(body: dict[str, Any]) -> dict[str, float]:
        return {"prediction": 0.5}

    return app


def _flask() -> Any:
    app = flask.Flask("bench")

    @app.post("/predict")
    def predict() -> dict[str, float]:
        flask.request.get_json()
        return {"prediction": 0.5}

    return app


def _asgi_calls(app: Any) -> Callable[[], object]:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(BODY)).encode())]

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": BODY, "more_body": False}

    async def send(message: dict[str, object]) -> None:
        pass

    async def work() -> None:
        for _ in range(CALLS):
            scope = {
                "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST",
                "path": "/predict", "raw_path": b"/predict", "root_path": "", "scheme": "http", "query_string": b"",
                "headers": headers, "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80),
            }  # fmt: skip
            await app(scope, receive, send)

    return lambda: asyncio.run(work())


def _wsgi_calls(app: Any) -> Callable[[], object]:
    def work() -> None:
        for _ in range(CALLS):
            environ = {
                "REQUEST_METHOD": "POST", "SCRIPT_NAME": "", "PATH_INFO": "/predict", "QUERY_STRING": "",
                "SERVER_NAME": "localhost", "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1",
                "CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(BODY)), "wsgi.input": io.BytesIO(BODY),
                "wsgi.errors": io.StringIO(), "wsgi.url_scheme": "http", "wsgi.version": (1, 0),
                "wsgi.multithread": True, "wsgi.multiprocess": False, "wsgi.run_once": False,
            }  # fmt: skip
            answer = app(environ, lambda *given: lambda data: None)
            b"".join(answer)
            answer.close()

    return work


if __name__ == "__main__":
    print(table(main()))
