"""Logging in: once, shared, renewed when the server refuses the token, and without a trace of the password."""

from __future__ import annotations

import asyncio
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
import respx
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from modelport import AsyncCodex, Codex
from modelport.errors import AuthenticationError, ConfigError, ServerError
from tests.unit.codex.blocking import Blocking
from tests.unit.codex.conftest import URL, Face

GROUPS = {"Results": [{"Name": "clinic"}]}


def test_a_client_is_made_without_any_request(face: Face, server: respx.MockRouter) -> None:
    face()

    assert server.calls.call_count == 0


def test_health_needs_no_login(codex: Blocking, server: respx.MockRouter) -> None:
    server.get("/health").respond(200, json={"Version": "1.0"})

    assert codex.health().version == "1.0"
    assert not server["login"].called


def test_many_calls_log_in_once(codex: Blocking, server: respx.MockRouter) -> None:
    route = server.get("/groups").respond(200, json=GROUPS)

    for _ in range(3):
        assert [group.name for group in codex.groups.list()] == ["clinic"]
    assert server["login"].call_count == 1
    assert {call.request.headers["authorization"] for call in route.calls} == {"Bearer user-token"}


def test_the_login_form_is_what_the_platform_reads(codex: Blocking, server: respx.MockRouter) -> None:
    codex.login()

    form = dict(parse_qsl(server["login"].calls.last.request.content.decode()))

    assert form == {"user": "ana", "password": "open sesame", "tenant": "t1"}


def test_a_refused_token_is_renewed_once(codex: Blocking, server: respx.MockRouter) -> None:
    tokens = iter(["old", "new"])
    server["login"].mock(side_effect=lambda _: httpx.Response(200, json={"Token": next(tokens)}))

    def answer(request: httpx.Request) -> httpx.Response:
        fresh = request.headers["authorization"] == "Bearer new"
        return httpx.Response(200, json=GROUPS) if fresh else httpx.Response(401, json={})

    route = server.get("/groups").mock(side_effect=answer)

    codex.groups.list()
    codex.groups.list()
    assert server["login"].call_count == 2
    assert route.call_count == 3


def test_a_token_that_is_always_refused_ends_in_an_error(codex: Blocking, server: respx.MockRouter) -> None:
    route = server.get("/groups").respond(401, json={"Error": {"Type": "Auth", "Message": "who are you"}})

    with pytest.raises(AuthenticationError, match="who are you"):
        codex.groups.list()
    assert route.call_count == 2
    assert server["login"].call_count == 2


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_every_refusal_of_a_login_is_an_authentication_error(
    codex: Blocking, server: respx.MockRouter, status: int
) -> None:
    server["login"].respond(status, json={"Error": {"Type": "Auth", "Message": "wrong password"}})

    with pytest.raises(AuthenticationError, match="login failed: wrong password") as caught:
        codex.groups.list()
    assert caught.value.status == status


def test_a_server_that_fails_at_login_is_a_server_error(codex: Blocking, server: respx.MockRouter) -> None:
    server["login"].respond(500, text="<html>down</html>")

    with pytest.raises(ServerError):
        codex.login()


def test_a_password_that_the_server_echoes_is_in_no_error(codex: Blocking, server: respx.MockRouter) -> None:
    server["login"].respond(401, json={"Error": {"Type": "Auth", "Message": "open sesame is wrong"}})

    with pytest.raises(AuthenticationError) as caught:
        codex.login()
    error: Any = caught.value
    assert "sesame" not in f"{error!s} {error!r} {error.body} {error.raw_body!r} {error.__cause__!r}"


def test_without_a_user_the_error_says_what_to_set(face: Face, server: respx.MockRouter) -> None:
    codex = face(user=None, password=None)

    with pytest.raises(ConfigError, match=r"no user and password.*MODELPORT_CODEX_USER"):
        codex.groups.list()
    assert server.calls.call_count == 0


def test_no_secret_is_in_a_repr_or_a_log(
    codex: Blocking, server: respx.MockRouter, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.post("/groups").respond(201, json={"Token": "f" * 32})
    token = codex.groups.create("clinic")
    session = codex._inner._session
    shown = f"{codex!r} {token!r} {token} {vars(codex._inner)} {vars(session)['client']!r} {caplog.text}"

    assert token.token == "f" * 32
    for secret in ("open sesame", "user-token", "f" * 32):
        assert secret not in shown.replace(repr(session._tokens), "")


def test_threads_that_start_together_share_one_login(server: respx.MockRouter) -> None:
    gate = threading.Barrier(8)
    server["login"].mock(side_effect=lambda _: httpx.Response(200, json={"Token": "user-token"}))
    server.get("/groups").respond(200, json=GROUPS)
    with Codex(URL, user="ana", password="pw") as codex, ThreadPoolExecutor(8) as pool:

        def call() -> int:
            gate.wait()
            return len(codex.groups.list())

        assert sum(future.result() for future in [pool.submit(call) for _ in range(8)]) == 8
    assert server["login"].call_count == 1


def test_tasks_that_start_together_share_one_login(server: respx.MockRouter) -> None:
    async def login(_: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0)
        return httpx.Response(200, json={"Token": "user-token"})

    server["login"].mock(side_effect=login)
    server.get("/groups").respond(200, json=GROUPS)

    async def main() -> int:
        async with AsyncCodex(URL, user="ana", password="pw") as codex:
            return len(await asyncio.gather(*(codex.groups.list() for _ in range(8))))

    assert asyncio.run(main()) == 8
    assert server["login"].call_count == 1


def test_tasks_that_wait_for_a_login_share_its_failure(server: respx.MockRouter) -> None:
    async def login(_: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0)
        return httpx.Response(401, json={})

    server["login"].mock(side_effect=login)

    async def main() -> list[BaseException | Any]:
        async with AsyncCodex(URL, user="ana", password="pw") as codex:
            return await asyncio.gather(*(codex.groups.list() for _ in range(8)), return_exceptions=True)

    assert {type(error) for error in asyncio.run(main())} == {AuthenticationError}
    assert server["login"].call_count == 1


def test_middleware_and_traces_see_the_login_and_the_call(face: Face, server: respx.MockRouter) -> None:
    server.get("/groups").respond(200, json=GROUPS)
    seen: list[str] = []
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))

    def note(attempt: Any, send: Any) -> Any:
        seen.append(f"{attempt.operation} {attempt.number}")
        return send(attempt)

    codex = face(middleware=[note], tracer=provider.get_tracer("test"))
    codex.groups.list()

    assert seen == ["auth.login 1", "groups.list_groups 1"]
    assert sorted(span.name for span in exporter.get_finished_spans()) == ["GET /api/groups", "POST /api/login"]
    assert "open sesame" not in str([span.to_json() for span in exporter.get_finished_spans()])
