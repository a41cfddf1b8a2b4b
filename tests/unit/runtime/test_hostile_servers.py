"""What servers do to clients. Every row ends in one typed error, or in a value, and leaks no connection."""

from __future__ import annotations

import gzip
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest

from modelport_api._runtime.errors import (
    APIConnectionError,
    APIError,
    APIProtocolError,
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    DecodeError,
    GoneError,
    NotFoundError,
    PayloadTooLargeError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
    UnprocessableEntityError,
)
from modelport_api.codex.v1 import Timeout, models
from tests.unit.runtime.server import ScriptedServer, Step, answer, head
from tests.unit.runtime.worlds import World

TOKENS = {"userToken": "user-secret", "groupToken": "group-secret"}
SMALL_POOL = httpx.Limits(max_connections=2, max_keepalive_connections=2)


@dataclass(frozen=True)
class Row:
    """An answer to ``GET /groups``, and what must come of it."""

    name: str
    step: Step
    error: type[APIError]
    says: str = ""
    status: int | None = None
    timeout: float = 5.0


def chunked(*chunks: bytes, end: bool = True, **headers: str) -> bytes:
    data = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
    start = head(200, {"Content-Type": "application/json", "Transfer-Encoding": "chunked", **headers})
    return start + data + (b"0\r\n\r\n" if end else b"")


GROUP = {"Name": "clinic"}
HTML = b"<html><body>Sign in to continue</body></html>"

ROWS = [
    Row("520", answer(520, b"web server error", content_type="text/plain"), ServerError, "HTTP 520", 520),
    Row("561", answer(561, HTML, content_type="text/html"), ServerError, "HTTP 561", 561),
    Row("599 without a body", answer(599, b""), ServerError, "Scripted", 599),
    Row("400", answer(400, {"Error": {"Message": "no such field"}}), BadRequestError, "no such field", 400),
    Row("401 with a plain token", answer(401, {"message": "expired"}), AuthenticationError, "expired", 401),
    Row("403", answer(403, {"detail": "not yours"}), PermissionDeniedError, "not yours", 403),
    Row("404", answer(404, {"error": "gone fishing"}), NotFoundError, "gone fishing", 404),
    Row("409", answer(409, [{"msg": "exists"}]), ConflictError, "exists", 409),
    Row("410 with a status body", answer(410, {"Status": "Disabled"}), GoneError, "HTTP 410", 410),
    Row("413", answer(413, HTML, content_type="text/html"), PayloadTooLargeError, "HTTP 413", 413),
    Row("418", answer(418, b""), APIStatusError, "HTTP 418", 418),
    Row("422", answer(422, {"detail": [{"msg": "too short"}]}), UnprocessableEntityError, "too short", 422),
    Row("429", answer(429, {"message": "slow down"}), RateLimitError, "slow down", 429),
    Row("503 without a reason", answer(503, b"", reason=""), ServerError, "without a message", 503),
    Row("an error page that is no JSON", answer(500, b'{"Error": ', content_type="application/json"), ServerError),
    Row("an error that is JSON of another shape", answer(404, {"Error": 7}), NotFoundError, "HTTP 404", 404),
    Row("an error of invalid UTF-8", answer(500, b'"\xff\xfe"'), ServerError, "HTTP 500", 500),
    Row("an error nested too deeply", answer(500, b"[" * 200_000), ServerError, "HTTP 500", 500),
    Row("304", Step(head(304, {})), APIStatusError, "HTTP 304", 304),
    Row("HTML on 200", answer(200, HTML, content_type="text/html"), DecodeError, "Sign in to continue"),
    Row("HTML on 200 that says it is JSON", answer(200, HTML), DecodeError, "is not JSON (application/json)"),
    Row("truncated JSON", answer(200, b'{"Results":[{"Name":"cl'), DecodeError, "is not JSON"),
    Row("an empty 200", answer(200, b""), DecodeError, "is empty"),
    Row("a 204 where JSON is promised", Step(head(204, {})), DecodeError, "is empty"),
    Row("blanks", answer(200, b"  \n "), DecodeError, "is not JSON"),
    Row("two documents", answer(200, b'{"Results":[]}{"Results":[]}'), DecodeError, "is not JSON"),
    Row("NaN", answer(200, b'{"Results":NaN}'), DecodeError, "is not JSON"),
    Row("a number out of range", answer(200, b'{"Results":1e999}'), DecodeError, "is not JSON"),
    Row("a wrong-typed field", answer(200, {"Results": [GROUP, {"Name": 7}]}), DecodeError, "$.Results[1].Name"),
    Row("a missing field", answer(200, {"Results": [{}]}), DecodeError, "$.Results[0].Name: the required field"),
    Row("null where it is not allowed", answer(200, {"Results": [{"Name": None}]}), DecodeError, "got null"),
    Row("null for the whole", answer(200, b"null"), DecodeError, "$: expected an object, got null"),
    Row("an array for an object", answer(200, b"[]"), DecodeError, "got an array"),
    Row("invalid UTF-8", answer(200, b'{"Results":[{"Name":"\xff\xfe"}]}'), DecodeError, "is not JSON"),
    Row("UTF-16", answer(200, '{"Results":[]}'.encode("utf-16")), DecodeError, "is not JSON"),
    Row("nested too deeply", answer(200, b"[" * 200_000), DecodeError, "is not JSON"),
    Row("gzip garbage", answer(200, b"no gzip at all", {"Content-Encoding": "gzip"}), APIProtocolError),
    Row("gzip cut", answer(200, gzip.compress(b'{"Results":[]}')[:15], {"Content-Encoding": "gzip"}), DecodeError),
    Row(
        "a body shorter than its length",
        Step(head(200, {"Content-Type": "application/json", "Content-Length": "999"}) + b'{"Results":', close=True),
        APIConnectionError,
    ),
    Row("chunks cut", Step(chunked(b'{"Results":', end=False), close=True), APIConnectionError),
    Row("a chunk of no size", Step(chunked(end=False) + b"xyz\r\n", close=True), APIConnectionError),
    Row("chunks that stall", Step(chunked(b'{"Resul', end=False), stall=True), APITimeoutError, "read", timeout=0.2),
    Row("no answer at all", Step(stall=True), APITimeoutError, "in time", timeout=0.2),
    Row("the connection closed at once", Step(close=True), APIConnectionError, "no answer"),
    Row("the connection reset", Step(reset=True), APIConnectionError, "no answer"),
    Row("no HTTP", Step(b"SSH-2.0-OpenSSH_9.6\r\n", close=True), APIConnectionError),
    Row("two lengths", Step(head(200, {"Content-Length": "1", "content-length": "2"}) + b"[]"), APIConnectionError),
    Row("a huge header", Step(head(200, {"X-Filler": "x" * 1_000_000}) + b"{}", close=True), APIConnectionError),
    Row("endless headers", Step(b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 100_000, close=True), APIConnectionError),
    Row("a redirect", answer(302, b"", {"Location": "/elsewhere"}), APIStatusError, "HTTP 302", 302),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_hostile_answer_ends_in_a_typed_error_and_the_connection_is_given_back(
    world: World, server: ScriptedServer, row: Row
) -> None:
    http_client = world.http_client(limits=SMALL_POOL)
    client = world.client(server.url, credentials=TOKENS, http_client=http_client, max_retries=0)
    timeout = reading(row.timeout)
    for _ in range(3):
        server.script.append(row.step)
        with pytest.raises(row.error) as caught:
            world.run(client.groups.list_groups(timeout=timeout))

        assert type(caught.value) is row.error
        assert row.says in str(caught.value)
        assert row.status is None or row.status == getattr(caught.value, "status", None)
        assert "secret" not in str(caught.value) + repr(caught.value)

    assert world.run(client.groups.list_groups(timeout=reading(5.0))).results == []


def reading(read: float) -> Timeout:
    return Timeout(5.0, read=read)


STREAM_ROWS = [row for row in ROWS if row.error not in {DecodeError, APITimeoutError}]


@pytest.mark.parametrize("row", STREAM_ROWS, ids=lambda row: row.name)
def test_twenty_failing_streams_leave_room_for_a_normal_call(world: World, server: ScriptedServer, row: Row) -> None:
    client = world.client(
        server.url, credentials=TOKENS, http_client=world.http_client(limits=SMALL_POOL), max_retries=0
    )
    for _ in range(20):
        server.script.append(row.step)
        with (
            pytest.raises(row.error),
            world.entered(client.groups.with_streaming_response.list_groups()) as response,
        ):
            list(world.iterated(response.iter_bytes()))

    assert world.run(client.groups.list_groups()).results == []


def test_a_stream_that_is_left_half_read_gives_its_connection_back(world: World, server: ScriptedServer) -> None:
    client = world.client(server.url, credentials=TOKENS, http_client=world.http_client(limits=SMALL_POOL))
    for _ in range(20):
        server.script.append(Step(chunked(b"x" * 70_000, b"y" * 70_000)))
        with world.entered(client.groups.with_streaming_response.list_groups()) as response:
            next(world.iterated(response.iter_bytes()))

    assert world.run(client.groups.list_groups()).results == []


def test_a_stream_that_stalls_ends_in_a_timeout(world: World, server: ScriptedServer) -> None:
    server.script.append(Step(chunked(b"x" * 1000, end=False), stall=True))
    client = world.client(server.url, credentials=TOKENS)

    with (
        pytest.raises(APITimeoutError),
        world.entered(client.groups.with_streaming_response.list_groups(timeout=0.2)) as response,
    ):
        list(world.iterated(response.iter_bytes()))


def test_an_unknown_enum_value_is_kept_and_seen_as_unknown(world: World, server: ScriptedServer) -> None:
    summary = {"ModelHash": "M1", "Name": "churn", "Group": "clinic", "Operation": "Sync", "Status": "Levitating"}
    server.script.append(answer(200, {"Count": 1, "Results": [summary]}))
    client = world.client(server.url, credentials=TOKENS)

    (model,) = world.run(client.models.search_models()).results

    assert model.status == "Levitating"
    assert isinstance(model.status, models.ModelState)
    assert not model.status.is_known
    assert model.operation.is_known


def test_extra_fields_are_kept(world: World, server: ScriptedServer) -> None:
    server.script.append(answer(200, {"Results": [{"Name": "clinic", "Colour": {"Red": 1}}], "Next": 2}))
    client = world.client(server.url, credentials=TOKENS)

    groups = world.run(client.groups.list_groups())

    assert groups.additional_properties == {"Next": 2}
    assert groups.results[0].additional_properties == {"Colour": {"Red": 1}}


def test_a_page_of_html_is_no_download(world: World, server: ScriptedServer) -> None:
    server.script.append(answer(200, HTML, content_type="text/html; charset=utf-8"))
    client = world.client(server.url, credentials=TOKENS)

    with pytest.raises(DecodeError, match="a page of HTML came where the document promises"):
        world.run(client.predictions.get_prediction_result("clinic", 7))


def test_an_undocumented_success_status_is_read_as_the_documented_one(world: World, server: ScriptedServer) -> None:
    server.script.append(answer(207, {"Results": []}))
    client = world.client(server.url, credentials=TOKENS)

    assert world.run(client.groups.list_groups()).results == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("injected", [False, True], ids=["own", "injected, following"])
def test_credentials_never_follow_a_redirect_to_another_host(
    world: World, server: ScriptedServer, other_server: ScriptedServer, status: int, injected: bool
) -> None:
    http_client = world.http_client(follow_redirects=True) if injected else None
    server.script.append(answer(status, b"", {"Location": f"{other_server.url}/groups"}))
    client = world.client(server.url, credentials=TOKENS, http_client=http_client)

    with pytest.raises(APIStatusError) as caught:
        world.run(client.groups.list_groups())

    assert status == caught.value.status
    assert caught.value.headers["location"] == f"{other_server.url}/groups"
    assert [] == other_server.requests


def test_a_session_cookie_of_one_user_is_not_sent_for_another(world: World, server: ScriptedServer) -> None:
    server.script.append(answer(200, OK, {"Set-Cookie": "session=alice; Path=/"}))
    alice = world.client(server.url, credentials={"userToken": "alice-token"})
    bob = alice.with_options(credentials={"userToken": "bob-token"})
    world.run(alice.groups.list_groups())
    world.run(bob.groups.list_groups())

    assert [None, None] == [request.header("cookie") for request in server.requests]


OK = b'{"Results":[]}'


def test_a_large_answer_streams_in_constant_memory(world: World, server: ScriptedServer) -> None:
    chunk_bytes, chunks = 1 << 20, 64

    def feed() -> Iterator[bytes]:
        for _ in range(chunks):
            yield b"x" * chunk_bytes

    start = head(200, {"Content-Type": "application/octet-stream", "Content-Length": str(chunk_bytes * chunks)})
    client = world.client(server.url, credentials=TOKENS)
    world.run(client.groups.list_groups())
    server.script.append(Step(start, feed=feed))
    received = 0
    tracemalloc.start()
    try:
        with world.entered(client.predictions.with_streaming_response.get_prediction_result("clinic", 7)) as response:
            for chunk in world.iterated(response.iter_bytes()):
                received += len(chunk)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert chunk_bytes * chunks == received
    assert peak < 8 * chunk_bytes


def test_an_endless_error_body_of_a_stream_is_cut(world: World, server: ScriptedServer) -> None:
    def feed() -> Iterator[bytes]:
        while True:
            yield b"x" * 65_536

    server.script.append(Step(head(500, {"Content-Type": "text/plain"}), feed=feed))
    client = world.client(server.url, credentials=TOKENS)

    with pytest.raises(ServerError) as caught, world.entered(client.groups.with_streaming_response.list_groups()):
        pass

    assert 4096 == len(caught.value.raw_body)


def test_the_server_s_message_is_cut_where_it_is_printed(world: World, server: ScriptedServer) -> None:
    server.script.append(answer(400, {"message": "no " * 100_000}))
    client = world.client(server.url, credentials=TOKENS)

    with pytest.raises(BadRequestError) as caught:
        world.run(client.groups.list_groups())

    assert len(str(caught.value)) < 1300
    assert len(repr(caught.value)) < 1300
    assert 300_000 == len(caught.value.message)


def test_a_status_error_carries_what_there_is_to_know(world: World, server: ScriptedServer) -> None:
    server.script.append(answer(404, {"Error": {"Message": "no group"}}, {"X-Request-Id": "r-1"}))
    client = world.client(server.url, credentials=TOKENS)

    with pytest.raises(NotFoundError) as caught:
        world.run(client.groups.refresh_group_token("clinic", force=True))

    error = caught.value
    assert (404, "no group", "GET", 1) == (error.status, error.message, error.method, error.attempts)
    assert f"{server.url}/groups/refresh/clinic" == error.url
    assert "r-1" == error.request_id
    assert b'{"Error": {"Message": "no group"}}' == error.raw_body
    assert "HTTP 404: no group (GET " in str(error)
    assert "request id r-1" in str(error)
    assert "force" not in str(error)
