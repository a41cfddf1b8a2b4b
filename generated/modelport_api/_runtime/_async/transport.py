"""Sends one operation: attempts, retries, credentials, errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

from .. import http
from ..credentials import cookies_of, place
from ..encode import build_body
from ..errors import APIConnectionError, APIProtocolError, APITimeoutError
from ..exchange import RawResponse, Settings, Target, aim, decode_success, error_from, is_error, logger, replaced
from ..retry import delay_seconds, is_retryable_status
from ..types import UNSET
from ._shim import chunks_of, sleep
from .reading import read_within

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ..encode import Body
    from ..errors import APIStatusError
    from ..middleware import Attempt
    from ..operation import Operation
    from ..telemetry import CallSpan
    from ..types import AsyncTokenSource, RequestOptions, Tracer
    from .pool import AsyncPool
    from .streaming import AsyncStream

T = TypeVar("T")

_UNAUTHORIZED = 401


class AsyncTransport:
    """Sends operations through an HTTP client.

    Args:
        settings: What every call starts from.
        pool: Holds the HTTP client; not closed here.
    """

    __slots__ = ("pool", "settings")

    def __init__(self, settings: Settings, pool: AsyncPool) -> None:
        self.settings = settings
        self.pool = pool

    async def call(
        self,
        operation: Operation[T],
        arguments: Mapping[str, Any],
        options: RequestOptions,
        body: object = UNSET,
    ) -> T:
        """Send an operation and return its success value; every other outcome is an error."""
        return decode_success(operation, await self.exchange(operation, arguments, options, body))

    async def exchange(
        self,
        operation: Operation[T],
        arguments: Mapping[str, Any],
        options: RequestOptions,
        body: object = UNSET,
        *,
        url: str | None = None,
    ) -> RawResponse[T]:
        """Send an operation and return the whole answer if it is a success; `url` replaces where it goes."""
        target = aim(self.settings, operation, arguments, **options)
        if url is not None:
            target = target._replace(url=url)
        response, attempts = await self.open(operation, target, body, stream=False)
        return RawResponse(operation, response, content=response.content, attempts=attempts)

    async def stream(
        self,
        operation: Operation[T],
        arguments: Mapping[str, Any],
        options: RequestOptions,
        body: object = UNSET,
    ) -> AsyncStream[T]:
        """Send an operation and return the items of its success, to be read as they come."""
        from .streaming import open_stream

        return await open_stream(self, operation, aim(self.settings, operation, arguments, **options), body)

    async def open(self, operation: Operation[Any], target: Target, body: object, *, stream: bool) -> tuple[Any, int]:
        """Send until there is a success or no attempt is left; the answer is read, or open if `stream`."""
        if self.settings.tracer is None:
            return await self._attempts(operation, target, body, None, stream=stream)
        return await self._traced(operation, target, body, self.settings.tracer, stream=stream)

    async def _traced(
        self, operation: Operation[Any], target: Target, body: object, tracer: Tracer, *, stream: bool
    ) -> tuple[Any, int]:
        from ..telemetry import CallSpan

        with CallSpan(tracer, operation, self.settings.base_url, target) as span:
            response, attempts = await self._attempts(operation, span.target, body, span, stream=stream)
            span.answered(response)
            if stream:
                span.hand_over(response)
            return response, attempts

    async def _attempts(
        self, operation: Operation[Any], target: Target, body: object, span: CallSpan | None, *, stream: bool
    ) -> tuple[Any, int]:
        chosen = self.settings.credentials.choose(operation)
        secrets: dict[str, str] = {}
        rejected: dict[str, str] = {}
        attempts = 0
        while True:
            attempts += 1
            number = attempts + 1 if rejected else attempts
            if chosen:
                secrets = await _secrets(chosen, rejected)
            built = build_body(operation, body)
            try:
                response = await self._send(operation, target, secrets, built, number, stream=stream)
            except (APIConnectionError, APITimeoutError, APIProtocolError) as error:
                error.attempts = attempts
                if span is not None:
                    span.attempt(number, error)
                pause = _pause_after_failure(operation, target, error, replayable=built.replayable)
                await sleep(pause)
                continue
            finally:
                built.close()
            status = response.status_code
            if span is not None:
                span.attempt(number, status)
            if logger.isEnabledFor(10):
                url = http.without_query(target.url)
                logger.debug("%s %s attempt %d: %d", operation.method, url, attempts, status)
            if not is_error(status):
                return response, attempts
            if status == _UNAUTHORIZED and built.replayable and not rejected:
                rejected = {scheme: secrets[scheme] for scheme, source in chosen if not isinstance(source, str)}
                if rejected:
                    attempts -= 1
                    continue
            raw = RawResponse(operation, response, content=response.content, attempts=attempts)
            url = http.without_query(target.url)
            failure = error_from(operation, raw, str(response.reason_phrase), url, secrets.values())
            await sleep(_pause_after_status(operation, target, failure, replayable=built.replayable))

    async def _send(
        self,
        operation: Operation[Any],
        target: Target,
        secrets: Mapping[str, str],
        body: Body,
        number: int,
        *,
        stream: bool,
    ) -> Any:
        """Make one attempt; the answer is read, unless it is a success to be streamed."""
        try:
            request = self._request(operation, target, secrets, body)
            if not self.settings.middleware:
                return await self._exchange(request, stream=stream)
        except http.TRANSPORT_ERRORS as error:
            raise http.translated(error, operation.method, http.without_query(target.url), number) from error
        from ..middleware import Attempt
        from .chain import through

        is_hidden = http.is_query_hidden(request)

        async def wire(attempt: Attempt) -> Any:
            if is_hidden:
                http.hide_query(attempt.request)
            try:
                return await self._exchange(attempt.request, stream=stream)
            except http.TRANSPORT_ERRORS as error:
                raise http.translated(error, operation.method, http.without_query(target.url), number) from error

        attempt = Attempt(request, operation, number, is_streamed=stream)
        response = await through(self.settings.middleware, attempt, wire)
        http.ascribe(response, request)
        await read_within(response, self.settings.max_response_bytes, stream=stream)
        return response

    def _request(self, operation: Operation[Any], target: Target, secrets: Mapping[str, str], body: Body) -> Any:
        url, headers = target.url, target.headers
        if body.headers:
            headers = replaced(body.headers, headers)
        placed = place(operation, secrets) if secrets else None
        if placed is not None:
            headers = replaced(headers, placed.headers)
            if placed.cookies:
                headers = replaced(headers, {"Cookie": "; ".join([*cookies_of(headers), *placed.cookies])})
        secret_query = placed.query if placed is not None else ()
        if secret_query:
            url += ("&" if "?" in url else "?") + "&".join(secret_query)
        arguments = body.arguments if body.file is None else {"content": chunks_of(body.file)}
        request = http.build_request(
            self.pool.client or self.pool.open(),
            operation.method,
            url if secret_query else http.parsed_url(url),
            headers,
            arguments=arguments,
            timeout=target.timeout,
        )
        if secret_query:
            http.hide_query(request)
        return request

    async def _exchange(self, request: Any, *, stream: bool) -> Any:
        client = self.pool.client or self.pool.open()
        # A client from outside may follow redirects; the credentials are for this host only.
        response = await client.send(request, stream=True, follow_redirects=False)
        await read_within(response, self.settings.max_response_bytes, stream=stream)
        return response


def _pause_after_failure(
    operation: Operation[Any],
    target: Target,
    error: APIConnectionError | APITimeoutError | APIProtocolError,
    *,
    replayable: bool,
) -> float:
    """Seconds before the next attempt; raises the error that the last one ended in if there must be none."""
    cause, url = error.__cause__, http.without_query(target.url)
    if not error.method:
        error.method, error.url = operation.method, url
    if not isinstance(cause, http.TRANSPORT_ERRORS):
        raise error
    logger.debug("%s %s attempt %d failed: %s", operation.method, url, error.attempts, type(cause).__name__)
    repeatable = operation.idempotent and replayable
    if error.attempts > target.max_retries or not http.may_repeat(cause, idempotent=repeatable):
        raise error
    return delay_seconds(error.attempts) or 0.0


def _pause_after_status(
    operation: Operation[Any], target: Target, failure: APIStatusError, *, replayable: bool
) -> float:
    """Seconds before the next attempt; raises the error that the answer stands for if there must be none."""
    retryable = replayable and is_retryable_status(failure.status, idempotent=operation.idempotent)
    pause = delay_seconds(failure.attempts, failure.headers) if retryable else None
    if pause is None or failure.attempts > target.max_retries:
        raise failure
    return pause


async def _secrets(chosen: Iterable[tuple[str, object]], rejected: Mapping[str, str]) -> dict[str, str]:
    secrets: dict[str, str] = {}
    for scheme, source in chosen:
        if isinstance(source, str):
            secrets[scheme] = source
        else:
            secrets[scheme] = await cast("AsyncTokenSource", source).token(rejected.get(scheme))
    return secrets


class AsyncRawTransport(AsyncTransport):
    """Returns the whole answer in place of the success value."""

    async def call(
        self,
        operation: Operation[Any],
        arguments: Mapping[str, Any],
        options: RequestOptions,
        body: object = UNSET,
    ) -> Any:
        """Send an operation and return the whole answer if it is a success."""
        return await self.exchange(operation, arguments, options, body)

    async def stream(
        self,
        operation: Operation[Any],
        arguments: Mapping[str, Any],
        options: RequestOptions,
        body: object = UNSET,
    ) -> Any:
        """Send an operation and return the whole answer, once the stream has ended."""
        return await self.exchange(operation, arguments, options, body)
