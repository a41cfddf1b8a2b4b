"""One OpenTelemetry span a call, after the stable semantic conventions for HTTP clients.

https://opentelemetry.io/docs/specs/semconv/http/http-spans/. OpenTelemetry is imported here and nowhere else, and
this module only where a tracer was asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from . import http
from .errors import APIError, APIStatusError, ClientConfigError
from .exchange import replaced

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from .exchange import Target
    from .operation import Operation
    from .types import Tracer

_ERROR_STATUS = 400
_PORTS = {"http": 80, "https": 443}


def checked_tracer(tracer: object) -> Tracer:
    """The tracer that a client was given: True stands for one of the global provider's.

    Raises:
        ClientConfigError: If OpenTelemetry is not installed, or it is no tracer.
    """
    try:
        from opentelemetry import trace
    except ImportError:
        raise ClientConfigError(
            "tracer needs the package opentelemetry-api: pip install opentelemetry-api, or 'modelport[telemetry]'"
        ) from None
    if tracer is True:
        return cast("Tracer", trace.get_tracer(__name__.split(".", 1)[0]))
    if not callable(getattr(tracer, "start_span", None)):
        raise ClientConfigError(f"tracer must be True or a tracer of OpenTelemetry, not a {type(tracer).__name__}")
    return cast("Tracer", tracer)


class CallSpan:
    """The span of one call: current while the call is made, ended with it, or with the stream that it opened.

    Attributes:
        target: Where the call goes, with the headers that carry the span to the server.
    """

    def __init__(self, tracer: Tracer, operation: Operation[Any], base_url: str, target: Target) -> None:
        from opentelemetry import propagate, trace

        base = urlsplit(base_url)
        template = base.path + operation.path
        self._trace: Any = trace
        self._span = tracer.start_span(
            f"{operation.method} {template}",
            kind=trace.SpanKind.CLIENT,
            attributes={
                "http.request.method": operation.method,
                "server.address": base.hostname or "",
                "server.port": base.port or _PORTS[base.scheme],
                "url.full": http.without_query(target.url),
                "url.template": template,
            },
        )
        carrier: dict[str, str] = {}
        propagate.inject(carrier, trace.set_span_in_context(self._span))
        self.target = target._replace(headers=replaced(carrier, target.headers))
        self._current = trace.use_span(
            self._span, end_on_exit=False, record_exception=False, set_status_on_exception=False
        )
        self._is_handed_over = False

    def __enter__(self) -> Self:
        self._current.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._current.__exit__(None, None, None)
        if error is not None:
            self._failed(error)
        if not self._is_handed_over:
            self._span.end()

    def attempt(self, number: int, outcome: int | BaseException) -> None:
        """Note one attempt as an event: its status, or the error that it ended in."""
        attributes: dict[str, str | int] = {"http.request.resend_count": number - 1}
        if isinstance(outcome, int):
            attributes["http.response.status_code"] = outcome
        else:
            attributes["error.type"] = type(outcome).__qualname__
        self._span.add_event("http.attempt", attributes)
        if number > 1:
            self._span.set_attribute("http.request.resend_count", number - 1)

    def answered(self, response: Any) -> None:
        """Note the status of a success."""
        self._span.set_attribute("http.response.status_code", response.status_code)

    def hand_over(self, response: Any) -> None:
        """Let the span last until the answer is closed, which is read as it comes."""
        self._is_handed_over = True
        http.watch(response, self._left)

    def _left(self, error: BaseException | None) -> None:
        if self._span.is_recording():
            if error is not None:
                self._failed(error)
            self._span.end()

    def _failed(self, error: BaseException) -> None:
        status = getattr(error, "status", 0) if isinstance(error, APIError) else 0
        if status:
            self._span.set_attribute("http.response.status_code", status)
        if isinstance(error, APIStatusError):
            if status < _ERROR_STATUS:  # an error to the caller, not to HTTP: a redirect
                return
            name, description = str(status), None  # the status says it all
        else:
            # What is not ours may tell what no trace should show.
            name, description = type(error).__qualname__, str(error) if isinstance(error, APIError) else None
        self._span.set_attribute("error.type", name)
        self._span.set_status(self._trace.StatusCode.ERROR, description)
