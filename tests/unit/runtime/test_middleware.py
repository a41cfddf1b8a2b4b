"""What a function between the calls and the wire sees, may change, and cannot break."""

from __future__ import annotations

import hashlib
import hmac
import logging
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest

from modelport_api._runtime.errors import (
    APIConnectionError,
    APIError,
    ClientConfigError,
    NotFoundError,
    ServerError,
)
from modelport_api.codex.v1 import Attempt, File, HTTPResponse, models
from tests.unit.runtime.operations import operation, secured
from tests.unit.runtime.server import ScriptedServer, Step, answer, closed_port
from tests.unit.runtime.worlds import World

TOKENS = {"userToken": "user-secret", "groupToken": "group-secret"}
GROUP = models.CreateGroupBody(name="clinic", description="")
SMALL_POOL = httpx.Limits(max_connections=1, max_keepalive_connections=1)


def made(
    world: World,
    before: Callable[[Any], Any] = lambda attempt: None,
    after: Callable[[Any, Any], Any] = lambda attempt, response: response,
) -> Any:
    """A middleware of the world, from what it does before the answer and what it makes of it."""

    def sync(attempt: Any, send: Any) -> Any:
        early = before(attempt)
        return after(attempt, send(attempt)) if early is None else early

    async def awaited(attempt: Any, send: Any) -> Any:
        early = before(attempt)
        return after(attempt, await send(attempt)) if early is None else early

    return awaited if world.is_async else sync


def test_it_is_called_once_an_attempt_with_what_the_attempt_is(world: World, server: ScriptedServer) -> None:
    server.script += [answer(503, b""), Step(close=True)]
    seen: list[tuple[Any, ...]] = []

    def note(attempt: Attempt) -> None:
        seen.append((attempt.number, attempt.operation, attempt.method, attempt.path_template, attempt.is_streamed))

    client = world.client(server.url, credentials=TOKENS, middleware=[made(world, note)])
    world.run(client.groups.list_groups())

    assert [(n, "groups.list_groups", "GET", "/groups", False) for n in (1, 2, 3)] == seen
    assert 3 == len(server.requests)


def test_the_path_template_is_that_of_the_document(world: World, server: ScriptedServer) -> None:
    templates: list[str] = []
    client = world.client(
        server.url,
        credentials=TOKENS,
        middleware=[made(world, lambda attempt: templates.append(attempt.path_template))],
    )
    server.script.append(answer(404, b""))
    with pytest.raises(NotFoundError):
        world.run(client.models.describe_model("clinic", "M1"))

    assert 1 == len(templates)
    assert "M1" not in templates[0]
    assert "{" in templates[0]


def test_the_first_in_the_list_is_outermost(world: World, server: ScriptedServer) -> None:
    order: list[str] = []

    def around(name: str) -> Any:
        def after(attempt: Any, response: Any) -> Any:
            order.append(f"{name} out")
            return response

        return made(world, lambda attempt: order.append(f"{name} in"), after)

    client = world.client(server.url, credentials=TOKENS, middleware=[around("first"), around("second")])
    world.run(client.groups.list_groups())

    assert ["first in", "second in", "second out", "first out"] == order


def test_a_request_can_be_signed_after_credentials_and_body_are_in_place(world: World, server: ScriptedServer) -> None:
    def sign(attempt: Attempt) -> None:
        request = attempt.request
        text = b"\n".join(
            [attempt.method.encode(), attempt.url.encode(), request.headers["authorization"].encode(), request.content]
        )
        request.headers["X-Signature"] = hmac.new(b"key", text, hashlib.sha256).hexdigest()

    client = world.client(server.url, credentials=TOKENS, middleware=[made(world, sign)])
    server.script += [answer(429, b""), answer(201, {"Token": "t", "Message": "made"})]
    world.run(client.groups.create_group(body=GROUP))

    for request in server.requests:
        text = f"POST\n{server.url}{request.target}\nBearer user-secret\n".encode() + request.body
        assert request.header("x-signature") == hmac.new(b"key", text, hashlib.sha256).hexdigest()
    assert 2 == len(server.requests)


def test_the_body_of_a_file_can_be_read_and_is_still_sent(world: World, server: ScriptedServer) -> None:
    seen: list[bytes] = []

    def digest(attempt: Any, send: Any) -> Any:
        seen.append(attempt.request.read())
        return send(attempt)

    async def adigest(attempt: Any, send: Any) -> Any:
        seen.append(await attempt.request.aread())
        return await send(attempt)

    client = world.base_client(server.url, middleware=[adigest if world.is_async else digest])
    server.script.append(answer(200, b"{}"))
    upload = operation(method="PUT", body="application/octet-stream")
    world.call(client, upload, File(BytesIO(b"0123" * 50_000)))

    assert [b"0123" * 50_000] == seen == [request.body for request in server.requests]


def test_the_url_of_an_attempt_is_whole_and_nothing_shows_it(
    world: World, server: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    shown: list[str] = []
    urls: list[str] = []

    def look(attempt: Attempt) -> None:
        shown.append(repr(attempt) + str(attempt) + f"{attempt.request!r}")
        urls.append(attempt.url)

    client = world.base_client(server.url, credentials={"query": "s3cret"}, middleware=[made(world, look)])
    world.call(client, secured(("query",)))

    assert [f"{server.url}/thing?api_key=s3cret"] == urls
    assert ["/thing?api_key=s3cret"] == [request.target for request in server.requests]
    assert "s3cret" not in "".join(shown) + caplog.text
    assert "things.do" in shown[0]


def test_a_query_stays_hidden_when_the_url_was_replaced(
    world: World, server: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    def move(attempt: Attempt) -> None:
        attempt.request.url = attempt.request.url.copy_with(path="/elsewhere")

    client = world.base_client(server.url, credentials={"query": "s3cret"}, middleware=[made(world, move)])
    world.call(client, secured(("query",)))

    assert ["/elsewhere?api_key=s3cret"] == [request.target for request in server.requests]
    assert "s3cret" not in caplog.text


def test_a_change_of_one_attempt_is_not_in_the_next(world: World, server: ScriptedServer) -> None:
    server.script.append(answer(503, b""))

    def once(attempt: Attempt) -> None:
        if attempt.number == 1:
            attempt.request.headers["X-Once"] = "1"

    client = world.client(server.url, credentials=TOKENS, middleware=[made(world, once)])
    world.run(client.groups.list_groups())

    assert ["1", None] == [request.header("x-once") for request in server.requests]


def test_it_sees_the_body_of_the_answer(world: World, server: ScriptedServer) -> None:
    bodies: list[bytes] = []

    def look(attempt: Any, response: HTTPResponse) -> HTTPResponse:
        bodies.append(response.content)
        return response

    server.script += [answer(503, b"busy"), answer(200, {"Results": []})]
    client = world.client(server.url, credentials=TOKENS, middleware=[made(world, after=look)])
    world.run(client.groups.list_groups())

    assert [b"busy", b'{"Results": []}'] == bodies


def test_it_may_answer_by_itself(world: World, server: ScriptedServer) -> None:
    canned = made(world, lambda attempt: httpx.Response(200, json={"Results": [{"Name": "clinic"}]}))
    client = world.client(server.url, credentials=TOKENS, middleware=[canned])
    response = world.run(client.groups.with_raw_response.list_groups())

    assert "clinic" == response.parsed.results[0].name
    assert f"{server.url}/groups" == response.url
    assert [] == server.requests


def test_an_answer_of_its_own_is_streamed_too(world: World, server: ScriptedServer) -> None:
    canned = made(world, lambda attempt: httpx.Response(200, content=b"abc"))
    client = world.client(server.url, credentials=TOKENS, middleware=[canned])
    with world.entered(client.groups.with_streaming_response.list_groups()) as response:
        assert b"abc" == b"".join(world.iterated(response.iter_bytes()))


def test_an_answer_of_its_own_can_be_an_error_that_is_tried_again(world: World, server: ScriptedServer) -> None:
    first = made(world, lambda attempt: httpx.Response(503) if attempt.number == 1 else None)
    client = world.client(server.url, credentials=TOKENS, middleware=[first])
    response = world.run(client.groups.with_raw_response.list_groups())

    assert 2 == response.attempts
    assert 1 == len(server.requests)


def test_what_it_makes_of_an_answer_counts(world: World, server: ScriptedServer) -> None:
    failing = made(world, after=lambda attempt, response: httpx.Response(500, json={"message": "refused here"}))
    client = world.client(server.url, credentials=TOKENS, middleware=[failing])
    with pytest.raises(ServerError, match="refused here"):
        world.run(client.groups.list_groups())


@pytest.mark.parametrize(
    "error", [LookupError("mine"), httpx.ReadError("also mine"), NotFoundError("ours", status=404)]
)
def test_what_it_raises_comes_through_as_it_is_and_is_not_tried_again(
    world: World, server: ScriptedServer, error: Exception
) -> None:
    calls: list[int] = []

    def fail(attempt: Attempt) -> None:
        calls.append(attempt.number)
        raise error

    client = world.client(server.url, credentials=TOKENS, middleware=[made(world, fail)])
    with pytest.raises(type(error)) as caught:
        world.run(client.groups.list_groups())

    assert caught.value is error
    assert [1] == calls


def test_it_sees_a_failed_attempt_as_a_typed_error_which_is_tried_again(world: World) -> None:
    seen: list[tuple[int, str]] = []

    def watch(attempt: Any, send: Any) -> Any:
        try:
            return send(attempt)
        except APIError as error:
            seen.append((attempt.number, type(error).__name__))
            raise

    async def awatch(attempt: Any, send: Any) -> Any:
        try:
            return await send(attempt)
        except APIError as error:
            seen.append((attempt.number, type(error).__name__))
            raise

    client = world.client(
        f"http://127.0.0.1:{closed_port()}", credentials=TOKENS, middleware=[awatch if world.is_async else watch]
    )
    with pytest.raises(APIConnectionError, match="after 3 attempts") as caught:
        world.run(client.groups.list_groups())

    assert [(n, "APIConnectionError") for n in (1, 2, 3)] == seen
    assert isinstance(caught.value.__cause__, httpx.ConnectError)


def test_a_repeat_with_a_fresh_token_has_the_next_number(world: World, server: ScriptedServer) -> None:
    server.script += [answer(401, b""), answer(503, b"")]
    numbers: list[int] = []
    client = world.client(
        server.url,
        credentials={"userToken": world.token_source("old-token", "new-token")},
        middleware=[made(world, lambda attempt: numbers.append(attempt.number))],
    )
    response = world.run(client.groups.with_raw_response.list_groups())

    assert [1, 2, 3] == numbers
    assert 2 == response.attempts


def test_a_streamed_answer_reaches_it_open_and_an_error_read(world: World, server: ScriptedServer) -> None:
    server.script += [answer(503, b"busy"), answer(200, b"x" * 100_000)]
    seen: list[tuple[bool, int, bool]] = []

    def look(attempt: Attempt, response: Any) -> Any:
        seen.append((attempt.is_streamed, response.status_code, response.is_closed))
        return response

    client = world.client(server.url, credentials=TOKENS, middleware=[made(world, after=look)])
    with world.entered(client.groups.with_streaming_response.list_groups()) as response:
        content = b"".join(world.iterated(response.iter_bytes()))

    assert b"x" * 100_000 == content
    assert [(True, 503, True), (True, 200, False)] == seen


@pytest.mark.parametrize("how", ["replaced", "raised", "no response"])
def test_a_streamed_answer_that_it_drops_is_closed(world: World, server: ScriptedServer, how: str) -> None:
    def drop(attempt: Attempt, response: Any) -> Any:
        if how == "raised":
            raise LookupError
        return httpx.Response(200, content=b"mine") if how == "replaced" else None

    client = world.client(
        server.url,
        credentials=TOKENS,
        middleware=[made(world, after=drop)],
        http_client=world.http_client(limits=SMALL_POOL),
        timeout=5.0,
    )
    plain = client.with_options(middleware=())
    for _ in range(3):
        server.script.append(answer(200, b"x" * 300_000))
        try:
            with world.entered(client.groups.with_streaming_response.list_groups()) as response:
                assert b"mine" == b"".join(world.iterated(response.iter_bytes()))
        except (LookupError, ClientConfigError):
            assert how != "replaced"

    assert [] == world.run(plain.groups.list_groups()).results


def test_what_is_no_answer_is_named(world: World, server: ScriptedServer) -> None:
    client = world.client(
        server.url, credentials=TOKENS, middleware=[made(world, after=lambda attempt, response: None)]
    )
    with pytest.raises(ClientConfigError, match="returned a NoneType, not a response"):
        world.run(client.groups.list_groups())


def test_a_derived_client_has_its_own_and_shares_the_rest(world: World, server: ScriptedServer) -> None:
    calls: list[str] = []
    client = world.client(
        server.url, credentials=TOKENS, middleware=[made(world, lambda attempt: calls.append("parent"))]
    )
    derived = client.with_options(middleware=[made(world, lambda attempt: calls.append("child"))])
    inheriting = derived.with_options(max_retries=0)
    world.run(client.groups.list_groups())
    world.run(derived.groups.list_groups())
    world.run(inheriting.groups.list_groups())

    assert ["parent", "child", "child"] == calls
    assert 1 == server.connections


def test_what_cannot_be_called_is_refused(world: World) -> None:
    with pytest.raises(ClientConfigError, match="not a str"):
        world.client("http://host", middleware=["sign"])


def test_a_program_without_middleware_does_not_load_it(root: Path) -> None:
    import subprocess
    import sys

    program = (
        "import sys; from modelport_api.codex.v1 import Client; Client('http://host').groups;"
        "print([name for name in sys.modules if name.endswith(('.middleware', '.chain', '.telemetry'))"
        " or name.startswith('opentelemetry')])"
    )
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=root)

    assert "[]" == finished.stdout.strip()
