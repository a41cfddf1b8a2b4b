"""The middlewares in real services: FastAPI under uvicorn, Flask under werkzeug, spoken to over loopback."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import fastapi
import flask
import httpx
import pytest
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.responses import StreamingResponse

from modelport.drift import Baseline
from modelport.monitor import ModelMonitor, MonitorMiddleware, WSGIMonitorMiddleware, current_prediction_id
from modelport.predictions import FileSink, Prediction, read_predictions
from tests.live.served import by_uvicorn, by_werkzeug

pytestmark = pytest.mark.live

PATIENCE_SECONDS = 30.0
BASELINE = Baseline.from_data(
    {"age": [float(n) for n in range(100)], "plan": ["a", "b"] * 50}, output=[n / 100 for n in range(100)]
)


class Service:
    """A running service, and what it has logged."""

    def __init__(self, kind: str, url: str, monitor: ModelMonitor, directory: Path) -> None:
        self.kind = kind
        self.client = httpx.Client(base_url=url, trust_env=False, timeout=PATIENCE_SECONDS)
        self.url = url
        self.monitor = monitor
        self._directory = directory

    def logged(self) -> list[Prediction]:
        assert self.monitor.flush(PATIENCE_SECONDS)
        return list(read_predictions(self._directory))

    def wait_for(self, count: int) -> list[Prediction]:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while len(found := self.logged()) < count:
            assert time.monotonic() < deadline, f"{len(found)} of {count}"
            time.sleep(0.01)
        return found

    def wait_for_dropped(self, reason: str) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self.monitor.dropped.get(reason):
            assert time.monotonic() < deadline, self.monitor.dropped
            time.sleep(0.01)


def fastapi_app(monitor: ModelMonitor) -> Any:
    app = fastapi.FastAPI()

    @app.post("/predict")
    async def predict(row: dict[str, Any]) -> dict[str, Any]:
        return {"prediction": row["age"] / 100, "id": current_prediction_id()}

    @app.post("/blocking")
    def blocking(rows: list[dict[str, Any]]) -> list[float]:
        return [row["age"] / 100 for row in rows]

    @app.post("/stream")
    async def stream(request: fastapi.Request) -> StreamingResponse:
        size = len(await request.body())

        async def parts() -> AsyncIterator[bytes]:
            yield b"[%d" % size
            while not await request.is_disconnected():
                await asyncio.sleep(0.01)
                yield b", 0"

        return StreamingResponse(parts(), media_type="application/json")

    @app.post("/raise")
    async def fail() -> None:
        raise fastapi.HTTPException(418)

    @app.get("/large")
    async def large() -> dict[str, str]:
        return {"output": "x" * 100_000}

    app.add_middleware(GZipMiddleware, minimum_size=1)
    app.add_middleware(MonitorMiddleware, monitor=monitor, methods=("POST", "GET"), metrics_path="/metrics")
    return app


def flask_app(monitor: ModelMonitor) -> Any:
    app = flask.Flask("service")

    @app.post("/predict")
    def predict() -> dict[str, Any]:
        row = flask.request.get_json()
        return {"prediction": row["age"] / 100, "id": current_prediction_id()}

    @app.post("/blocking")
    def blocking() -> Any:
        return flask.jsonify([row["age"] / 100 for row in flask.request.get_json()])

    @app.post("/stream")
    def stream() -> Any:
        size = len(flask.request.get_data())

        def parts() -> Iterator[bytes]:
            yield b"[%d" % size
            while True:
                time.sleep(0.01)
                yield b", 0"

        return flask.Response(parts(), mimetype="application/json")

    @app.post("/raise")
    def fail() -> Any:
        flask.abort(418)

    @app.get("/large")
    def large() -> dict[str, str]:
        return {"output": "x" * 100_000}

    app.wsgi_app = WSGIMonitorMiddleware(  # type: ignore[method-assign]
        app.wsgi_app, monitor, methods=("POST", "GET"), metrics_path="/metrics"
    )
    return app


SERVICES: dict[str, tuple[Callable[[ModelMonitor], Any], Any]] = {
    "fastapi": (fastapi_app, by_uvicorn),
    "flask": (flask_app, by_werkzeug),
}


@pytest.fixture(params=SERVICES)
def service(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Service]:
    make, serve = SERVICES[request.param]
    with ModelMonitor("churn", baseline=BASELINE, sinks=[FileSink(tmp_path)]) as monitor, serve(make(monitor)) as url:
        made = Service(request.param, url, monitor, tmp_path)
        with made.client:
            yield made


def test_a_request_is_logged_counted_and_answered_with_its_id(service: Service) -> None:
    answer = service.client.post("/predict", json={"age": 41, "plan": "a"})

    (record,) = service.wait_for(1)
    assert answer.json() == {"prediction": 0.41, "id": record.prediction_id}
    assert answer.headers["x-prediction-id"] == record.prediction_id
    assert (record.features, record.output) == ({"age": 41, "plan": "a"}, 0.41)
    assert service.monitor.counts is not None
    assert (service.monitor.counts.records, service.monitor.counts.uncounted) == (1, 0)


def test_many_clients_at_once_get_their_own_ids_and_all_is_logged(service: Service) -> None:
    def call(number: int) -> tuple[str, float]:
        answer = service.client.post("/predict", json={"age": number, "plan": "b"}).raise_for_status()
        return answer.headers["x-prediction-id"], answer.json()["prediction"]

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(call, range(400)))

    found = service.wait_for(400)
    assert {record.prediction_id: record.output for record in found} == dict(answers)
    assert len(found) == len(dict(answers)) == 400
    assert sum(service.monitor.dropped.values()) == 0


def test_a_batch_is_a_prediction_per_row(service: Service) -> None:
    answer = service.client.post("/blocking", json=[{"age": age, "plan": "a"} for age in (10, 20, 30)])

    made = answer.headers["x-prediction-id"]
    assert [record.prediction_id for record in service.wait_for(3)] == [f"{made}/{n}" for n in range(3)]
    assert [record.output for record in service.logged()] == [0.1, 0.2, 0.3]
    assert service.monitor.counts is not None
    assert service.monitor.counts.records == 3


def test_a_chunked_request_and_a_packed_answer_are_logged(service: Service) -> None:
    parts = [b'{"age"', b": 41, ", b'"plan": "b"}']
    answer = service.client.post("/predict", content=iter(parts), headers={"content-type": "application/json"})

    assert answer.json()["prediction"] == 0.41
    assert service.wait_for(1)[0].features == {"age": 41, "plan": "b"}


def test_errors_are_answered_and_not_logged(service: Service) -> None:
    assert service.client.post("/raise", json={}).status_code == 418
    assert service.client.post("/nowhere", json={}).status_code == 404

    assert service.logged() == []
    assert sum(service.monitor.dropped.values()) == 0


def test_a_body_beyond_the_limit_arrives_whole_and_is_counted(service: Service) -> None:
    large = {"age": 41, "plan": "x" * 300_000}
    assert service.client.post("/predict", json=large).json()["prediction"] == 0.41
    assert len(service.client.get("/large").json()["output"]) == 100_000

    service.wait_for_dropped("body_too_large")
    assert [record.output for record in service.wait_for(1)] == ["x" * 100_000]


def test_a_stream_arrives_while_it_is_made_and_a_client_may_leave(service: Service) -> None:
    host, port = urlsplit(service.url).hostname, urlsplit(service.url).port
    with socket.create_connection((host, port), PATIENCE_SECONDS) as connection:
        connection.sendall(
            b"POST /stream HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
        )
        seen = b""
        while b"[2" not in seen:
            received = connection.recv(4096)
            assert received, seen
            seen += received

    assert b"x-prediction-id" in seen.lower()
    if service.kind == "flask":
        service.wait_for_dropped("aborted")
    assert service.logged() == []


def test_metrics_are_scraped_from_the_service_itself(service: Service) -> None:
    service.client.post("/predict", json={"age": 41, "plan": "a"})
    service.wait_for(1)

    answer = service.client.get("/metrics", headers={"accept": "application/openmetrics-text; version=1.0.0"})
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert 'bin="a"' in answer.text
    assert service.client.head("/metrics").headers["content-type"].startswith("text/plain")


def test_the_servers_shutdown_ships_everything(tmp_path: Path) -> None:
    sink = FileSink(tmp_path)
    monitor = ModelMonitor("churn", sinks=[sink], interval=60)
    with by_uvicorn(fastapi_app(monitor)) as url, httpx.Client(base_url=url, trust_env=False) as client:
        for age in range(20):
            client.post("/predict", json={"age": age})

    assert sorted(record.output for record in read_predictions(tmp_path)) == [age / 100 for age in range(20)]  # type: ignore[type-var]


def test_a_packed_request_that_the_application_unpacks_is_logged(tmp_path: Path) -> None:
    app = flask.Flask("service")

    @app.post("/predict")
    def predict() -> dict[str, Any]:
        return {"output": json.loads(gzip.decompress(flask.request.get_data()))["age"]}

    with ModelMonitor("churn", sinks=[FileSink(tmp_path)]) as monitor:
        app.wsgi_app = WSGIMonitorMiddleware(app.wsgi_app, monitor, path="/predict")  # type: ignore[method-assign]
        headers = {"content-type": "application/json", "content-encoding": "gzip"}
        with by_werkzeug(app) as url, httpx.Client(base_url=url, trust_env=False) as client:
            answer = client.post("/predict", content=gzip.compress(b'{"age": 3}'), headers=headers)

    assert answer.json() == {"output": 3}
    assert [record.features for record in read_predictions(tmp_path)] == [{"age": 3}]
