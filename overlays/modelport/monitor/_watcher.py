"""What the middlewares have in common: which exchanges are predictions, and how one becomes a record."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from time import time_ns
from typing import TYPE_CHECKING, Any, TypeAlias, TypedDict
from urllib.parse import parse_qsl

import msgspec

from modelport._extras import require
from modelport.monitor._bodies import BodyCopy, SkipError, is_json, parsed
from modelport.monitor._checks import (
    check_count,
    check_extractor,
    check_function,
    check_header,
    check_path,
    methods_of,
    paths_of,
    statuses_of,
)
from modelport.monitor._extraction import Extractor, features_extractor, output_extractor, predictions_of
from modelport.monitor._id_source import IdSource
from modelport.monitor._model_monitor import monitor_of

if TYPE_CHECKING:
    from modelport.monitor._model_monitor import ModelMonitor

__all__ = ["Exchange", "Watch", "WatchOptions", "Watcher"]

SegmentsOf: TypeAlias = Callable[["Exchange"], Mapping[str, str] | None]

_DEFAULT_MAX_BODY_BYTES = 256 * 1024
_DEFAULT_ID_HEADER = "X-Prediction-Id"
_SUCCESS = range(200, 300)
_REASONS = ("aborted", "body_too_large", "body_unread", "extract_error", "no_field", "not_json", "unknown_encoding")
# What a caller may choose as an id: harmless in a header, a log line and a path of the log's readers.
_ACCEPTED_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~:/+=@-]{0,199}")


class WatchOptions(TypedDict, total=False):
    """The keyword arguments that `MonitorMiddleware` and `WSGIMonitorMiddleware` share.

    Attributes:
        path: The path of predictions, or several; ``{name}`` stands for one segment. By default every path, where
            only what is JSON both ways is taken for a prediction.
        methods: Their methods; by default POST. For a request without a body, its query is the body.
        features: A field of the request's JSON, or a function of it (of the bytes, if it is not JSON). By default
            ``features``, ``instances``, ``inputs``, ``dataframe_records`` or ``dataframe_split``, else all of it.
        output: The same for the response; by default ``predictions``, ``prediction``, ``outputs`` or ``output``.
        segments: A function of the `Exchange` that gives labels to compare groups of traffic by.
        request_body: Log the request's body too; by default only the features.
        statuses: Statuses of answers that are predictions; by default 200 to 299.
        max_body_bytes: Bodies larger than this, packed or unpacked, are not logged but counted.
        id_header: The header that carries the prediction id, on the answer and, if the client chooses one, on the
            request.
        metrics_path: Where to answer scrapes, such as ``/metrics``; by default nowhere.
    """

    path: str | Collection[str] | None
    methods: Collection[str]
    features: Extractor
    output: Extractor
    segments: SegmentsOf | None
    request_body: bool
    statuses: Collection[int]
    max_body_bytes: int
    id_header: str
    metrics_path: str | None


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """One request and its answer, for functions that look for segments in it.

    Attributes:
        method: Of the request.
        path: Of the request, without the query.
        headers: Of the request; names in lower case.
        request: The request's body: parsed where it is JSON, bytes where not; its query where there is no body.
        status: Of the answer.
        response: The answer's body, in the same way.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    request: Any
    status: int
    response: Any


class Watch:
    """One exchange while it goes by."""

    __slots__ = (
        "done", "headers", "method", "path", "prediction_id", "query", "request", "response", "response_headers",
        "started_ns", "status",
    )  # fmt: skip

    def __init__(self, *, method: str, path: str, query: str, headers: Mapping[str, str], limit: int) -> None:
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers
        self.prediction_id = ""
        self.started_ns = time_ns()
        self.request = BodyCopy(limit)
        self.response = BodyCopy(limit)
        self.status = 0
        self.response_headers: Mapping[str, str] = {}
        self.done = False


class Watcher:
    """Decides what is a prediction, and logs it once its answer has gone out."""

    def __init__(
        self,
        monitor: ModelMonitor,
        *,
        path: str | Collection[str] | None = None,
        methods: Collection[str] = ("POST",),
        features: Extractor = None,
        output: Extractor = None,
        segments: SegmentsOf | None = None,
        request_body: bool = False,
        statuses: Collection[int] = _SUCCESS,
        max_body_bytes: int = _DEFAULT_MAX_BODY_BYTES,
        id_header: str = _DEFAULT_ID_HEADER,
        metrics_path: str | None = None,
    ) -> None:
        self.monitor = monitor_of(monitor)
        self.metrics_path = None if metrics_path is None else check_path("metrics_path", metrics_path)
        self.id_header = check_header("id_header", id_header).lower()
        self._max_body_bytes = check_count("max_body_bytes", max_body_bytes)
        self._all_paths = path is None
        self._paths = _matcher([] if path is None else paths_of(path))
        self._methods = methods_of(methods)
        self._statuses = statuses_of(statuses)
        check_extractor("features", features)
        check_extractor("output", output)
        check_function("segments", segments)
        if metrics_path is not None:
            require("prometheus_client", "drift")
        monitor.expect_dropped(*_REASONS)
        self._next_id = IdSource()
        self._features = features_extractor(features)
        self._output = output_extractor(output)
        self._any_request = callable(features)
        self._any_response = callable(output)
        self._segments = segments
        self._keep_body = request_body

    def wants(self, method: str, path: str) -> bool:
        """Whether such a request is for a prediction."""
        if method not in self._methods:
            return False
        return path != self.metrics_path if self._all_paths else self._paths(path)

    def begin(self, method: str, path: str, query: str, headers: Mapping[str, str]) -> Watch:
        """Follow one exchange."""
        watch = Watch(method=method, path=path, query=query, headers=headers, limit=self._max_body_bytes)
        given = headers.get(self.id_header)
        watch.prediction_id = given if given and _ACCEPTED_ID.fullmatch(given) else self._next_id()
        watch.request.wanted = self._any_request or _may_be_json(headers)
        return watch

    def answered(self, watch: Watch, status: int, headers: Mapping[str, str]) -> str | None:
        """The answer begins; its prediction id if the answer is to carry it and does not do so by itself."""
        watch.status = status
        watch.response_headers = headers
        watch.response.wanted = self._any_response or is_json(headers.get("content-type", ""))
        if not self.follows(watch):
            watch.response.wanted = False
            return None
        own = headers.get(self.id_header)
        if own is not None:
            watch.prediction_id = own
            return None
        return watch.prediction_id

    def follows(self, watch: Watch) -> bool:
        """Whether, from all that is known so far, this will be logged."""
        if watch.status not in self._statuses:
            return False
        return self._any_response or not self._all_paths or is_json(watch.response_headers.get("content-type", ""))

    def finish(self, watch: Watch) -> None:
        """The answer has gone out: log it. Never raises."""
        if watch.done:
            return
        watch.done = True
        if not self.follows(watch):
            return
        try:
            self._log(watch)
        except SkipError as error:
            if not (self._all_paths and error.reason == "not_json"):
                self._skip(error.reason, error)
        except Exception as error:  # noqa: BLE001 - extractors are foreign code, and the request must not notice
            self._skip("extract_error", error)

    def abandon(self, watch: Watch) -> None:
        """The exchange is over, but its answer has not gone out whole."""
        if not watch.done and self.follows(watch):
            self._skip("aborted", None)
        watch.done = True

    def _log(self, watch: Watch) -> None:
        request = self._request_value(watch)
        response = _value(watch.response, watch.response_headers, anything=self._any_response)
        features, output = self._features(request), self._output(response)
        if features is None:
            return
        options: dict[str, Any] = {"timestamp": watch.started_ns}
        if self._segments is not None:
            options["segments"] = self._segments(
                Exchange(
                    method=watch.method, path=watch.path, headers=watch.headers, request=request,
                    status=watch.status, response=response,
                )
            )  # fmt: skip
        body = request if self._keep_body else None
        for made, row, answer in predictions_of(watch.prediction_id, features, output):
            self.monitor.log(row, answer, request_body=body, prediction_id=made, **options)
            # The body once: with each row it would grow with the square of their number.
            body = None

    def _request_value(self, watch: Watch) -> object:
        if not watch.request.size and not _has_body(watch.headers):
            return dict(parse_qsl(watch.query, keep_blank_values=True))
        if not watch.request.complete:
            raise SkipError("body_unread", "the application has not read the request's body to its end")
        return _value(watch.request, watch.headers, anything=self._any_request)

    def _skip(self, reason: str, error: BaseException | None) -> None:
        self.monitor.count_dropped(reason, error=error)


def _value(copy: BodyCopy, headers: Mapping[str, str], *, anything: bool) -> object:
    if anything and not is_json(headers.get("content-type", "")):
        return copy.content(headers.get("content-encoding", ""))
    if not copy.wanted:
        raise SkipError("not_json", f"content type {headers.get('content-type', '')!r}")
    return parsed(copy.content(headers.get("content-encoding", "")))


def _has_body(headers: Mapping[str, str]) -> bool:
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers


def _may_be_json(headers: Mapping[str, str]) -> bool:
    kind = headers.get("content-type", "")
    return not kind or is_json(kind)


def _matcher(paths: list[str]) -> Callable[[str], bool]:
    if not any("{" in one for one in paths):
        return frozenset(paths).__contains__
    patterns = [re.sub(r"\\\{.*?\\\}", "[^/]+", re.escape(one)) for one in paths]
    pattern = re.compile("|".join(patterns))
    return lambda path: pattern.fullmatch(path) is not None
