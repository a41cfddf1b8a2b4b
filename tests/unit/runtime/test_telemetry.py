"""One span a call, as the semantic conventions of OpenTelemetry for HTTP clients have it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.semconv.attributes import error_attributes as error_names
from opentelemetry.semconv.attributes import http_attributes as names
from opentelemetry.semconv.attributes import server_attributes as server_names
from opentelemetry.semconv.attributes import url_attributes as url_names
from opentelemetry.trace import SpanContext, SpanKind, StatusCode

from modelport_api._runtime.errors import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    ClientConfigError,
    MissingCredentialsError,
    NotFoundError,
    ServerError,
)
from tests.unit.runtime.operations import operation, path, secured
from tests.unit.runtime.server import ScriptedServer, Step, answer, closed_port, head
from tests.unit.runtime.worlds import World

TOKENS = {"userToken": "user-secret", "groupToken": "group-secret"}
URL_TEMPLATE = "url.template"  # of the registry, whose module for it is still marked as incubating


class Traces:
    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self.provider = TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.tracer = self.provider.get_tracer("tests")

    def ended(self) -> list[ReadableSpan]:
        return list(self._exporter.get_finished_spans())

    def only(self) -> ReadableSpan:
        (span,) = self.ended()
        return span


@pytest.fixture
def traces() -> Traces:
    return Traces()


def attributes(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def context_of(span: ReadableSpan) -> SpanContext:
    assert span.context is not None
    return span.context


def test_a_call_is_a_client_span(world: World, server: ScriptedServer, traces: Traces) -> None:
    client = world.base_client(f"{server.url}/base/", tracer=traces.tracer)
    world.call(client, path(), arguments={"value": "s3cret"})
    span = traces.only()

    assert "GET /base/before/{value}/after" == span.name
    assert SpanKind.CLIENT == span.kind
    assert StatusCode.UNSET == span.status.status_code
    assert attributes(span) == {
        names.HTTP_REQUEST_METHOD: "GET",
        names.HTTP_RESPONSE_STATUS_CODE: 200,
        server_names.SERVER_ADDRESS: "127.0.0.1",
        server_names.SERVER_PORT: server.port,
        url_names.URL_FULL: f"{server.url}/base/before/s3cret/after",
        URL_TEMPLATE: "/base/before/{value}/after",
    }


@pytest.mark.parametrize(("url", "port"), [("http://localhost", 80), ("https://localhost/api", 443)])
def test_the_port_of_the_scheme_is_told(world: World, traces: Traces, url: str, port: int) -> None:
    http_client = world.http_client(transport=httpx.MockTransport(lambda request: httpx.Response(200, json=1)))
    client = world.base_client(url, tracer=traces.tracer, http_client=http_client)
    world.call(client, operation())

    assert port == attributes(traces.only())[server_names.SERVER_PORT]


def test_the_server_is_told_which_span_calls_it(world: World, server: ScriptedServer, traces: Traces) -> None:
    server.script.append(answer(503, b""))
    client = world.client(server.url, credentials=TOKENS, tracer=traces.tracer)
    world.run(client.groups.list_groups())
    context = context_of(traces.only())

    # W3C Trace Context: version, trace id, parent id and flags in hexadecimal.
    expected = f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"
    assert [expected, expected] == [request.header("traceparent") for request in server.requests]


def test_a_traceparent_of_the_caller_is_kept(world: World, server: ScriptedServer, traces: Traces) -> None:
    client = world.client(server.url, credentials=TOKENS, tracer=traces.tracer)
    world.run(client.groups.list_groups(headers={"TraceParent": "mine"}))

    assert ["mine"] == [request.header("traceparent") for request in server.requests]


def test_the_span_is_a_child_of_the_current_one_and_current_for_middleware(
    world: World, server: ScriptedServer, traces: Traces
) -> None:
    current: list[Any] = []

    def sync(attempt: Any, send: Any) -> Any:
        current.append((trace.get_current_span().get_span_context(), attempt.request.headers["traceparent"]))
        return send(attempt)

    async def awaited(attempt: Any, send: Any) -> Any:
        current.append((trace.get_current_span().get_span_context(), attempt.request.headers["traceparent"]))
        return await send(attempt)

    middleware = [awaited if world.is_async else sync]
    client = world.client(server.url, credentials=TOKENS, tracer=traces.tracer, middleware=middleware)
    with traces.tracer.start_as_current_span("outer") as outer:
        world.run(client.groups.list_groups())
        after = trace.get_current_span()
    span = next(span for span in traces.ended() if span.kind == SpanKind.CLIENT)

    assert after is outer
    assert span.parent is not None
    assert outer.get_span_context().span_id == span.parent.span_id
    assert [span.context] == [context for context, _ in current]
    assert f"{context_of(span).span_id:016x}" in current[0][1]


def test_each_attempt_is_an_event(world: World, server: ScriptedServer, traces: Traces) -> None:
    server.script += [answer(503, b""), Step(close=True)]
    client = world.client(server.url, credentials=TOKENS, tracer=traces.tracer)
    world.run(client.groups.list_groups())
    span = traces.only()

    assert [
        {names.HTTP_REQUEST_RESEND_COUNT: 0, names.HTTP_RESPONSE_STATUS_CODE: 503},
        {names.HTTP_REQUEST_RESEND_COUNT: 1, error_names.ERROR_TYPE: "APIConnectionError"},
        {names.HTTP_REQUEST_RESEND_COUNT: 2, names.HTTP_RESPONSE_STATUS_CODE: 200},
    ] == [dict(event.attributes or {}) for event in span.events]
    assert 2 == attributes(span)[names.HTTP_REQUEST_RESEND_COUNT]
    assert StatusCode.UNSET == span.status.status_code
    assert error_names.ERROR_TYPE not in attributes(span)


def test_a_call_that_was_never_repeated_has_no_resend_count(
    world: World, server: ScriptedServer, traces: Traces
) -> None:
    world.run(world.client(server.url, credentials=TOKENS, tracer=traces.tracer).groups.list_groups())

    assert names.HTTP_REQUEST_RESEND_COUNT not in attributes(traces.only())


@pytest.mark.parametrize(("status", "error"), [(404, NotFoundError), (500, ServerError), (599, ServerError)])
@pytest.mark.parametrize("streamed", [False, True])
def test_an_error_status_is_an_error(
    world: World, server: ScriptedServer, traces: Traces, status: int, error: type[Exception], streamed: bool
) -> None:
    server.script.append(answer(status, {"message": "user-secret"}))
    client = world.client(server.url, credentials=TOKENS, tracer=traces.tracer)
    with pytest.raises(error):
        call(world, client, streamed=streamed)
    span = traces.only()

    assert StatusCode.ERROR == span.status.status_code
    assert span.status.description is None
    assert status == attributes(span)[names.HTTP_RESPONSE_STATUS_CODE]
    assert str(status) == attributes(span)[error_names.ERROR_TYPE]
    assert "secret" not in span.to_json()


def call(world: World, client: Any, *, streamed: bool) -> bytes:
    if not streamed:
        world.run(client.groups.list_groups())
        return b""
    with world.entered(client.groups.with_streaming_response.list_groups()) as response:
        return b"".join(world.iterated(response.iter_bytes()))


def test_a_redirect_is_an_error_to_the_caller_and_not_to_http(
    world: World, server: ScriptedServer, traces: Traces
) -> None:
    server.script.append(answer(302, b"", {"Location": "/x"}))
    client = world.client(server.url, credentials=TOKENS, tracer=traces.tracer)
    with pytest.raises(APIStatusError):
        world.run(client.groups.list_groups())
    span = traces.only()

    assert 302 == attributes(span)[names.HTTP_RESPONSE_STATUS_CODE]
    assert StatusCode.UNSET == span.status.status_code


@pytest.mark.parametrize("streamed", [False, True])
def test_no_answer_is_an_error_without_a_status(world: World, traces: Traces, streamed: bool) -> None:
    client = world.client(f"http://127.0.0.1:{closed_port()}", credentials=TOKENS, tracer=traces.tracer)
    with pytest.raises(APIConnectionError):
        call(world, client, streamed=streamed)
    span = traces.only()

    assert StatusCode.ERROR == span.status.status_code
    assert "APIConnectionError" == attributes(span)[error_names.ERROR_TYPE]
    assert names.HTTP_RESPONSE_STATUS_CODE not in attributes(span)
    assert 3 == len(span.events)
    assert 2 == attributes(span)[names.HTTP_REQUEST_RESEND_COUNT]


def test_a_timeout_is_named(world: World, server: ScriptedServer, traces: Traces) -> None:
    server.script.append(Step(stall=True))
    client = world.client(server.url, credentials=TOKENS, tracer=traces.tracer, max_retries=0)
    with pytest.raises(APITimeoutError):
        world.run(client.groups.list_groups(timeout=0.2))

    assert "APITimeoutError" == attributes(traces.only())[error_names.ERROR_TYPE]


def test_what_a_token_source_raises_is_an_error_whose_text_is_not_told(
    world: World, server: ScriptedServer, traces: Traces
) -> None:
    class Broken:
        def token(self, rejected: str | None = None) -> str:
            raise LookupError("user-secret")

    client = world.client(server.url, credentials={"userToken": Broken()}, tracer=traces.tracer)
    with pytest.raises(LookupError):
        world.run(client.groups.list_groups())
    span = traces.only()

    assert "LookupError" == attributes(span)[error_names.ERROR_TYPE]
    assert "secret" not in span.to_json()


def test_a_missing_credential_ends_the_span(world: World, server: ScriptedServer, traces: Traces) -> None:
    with pytest.raises(MissingCredentialsError):
        world.run(world.client(server.url, tracer=traces.tracer).groups.list_groups())

    assert StatusCode.ERROR == traces.only().status.status_code


def test_no_secret_is_in_a_span(world: World, server: ScriptedServer, traces: Traces) -> None:
    client = world.base_client(server.url, credentials={"query": "s3cret", "header": "s3cret"}, tracer=traces.tracer)
    server.script.append(answer(500, {"message": "s3cret is wrong"}))
    with pytest.raises(ServerError):
        world.call(client, secured(("query", "header")))

    assert "s3cret" not in traces.only().to_json()


# Streams.


def test_the_span_of_a_stream_ends_when_it_is_closed(world: World, server: ScriptedServer, traces: Traces) -> None:
    server.script.append(answer(200, b"x" * 300_000))
    client = world.client(server.url, credentials=TOKENS, tracer=traces.tracer)
    with world.entered(client.groups.with_streaming_response.list_groups()) as response:
        chunks = world.iterated(response.iter_bytes())  # kept: one that is dropped may close the answer
        next(chunks)

        assert [] == traces.ended()
        assert not trace.get_current_span().get_span_context().is_valid

    assert 200 == attributes(traces.only())[names.HTTP_RESPONSE_STATUS_CODE]
    assert StatusCode.UNSET == traces.only().status.status_code


def test_a_stream_that_is_cut_is_an_error(world: World, server: ScriptedServer, traces: Traces) -> None:
    server.script.append(Step(head(200, {"Content-Length": "999"}) + b"abc", close=True))
    client = world.client(server.url, credentials=TOKENS, tracer=traces.tracer)
    with pytest.raises(APIConnectionError):
        call(world, client, streamed=True)
    span = traces.only()

    assert StatusCode.ERROR == span.status.status_code
    assert attributes(span)[error_names.ERROR_TYPE]
    assert 200 == attributes(span)[names.HTTP_RESPONSE_STATUS_CODE]


def test_a_stream_of_a_middleware_ends_its_span(world: World, server: ScriptedServer, traces: Traces) -> None:
    def sync(attempt: Any, send: Any) -> Any:
        return httpx.Response(200, content=b"abc")

    async def awaited(attempt: Any, send: Any) -> Any:
        return httpx.Response(200, content=b"abc")

    middleware = [awaited if world.is_async else sync]
    client = world.client(server.url, credentials=TOKENS, tracer=traces.tracer, middleware=middleware)

    assert b"abc" == call(world, client, streamed=True)
    assert 200 == attributes(traces.only())[names.HTTP_RESPONSE_STATUS_CODE]


def test_calls_at_the_same_time_have_spans_of_their_own(server: ScriptedServer, traces: Traces) -> None:
    from modelport_api.codex.v1 import AsyncClient

    async def program() -> None:
        async with AsyncClient(server.url, credentials=TOKENS, tracer=traces.tracer) as client:
            await asyncio.gather(*(client.groups.list_groups() for _ in range(5)))

    asyncio.run(program())
    spans = traces.ended()

    assert 5 == len({context_of(span).span_id for span in spans})
    assert {f"{context_of(span).span_id:016x}" for span in spans} == {
        (request.header("traceparent") or "").split("-")[2] for request in server.requests
    }
    assert all(span.parent is None for span in spans)


# The option.


def test_true_means_the_global_provider(world: World, server: ScriptedServer, root: Path) -> None:
    program = f"""
import asyncio, inspect
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
exporter = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
trace.set_tracer_provider(provider)
from modelport_api.codex.v1 import AsyncClient, Client
KIND, URL = {world.name!r}, {server.url!r}
async def program():
    async with AsyncClient(URL, credentials={{'userToken': 't'}}, tracer=True) as client:
        await client.groups.list_groups()
if KIND == 'async':
    asyncio.run(program())
else:
    with Client(URL, credentials={{'userToken': 't'}}, tracer=True) as client:
        client.groups.list_groups()
print([span.name for span in exporter.get_finished_spans()])
"""
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=root)

    assert "['GET /groups']" == finished.stdout.strip()


@pytest.mark.parametrize("off", [None, False])
def test_it_can_be_switched_off(world: World, server: ScriptedServer, traces: Traces, off: bool | None) -> None:
    client = world.client(server.url, credentials=TOKENS, tracer=traces.tracer)
    world.run(client.with_options(tracer=off).groups.list_groups())

    assert [] == traces.ended()

    world.run(client.with_options(max_retries=0).groups.list_groups())

    assert 1 == len(traces.ended())


@pytest.mark.parametrize("tracer", ["yes", object(), 1])
def test_what_is_no_tracer_is_refused(world: World, tracer: Any) -> None:
    with pytest.raises(ClientConfigError, match="tracer must be"):
        world.client("http://host", tracer=tracer)


@pytest.mark.parametrize("tracer", [True, "own"])
def test_a_missing_package_is_named_with_what_to_do(
    world: World, monkeypatch: pytest.MonkeyPatch, traces: Traces, tracer: Any
) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    with pytest.raises(ClientConfigError, match="pip install opentelemetry-api"):
        world.client("http://host", tracer=traces.tracer if tracer == "own" else tracer)
