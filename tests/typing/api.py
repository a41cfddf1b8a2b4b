"""The public API as users write it, for pyright and mypy only: this file is checked and never run."""

from __future__ import annotations

import asyncio
import datetime as dt
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, assert_type

import httpx
from fastapi import FastAPI
from flask import Flask
from opentelemetry import trace

from modelport import AsyncCodex, Codex, ModelMonitor, ModelportError, __version__
from modelport.bedrock import PredictionStore
from modelport.boxkite import LogExporter, ModelMonitoringService, PredictionContext
from modelport.drift import Baseline, DriftReport, drift_report
from modelport.monitor import Exchange, MonitorMiddleware, WSGIMonitorMiddleware, current_prediction_id, monitored
from modelport.predict_code import JsonBody, PredictRequest, languages, render
from modelport.predictions import (
    CallableSink,
    FileSink,
    GroundTruth,
    ParquetSink,
    Prediction,
    PredictionReader,
    Record,
    S3Sink,
    Sink,
    StdoutSink,
    read_ground_truth,
    read_predictions,
    sinks_from_env,
)
from modelport_api.codex.v1 import (
    UNSET,
    AsyncClient,
    AsyncMiddleware,
    AsyncSend,
    Attempt,
    Client,
    HTTPResponse,
    Middleware,
    RawResponse,
    Send,
    Unset,
    models,
)

assert_type(__version__, str)


def face() -> None:
    with Codex.from_env() as codex:
        assert_type(codex, Codex)
        assert_type(codex.groups.list(), list[models.Group])
        model = codex.models.create(
            name="churn",
            operation="sync",
            source="app.py",
            model=Path("model.pkl"),
            requirements="requirements.txt",
            schema="sample.json",
            group="risk",
        )
        assert_type(model.wait(timeout=60, on_progress=lambda progress: progress.state).hash, str)
        assert_type(model.predict({"age": 41}), Any)
        assert_type(model.predict_code("curl"), str)
        assert_type(codex.models.search(name="churn"), list[models.ModelSummary])
        codex.models.search(nmae="churn")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


async def async_face() -> None:
    async with AsyncCodex.from_env() as codex:
        assert_type(codex, AsyncCodex)
        model = await codex.models.get("M7abe", group="risk")
        assert_type((await model.wait()).hash, str)
        assert_type(await model.predict_file("input.csv", "out"), list[Path])


def generated() -> None:
    with Client("http://127.0.0.1:8787/codex/api", credentials={"userToken": "token"}) as client:
        listed = client.groups.list_groups()
        assert_type(listed, models.GroupList)
        assert_type(listed.results[0].name, str)
        assert_type(client.groups.with_raw_response.list_groups(), RawResponse[models.GroupList])
        assert_type(client.models.wait_for_model_status("risk", "M7abe", wait_timeout=60), models.HostedStatus)
        assert_type(client.models.host_model_and_wait(models.OperationPath.SYNC, "risk", "M7abe"), models.HostedStatus)
        client.groups.list_groups(timeout=3.0, max_retries=0, headers={"X-Trace": "1"})


async def generated_async() -> None:
    async with AsyncClient("http://127.0.0.1:8787/codex/api") as client:
        assert_type(await client.groups.list_groups(), models.GroupList)


def sign(attempt: Attempt, send: Send) -> HTTPResponse:
    assert_type(attempt.number, int)
    assert_type(attempt.request.content, bytes)
    attempt.request.headers["X-Signature"] = f"{attempt.method} {attempt.url}"
    response = send(attempt)
    assert_type(response.status_code, int)
    return response


async def asign(attempt: Attempt, send: AsyncSend) -> HTTPResponse:
    return await send(attempt)


def canned(attempt: Attempt, send: Send) -> httpx.Response:
    attempt.request = httpx.Request("GET", attempt.url)
    return httpx.Response(200)


def middleware(tracer: trace.Tracer, context: ssl.SSLContext) -> None:
    listed: list[Middleware] = [sign, canned]
    alisted: list[AsyncMiddleware] = [asign]
    client = Client("http://host", middleware=listed, tracer=tracer, cert=("cert.pem", Path("key.pem")))
    assert_type(client.with_options(middleware=(sign,), tracer=True, max_response_bytes=None), Client)
    AsyncClient("http://host", middleware=alisted, tracer=True, verify=context, max_response_bytes=10)
    Client("http://host", middleware=[asign])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]


def unset(model: models.ModelSummary) -> None:
    assert_type(model.status, models.ModelState | Unset)
    if model.status is not UNSET and not isinstance(model.status, Unset):
        assert_type(model.status, models.ModelState)


def monitoring() -> None:
    baseline = Baseline.from_data({"age": [41, 42]})
    with ModelMonitor("churn", sinks=[FileSink("log")], baseline=baseline) as monitor:
        monitor.log({"age": 41}, 0.93)
    for prediction in read_predictions("log"):
        assert_type(prediction, Prediction)
    assert_type(drift_report(baseline, {"age": [1, 2]}), DriftReport)


def reading_predictions(records: list[Record]) -> None:
    reader = read_predictions("s3://bucket/prefix", "churn", prediction_ids=["a"], ttl=dt.timedelta(days=31))
    assert_type(reader, PredictionReader)
    assert_type(next(iter(reader)), Prediction)
    assert_type(next(iter(read_ground_truth(["a.txt"]))), GroundTruth)
    assert_type(sinks_from_env(), list[Sink])
    ParquetSink("log", max_rows=10).write(records)
    S3Sink("s3://bucket", format="txt.gz", journal="journal").roll()
    S3Sink("s3://bucket", format="csv")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    StdoutSink("stderr").write(records)
    CallableSink(print, name="mine").write(records)


class Exporter(LogExporter):
    def emit(self, prediction: PredictionContext) -> None:
        assert_type(prediction.prediction_id, str)


def faces() -> None:
    ModelMonitoringService.export_text({"age": [41, 42]}.items(), [0.5, 0.25], kinds={"age": "numeric"})
    with ModelMonitoringService(Exporter(), redact=["name"]) as service:
        assert_type(service.log_prediction(request_body={}, features=[41], output=0.5), str)
        assert_type(service.export_http({"name[]": ["inference_value"]}), tuple[bytes, str])
    ModelMonitoringService(redakt=["name"])  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    assert_type(PredictionStore().log_prediction('{"event_id": "123"}', [0, 2, 1], 0.921), str)


async def awaited(apredict: Callable[[dict[str, float]], Awaitable[list[float]]]) -> None:
    assert_type(await apredict({}), list[float])


def middlewares(monitor: ModelMonitor) -> None:
    def segments(exchange: Exchange) -> dict[str, str]:
        return {"country": exchange.headers["x-country"]}

    web = FastAPI()
    web.add_middleware(MonitorMiddleware, monitor=monitor, path="/predict", segments=segments)
    wsgi = Flask("service")
    wsgi.wsgi_app = WSGIMonitorMiddleware(wsgi.wsgi_app, monitor, metrics_path="/metrics")  # type: ignore[method-assign]
    WSGIMonitorMiddleware(wsgi.wsgi_app, monitor, paht="/x")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]

    @monitored(monitor)
    def predict(age: int) -> float:
        assert_type(current_prediction_id(), str | None)
        return age / 100

    @monitored(monitor, features=dict)
    async def apredict(row: dict[str, float]) -> list[float]:
        return list(row.values())

    assert_type(predict(41), float)
    predict("41")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    asyncio.run(awaited(apredict))


def programs() -> None:
    assert_type(render(PredictRequest(url="http://127.0.0.1/", body=JsonBody("{}")), "python"), str)
    assert_type(languages(), list[str])


def errors(codex: Codex) -> None:
    try:
        codex.login()
    except ModelportError as error:
        assert_type(error, ModelportError)
