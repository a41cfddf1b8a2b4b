from __future__ import annotations

import base64
import copy
import logging
import pickle
from typing import Any

import httpx
import pytest

from modelport_api._runtime.credentials import Credentials
from modelport_api._runtime.errors import (
    APIConnectionError,
    APIError,
    BadRequestError,
    ClientConfigError,
    DecodeError,
    MissingCredentialsError,
)
from modelport_api._runtime.operation import Operation, Parameter
from tests.unit.runtime.operations import SCHEMES, operation, secured
from tests.unit.runtime.server import ScriptedServer, Step, answer
from tests.unit.runtime.worlds import World

SECRET = "s3cr3t-5e6f7a"
EVERY = dict.fromkeys(SCHEMES, SECRET)


@pytest.mark.parametrize(
    ("scheme", "secret", "name", "expected"),
    [
        ("bearer", SECRET, "Authorization", f"Bearer {SECRET}"),
        ("basic", "QWxhZGRpbjpvcGVu", "Authorization", "Basic QWxhZGRpbjpvcGVu"),
        ("basic", "Aladdin:öpen", "Authorization", f"Basic {base64.b64encode('Aladdin:öpen'.encode()).decode()}"),
        ("header", SECRET, "X-Api-Key", SECRET),
        ("cookie", SECRET, "Cookie", f"session={SECRET}"),
    ],
)
def test_a_credential_goes_where_its_scheme_says(
    world: World, server: ScriptedServer, scheme: str, secret: str, name: str, expected: str
) -> None:
    world.call(world.base_client(server.url, credentials={scheme: secret}), secured((scheme,)))

    assert expected == server.requests[0].header(name)


def test_a_credential_in_the_query_is_encoded(world: World, server: ScriptedServer) -> None:
    limit = Parameter("limit", "limit", "query", "form", explode=True)
    client = world.base_client(server.url, credentials={"query": "a&b=c d"})
    world.call(client, secured(("query",), parameters=(limit,)), arguments={"limit": 5})
    world.call(client, secured(("query",)))

    assert ["/thing?limit=5&api_key=a%26b%3Dc%20d", "/thing?api_key=a%26b%3Dc%20d"] == [
        request.target for request in server.requests
    ]


def test_cookies_of_schemes_and_parameters_go_together(world: World, server: ScriptedServer) -> None:
    parameter = Parameter("colour", "colour", "cookie", "form")
    client = world.base_client(server.url, credentials=EVERY)
    world.call(client, secured(("cookie", "other"), parameters=(parameter,)), arguments={"colour": "red"})

    assert f"colour=red; session={SECRET}; tenant={SECRET}" == server.requests[0].header("cookie")


def test_a_public_operation_gets_no_credential(world: World, server: ScriptedServer) -> None:
    world.call(world.base_client(server.url, credentials=EVERY), operation())

    assert SECRET not in repr(server.requests[0])


def test_only_the_schemes_of_the_operation_are_sent(world: World, server: ScriptedServer) -> None:
    world.call(world.base_client(server.url, credentials=EVERY), secured(("header",)))

    assert 1 == repr(server.requests[0]).count(SECRET)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"bearer": SECRET}, {"Authorization": f"Bearer {SECRET}", "X-Api-Key": None}),
        ({"header": SECRET, "cookie": SECRET}, {"Authorization": None, "X-Api-Key": SECRET}),
        ({"header": SECRET, "bearer": SECRET}, {"Authorization": f"Bearer {SECRET}", "X-Api-Key": None}),
    ],
)
def test_the_first_alternative_that_is_given_whole_is_used(
    world: World, server: ScriptedServer, given: dict[str, str], expected: dict[str, str | None]
) -> None:
    world.call(world.base_client(server.url, credentials=given), secured(("bearer",), ("header", "cookie")))

    assert expected == {name: server.requests[0].header(name) for name in expected}


def test_an_optional_credential_is_sent_when_it_is_there(world: World, server: ScriptedServer) -> None:
    optional = secured(("bearer",), ())
    world.call(world.base_client(server.url, credentials={"bearer": SECRET}), optional)
    world.call(world.base_client(server.url), optional)

    assert [f"Bearer {SECRET}", None] == [request.header("authorization") for request in server.requests]


@pytest.mark.parametrize("given", [{}, {"header": SECRET}, {"bearer": None}])
def test_a_missing_credential_is_seen_before_anything_is_sent(
    world: World, server: ScriptedServer, given: dict[str, Any]
) -> None:
    client = world.base_client(server.url, credentials=given)
    with pytest.raises(MissingCredentialsError, match=r"things\.do needs the credential bearer or header and cookie"):
        world.call(client, secured(("bearer",), ("header", "cookie")))

    assert [] == server.requests
    assert 0 == server.connections


@pytest.mark.parametrize(
    "secret", ["", " ", "x\r\nX-Evil: 1", "x\ny", "x\0y", "sécret", "\ud800", " x", "x\n", "x\x7f"]
)
@pytest.mark.parametrize("scheme", ["bearer", "basic", "header", "query", "cookie"])
def test_a_secret_that_no_request_can_carry_is_refused_without_being_shown(
    world: World, server: ScriptedServer, scheme: str, secret: str
) -> None:
    client = world.base_client(server.url, credentials={scheme: secret})
    with pytest.raises(ClientConfigError, match=f"the credential {scheme}") as caught:
        world.call(client, secured((scheme,)))

    assert not secret.strip() or secret not in str(caught.value)
    assert [] == server.requests


def test_a_cookie_cannot_bring_another(world: World, server: ScriptedServer) -> None:
    client = world.base_client(server.url, credentials={"cookie": "x; admin=1"})
    with pytest.raises(ClientConfigError):
        world.call(client, secured(("cookie",)))

    assert [] == server.requests


def test_a_source_that_gives_no_text_is_refused(world: World, server: ScriptedServer) -> None:
    client = world.base_client(server.url, credentials={"bearer": world.token_source(None)})  # type: ignore[arg-type]
    with pytest.raises(ClientConfigError, match="the credential bearer is a NoneType"):
        world.call(client, secured(("bearer",)))

    assert [] == server.requests


def every_secret() -> Operation[Any]:
    return secured(
        ("bearer", "header", "query", "cookie"), response="str", responses={"200": {"application/json": "str"}}
    )


@pytest.mark.parametrize(
    "step",
    [
        answer(200, '"ok"'),
        answer(400, {"message": f"the token {SECRET} is unknown"}),
        answer(302, b"", {"Location": "http://127.0.0.1:9/"}),
        answer(200, b"no json"),
        Step(close=True),
    ],
    ids=["success", "echo", "redirect", "garbage", "cut"],
)
def test_a_secret_shows_nowhere(
    world: World, server: ScriptedServer, step: Step, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.script.append(step)
    client = world.base_client(server.url, credentials=EVERY, max_retries=0, headers={"X-Extra": SECRET})
    said = [repr(client), str(client), repr(client._transport.settings), repr(client._transport.settings.credentials)]
    try:
        world.call(client, every_secret())
    except APIError as error:
        said += [str(error), repr(error), getattr(error, "url", "")]

    assert 1 == len(server.requests)
    assert SECRET in repr(server.requests[0])
    assert caplog.records
    assert SECRET not in "\n".join(said)
    assert SECRET not in caplog.text


def test_a_refused_connection_shows_no_secret(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    client = world.base_client("http://127.0.0.1:9", credentials=EVERY, max_retries=0)
    with pytest.raises(APIConnectionError) as caught:
        world.call(client, every_secret())

    assert SECRET not in str(caught.value) + repr(caught.value) + caplog.text


def test_credentials_are_not_pickled(world: World) -> None:
    client = world.base_client("http://127.0.0.1:9", credentials=EVERY)
    for thing in (client, client._transport.settings.credentials, Credentials(EVERY)):
        with pytest.raises(TypeError, match="credentials") as caught:
            pickle.dumps(thing)

        assert SECRET not in str(caught.value)


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_a_copy_of_a_client_works_and_shows_no_secret(world: World, server: ScriptedServer, copied: Any) -> None:
    client = world.base_client(server.url, credentials=EVERY)
    twin = copied(client)
    world.call(twin, secured(("bearer",)))
    world.run(twin.close())
    world.call(client, secured(("bearer",)))

    assert twin is not client
    assert SECRET not in repr(twin)
    assert [f"Bearer {SECRET}"] * 2 == [request.header("authorization") for request in server.requests]


@pytest.mark.parametrize(
    "url",
    [
        "http://user:s3cr3t-5e6f7a@host/api",
        "http://s3cr3t-5e6f7a@host/api",
        "http://:s3cr3t-5e6f7a@host",
    ],
)
def test_a_url_with_user_information_is_refused_without_being_shown(world: World, url: str) -> None:
    with pytest.raises(ClientConfigError, match="pass credentials") as caught:
        world.base_client(url)

    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "", " ", "host", "host:80", "/api", "//host/api", "ftp://host", "file:///etc/passwd", "http://", "http:///api",
        "http://host?x=1", "http://host#x", "http://host:port", "http://host:99999", "http://[::1", "http://ho st/",
        "http://host/\r\nX-Evil: 1", "http://host/\n", " http://host", "javascript:alert(1)", "http://host\x00",
    ],
)  # fmt: skip
def test_a_base_url_that_is_none_is_refused(world: World, url: str) -> None:
    with pytest.raises(ClientConfigError):
        world.client(url)


@pytest.mark.parametrize(
    "url", ["http://host", "https://host:8443/a/b/", "http://[::1]:80/x", "HTTP://HOST", "http://1.2.3.4/"]
)
def test_a_base_url_loses_only_its_trailing_slash(world: World, url: str) -> None:
    assert url.rstrip("/") == world.base_client(url).base_url


def test_an_injected_client_s_own_secrets_stay_its_own(world: World, server: ScriptedServer) -> None:
    http_client = world.http_client(headers={"X-Own": SECRET})
    client = world.base_client(server.url, http_client=http_client)
    world.call(client, operation())

    assert SECRET == server.requests[0].header("x-own")
    assert SECRET not in repr(client)


def test_a_decode_error_is_a_value_error_and_no_secret_is_in_it(world: World, server: ScriptedServer) -> None:
    server.script.append(answer(200, {"a": 1}))
    client = world.base_client(server.url, credentials={"query": SECRET})
    with pytest.raises(ValueError, match="expected a text, got an object") as caught:
        world.call(client, secured(("query",), responses={"200": {"application/json": "str"}}))

    assert isinstance(caught.value, DecodeError)
    assert SECRET not in str(caught.value)


def test_a_server_that_echoes_a_token_does_not_get_it_into_the_message(world: World, server: ScriptedServer) -> None:
    server.script.append(answer(400, {"message": f"bad token {SECRET}"}))
    client = world.base_client(server.url, credentials={"bearer": SECRET})
    with pytest.raises(BadRequestError) as caught:
        world.call(client, secured(("bearer",)))

    assert "bad token REDACTED" == caught.value.message


def test_the_query_that_is_hidden_from_logs_is_sent_to_other_transports_too(world: World) -> None:
    seen: list[httpx.URL] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(httpx.URL(scheme="http", host=request.url.host, raw_path=request.url.raw_path))
        return httpx.Response(200, content=b"null")

    http_client = world.http_client(transport=httpx.MockTransport(handler))
    client = world.base_client("http://host", credentials={"query": SECRET}, http_client=http_client)
    world.call(client, secured(("query",)))

    assert SECRET == seen[0].params["api_key"]
