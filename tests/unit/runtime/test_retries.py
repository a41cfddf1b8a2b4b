from __future__ import annotations

import email.utils
import os
import time
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelport_api._runtime.errors import (
    APIConnectionError,
    APITimeoutError,
    AuthenticationError,
    ClientConfigError,
    RateLimitError,
    ServerError,
)
from modelport_api._runtime.retry import (
    FIRST_DELAY_SECONDS,
    MAX_DELAY_SECONDS,
    MAX_RETRY_AFTER_SECONDS,
    delay_seconds,
    is_retryable_status,
    retry_after_seconds,
)
from modelport_api.codex.v1 import File, models
from tests.unit.runtime.server import ScriptedServer, Step, answer, closed_port
from tests.unit.runtime.worlds import World

TOKENS = {"userToken": "user-secret", "groupToken": "group-secret"}
GROUP = models.CreateGroupBody(name="clinic", description="")


def created() -> Step:
    return answer(201, {"Token": "t", "Message": "made"})


# The schedule, which is pure.


@given(attempt=st.integers(1, 10_000))
def test_a_pause_doubles_up_to_the_limit_and_is_jittered_downwards(attempt: int) -> None:
    full = min(FIRST_DELAY_SECONDS * 2 ** min(attempt - 1, 10), MAX_DELAY_SECONDS)
    pause = delay_seconds(attempt)

    assert pause is not None
    assert full * 0.75 <= pause <= full


@given(seconds=st.floats(0, MAX_RETRY_AFTER_SECONDS, allow_nan=False), attempt=st.integers(1, 50))
def test_a_pause_that_the_server_asks_for_is_kept(seconds: float, attempt: int) -> None:
    asked = f"{seconds:.3f}"

    assert float(asked) == delay_seconds(attempt, {"retry-after": asked})


@given(seconds=st.integers(int(MAX_RETRY_AFTER_SECONDS) + 1, 10**11))
def test_a_pause_that_is_too_long_stops_the_retries(seconds: int) -> None:
    assert delay_seconds(1, {"retry-after": str(seconds)}) is None


def test_a_date_is_understood() -> None:
    moment = datetime.now(UTC) + timedelta(seconds=30)
    seconds = retry_after_seconds({"retry-after": email.utils.format_datetime(moment, usegmt=True)})

    assert seconds is not None
    assert 0 < seconds <= 30


def test_a_date_that_has_gone_means_now() -> None:
    assert 0.0 == retry_after_seconds({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"})


@pytest.mark.parametrize("value", ["", "soon", "-5", "nan", "inf", "1e3", "1_000", "12 s", "٣", "9" * 400, "Mon, 99 X"])
def test_a_malformed_retry_after_is_as_good_as_none(value: str) -> None:
    assert retry_after_seconds({"retry-after": value}) is None
    assert delay_seconds(1, {"retry-after": value}) is not None


@given(value=st.text())
def test_no_retry_after_breaks_the_schedule(value: str) -> None:
    seconds = retry_after_seconds({"retry-after": value})

    assert seconds is None or seconds >= 0


@given(status=st.integers(100, 999))
def test_what_is_safe_for_a_write_is_safe_for_a_read(status: int) -> None:
    assert is_retryable_status(status, idempotent=True) or not is_retryable_status(status, idempotent=False)


# The attempts.


@pytest.mark.parametrize("status", [408, 429, 502, 503, 504])
def test_a_read_is_repeated_on_a_transient_status(
    world: World, server: ScriptedServer, pauses: list[float], status: int
) -> None:
    server.script += [answer(status, b""), answer(status, b"")]
    client = world.client(server.url, credentials=TOKENS)
    response = world.run(client.groups.with_raw_response.list_groups())

    assert 3 == response.attempts == len(server.requests)
    assert 2 == len(pauses)
    assert pauses[0] <= 0.5
    assert 0.75 <= pauses[1] <= 1.0


@pytest.mark.parametrize("status", [400, 401, 404, 409, 410, 422, 500, 501, 520])
def test_a_read_is_not_repeated_on_any_other_status(world: World, server: ScriptedServer, status: int) -> None:
    server.script.append(answer(status, b""))
    client = world.client(server.url, credentials=TOKENS)
    with pytest.raises(Exception, match=f"HTTP {status}"):
        world.run(client.groups.list_groups())

    assert 1 == len(server.requests)


def test_the_last_error_says_how_often_it_was_tried(world: World, server: ScriptedServer) -> None:
    server.script += [answer(503, b"")] * 3
    client = world.client(server.url, credentials=TOKENS)
    with pytest.raises(ServerError, match="after 3 attempts") as caught:
        world.run(client.groups.list_groups())

    assert 3 == caught.value.attempts == len(server.requests)


@pytest.mark.parametrize(
    ("client_retries", "call_options", "expected"),
    [(0, {}, 1), (1, {}, 2), (5, {}, 6), (5, {"max_retries": 0}, 1), (0, {"max_retries": 3}, 4)],
)
def test_the_number_of_retries_is_the_call_s_else_the_client_s(
    world: World, server: ScriptedServer, client_retries: int, call_options: dict[str, Any], expected: int
) -> None:
    server.script += [answer(503, b"")] * 10
    client = world.client(server.url, credentials=TOKENS, max_retries=client_retries)
    with pytest.raises(ServerError):
        world.run(client.groups.list_groups(**call_options))

    assert expected == len(server.requests)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_write_is_not_repeated_on_a_server_error(world: World, server: ScriptedServer, status: int) -> None:
    server.script.append(answer(status, b""))
    client = world.client(server.url, credentials=TOKENS)
    with pytest.raises(ServerError):
        world.run(client.groups.create_group(body=GROUP))

    assert 1 == len(server.requests)


def test_a_write_is_repeated_on_429(world: World, server: ScriptedServer, pauses: list[float]) -> None:
    server.script += [answer(429, b"", {"Retry-After": "7"}), created()]
    client = world.client(server.url, credentials=TOKENS)
    world.run(client.groups.create_group(body=GROUP))

    assert [7.0] == pauses
    assert server.requests[0].body == server.requests[1].body
    assert {b"name=clinic", b"description="} == set(server.requests[0].body.split(b"&"))


@pytest.mark.parametrize("step", [Step(close=True), Step(reset=True)], ids=["cut", "reset"])
def test_a_write_is_not_repeated_on_a_cut_and_a_read_is(world: World, server: ScriptedServer, step: Step) -> None:
    client = world.client(server.url, credentials=TOKENS)
    server.script.append(step)
    with pytest.raises(APIConnectionError):
        world.run(client.groups.create_group(body=GROUP))

    assert 1 == len(server.requests)

    server.script.append(step)

    assert [] == world.run(client.groups.list_groups()).results


def test_a_write_is_not_repeated_on_a_timeout(world: World, server: ScriptedServer) -> None:
    server.script.append(Step(stall=True))
    client = world.client(server.url, credentials=TOKENS)
    with pytest.raises(APITimeoutError):
        world.run(client.groups.create_group(body=GROUP, timeout=0.2))

    assert 1 == len(server.requests)


def test_a_write_is_repeated_when_the_connection_is_refused(world: World, pauses: list[float]) -> None:
    client = world.client(f"http://127.0.0.1:{closed_port()}", credentials=TOKENS)
    with pytest.raises(APIConnectionError, match="after 3 attempts") as caught:
        world.run(client.groups.create_group(body=GROUP))

    assert 3 == caught.value.attempts
    assert 2 == len(pauses)
    assert isinstance(caught.value, ConnectionError)


def test_a_pause_of_an_hour_is_not_taken(world: World, server: ScriptedServer, pauses: list[float]) -> None:
    server.script.append(answer(429, b"", {"Retry-After": "3600"}))
    client = world.client(server.url, credentials=TOKENS)
    with pytest.raises(RateLimitError) as caught:
        world.run(client.groups.list_groups())

    assert 1 == len(server.requests)
    assert [] == pauses
    assert "3600" == caught.value.headers["retry-after"]


def test_a_date_an_hour_ahead_is_not_waited_for(world: World, server: ScriptedServer, pauses: list[float]) -> None:
    moment = email.utils.formatdate(time.time() + 3600, usegmt=True)
    server.script.append(answer(503, b"", {"Retry-After": moment}))
    client = world.client(server.url, credentials=TOKENS)
    with pytest.raises(ServerError):
        world.run(client.groups.list_groups())

    assert [] == pauses


@pytest.mark.parametrize("value", ["soon", "-5", "1e9"])
def test_a_malformed_retry_after_falls_back_on_the_schedule(
    world: World, server: ScriptedServer, pauses: list[float], value: str
) -> None:
    server.script.append(answer(503, b"", {"Retry-After": value}))
    client = world.client(server.url, credentials=TOKENS)
    world.run(client.groups.list_groups())

    assert 1 == len(pauses)
    assert 0.375 <= pauses[0] <= 0.5


# A token source.


def test_a_rejected_token_is_replaced_once(world: World, server: ScriptedServer) -> None:
    server.script.append(answer(401, {"message": "expired"}))
    source = world.token_source("old-token", "new-token")
    client = world.client(server.url, credentials={"userToken": source})
    response = world.run(client.groups.with_raw_response.list_groups())

    assert [None, "old-token"] == source.calls
    assert ["Bearer old-token", "Bearer new-token"] == [one.header("authorization") for one in server.requests]
    assert 1 == response.attempts


def test_a_token_is_never_replaced_twice(world: World, server: ScriptedServer) -> None:
    server.script += [answer(401, {"message": "expired"})] * 3
    source = world.token_source("old-token", "new-token", "newer-token")
    client = world.client(server.url, credentials={"userToken": source})
    with pytest.raises(AuthenticationError):
        world.run(client.groups.list_groups())

    assert 2 == len(server.requests) == len(source.calls)


def test_a_token_is_replaced_for_a_write_too(world: World, server: ScriptedServer) -> None:
    server.script += [answer(401, b""), created()]
    client = world.client(server.url, credentials={"userToken": world.token_source("old-token", "new-token")})
    world.run(client.groups.create_group(body=GROUP))

    assert server.requests[0].body == server.requests[1].body
    assert {b"name=clinic", b"description="} == set(server.requests[0].body.split(b"&"))


def test_a_refresh_and_a_transient_error_go_together(world: World, server: ScriptedServer) -> None:
    server.script += [answer(503, b""), answer(401, b""), answer(503, b"")]
    source = world.token_source("old-token", "new-token")
    client = world.client(server.url, credentials={"userToken": source})
    response = world.run(client.groups.with_raw_response.list_groups())

    assert ["old-token", "old-token", "new-token", "new-token"] == [
        (one.header("authorization") or "").removeprefix("Bearer ") for one in server.requests
    ]
    assert 3 == response.attempts


def test_a_plain_token_is_not_tried_again(world: World, server: ScriptedServer) -> None:
    server.script.append(answer(401, b""))
    client = world.client(server.url, credentials=TOKENS)
    with pytest.raises(AuthenticationError):
        world.run(client.groups.list_groups())

    assert 1 == len(server.requests)


def test_what_a_token_source_raises_comes_through(world: World, server: ScriptedServer) -> None:
    class Broken:
        def token(self, rejected: str | None = None) -> str:
            raise LookupError("no login")

    client = world.client(server.url, credentials={"userToken": Broken()})
    with pytest.raises(LookupError, match="no login"):
        world.run(client.groups.list_groups())

    assert [] == server.requests


# Bodies that are sent again.


def upload(content: Any) -> models.UploadModelBody:
    return models.UploadModelBody(
        name="churn",
        model_reference="score",
        input_type=models.InputType("json"),
        operation=models.OperationType("Sync"),
        python_version=models.PythonVersion.PYTHON310,
        requirements=File(b"numpy==2.0", "requirements.txt"),
        source=File(content, "app.py"),
        schema=File(b"{}", "schema.json"),
        model=File(b"pickle", "model.pkl"),
    )


def test_a_file_is_sent_whole_on_every_attempt(world: World, server: ScriptedServer) -> None:
    server.script += [answer(429, b""), answer(201, {"ModelHash": "M1", "Message": "made"})]
    client = world.client(server.url, credentials=TOKENS)
    world.run(client.models.upload_model("clinic", body=upload(BytesIO(b"def score(): ..."))))

    assert 2 == len(server.requests)
    assert all(b"def score(): ..." in request.body for request in server.requests)


def test_a_pipe_is_sent_whole_and_once(world: World, server: ScriptedServer) -> None:
    server.script += [answer(429, b"")]
    client = world.client(server.url, credentials=TOKENS)
    reading, writing = os.pipe()
    os.write(writing, b"def score(): ...")
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe, pytest.raises(RateLimitError):
        world.run(client.models.upload_model("clinic", body=upload(pipe)))

    assert 1 == len(server.requests)
    assert b"def score(): ..." in server.requests[0].body


@pytest.mark.parametrize("retries", [-1, -100])
def test_a_negative_number_of_retries_is_refused(world: World, server: ScriptedServer, retries: int) -> None:
    with pytest.raises(ClientConfigError, match="max_retries"):
        world.client(server.url, max_retries=retries)
    client = world.client(server.url, credentials=TOKENS)
    with pytest.raises(ClientConfigError, match="max_retries"):
        world.run(client.groups.list_groups(max_retries=retries))

    assert [] == server.requests
