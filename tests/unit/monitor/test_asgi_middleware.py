"""MonitorMiddleware at the protocol itself: what an application and a server see of it, message by message."""

from __future__ import annotations

import asyncio
import gzip
import json
import subprocess
import threading
import time
import zlib
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelport.drift import Baseline
from modelport.monitor import Exchange, ModelMonitor, MonitorMiddleware, WSGIMonitorMiddleware, current_prediction_id
from modelport.predictions import Prediction
from tests.unit.conftest import ListSink

Message = dict[str, Any]
App = Callable[..., Awaitable[None]]
JSON = (b"content-type", b"application/json")


class Served:
    """An application behind the middleware, spoken to as a server does."""

    def __init__(self, monitor: ModelMonitor, sink: ListSink) -> None:
        self.monitor = monitor
        self.sink = sink

    def logged(self) -> list[Prediction]:
        assert self.monitor.flush()
        return self.sink.records

    def not_logged(self) -> dict[str, int]:
        return {reason: count for reason, count in self.monitor.dropped.items() if count}

    def call(
        self,
        app: App,
        body: bytes | list[bytes] = b"",
        headers: tuple[tuple[bytes, bytes], ...] = (JSON,),
        method: str = "POST",
        path: str = "/predict",
        query: bytes = b"",
        root_path: str = "",
        watch: str | list[str] | None = None,
        **options: Any,
    ) -> list[Message]:
        """All messages that the server gets; the request arrives in as many parts as `body` has."""
        parts = [body] if isinstance(body, bytes) else body
        inbox: list[Message] = [
            {"type": "http.request", "body": part, "more_body": number < len(parts)}
            for number, part in enumerate(parts, 1)
        ]
        sent: list[Message] = []
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "root_path": root_path,
            "query_string": query,
            "headers": [(b"content-length", str(sum(map(len, parts))).encode()), *headers],
        }

        async def receive() -> Message:
            return inbox.pop(0) if inbox else {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            sent.append(message)

        asyncio.run(MonitorMiddleware(app, self.monitor, path=watch, **options)(scope, receive, send))  # type: ignore[arg-type]
        return sent


@pytest.fixture
def served(list_sink: Callable[..., ListSink]) -> Iterator[Served]:
    sink = list_sink()
    with ModelMonitor("churn", sinks=[sink]) as monitor:
        yield Served(monitor, sink)


async def read(receive: Callable[[], Awaitable[Message]]) -> bytes:
    content = b""
    while True:
        message = await receive()
        content += message.get("body", b"")
        if not message.get("more_body", False):
            return content


def answering(
    answer: object, status: int = 200, headers: tuple[tuple[bytes, bytes], ...] = (JSON,), parts: int = 1
) -> App:
    """An application that reads its request and answers with the JSON of `answer` in several parts."""
    content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    size = max(1, -(-len(content) // parts))
    pieces = [content[start : start + size] for start in range(0, len(content), size)] or [b""]

    async def app(scope: Message, receive: Any, send: Any) -> None:
        await read(receive)
        await send({"type": "http.response.start", "status": status, "headers": list(headers)})
        for number, piece in enumerate(pieces, 1):
            await send({"type": "http.response.body", "body": piece, "more_body": number < len(pieces)})

    return app


def response_headers(messages: list[Message]) -> dict[bytes, bytes]:
    return dict(messages[0]["headers"])


def test_a_json_request_and_its_answer_are_one_prediction(served: Served) -> None:
    messages = served.call(answering({"prediction": 0.93}), b'{"age": 41, "plan": "pro"}')

    (record,) = served.logged()
    assert (record.features, record.output) == ({"age": 41, "plan": "pro"}, 0.93)
    assert response_headers(messages)[b"x-prediction-id"].decode() == record.prediction_id
    assert abs(record.timestamp_ns - time.time_ns()) < 60 * 10**9
    assert record.request_body is None


def test_nothing_of_the_answer_changes_but_one_header(served: Served) -> None:
    app = answering({"output": [1, 2, 3]}, headers=(JSON, (b"x-a", b"1"), (b"x-a", b"2")), parts=3)
    watched = served.call(app, b"[1]")
    bare: list[Message] = []

    async def send(message: Message) -> None:
        bare.append(message)

    async def receive() -> Message:
        return {"type": "http.request", "body": b"[1]"}

    asyncio.run(app({}, receive, send))  # type: ignore[arg-type]

    start, *rest = watched
    assert rest == bare[1:]
    assert start["headers"][:-1] == bare[0]["headers"]
    assert start["headers"][-1][0] == b"x-prediction-id"
    assert {**start, "headers": None} == {**bare[0], "headers": None}


@given(
    parts=st.lists(st.integers(0, 12), max_size=6),
    answer_parts=st.integers(1, 9),
    row=st.dictionaries(st.text(max_size=5), st.integers(-5, 5), min_size=1, max_size=4),
)
def test_however_the_bodies_are_cut_the_same_is_logged(
    parts: list[int], answer_parts: int, row: dict[str, int]
) -> None:
    sink = ListSink()
    with ModelMonitor("e", sinks=[sink]) as monitor:
        content = json.dumps({"features": row}).encode()
        cuts = sorted({min(cut, len(content)) for cut in parts})
        pieces = [content[a:b] for a, b in zip([0, *cuts], [*cuts, len(content)], strict=True)]
        Served(monitor, sink).call(answering({"output": 7}, parts=answer_parts), pieces)
        assert monitor.flush()

    (record,) = sink.records
    assert (record.features, record.output) == (row, 7)


def test_each_part_of_a_stream_passes_before_the_next_is_made(served: Served) -> None:
    order: list[str] = []

    async def app(scope: Message, receive: Any, send: Any) -> None:
        await read(receive)
        await send({"type": "http.response.start", "status": 200, "headers": [JSON]})
        for number in range(3):
            order.append(f"made {number + 1}")
            await send({"type": "http.response.body", "body": b"%d" % (number + 1), "more_body": number < 2})

    async def send(message: Message) -> None:
        if message["type"] == "http.response.body":
            order.append(f"sent {message['body'].decode()}")

    async def receive() -> Message:
        return {"type": "http.request", "body": b"[1]"}

    scope = {"type": "http", "method": "POST", "path": "/", "headers": [JSON, (b"content-length", b"3")]}
    asyncio.run(MonitorMiddleware(app, served.monitor)(scope, receive, send))  # type: ignore[arg-type]

    assert order == [f"{what} {number}" for number in range(1, 4) for what in ("made", "sent")]
    assert [record.output for record in served.logged()] == [123]


def test_the_answer_has_left_before_it_is_read(served: Served) -> None:
    sent: list[int] = []

    def output(answer: Any) -> object:
        sent.append(len(messages))
        return answer

    messages: list[Message] = []

    async def send(message: Message) -> None:
        messages.append(message)

    async def receive() -> Message:
        return {"type": "http.request", "body": b"[1]"}

    scope = {"type": "http", "method": "POST", "path": "/", "headers": [JSON, (b"content-length", b"3")]}
    asyncio.run(MonitorMiddleware(answering(1), served.monitor, output=output)(scope, receive, send))  # type: ignore[arg-type]

    assert sent == [2]


ROWS = [{"a": 1.0}, {"a": 2.0}]
BATCHES: dict[str, tuple[object, object]] = {
    "list of rows": ([[1.0], [2.0]], [10, 20]),
    "features": ({"features": ROWS}, {"output": [10, 20]}),
    "kserve 1": ({"instances": ROWS}, {"predictions": [10, 20]}),
    "inference protocol, one tensor": (
        {"inputs": [{"name": "x", "shape": [2, 1], "datatype": "FP64", "data": [1.0, 2.0]}]},
        {"outputs": [{"name": "y", "shape": [2, 1], "datatype": "INT64", "data": [[10], [20]]}]},
    ),
    "inference protocol, a tensor a column": (
        {
            "inputs": [
                {"name": "a", "shape": [2], "datatype": "FP64", "data": [1.0, 2.0]},
                {"name": "b", "shape": [2, 1], "datatype": "BYTES", "data": ["x", "y"]},
            ]
        },
        {"outputs": [{"name": "y", "shape": [2], "datatype": "INT64", "data": [10, 20]}]},
    ),
    "mlflow split": ({"dataframe_split": {"columns": ["a"], "data": [[1.0], [2.0]]}}, {"predictions": [10, 20]}),
    "mlflow records": ({"dataframe_records": ROWS}, {"predictions": [10, 20]}),
    "columns": ({"inputs": {"a": [1.0, 2.0]}}, {"outputs": [10, 20]}),
}
FIRST = {
    "list of rows": [1.0],
    "inference protocol, one tensor": [1.0],
    "inference protocol, a tensor a column": {"a": 1.0, "b": "x"},
}


@pytest.mark.parametrize("shape", BATCHES)
def test_a_batch_is_a_prediction_per_row(served: Served, shape: str) -> None:
    request, answer = BATCHES[shape]
    messages = served.call(answering(answer), json.dumps(request).encode(), request_body=True)

    first, second = served.logged()
    made = response_headers(messages)[b"x-prediction-id"].decode()
    assert [first.prediction_id, second.prediction_id] == [f"{made}/0", f"{made}/1"]
    assert (first.output, second.output) == (10, 20)
    assert first.features == FIRST.get(shape, {"a": 1.0})
    assert (first.request_body, second.request_body) == (request, None)


@pytest.mark.parametrize("rows", [[[1.0, 2.0]], [{"a": 1.0}]])
def test_a_batch_of_one_row_has_the_id_that_the_client_is_told(served: Served, rows: list[object]) -> None:
    body = json.dumps({"instances": rows}).encode()
    messages = served.call(answering({"predictions": [0.3]}), body, request_body=True)

    (record,) = served.logged()
    assert record.prediction_id == response_headers(messages)[b"x-prediction-id"].decode()
    assert (record.features, record.output, record.request_body) == (rows[0], 0.3, {"instances": rows})


def test_the_rows_of_a_batch_are_counted(list_sink: Callable[..., ListSink]) -> None:
    baseline = Baseline.from_data({"a": [float(n) for n in range(100)]}, output=[0.5, 1.5] * 50)
    sink = list_sink()
    with ModelMonitor("e", baseline=baseline, sinks=[sink]) as monitor:
        Served(monitor, sink).call(answering([0.5] * 30), json.dumps([[float(n)] for n in range(30)]).encode())
        assert monitor.flush()
        counts = monitor.counts

    assert counts is not None
    assert (counts.records, counts.uncounted) == (30, 0)
    assert counts.columns[1].total == 30


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "raw deflate", "gzip in two members", "identity"])
def test_packed_bodies_are_unpacked_for_the_log_only(served: Served, encoding: str) -> None:
    def packed(content: bytes) -> bytes:
        match encoding:
            case "gzip":
                return gzip.compress(content)
            case "deflate":
                return zlib.compress(content)
            case "raw deflate":
                return zlib.compress(content)[2:-4]
            case "gzip in two members":
                return gzip.compress(content[:3]) + gzip.compress(content[3:])
            case _:
                return content

    name = encoding.rsplit(maxsplit=1)[-1] if encoding.startswith("raw") else encoding.split(maxsplit=1)[0]
    header = (b"content-encoding", name.encode())
    answer = packed(b'{"output": 5}')
    messages = served.call(answering(answer, headers=(JSON, header)), packed(b'{"a": 1}'), (JSON, header))

    (record,) = served.logged()
    assert (record.features, record.output) == ({"a": 1}, 5)
    assert messages[1]["body"] == answer


LARGE = b'{"a": "' + b"x" * 2000 + b'"}'
UNLOGGED: dict[str, tuple[App, bytes, tuple[tuple[bytes, bytes], ...], str]] = {
    "large request": (answering(1), LARGE, (JSON,), "body_too_large"),
    "large answer": (answering({"output": "x" * 2000}), b"{}", (JSON,), "body_too_large"),
    "bomb": (answering(1), gzip.compress(b"0" * 10**7), (JSON, (b"content-encoding", b"gzip")), "body_too_large"),
    "cut gzip": (answering(1), gzip.compress(b'{"a": 1}')[:-9], (JSON, (b"content-encoding", b"gzip")), "not_json"),
    "brotli": (answering(1), b"\x0b\x00", (JSON, (b"content-encoding", b"br")), "unknown_encoding"),
    "cut json": (answering(1), b'{"a": ', (JSON,), "not_json"),
    "not utf-8": (answering(1), b'{"a": "\xff\xfe"}', (JSON,), "not_json"),
    "too deep": (answering(1), b"[" * 900, (JSON,), "not_json"),
    "form": (answering(1), b"a=1", ((b"content-type", b"application/x-www-form-urlencoded"),), "not_json"),
    "html": (answering(b"<p>", headers=((b"content-type", b"text/html"),)), b"{}", (JSON,), "not_json"),
}


@pytest.mark.parametrize("name", UNLOGGED)
def test_what_cannot_be_logged_is_answered_and_counted(served: Served, name: str) -> None:
    app, body, headers, reason = UNLOGGED[name]
    messages = served.call(app, body, headers, watch="/predict", max_body_bytes=1000)

    assert [message["type"] for message in messages] == ["http.response.start", "http.response.body"]
    assert served.logged() == []
    assert served.not_logged() == {reason: 1}


@pytest.mark.parametrize("name", [name for name in UNLOGGED if UNLOGGED[name][3] == "not_json"])
def test_without_a_path_to_go_by_what_is_no_json_is_no_prediction(served: Served, name: str) -> None:
    app, body, headers, _ = UNLOGGED[name]
    served.call(app, body, headers, max_body_bytes=1000)

    assert (served.logged(), served.not_logged()) == ([], {})


def test_extractors_that_fail_are_counted_and_the_answer_goes_out(served: Served) -> None:
    def broken(body: Any) -> object:
        raise ZeroDivisionError

    broken_options: list[dict[str, Any]] = [
        {"features": broken}, {"output": broken}, {"segments": broken}, {"features": "missing"}
    ]  # fmt: skip
    for options in broken_options:
        messages = served.call(answering(1), b"{}", **options)
        assert messages[-1]["body"] == b"1"

    assert served.logged() == []
    assert served.not_logged() == {"extract_error": 3, "no_field": 1}


def test_fields_functions_and_segments_are_the_users(served: Served) -> None:
    def segments(exchange: Exchange) -> dict[str, str]:
        return {
            "country": exchange.headers["x-country"],
            "size": str(len(exchange.request["customer"])),
            "status": str(exchange.status),
            "where": f"{exchange.method} {exchange.path}",
            "tier": exchange.response["tier"],
        }

    served.call(
        answering({"score": 0.5, "tier": "gold"}, status=201),
        b'{"customer": {"a": 1}}',
        (JSON, (b"x-country", b"SG")),
        features="customer",
        output=lambda answer: answer["score"],
        segments=segments,
    )

    (record,) = served.logged()
    assert (record.features, record.output) == ({"a": 1}, 0.5)
    assert record.segments == {
        "country": "SG", "size": "1", "status": "201", "where": "POST /predict", "tier": "gold",
    }  # fmt: skip


def test_functions_get_the_bytes_of_what_is_no_json(served: Served) -> None:
    app = answering(b"\x01\x02", headers=((b"content-type", b"application/octet-stream"),))
    served.call(app, b"\x07", ((b"content-type", b"image/png"),), features=len, output=list)

    (record,) = served.logged()
    assert (record.features, record.output) == (1, [1, 2])


def test_a_function_may_say_that_this_was_no_prediction(served: Served) -> None:
    served.call(answering(1), b"{}", features=lambda body: None)

    assert (served.logged(), served.not_logged()) == ([], {})


def test_a_request_without_a_body_is_its_query(served: Served) -> None:
    served.call(answering(1), method="GET", query=b"age=41&plan=p%20q", methods=["get"])

    assert served.logged()[0].features == {"age": "41", "plan": "p q"}


@pytest.mark.parametrize(
    ("given", "accepted"), [("order-7", True), ("pod/2026-01-31T09:05:07/x", True), ("a b", False), ("é", False)]
)
def test_a_client_may_choose_a_harmless_id(served: Served, given: str, accepted: bool) -> None:
    messages = served.call(answering(1), b"{}", (JSON, (b"x-prediction-id", given.encode("latin-1"))))

    (record,) = served.logged()
    assert (record.prediction_id == given) is accepted
    assert response_headers(messages)[b"x-prediction-id"].decode() == record.prediction_id


def test_an_id_that_the_application_answers_with_is_the_one(served: Served) -> None:
    messages = served.call(answering(1, headers=(JSON, (b"X-Prediction-Id", b"mine"))), b"{}")

    assert served.logged()[0].prediction_id == "mine"
    assert messages[0]["headers"] == [JSON, (b"X-Prediction-Id", b"mine")]


def test_the_id_is_known_to_the_application_while_it_works(served: Served) -> None:
    async def app(scope: Message, receive: Any, send: Any) -> None:
        known = await asyncio.to_thread(current_prediction_id)
        await answering({"output": known})(scope, receive, send)

    served.call(app, b"{}")

    (record,) = served.logged()
    assert record.output == record.prediction_id
    assert current_prediction_id() is None


def test_errors_of_the_application_pass_and_are_no_predictions(served: Served) -> None:
    async def failing(scope: Message, receive: Any, send: Any) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        served.call(failing, b"{}")
    assert served.call(answering({"detail": "no"}, status=422), b"{}")[0]["headers"] == [JSON]

    assert (served.logged(), served.not_logged()) == ([], {})


def test_an_answer_that_breaks_off_is_counted(served: Served) -> None:
    async def breaking(scope: Message, receive: Any, send: Any) -> None:
        await read(receive)
        await send({"type": "http.response.start", "status": 200, "headers": [JSON]})
        await send({"type": "http.response.body", "body": b"[1", "more_body": True})
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        served.call(breaking, b"{}")

    assert (served.logged(), served.not_logged()) == ([], {"aborted": 1})


def test_a_body_that_nobody_reads_is_counted(served: Served) -> None:
    async def hasty(scope: Message, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [JSON]})
        await send({"type": "http.response.body", "body": b"1"})

    served.call(hasty, b"{}")

    assert (served.logged(), served.not_logged()) == ([], {"body_unread": 1})


def test_work_after_the_answer_does_not_delay_the_log(served: Served) -> None:
    seen: list[int] = []

    async def app(scope: Message, receive: Any, send: Any) -> None:
        await answering(1)(scope, receive, send)
        seen.append(len(served.logged()))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        served.call(app, b"{}")

    assert seen == [1]
    assert served.not_logged() == {}


PATHS = [
    ("/predict", "/predict", "", True),
    ("/predict", "/predict/", "", False),
    ("/predict", "/api/predict", "/api", True),
    ("/predict", "/predict", "/api", True),
    ("/models/{name}/predict", "/models/churn/predict", "", True),
    ("/models/{name}/predict", "/models/a/b/predict", "", False),
    (["/a", "/b.c"], "/b.c", "", True),
    (["/a", "/b.c/{x}"], "/bxc/1", "", False),
]


@pytest.mark.parametrize(("path", "asked", "root", "logged"), PATHS)
def test_only_the_paths_of_predictions_are_watched(
    served: Served, path: str | list[str], asked: str, root: str, logged: bool
) -> None:
    messages = served.call(answering(1), b"{}", path=asked, root_path=root, watch=path)

    assert (len(served.logged()) == 1) is logged
    assert (b"x-prediction-id" in response_headers(messages)) is logged


def test_head_and_other_methods_are_not_watched(served: Served) -> None:
    for method in ("HEAD", "GET", "OPTIONS", "DELETE"):
        assert served.call(answering(1), method=method)[0]["headers"] == [JSON]

    assert served.logged() == []


def test_a_websocket_passes_untouched(served: Served) -> None:
    seen: list[object] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.extend((scope, receive, send))

    async def receive() -> Message:
        return {}

    async def send(message: Message) -> None:
        pass

    scope: Message = {"type": "websocket", "path": "/predict"}
    asyncio.run(MonitorMiddleware(app, served.monitor, path="/predict")(scope, receive, send))  # type: ignore[arg-type]

    assert seen[0] is scope
    assert seen[1:] == [receive, send]


def lifespan(middleware: MonitorMiddleware) -> list[Message]:
    inbox = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
    sent: list[Message] = []

    async def receive() -> Message:
        return inbox.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(middleware({"type": "lifespan"}, receive, send))  # type: ignore[arg-type]
    return sent


async def with_lifespan(scope: Message, receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.complete"})


async def without_lifespan(scope: Message, receive: Any, send: Any) -> None:
    raise NotImplementedError


@pytest.mark.parametrize("app", [with_lifespan, without_lifespan])
@pytest.mark.parametrize("close", [True, False])
def test_shutdown_ships_what_is_queued_before_the_server_hears_of_it(
    app: App, close: bool, list_sink: Callable[..., ListSink]
) -> None:
    sink = list_sink()
    with ModelMonitor("e", sinks=[sink], interval=60) as monitor:
        monitor.log([1], 1)
        threads: list[threading.Thread] = []
        keep = sink.write

        def write(records: Any) -> None:
            threads.append(threading.current_thread())
            keep(records)

        sink.write = write  # type: ignore[method-assign]
        sent = lifespan(MonitorMiddleware(app, monitor, close_monitor=close))  # type: ignore[arg-type]
        shipped = len(sink.records)
        closed = sink.closed

    assert sent == [{"type": "lifespan.startup.complete"}, {"type": "lifespan.shutdown.complete"}]
    assert (shipped, closed) == (1, 1 if close else 0)
    assert threading.main_thread() not in threads


@pytest.mark.parametrize("says_so", [True, False])
def test_a_start_that_fails_is_the_applications_own(served: Served, says_so: bool) -> None:
    async def app(scope: Message, receive: Any, send: Any) -> None:
        await receive()
        if says_so:
            await send({"type": "lifespan.startup.failed", "message": "no model"})
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        lifespan(MonitorMiddleware(app, served.monitor))  # type: ignore[arg-type]


def test_metrics_are_served_where_asked(served: Served) -> None:
    served.call(answering(1), b"{}")
    served.monitor.flush()
    messages = served.call(
        answering(1), method="GET", path="/metrics", query=b"name[]=modelport_predictions_total",
        headers=((b"accept", b"application/openmetrics-text;version=1.0.0"),), metrics_path="/metrics",
    )  # fmt: skip
    head = served.call(answering(1), method="HEAD", path="/metrics", metrics_path="/metrics")

    start, body = messages
    assert dict(start["headers"])[b"content-type"].startswith(b"application/openmetrics-text")
    assert b'modelport_predictions_total{endpoint="churn"' in body["body"]
    assert b"modelport_prediction_queue_records" not in body["body"]
    assert head[1]["body"] == b""
    assert int(dict(head[0]["headers"])[b"content-length"]) > 0


def test_every_reason_is_shown_from_the_start_at_zero(served: Served) -> None:
    MonitorMiddleware(answering(1), served.monitor)  # type: ignore[arg-type]
    reasons = {reason for _, _, _, reason in UNLOGGED.values()} | {
        "aborted",
        "body_unread",
        "extract_error",
        "no_field",
    }

    assert dict.fromkeys(reasons, 0).items() <= served.monitor.dropped.items()
    served.monitor.after_fork_in_child()
    assert dict.fromkeys(reasons, 0).items() <= served.monitor.dropped.items()


def test_a_misspelt_option_is_an_error(served: Served) -> None:
    with pytest.raises(TypeError, match="feature"):
        MonitorMiddleware(answering(1), served.monitor, feature="x")  # type: ignore[call-arg, arg-type]


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("path", "predict"), ("path", ""), ("path", []), ("path", ["/a", "b"]), ("path", 5), ("path", [b"/a"]),
        ("methods", "POST"), ("methods", []), ("methods", ["PO ST"]), ("methods", None),
        ("statuses", 200), ("statuses", ["200"]), ("statuses", []),
        ("max_body_bytes", "1"), ("max_body_bytes", 0), ("max_body_bytes", 1.5),
        ("id_header", "é"), ("id_header", "Bad\n"), ("id_header", ""), ("id_header", None),
        ("metrics_path", "metrics"), ("metrics_path", ""),
        ("features", 5), ("output", ["a"]), ("segments", "country"), ("monitor", None),
    ],
)  # fmt: skip
@pytest.mark.parametrize("middleware", [MonitorMiddleware, WSGIMonitorMiddleware])
def test_an_option_that_would_harm_requests_is_refused_at_once(
    served: Served, middleware: Any, option: str, value: object
) -> None:
    with pytest.raises((TypeError, ValueError), match=option):
        middleware(answering(1), **{"monitor": served.monitor, option: value})


def test_importing_the_monitor_loads_no_middleware(
    run_python: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    program = "import sys; from modelport import ModelMonitor; print(*sorted(sys.modules))"
    modules = set(run_python(program).stdout.split())

    assert {"asyncio", "starlette", "flask", "modelport.monitor._asgi", "modelport.monitor._wsgi"} & modules == set()
