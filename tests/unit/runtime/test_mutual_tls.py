"""Operations that ask for a client certificate, against a server that demands one."""

from __future__ import annotations

import contextlib
import copy
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from modelport_api._runtime.errors import APIConnectionError, ClientConfigError, MissingCredentialsError
from tests.unit.runtime.operations import SCHEMES, operation
from tests.unit.runtime.server import ScriptedServer
from tests.unit.runtime.worlds import World

PHRASE = "s3cret-phrase"
WITH_CERTIFICATE = {**SCHEMES, "mutual": ("mutualTLS", "", "")}


def needs(*alternatives: tuple[str, ...]) -> Any:
    return operation(security=alternatives, schemes=WITH_CERTIFICATE)


@dataclass
class Files:
    """The authority, and a client's certificate and keys."""

    authority: str
    both: str
    certificate: str
    key: str
    locked_key: str


class TLSServer:
    """Answers every request with ``{}`` over TLS, to clients with a certificate of the authority only."""

    def __init__(self, authority: trustme.CA) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("localhost", "127.0.0.1").configure_cert(self._context)
        authority.configure_trust(self._context)
        self._context.verify_mode = ssl.CERT_REQUIRED
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://localhost:{self._listener.getsockname()[1]}"
        self.subjects: list[str] = []
        self.heads: list[bytes] = []
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self) -> None:
        while True:
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return
            with contextlib.suppress(OSError):
                plain.settimeout(10)
                with self._context.wrap_socket(plain, server_side=True) as connection:
                    self.heads.append(connection.recv(65_536))
                    certificate: Any = connection.getpeercert()
                    self.subjects += [value for kind, value in certificate["subjectAltName"] if kind == "DNS"]
                    body = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"
                    connection.sendall(body + b"Connection: close\r\n\r\n{}")

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(15)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def pem(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Files:
    folder = tmp_path_factory.mktemp("certificates")
    made = authority.issue_cert("client.example")
    authority.cert_pem.write_to_path(str(folder / "authority.pem"))
    made.private_key_and_cert_chain_pem.write_to_path(str(folder / "both.pem"))
    made.cert_chain_pems[0].write_to_path(str(folder / "certificate.pem"))
    made.private_key_pem.write_to_path(str(folder / "key.pem"))
    key = load_pem_private_key(made.private_key_pem.bytes(), None)
    locked = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(PHRASE.encode()))
    (folder / "locked.pem").write_bytes(locked)
    return Files(*(str(folder / f"{name}.pem") for name in ("authority", "both", "certificate", "key", "locked")))


@pytest.fixture
def tls_server(authority: trustme.CA) -> Iterator[TLSServer]:
    made = TLSServer(authority)
    try:
        yield made
    finally:
        made.close()


@pytest.mark.parametrize("form", ["one file", "path", "two files", "locked key"])
def test_a_certificate_is_shown_to_the_server(world: World, tls_server: TLSServer, pem: Files, form: str) -> None:
    cert: Any = {
        "one file": pem.both,
        "path": Path(pem.both),
        "two files": (pem.certificate, Path(pem.key)),
        "locked key": (pem.certificate, pem.locked_key, PHRASE),
    }[form]
    client = world.base_client(tls_server.url, cert=cert, verify=pem.authority)

    assert {} == world.call(client, needs(("mutual",)))
    assert ["client.example"] == tls_server.subjects
    assert PHRASE not in repr(client) + repr(client._transport.settings)


def test_derived_clients_show_it_too(world: World, tls_server: TLSServer, pem: Files) -> None:
    client = world.base_client(tls_server.url, cert=pem.both, verify=pem.authority)

    assert {} == world.call(client.with_options(max_retries=0), needs(("mutual",)))
    assert {} == world.call(copy.copy(client), needs(("mutual",)))


def test_a_context_and_a_client_of_one_s_own_are_taken(world: World, tls_server: TLSServer, pem: Files) -> None:
    context = ssl.create_default_context(cafile=pem.authority)
    context.load_cert_chain(pem.certificate, pem.key)
    http_client = world.http_client(verify=context)

    assert {} == world.call(world.base_client(tls_server.url, verify=context), needs(("mutual",)))
    assert {} == world.call(world.base_client(tls_server.url, http_client=http_client), needs(("mutual",)))
    assert ["client.example"] * 2 == tls_server.subjects


def test_the_authorities_of_a_folder_are_trusted(
    world: World, tls_server: TLSServer, pem: Files, tmp_path: Path
) -> None:
    digest = subprocess.run(
        ["openssl", "x509", "-hash", "-noout", "-in", pem.authority], capture_output=True, text=True, check=True
    )
    (tmp_path / f"{digest.stdout.strip()}.0").write_bytes(Path(pem.authority).read_bytes())
    client = world.base_client(tls_server.url, cert=pem.both, verify=tmp_path)

    assert {} == world.call(client, needs(("mutual",)))


def test_no_other_authority_is_trusted(world: World, tls_server: TLSServer, pem: Files, tmp_path: Path) -> None:
    stranger = tmp_path / "stranger.pem"
    trustme.CA().cert_pem.write_to_path(str(stranger))
    for verify in (stranger, None):
        client = world.base_client(tls_server.url, cert=pem.both, verify=verify, max_retries=0)
        with pytest.raises(APIConnectionError, match=r"(?i)certificate"):
            world.call(client, needs(("mutual",)))


def test_a_missing_certificate_is_seen_before_anything_is_sent(
    world: World, server: ScriptedServer, pem: Files
) -> None:
    for client in (world.base_client(server.url), world.base_client(server.url, verify=pem.authority)):
        with pytest.raises(MissingCredentialsError, match=r"mutual.*cert=.*http_client") as caught:
            world.call(client, needs(("mutual",)))

        assert "credentials=" not in str(caught.value)
    assert 0 == server.connections


def test_a_text_is_no_certificate(world: World, server: ScriptedServer) -> None:
    client = world.base_client(server.url, credentials={"mutual": "text"})
    with pytest.raises(MissingCredentialsError):
        world.call(client, needs(("mutual",)))


def test_both_are_asked_for_where_both_are_needed(world: World, server: ScriptedServer) -> None:
    with pytest.raises(MissingCredentialsError, match=r"bearer.*cert="):
        world.call(world.base_client(server.url, credentials={"bearer": "token"}), needs(("mutual", "bearer")))


@pytest.mark.parametrize(
    ("alternatives", "sent"),
    [
        ([("mutual", "bearer")], "Bearer token"),
        ([("mutual",), ("bearer",)], None),
        ([("bearer",), ("mutual",)], "Bearer token"),
        ([("mutual", "cookie"), ("bearer",)], "Bearer token"),
    ],
)
def test_a_certificate_goes_with_the_other_credentials(
    world: World, server: ScriptedServer, alternatives: list[tuple[str, ...]], sent: str | None
) -> None:
    client = world.base_client(server.url, credentials={"bearer": "token"}, http_client=world.http_client())
    world.call(client, needs(*alternatives))

    assert [sent] == [request.header("authorization") for request in server.requests]


def test_an_alternative_without_a_certificate_is_enough(world: World, server: ScriptedServer) -> None:
    world.call(world.base_client(server.url, credentials={"bearer": "token"}), needs(("mutual",), ("bearer",)))

    assert ["Bearer token"] == [request.header("authorization") for request in server.requests]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"cert": "missing.pem"}, "missing.pem"),
        ({"cert": ("{certificate}", "missing.pem")}, "missing.pem"),
        ({"cert": ("{certificate}", "{locked_key}")}, "cannot load"),
        ({"cert": ("{certificate}", "{locked_key}", "wrong s3cret")}, "cannot load"),
        ({"cert": "{certificate}"}, "cannot load"),
        ({"verify": "missing.pem"}, "missing.pem"),
        ({"verify": "{key}"}, "cannot load"),
        ({"verify": False}, "verify must be"),
        ({"verify": False, "cert": "{both}"}, "verify must be"),
        ({"verify": ssl.create_default_context(), "cert": "{both}"}, "either"),
    ],
)
def test_what_cannot_be_loaded_is_named_when_the_client_is_made(
    world: World, pem: Files, options: dict[str, Any], says: str
) -> None:
    def filled(value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(filled(item) for item in value)
        return value.format(**vars(pem)) if isinstance(value, str) else value

    with pytest.raises(ClientConfigError, match=says) as caught:
        world.base_client("https://host", **{name: filled(value) for name, value in options.items()})

    assert "s3cret" not in str(caught.value)


def test_certificates_beside_a_client_of_one_s_own_are_refused(world: World, pem: Files) -> None:
    for options in ({"cert": pem.both}, {"verify": pem.authority}):
        with pytest.raises(ClientConfigError, match="http_client has its own"):
            world.base_client("https://host", http_client=world.http_client(), **options)


def test_a_generated_client_asks_for_the_certificate(
    world: World, awkward_package: Any, tls_server: TLSServer, pem: Files
) -> None:
    kind = awkward_package.AsyncClient if world.is_async else awkward_package.Client
    with pytest.raises(awkward_package.errors.MissingCredentialsError, match="cert="):
        world.run(world.opened(kind(tls_server.url)).default.head_untagged())
    world.run(world.opened(kind(tls_server.url, cert=pem.both, verify=pem.authority)).default.head_untagged())

    assert ["client.example"] == tls_server.subjects


def test_nothing_is_read_at_import(root: Path) -> None:
    program = (
        "import ssl; ssl.SSLContext.load_verify_locations = ssl.SSLContext.load_cert_chain = None;"
        "from modelport_api.codex.v1 import AsyncClient, Client; Client('https://host'), AsyncClient('https://host')"
    )

    subprocess.run([sys.executable, "-c", program], check=True, cwd=root)
