from __future__ import annotations

import copy
import inspect
import pickle
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx

from modelport_api._runtime import errors
from modelport_api._runtime._async import client as async_client
from modelport_api._runtime._async import streaming as async_streaming
from modelport_api._runtime._async import transport as async_transport
from modelport_api._runtime._sync import client as sync_client
from modelport_api._runtime._sync import streaming as sync_streaming
from modelport_api._runtime._sync import transport as sync_transport
from modelport_api._runtime.errors import APIConnectionError, APIError, APIStatusError, ClientConfigError, DecodeError
from modelport_api.codex.v1 import AsyncClient, Client, RawResponse, Timeout
from tests.unit.runtime.operations import operation
from tests.unit.runtime.server import ScriptedServer, answer
from tests.unit.runtime.worlds import World

TOKENS = {"userToken": "user-secret", "groupToken": "group-secret"}


# Options of a call.


@pytest.mark.parametrize("option", ["time_out", "retries", "header", "idempotency_key", "params"])
def test_a_misspelt_option_is_a_type_error(world: World, server: ScriptedServer, option: str) -> None:
    client = world.client(server.url, credentials=TOKENS)
    with pytest.raises(TypeError, match=option):
        world.run(client.groups.list_groups(**{option: 1}))

    assert server.requests == []


@pytest.mark.parametrize("option", ["time_out", "retries", "base_url", "token"])
def test_a_misspelt_setting_is_a_type_error(world: World, option: str) -> None:
    with pytest.raises(TypeError, match=option):
        world.client("http://host", **{option: 1}, **({"base_url": "x"} if option != "base_url" else {}))


@pytest.mark.parametrize(
    ("setting", "option", "expected"),
    [
        (7.0, {}, (7.0, 7.0, 7.0, 7.0)),
        (7.0, {"timeout": 2}, (2, 2, 2, 2)),
        (7.0, {"timeout": None}, (None, None, None, None)),
        (None, {}, (None, None, None, None)),
        (Timeout(9, read=1), {}, (9, 1, 9, 9)),
        (7.0, {"timeout": Timeout(None, connect=3.0)}, (3.0, None, None, None)),
    ],
)
def test_the_timeout_is_the_call_s_else_the_client_s(
    world: World, setting: Any, option: dict[str, Any], expected: tuple[float | None, ...]
) -> None:
    seen: list[dict[str, float | None]] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request.extensions["timeout"])
        return httpx.Response(200, json={"Results": []})

    http_client = world.http_client(transport=httpx.MockTransport(handler), timeout=99)
    client = world.client("http://host", credentials=TOKENS, timeout=setting, http_client=http_client)
    world.run(client.groups.list_groups(**option))

    assert tuple(seen[0][phase] for phase in ("connect", "read", "write", "pool")) == expected


def test_headers_of_a_call_are_added_for_that_call(world: World, server: ScriptedServer) -> None:
    client = world.client(server.url, credentials=TOKENS, headers={"X-Client": "1"})
    world.run(client.groups.list_groups(headers={"X-Call": "2"}))
    world.run(client.groups.list_groups())

    assert [("1", "2"), ("1", None)] == [(one.header("x-client"), one.header("x-call")) for one in server.requests]


# Raw and streamed answers.


def test_a_raw_response_has_the_whole_answer(world: World, server: ScriptedServer) -> None:
    server.script.append(answer(200, {"Results": [{"Name": "a"}]}, {"X-Request-Id": "r-1", "X-Two": "a"}))
    client = world.client(server.url, credentials=TOKENS)
    response = world.run(client.groups.with_raw_response.list_groups())

    assert isinstance(response, RawResponse)
    assert (response.status, response.request_id, response.attempts) == (200, "r-1", 1)
    assert response.headers["x-two"] == "a"
    assert response.content == b'{"Results": [{"Name": "a"}]}'
    assert response.parsed.results[0].name == "a"
    assert "secret" not in repr(response)


def test_a_raw_response_is_parsed_when_it_is_asked_for(world: World, server: ScriptedServer) -> None:
    server.script.append(answer(200, b"no json"))
    client = world.client(server.url, credentials=TOKENS)
    response = world.run(client.groups.with_raw_response.list_groups())
    with pytest.raises(DecodeError):
        _ = response.parsed

    assert response.content == b"no json"


def test_a_stream_is_read_in_chunks_or_whole(world: World, server: ScriptedServer) -> None:
    client = world.client(server.url, credentials=TOKENS)
    for whole in (True, False):
        server.script.append(answer(200, b"x" * 100_000, content_type="application/zip"))
        with world.entered(client.predictions.with_streaming_response.get_prediction_result("g", 1)) as response:
            status, kind, attempts = response.status, response.headers["content-type"], response.attempts
            content = world.run(response.read()) if whole else b"".join(world.iterated(response.iter_bytes()))

        assert (status, kind, attempts) == (200, "application/zip", 1)
        assert content == b"x" * 100_000


def test_an_unused_stream_sends_nothing(world: World, server: ScriptedServer) -> None:
    client = world.client(server.url, credentials=TOKENS)
    client.groups.with_streaming_response.list_groups()

    assert server.requests == []


# Derived clients.


def test_a_derived_client_shares_the_pool_and_leaves_its_parent_alone(world: World, server: ScriptedServer) -> None:
    parent = world.client(server.url, credentials=TOKENS, timeout=5, max_retries=1, headers={"X-A": "1"})
    before = repr(parent._transport.settings), parent._transport.settings
    derived = parent.with_options(
        credentials={"userToken": "other"}, timeout=9, max_retries=4, headers={"X-B": "2", "x-a": "3"}
    )
    for client in (parent, derived, parent):
        world.run(client.groups.list_groups())

    assert (repr(parent._transport.settings), parent._transport.settings) == before
    assert server.connections == 1
    assert [("Bearer user-secret", "1", None), ("Bearer other", "3", "2"), ("Bearer user-secret", "1", None)] == [
        (one.header("authorization"), one.header("x-a"), one.header("x-b")) for one in server.requests
    ]
    assert (derived._transport.settings.timeout, derived._transport.settings.max_retries) == (9, 4)
    assert type(derived) is type(parent)


def test_closing_a_derived_client_leaves_its_parent_open(world: World, server: ScriptedServer) -> None:
    parent = world.client(server.url, credentials=TOKENS)
    world.run(parent.with_options(timeout=None).close())
    world.run(parent.groups.list_groups())

    assert len(server.requests) == 1


def test_a_derived_client_keeps_what_is_not_named(world: World) -> None:
    parent = world.client("http://host", credentials=TOKENS, timeout=5, max_retries=1, headers={"X-A": "1"})

    assert parent.with_options()._transport.settings[2:] == parent._transport.settings[2:]
    assert parent.with_options(timeout=None)._transport.settings.timeout is None


# HTTP clients from outside.


def test_an_injected_client_is_honoured_and_left_open(world: World, server: ScriptedServer) -> None:
    seen: list[str] = []

    def hook(request: httpx.Request) -> None:
        seen.append(str(request.url))

    async def async_hook(request: httpx.Request) -> None:
        hook(request)

    http_client = world.http_client(
        headers={"X-Base": "base", "Accept": "text/plain"},
        event_hooks={"request": [async_hook if world.is_async else hook]},
    )
    client = world.client(server.url, credentials=TOKENS, http_client=http_client)
    world.run(client.groups.list_groups())
    world.run(client.close())
    with world.entered(client):
        pass

    assert not http_client.is_closed
    assert seen == [f"{server.url}/groups"]
    assert server.requests[0].header("x-base") == "base"
    assert server.requests[0].header("accept") == "application/json"


def test_an_own_client_is_closed_with_its_block(world: World, server: ScriptedServer) -> None:
    client = world.client(server.url, credentials=TOKENS)
    with world.entered(client) as entered:
        world.run(entered.groups.list_groups())

    assert entered is client
    with pytest.raises(ClientConfigError, match="closed"):
        world.run(client.groups.list_groups())


def test_a_derived_client_leaves_the_connections_open(world: World, server: ScriptedServer) -> None:
    client = world.client(server.url, credentials=TOKENS)
    world.run(client.with_options(timeout=3.0).close())
    world.run(client.groups.list_groups())
    world.run(client.close())

    assert len(server.requests) == 1


def test_an_http_client_of_the_other_kind_is_refused(world: World) -> None:
    other: Any = httpx.Client() if world.is_async else httpx.AsyncClient()
    with pytest.raises(ClientConfigError, match="does not take a"):
        world.client("http://host", http_client=other)


def test_requests_are_seen_by_respx(world: World) -> None:
    with respx.mock(base_url="https://host/api") as router:
        route = router.get("/groups", headers={"Authorization": "Bearer user-secret"}, name="groups").respond(
            json={"Results": []}
        )
        world.run(world.client("https://host/api/", credentials=TOKENS).groups.list_groups())

    assert route.call_count == 1


def test_the_document_s_server_is_the_default(world: World) -> None:
    assert world.client(None).base_url == Client.default_base_url == AsyncClient.default_base_url


def test_a_client_without_any_server_is_refused(world: World) -> None:
    with pytest.raises(ClientConfigError, match="give the client a base_url"):
        world.base_client(None)  # type: ignore[arg-type]


def test_status_without_content_is_no_value(world: World, server: ScriptedServer) -> None:
    server.script.append(answer(200, b""))
    empty_and_error = {"200": {}, "default": {"application/json": "str"}}

    assert world.call(world.base_client(server.url), operation(responses=empty_and_error)) is None


@pytest.mark.parametrize(
    ("media", "content_type", "body", "expected"),
    [
        ({"text/plain": "str"}, "text/plain; charset=latin-1", b"\xfc", "ü"),
        ({"text/plain": "str"}, "text/plain; charset=nonsense", "ü".encode(), "ü"),
        ({"text/plain": "str"}, "text/plain", b"\xff", "\ufffd"),
        ({"text/html": "str"}, "text/html", b"<p>", "<p>"),
        ({"application/octet-stream": "bytes"}, "application/zip", b"\xff", b"\xff"),
        ({"application/problem+json": "list[int]"}, "application/problem+json", b"[1]", [1]),
        ({"application/json": "int", "text/plain": "str"}, "text/plain", b"x", "x"),
        ({"application/json": "int", "text/plain": "str"}, "application/json; charset=utf-8", b"7", 7),
        ({"application/json": "int"}, None, b"7", 7),
        ({"*/*": "bytes"}, "text/html", b"<p>", b"<p>"),
    ],
)
def test_the_content_type_of_the_answer_decides(
    world: World, server: ScriptedServer, media: dict[str, str], content_type: str | None, body: bytes, expected: Any
) -> None:
    server.script.append(answer(200, body, content_type=content_type))

    assert world.call(world.base_client(server.url), operation(responses={"200": media})) == expected


# Errors as objects.

ERROR_CLASSES = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, APIError) and kind.__name__[0] != "_"
]


OF_ITS_OWN: dict[type[APIError], dict[str, Any]] = {
    errors.OperationFailedError: {"server_message": "no disk"},
    errors.WaitTimeoutError: {"elapsed_seconds": 1.5},
}
"""What errors are made of that find their own words."""


@pytest.mark.parametrize("kind", ERROR_CLASSES, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda error: pickle.loads(pickle.dumps(error))])
def test_errors_are_copied_and_pickled_whole(kind: Any, copied: Any) -> None:
    settings: dict[str, Any] = {}
    if issubclass(kind, errors._CallError):
        settings = {"method": "GET", "url": "http://host/x", "attempts": 3}
    if issubclass(kind, APIStatusError):
        settings |= {"status": 404, "body": {"a": 1}, "raw_body": b"{}", "headers": {"x-request-id": "r-1"}}
    if issubclass(kind, errors.WorkError):
        settings = {"subject": "job 7", "operation_id": "7", "state": "failed", "body": {"a": 1}}
    settings |= OF_ITS_OWN.get(kind, {})
    error = kind(**settings) if kind in OF_ITS_OWN else kind("what happened", **settings)
    twin = copied(error)

    assert (type(twin), str(twin), repr(twin), twin.args) == (kind, str(error), repr(error), error.args)
    assert twin.__dict__ == error.__dict__


@pytest.mark.parametrize(
    ("kind", "builtin"),
    [
        (errors.ClientConfigError, ValueError), (errors.EncodeError, ValueError), (errors.DecodeError, ValueError),
        (errors.APIConnectionError, ConnectionError), (errors.APITimeoutError, TimeoutError),
    ],
)  # fmt: skip
def test_errors_are_also_what_python_users_catch(kind: type[Exception], builtin: type[Exception]) -> None:
    assert issubclass(kind, builtin)
    assert issubclass(kind, APIError)


def test_an_error_keeps_its_cause(world: World) -> None:
    client = world.client("http://127.0.0.1:9", credentials=TOKENS, max_retries=0)
    with pytest.raises(APIConnectionError) as caught:
        world.run(client.groups.list_groups())

    assert isinstance(caught.value.__cause__, httpx.ConnectError)


def test_only_one_module_of_the_runtime_names_httpx() -> None:
    runtime = Path(inspect.getfile(errors)).parent
    named = [
        file.name
        for file in runtime.rglob("*.py")
        if re.search(r"^ *(import|from) httpx|^[^\"'`]*\bhttpx2?\.", file.read_text(), re.MULTILINE)
    ]

    assert named == ["http.py"]


# Sync and async.

TAGS = sorted(name for name, value in inspect.getmembers(Client) if hasattr(value, "attrname"))


def resources(tag: str) -> tuple[Any, Any]:
    return (getattr(Client("http://host"), tag), getattr(AsyncClient("http://host"), tag))


@pytest.mark.parametrize("tag", TAGS)
def test_both_clients_have_the_same_methods(tag: str) -> None:
    sync_resource, async_resource = resources(tag)
    names = [name for name in dir(sync_resource) if not name.startswith("_")]

    assert names == [name for name in dir(async_resource) if not name.startswith("_")]
    for name in names:
        if name.startswith("with_"):
            continue
        sync_method, async_method = getattr(sync_resource, name), getattr(async_resource, name)

        assert inspect.signature(sync_method) == inspect.signature(async_method)
        assert inspect.iscoroutinefunction(async_method)
        assert not inspect.iscoroutinefunction(sync_method)
        assert sync_method.__doc__ == async_method.__doc__


def public(kind: type) -> dict[str, str]:
    return {
        name: str(inspect.signature(value)).replace("Async", "")
        for name, value in inspect.getmembers(kind, inspect.isfunction)
        if not name.startswith("_") or name == "__init__"
    }


@pytest.mark.parametrize(
    ("module", "twin", "name"),
    [
        (sync_client, async_client, "BaseClient"),
        (sync_transport, async_transport, "Transport"),
        (sync_streaming, async_streaming, "StreamedResponse"),
        (sync_transport, async_transport, "RawTransport"),
        (sync_streaming, async_streaming, "StreamTransport"),
    ],
)
def test_both_runtimes_have_the_same_classes(module: Any, twin: Any, name: str) -> None:
    assert public(getattr(module, name)) == public(getattr(twin, f"Async{name}"))


def test_the_clients_have_the_same_tags() -> None:
    assert TAGS
    assert sorted(name for name, value in inspect.getmembers(AsyncClient) if hasattr(value, "attrname")) == TAGS
