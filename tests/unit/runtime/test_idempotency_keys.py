"""A call of an operation that takes an idempotency key has one, and is therefore repeated like a read."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from modelport_api._runtime.errors import APIConnectionError, ServerError
from modelport_api._runtime.operation import Parameter
from modelport_api._runtime.types import UNSET
from tests.unit.runtime.operations import operation
from tests.unit.runtime.server import ScriptedServer, Step, answer
from tests.unit.runtime.worlds import World

DECLARED = operation(
    Parameter("key", "idempotency-key", "header"), method="POST", idempotent=False, idempotency_key="idempotency-key"
)
SAID = operation(method="POST", idempotent=False, idempotency_key="X-Request-Key")
NONE = operation(method="POST", idempotent=False)


def keys(server: ScriptedServer, name: str = "idempotency-key") -> list[str | None]:
    return [request.header(name) for request in server.requests]


@pytest.mark.parametrize(("which", "name"), [(DECLARED, "idempotency-key"), (SAID, "X-Request-Key")])
@pytest.mark.parametrize(
    "step", [*(answer(status, b"") for status in (408, 429, 502, 503, 504)), Step(close=True), Step(reset=True)]
)
def test_a_key_is_drawn_for_the_call_and_the_same_on_every_attempt(
    world: World, server: ScriptedServer, which: Any, name: str, step: Step
) -> None:
    server.script += [step, step, answer(200, b"{}")]
    world.call(world.base_client(server.url), which)
    first, *others = keys(server, name)

    assert first is not None
    assert 4 == UUID(first).version
    assert [first, first] == others


def test_each_call_has_a_key_of_its_own(world: World, server: ScriptedServer) -> None:
    client = world.base_client(server.url)
    for _ in range(3):
        world.call(client, DECLARED)

    assert 3 == len(set(keys(server)))


@pytest.mark.parametrize(
    ("arguments", "options", "expected"),
    [
        ({"key": "mine"}, {}, "mine"),
        ({}, {"headers": {"IDEMPOTENCY-KEY": "mine"}}, "mine"),
        ({"key": "argument"}, {"headers": {"Idempotency-Key": "mine"}}, "mine"),
    ],
)
def test_the_key_of_the_caller_is_sent(
    world: World, server: ScriptedServer, arguments: dict[str, Any], options: dict[str, Any], expected: str
) -> None:
    server.script.append(answer(503, b""))
    world.call(world.base_client(server.url), DECLARED, arguments=arguments, **options)

    assert [expected, expected] == keys(server)


@pytest.mark.parametrize("absent", [None, UNSET])
def test_a_key_that_was_not_given_is_drawn(world: World, server: ScriptedServer, absent: Any) -> None:
    world.call(world.base_client(server.url), DECLARED, arguments={"key": absent})

    assert keys(server)[0]


def test_an_operation_that_takes_none_has_none_and_is_not_repeated(world: World, server: ScriptedServer) -> None:
    client = world.base_client(server.url)
    for step, error in ((answer(503, b""), ServerError), (Step(close=True), APIConnectionError)):
        server.script.append(step)
        with pytest.raises(error):
            world.call(client, NONE)

    assert [None, None] == keys(server)


def test_a_generated_client_draws_keys(world: World, server: ScriptedServer, awkward_package: Any) -> None:
    kind = awkward_package.AsyncClient if world.is_async else awkward_package.Client
    client = world.opened(kind(server.url, credentials={"bearer": "token"}))
    server.script += [answer(503, b""), answer(200, b"{}")]
    world.run(client.cached_property_.send_form())
    server.script += [Step(close=True), answer(200, b"[]")]
    world.run(client.cached_property_.send_text("x", body="text"))

    assert 2 == len([key for key in keys(server)[:2] if key])
    assert 1 == len(set(keys(server)[:2]))
    assert 1 == len(set(keys(server, "x-request-key")[2:]))
    assert keys(server, "x-request-key")[3]
