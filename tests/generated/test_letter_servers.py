"""Servers with variables, of paths and of operations; webhooks and callbacks; every security scheme."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.generated.letters import OK, Letters, Probe, described, ref
from tests.unit.runtime.server import ScriptedServer
from tests.unit.runtime.worlds import World


def get(name: str, **rest: Any) -> dict[str, Any]:
    return {"get": {"operationId": name, "responses": OK, **rest}}


SCHEMES: dict[str, Any] = {
    "basic": {"type": "http", "scheme": "Basic"},
    "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
    "other": {"type": "http", "scheme": "ApiToken"},
    "digest": {"type": "http", "scheme": "digest"},
    "head": {"type": "apiKey", "in": "header", "name": "X-Key"},
    "head2": {"type": "apiKey", "in": "header", "name": "X-Org"},
    "auth": {"type": "apiKey", "in": "header", "name": "Authorization"},
    "quer": {"type": "apiKey", "in": "query", "name": "api key"},
    "cook": {"type": "apiKey", "in": "cookie", "name": "sid"},
    "oauth": {"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": "https://x/t", "scopes": {"r": "read"}}}},
    "oidc": {"type": "openIdConnect", "openIdConnectUrl": "https://x/.well-known/openid-configuration"},
    "we.ird-name": {"type": "apiKey", "in": "header", "name": "X-Weird"},
}
SECURED: dict[str, tuple[Any, dict[str, str], dict[str, str | None]]] = {
    # name: what the operation asks for, what the client has, what is sent
    "default": (None, {"bearer": "t"}, {"authorization": "Bearer t"}),
    "none": ([], {"bearer": "t", "head": "k"}, {"authorization": None, "x-key": None}),
    "empty": ([{}], {"bearer": "t"}, {"authorization": None}),
    "basic": ([{"basic": []}], {"basic": "u:p"}, {"authorization": f"Basic {base64.b64encode(b'u:p').decode()}"}),
    "other": ([{"other": []}], {"other": "t"}, {"authorization": "ApiToken t"}),
    "head": ([{"head": []}], {"head": "k", "bearer": "t"}, {"x-key": "k", "authorization": None}),
    "auth": ([{"auth": []}], {"auth": "raw"}, {"authorization": "raw"}),
    "query": ([{"quer": []}], {"quer": "a b&"}, {"?": "api%20key=a%20b%26"}),
    "cookie": ([{"cook": []}], {"cook": "c"}, {"cookie": "sid=c"}),
    "oauth": ([{"oauth": ["r"]}], {"oauth": "o"}, {"authorization": "Bearer o"}),
    "oidc": ([{"oidc": ["openid"]}], {"oidc": "i"}, {"authorization": "Bearer i"}),
    "all": (
        [{"head": [], "cook": [], "quer": []}],
        {"head": "k", "cook": "c", "quer": "q"},
        {"x-key": "k", "cookie": "sid=c", "?": "api%20key=q"},
    ),
    "two_of_a_kind": ([{"head": [], "head2": []}], {"head": "k", "head2": "o"}, {"x-key": "k", "x-org": "o"}),
    "first_that_is_there": (
        [{"bearer": [], "head": []}, {"quer": []}, {"cook": []}],
        {"bearer": "t", "cook": "c"},
        {"cookie": "sid=c", "authorization": None},
    ),
    "optional_given": ([{}, {"head": []}], {"head": "k"}, {"x-key": "k"}),
    "optional_absent": ([{}, {"head": []}], {}, {"x-key": None}),
    "weird": ([{"we.ird-name": []}], {"we.ird-name": "k"}, {"x-weird": "k"}),
}
PET = {"type": "object", "title": "Pet", "required": ["id"], "properties": {"id": {"type": "integer"}}}


def document(upload: str) -> dict[str, Any]:
    body = {"requestBody": {"content": {"application/json": {"schema": ref("Pet")}}}, "responses": OK}
    text = {"requestBody": {"content": {"text/xml": {}}}, "responses": OK}
    return described(
        {
            **{
                f"/{name}": get(f"s_{name}", **({} if row[0] is None else {"security": row[0]}))
                for name, row in SECURED.items()
            },
            "/plain/": get("plain", security=[]),
            "/": get("root", security=[]),
            "/moved": {
                **get("moved", security=[]),
                "servers": [{"url": f"{upload}/{{part}}/", "variables": {"part": {"default": "files"}}}],
            },
            "/relative": {**get("relative", security=[], servers=[{"url": "/v2/"}])},
            "/beside": {**get("beside", security=[], servers=[{"url": "../v3"}])},
            "/subscribe": {
                "post": {
                    "operationId": "subscribe",
                    "security": [],
                    "responses": OK,
                    "callbacks": {
                        "onEvent": {"{$request.body#/url}": {"post": body}},
                        "onEnd": {"{$request.body#/url}": {"post": text, "put": body}},
                    },
                }
            },
        },
        servers=[
            {
                "url": "https://{region}.example:{port}/v1/",
                "variables": {"region": {"default": "eu", "enum": ["eu", "us"]}, "port": {"default": "8443"}},
            },
            {"url": "/relative/"},
        ],
        security=[{"bearer": []}],
        webhooks={
            "newPet": {"post": {**body, "description": 'It is """new"""'}, "put": body},
            "list": {"post": body},
            "pets": {
                "post": {
                    "requestBody": {"content": {"application/json": {"schema": {"type": "array", "items": ref("Pet")}}}}
                }
            },
        },
        components={"securitySchemes": SCHEMES, "schemas": {"Pet": PET}},
    )


DOCUMENT = document("https://uploads.example")


@pytest.mark.parametrize("name", SECURED)
def test_credentials_go_where_the_document_says(probe: Probe, name: str) -> None:
    _, given, expected = SECURED[name]
    client = probe.made(credentials=given)
    probe.world.run(getattr(client.default, f"s_{name}")())

    assert {key: probe.query if key == "?" else probe.sent.header(key) for key in expected} == expected


def test_what_is_missing_is_named(probe: Probe) -> None:
    client = probe.made(credentials={"bearer": "t"})
    with pytest.raises(probe.errors.MissingCredentialsError, match="bearer and head or quer or cook"):
        probe.world.run(client.default.s_first_that_is_there())

    assert probe.server.requests == []


def test_the_default_is_the_first_server_with_its_defaults(probe: Probe) -> None:
    assert probe.made().default_base_url == "https://eu.example:8443/v1/"
    kind = type(probe.client)
    assert kind().base_url == "https://eu.example:8443/v1"
    assert kind.server_url(region="us") == "https://us.example:8443/v1/"
    assert kind(kind.server_url(port="1", region="us")).base_url == "https://us.example:1/v1"
    assert kind.server_url(1) == "/relative/"
    for wrong in ({"region": "mars"}, {"planet": "x"}, {"index": 2}):
        with pytest.raises(probe.errors.ClientConfigError):
            kind.server_url(**wrong)


def test_slashes_are_kept_as_the_paths_have_them(probe: Probe) -> None:
    client = probe.made(f"{probe.server.url}/base/")
    for name in ("plain", "root", "relative", "beside", "moved"):
        probe.world.run(getattr(client.default, name)())

    assert [request.target for request in probe.server.requests] == [
        "/base/plain/",
        "/base/",
        "/v2/relative",
        "/v3/beside",
        "/base/moved",
    ]


@pytest.fixture
def other_server() -> Iterator[ScriptedServer]:
    made = ScriptedServer()
    try:
        yield made
    finally:
        made.close()


def test_an_operation_goes_to_its_own_server_where_the_client_keeps_to_the_document(
    letters: Letters, world: World, server: ScriptedServer, other_server: ScriptedServer
) -> None:
    values = document(other_server.url)
    values["servers"] = [{"url": f"{server.url}/v1/"}]
    probe = Probe(letters.package(f"letter_servers_at_{other_server.port}", values), world, server)
    world.run(probe.made(f"{server.url}/v1").default.moved())
    world.run(probe.made(server.url).default.moved())

    assert [request.target for request in other_server.requests] == ["/files/moved"]
    assert [request.target for request in server.requests] == ["/moved"]


def test_what_a_server_sends_is_parsed_with_types(probe: Probe) -> None:
    webhooks, pet = probe.package.webhooks, probe.models.Pet

    assert webhooks.new_pet_post.parse(b'{"id": 1, "more": 2}') == pet(id=1, additional_properties={"more": 2})
    assert webhooks.new_pet_put.parse('{"id": 1}') == pet(id=1)
    assert webhooks.list_.parse(b'{"id": 1}') == pet(id=1)
    assert webhooks.pets.parse(json.dumps([{"id": 1}])) == [pet(id=1)]
    assert webhooks.subscribe_on_event.parse(b'{"id": 1}') == pet(id=1)
    assert webhooks.subscribe_on_end_post.parse(b"<x/>") == b"<x/>"
    for wrong, says in ((b'{"id": "x"}', "$.id"), (b"<x/>", "not JSON"), (b"{}", "$.id")):
        with pytest.raises(probe.errors.DecodeError, match=r"newPet") as caught:
            webhooks.new_pet_post.parse(wrong)
        assert says in str(caught.value)
