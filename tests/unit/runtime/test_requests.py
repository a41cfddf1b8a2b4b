"""Requests that are put together here are those that the HTTP client would have made."""

from __future__ import annotations

import ssl
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelport_api._runtime import http
from modelport_api._runtime.types import Timeout
from tests.unit.runtime.operations import operation
from tests.unit.runtime.server import ScriptedServer, answer
from tests.unit.runtime.worlds import World

NO_TRUST = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
CLIENTS: dict[str, httpx.Client | httpx.AsyncClient] = {
    "plain": httpx.Client(verify=NO_TRUST),
    "async": httpx.AsyncClient(verify=NO_TRUST),
    "own": http.make_client(NO_TRUST),
    "own async": http.make_async_client(NO_TRUST),
    "headers": httpx.Client(
        verify=NO_TRUST, headers={"X-Own": "1", "accept": "text/plain", "Authorization": "Basic eA=="}
    ),
    "odd headers": httpx.Client(verify=NO_TRUST, headers=[(b"X-Own", "ü".encode("latin-1")), (b"X-Own", b"2")]),
    "base": httpx.Client(verify=NO_TRUST, base_url="http://elsewhere/base/", timeout=3, params={}),
    "params": httpx.Client(verify=NO_TRUST, params={"tenant": "a b"}),
    "cookies": httpx.Client(verify=NO_TRUST, cookies={"session": "1"}),
    "host": httpx.Client(verify=NO_TRUST, headers={"Host": "virtual"}),
}
NAMES = st.sampled_from(
    ["Accept", "accept", "AUTHORIZATION", "Cookie", "Host", "Content-Length", "Transfer-Encoding", "Content-Type",
     "User-Agent", "X-Own", "x-other", "Connection"]
)  # fmt: skip
HEADERS = st.dictionaries(NAMES, st.text("abc 12;=", min_size=1).map(str.strip), max_size=5).filter(
    lambda headers: len(headers) == len({name.lower() for name in headers})
)
BODIES = st.one_of(
    st.just({}),
    st.binary(max_size=50).map(lambda content: {"content": content}),
    st.just({"files": [("a", (None, b"1"))]}),
    st.just({"data": {"a": "1"}}),
)


@pytest.mark.parametrize("client", CLIENTS.values(), ids=CLIENTS)
@given(
    method=st.sampled_from(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]),
    url=st.sampled_from(["http://host/a?b=c%20d", "https://host:8443/%C3%A4/..;x", "http://[::1]:80/", "http://höst/"]),
    headers=HEADERS,
    arguments=BODIES,
    timeout=st.sampled_from([None, 3.0, Timeout(1.0, read=None)]),
)
def test_it_is_the_request_of_the_client(
    client: Any, method: str, url: str, headers: dict[str, str], arguments: dict[str, Any], timeout: Any
) -> None:
    limits = timeout if isinstance(timeout, Timeout) else Timeout(timeout)
    extensions = {name: getattr(limits, name) for name in ("connect", "read", "write", "pool")}
    expected = client.build_request(method, url, headers=headers, extensions={"timeout": extensions}, **arguments)
    for given_url in (url, httpx.URL(url)):
        made = http.build_request(client, method, given_url, headers, arguments=arguments, timeout=timeout)

        assert (expected.method, expected.url, expected.extensions) == (made.method, made.url, made.extensions)
        if "files" not in arguments:  # whose boundary is drawn anew
            assert expected.headers.raw == made.headers.raw
            assert expected.headers == made.headers
            assert expected.content == made.content == b"".join(made.stream)


def test_what_the_client_makes_itself_is_left_to_it() -> None:
    class Signing(httpx.Client):
        def build_request(self, *args: Any, **kwargs: Any) -> httpx.Request:
            request = super().build_request(*args, **kwargs)
            request.headers["X-Signed"] = "1"
            return request

    made = http.build_request(Signing(verify=NO_TRUST), "GET", "http://host/", {}, arguments={}, timeout=None)

    assert "1" == made.headers["x-signed"]


def test_a_cookie_of_a_server_is_not_sent_back(world: World, server: ScriptedServer) -> None:
    server.script.append(answer(200, b"{}", {"Set-Cookie": "session=1; Path=/"}))
    client = world.base_client(server.url)
    for _ in range(2):
        world.call(client, operation())

    assert [None, None] == [request.header("cookie") for request in server.requests]


def test_a_client_from_outside_keeps_its_cookies(world: World, server: ScriptedServer) -> None:
    server.script.append(answer(200, b"{}", {"Set-Cookie": "session=1; Path=/"}))
    client = world.base_client(server.url, http_client=world.http_client())
    for _ in range(2):
        world.call(client, operation())

    assert [None, "session=1"] == [request.header("cookie") for request in server.requests]
