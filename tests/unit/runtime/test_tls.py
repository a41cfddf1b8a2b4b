"""Trust is what it is in the HTTP client, and is read at the first handshake, not before."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from modelport_api._runtime import http
from modelport_api._runtime.errors import APIConnectionError
from tests.unit.runtime.operations import operation
from tests.unit.runtime.server import ScriptedServer, answer
from tests.unit.runtime.worlds import World

CERTIFICATE = Path(__file__).with_name("certificates") / "loopback.pem"
"""Signed by itself, for 127.0.0.1 alone and for a century, with its key; nothing but these tests trusts it."""


@pytest.fixture(autouse=True)
def fresh_trust(monkeypatch: pytest.MonkeyPatch) -> None:
    """The trust store is read once a process; here once a test."""
    monkeypatch.setattr(http, "_shared_tls", [])
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def secure_server() -> Iterator[ScriptedServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    made = ScriptedServer(tls=context)
    try:
        yield made
    finally:
        made.close()


def test_a_certificate_that_the_environment_trusts_is_taken(
    world: World, secure_server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    secure_server.script += [answer(200, {"a": 1}), answer(200, {"a": 2})]
    client = world.base_client(secure_server.url)

    assert [world.call(client, operation()) for _ in range(2)] == [{"a": 1}, {"a": 2}]
    assert secure_server.connections == 1


def test_a_certificate_that_nobody_trusts_is_refused(world: World, secure_server: ScriptedServer) -> None:
    client = world.base_client(secure_server.url, max_retries=0)

    with pytest.raises(APIConnectionError, match=r"(?i)certificate verify failed|self.signed"):
        world.call(client, operation())
    assert secure_server.requests == []


def test_a_certificate_of_another_host_is_refused(
    world: World, secure_server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    client = world.base_client(f"https://localhost:{secure_server.port}", max_retries=0)

    with pytest.raises(APIConnectionError, match=r"(?i)hostname mismatch|not valid for"):
        world.call(client, operation())
    assert secure_server.requests == []


def test_the_trust_store_is_not_read_for_plain_http(
    world: World, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(*_: object, **__: object) -> ssl.SSLContext:
        raise AssertionError("the trust store was read")

    monkeypatch.setattr(ssl, "create_default_context", read)
    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", read)
    monkeypatch.setattr(ssl.SSLContext, "load_default_certs", read)
    server.script.append(answer(200, {"a": 1}))

    assert world.call(world.base_client(server.url), operation()) == {"a": 1}
