"""WSGIMonitorMiddleware at the interface itself, under the standard library's own checker of it."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from wsgiref.util import FileWrapper
from wsgiref.validate import validator

import pytest

from modelport.monitor import ModelMonitor, WSGIMonitorMiddleware, current_prediction_id
from modelport.predictions import Prediction
from tests.unit.conftest import ListSink

JSON = ("Content-Type", "application/json")


class Served:
    """An application behind the middleware, called as a server does."""

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
        app: Any,
        body: bytes = b"",
        *,
        take: int | None = None,
        environ: dict[str, Any] | None = None,
        **options: Any,
    ) -> tuple[str, list[tuple[str, str]], bytes]:
        """Status, headers and body of the answer, of which the client takes `take` parts."""
        started: list[Any] = []
        request: dict[str, Any] = {
            "REQUEST_METHOD": "POST", "SCRIPT_NAME": "", "PATH_INFO": "/predict", "QUERY_STRING": "",
            "SERVER_NAME": "localhost", "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1",
            "CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(body)),
            "wsgi.version": (1, 0), "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(body),
            "wsgi.errors": io.StringIO(), "wsgi.multithread": True, "wsgi.multiprocess": False, "wsgi.run_once": False,
        } | (environ or {})  # fmt: skip

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> Callable[..., None]:
            started[:] = [status, headers]
            return lambda data: None

        middleware: Any = validator(WSGIMonitorMiddleware(app, self.monitor, **options))
        answer = middleware(request, start_response)
        try:
            parts = [part for part, _ in zip(answer, range(take), strict=False)] if take is not None else list(answer)
        finally:
            answer.close()
        return started[0], started[1], b"".join(parts)


@pytest.fixture
def served(list_sink: Callable[..., ListSink]) -> Iterator[Served]:
    sink = list_sink()
    with ModelMonitor("churn", sinks=[sink]) as monitor:
        yield Served(monitor, sink)


def answering(*parts: bytes, status: str = "200 OK", headers: Iterable[tuple[str, str]] = (JSON,)) -> Any:
    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or -1))
        start_response(status, list(headers))
        return list(parts)

    return app


def test_a_json_request_and_its_answer_are_one_prediction(served: Served) -> None:
    status, headers, body = served.call(answering(b'{"predic', b'tion": 0.93}'), b'{"age": 41}')

    (record,) = served.logged()
    assert (record.features, record.output) == ({"age": 41}, 0.93)
    assert (status, body) == ("200 OK", b'{"prediction": 0.93}')
    assert headers == [JSON, ("X-Prediction-Id", record.prediction_id)]


READERS: dict[str, Callable[[Any, int], object]] = {
    "read": lambda stream, size: stream.read(size),
    "read in parts": lambda stream, size: [stream.read(3) for _ in range(size // 3 + 1)],
    "read on to the end": lambda stream, size: list(iter(lambda: stream.read(1000), b"")),
    "readline": lambda stream, size: list(iter(stream.readline, b"")),
    "readlines": lambda stream, size: stream.readlines(),
    "iteration": lambda stream, size: list(stream),
}


# Without a length only a read that finds the end tells that the body has been read whole.
TO_THE_END = ("read on to the end", "readline", "readlines", "iteration")


@pytest.mark.parametrize(
    ("reader", "chunked"), [*((reader, False) for reader in READERS), *((reader, True) for reader in TO_THE_END)]
)
def test_however_the_application_reads_the_same_is_logged(served: Served, reader: str, chunked: bool) -> None:
    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        READERS[reader](environ["wsgi.input"], len(body))
        start_response("200 OK", [JSON])
        return [b"1"]

    body = b'{"a":\n1,\n"b": 2}'
    environ = {"HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_LENGTH": ""} if chunked else {}
    served.call(app, body, environ=environ)

    (record,) = served.logged()
    assert record.features == {"a": 1, "b": 2}


WRAPPERS: dict[str, Callable[[Any], object]] = {
    "buffered": lambda stream: io.BufferedReader(stream).read(),
    "text": lambda stream: io.TextIOWrapper(stream).read(),
    "lines of text": lambda stream: list(io.TextIOWrapper(io.BufferedReader(stream))),
    "into a buffer": lambda stream: stream.readinto(bytearray(100)),
    "read1": lambda stream: list(iter(stream.read1, b"")),
    "read again": lambda stream: (stream.read(), stream.seek(0), stream.read()),
}


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_the_input_can_be_wrapped_as_the_servers_own(served: Served, wrapper: str) -> None:
    body = b'{"a":\n1,\n"b": 2}'
    read: list[object] = []

    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        read.append(WRAPPERS[wrapper](environ["wsgi.input"]))
        start_response("200 OK", [JSON])
        return [b"1"]

    def environ() -> dict[str, Any]:
        return {
            "REQUEST_METHOD": "POST", "PATH_INFO": "/", "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body),
        }  # fmt: skip

    app(environ(), lambda *given: None)
    answer: Any = WSGIMonitorMiddleware(app, served.monitor)(environ(), lambda *given: lambda data: None)

    assert list(answer) == [b"1"]
    assert read[0] == read[1]
    assert [record.features for record in served.logged()] == [{"a": 1, "b": 2}]


def test_a_generator_starts_and_streams_when_the_server_asks(served: Served) -> None:
    made: list[int] = []

    def app(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        environ["wsgi.input"].read(2)
        start_response("200 OK", [JSON])
        for number in range(3):
            made.append(number)
            yield b"%d" % (number + 1)

    def reader(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        for count, part in enumerate(WSGIMonitorMiddleware(app, served.monitor)(environ, start_response), 1):
            assert len(made) == count
            yield part

    environ = {"REQUEST_METHOD": "POST", "PATH_INFO": "/", "CONTENT_LENGTH": "2", "wsgi.input": io.BytesIO(b"{}")}
    assert b"".join(reader(environ, lambda *given: None)) == b"123"
    assert [record.output for record in served.logged()] == [123]


def test_parts_handed_to_write_are_part_of_the_answer(served: Served) -> None:
    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        environ["wsgi.input"].read(2)
        write = start_response("200 OK", [JSON])
        write(b'{"output"')
        return [b": 4}"]

    served.call(app, b"{}")

    assert served.logged()[0].output == 4


def test_a_server_can_still_work_out_the_length(served: Served) -> None:
    environ = {"REQUEST_METHOD": "POST", "PATH_INFO": "/", "CONTENT_LENGTH": "2", "wsgi.input": io.BytesIO(b"{}")}
    answer: Any = WSGIMonitorMiddleware(answering(b"1"), served.monitor)(environ, lambda *given: lambda data: None)

    assert len(answer) == 1
    assert list(answer) == [b"1"]


def test_what_is_not_logged_is_handed_on_as_it_is(served: Served) -> None:
    file = FileWrapper(io.BytesIO(b"picture"))

    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        start_response(environ["status"], [("Content-Type", environ["kind"])])
        return file

    for status, kind in (("200 OK", "image/png"), ("404 Not Found", "application/json")):
        environ = {
            "REQUEST_METHOD": "POST", "PATH_INFO": "/", "wsgi.input": io.BytesIO(), "status": status, "kind": kind
        }  # fmt: skip
        assert WSGIMonitorMiddleware(app, served.monitor)(environ, lambda *given: lambda data: None) is file

    assert (served.logged(), served.not_logged()) == ([], {})


def test_errors_pass_and_are_no_predictions(served: Served) -> None:
    def failing(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        served.call(failing, b"{}")

    assert (served.logged(), served.not_logged()) == ([], {})


def test_a_client_that_leaves_is_counted_and_the_application_told(served: Served) -> None:
    closed: list[bool] = []

    class Answer:
        def __iter__(self) -> Iterator[bytes]:
            yield b"1"
            yield b"2"

        def close(self) -> None:
            closed.append(True)

    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        environ["wsgi.input"].read(2)
        start_response("200 OK", [JSON])
        return Answer()

    served.call(app, b"{}", take=1)

    assert closed == [True]
    assert (served.logged(), served.not_logged()) == ([], {"aborted": 1})


def test_packed_bodies_are_unpacked_for_the_log_only(served: Served) -> None:
    packed = gzip.compress(b'{"output": 5}')
    app = answering(packed, headers=[JSON, ("Content-Encoding", "gzip")])
    _, _, body = served.call(app, gzip.compress(b'{"a": 1}'), environ={"HTTP_CONTENT_ENCODING": "gzip"})

    (record,) = served.logged()
    assert (record.features, record.output, body) == ({"a": 1}, 5, packed)


def test_large_bodies_and_unread_ones_are_counted(served: Served) -> None:
    def unread(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [JSON])
        return [b"1"]

    served.call(answering(b"1"), b'"' + b"x" * 1000 + b'"', max_body_bytes=100)
    served.call(unread, b"{}")

    assert (served.logged(), served.not_logged()) == ([], {"body_too_large": 1, "body_unread": 1})


def test_ids_paths_and_queries_are_those_of_the_request(served: Served) -> None:
    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [JSON])
        return [json.dumps({"output": current_prediction_id()}).encode()]

    environ = {
        "REQUEST_METHOD": "GET", "SCRIPT_NAME": "/api", "PATH_INFO": "/größe".encode().decode("latin-1"),
        "QUERY_STRING": "a=1", "HTTP_X_PREDICTION_ID": "mine",
    }  # fmt: skip
    served.call(app, environ=environ, path="/größe", methods=["GET"])

    (record,) = served.logged()
    assert (record.prediction_id, record.features, record.output) == ("mine", {"a": "1"}, "mine")


def test_metrics_are_served_where_asked(served: Served) -> None:
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/metrics", "QUERY_STRING": "name[]=modelport_predictions"}
    status, headers, body = served.call(answering(b"1"), environ=environ, metrics_path="/metrics")

    assert status == "200 OK"
    assert dict(headers)["Content-Type"].startswith("text/plain")
    assert body.startswith(b"# HELP modelport_predictions_total")
    assert dict(headers)["Content-Length"] == str(len(body))
