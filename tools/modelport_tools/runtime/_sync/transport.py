# Derived from tools/modelport_tools/runtime/_async/transport.py by modelport_tools.unasync; do not edit.
"""Sends one operation: attempts, retries, credentials, errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

from .. import http
from ..credentials import cookies_of, place
from ..encode import build_body
from ..exchange import RawResponse, Settings, Target, aim, decode_success, error_from, is_error, logger, replaced
from ..retry import delay_seconds, is_retryable_status
from ..types import UNSET
from ._shim import chunks_of, sleep

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ..encode import Body
    from ..operation import Operation
    from ..types import RequestOptions, TokenSource
    from .pool import Pool
    from .streaming import Stream

T = TypeVar("T")

_UNAUTHORIZED = 401
ERROR_BODY_LIMIT_BYTES = 1024 * 1024
"""How much of an error's body is read where the body of a success would be streamed."""


class Transport:
    """Sends operations through an HTTP client.

    Args:
        settings: What every call starts from.
        pool: Holds the HTTP client; not closed here.
    """

    __slots__ = ("pool", "settings")

    def __init__(self, settings: Settings, pool: Pool) -> None:
        self.settings = settings
        self.pool = pool

    def call(
        self,
        operation: Operation[T],
        arguments: Mapping[str, Any],
        options: RequestOptions,
        body: object = UNSET,
    ) -> T:
        """Send an operation and return its success value; every other outcome is an error."""
        return decode_success(operation, self.exchange(operation, arguments, options, body))

    def exchange(
        self,
        operation: Operation[T],
        arguments: Mapping[str, Any],
        options: RequestOptions,
        body: object = UNSET,
    ) -> RawResponse[T]:
        """Send an operation and return the whole answer if it is a success."""
        target = aim(self.settings, operation, arguments, **options)
        response, attempts = self.open(operation, target, body, stream=False)
        return RawResponse(operation, response, content=response.content, attempts=attempts)

    def stream(
        self,
        operation: Operation[T],
        arguments: Mapping[str, Any],
        options: RequestOptions,
        body: object = UNSET,
    ) -> Stream[T]:
        """Send an operation and return the items of its success, to be read as they come."""
        from .streaming import open_stream

        return open_stream(self, operation, aim(self.settings, operation, arguments, **options), body)

    def open(self, operation: Operation[Any], target: Target, body: object, *, stream: bool) -> tuple[Any, int]:
        """Send until there is a success or no attempt is left; the answer is open if `stream`."""
        chosen = self.settings.credentials.choose(operation)
        secrets: dict[str, str] = {}
        rejected: dict[str, str] = {}
        attempts = 0
        while True:
            attempts += 1
            if chosen:
                secrets = _secrets(chosen, rejected)
            built = build_body(operation, body)
            try:
                response = self._send(operation, target, secrets, built, stream=stream)
            except http.TRANSPORT_ERRORS as error:
                url = http.without_query(target.url)
                logger.debug("%s %s attempt %d failed: %s", operation.method, url, attempts, type(error).__name__)
                repeatable = operation.idempotent and built.replayable
                if attempts > target.max_retries or not http.may_repeat(error, idempotent=repeatable):
                    raise http.translated(error, operation.method, url, attempts) from error
                sleep(delay_seconds(attempts) or 0.0)
                continue
            finally:
                built.close()
            status = response.status_code
            if logger.isEnabledFor(10):
                url = http.without_query(target.url)
                logger.debug("%s %s attempt %d: %d", operation.method, url, attempts, status)
            if not is_error(status):
                return response, attempts
            failure = self._failure(operation, target, secrets, response, attempts, stream=stream)
            if not built.replayable:
                raise failure
            refreshable = {scheme: secrets[scheme] for scheme, source in chosen if not isinstance(source, str)}
            if status == _UNAUTHORIZED and refreshable and not rejected:
                rejected = refreshable
                attempts -= 1
            elif (pause := self._pause(operation, target, failure, attempts)) is None:
                raise failure
            else:
                sleep(pause)

    def _send(
        self, operation: Operation[Any], target: Target, secrets: Mapping[str, str], body: Body, *, stream: bool
    ) -> Any:
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
        client = self.pool.client or self.pool.open()
        request = client.build_request(
            operation.method,
            url if secret_query else http.parsed_url(url),
            headers=headers,
            extensions={"timeout": http.timeout_argument(target.timeout)},
            **arguments,
        )
        if secret_query:
            http.hide_query(request)
        # A client from outside may follow redirects; the credentials are for this host only.
        return client.send(request, stream=stream, follow_redirects=False)

    def _failure(
        self,
        operation: Operation[Any],
        target: Target,
        secrets: Mapping[str, str],
        response: Any,
        attempts: int,
        *,
        stream: bool,
    ) -> Exception:
        """The typed error of an answer, which is read and closed: its connection goes back to the pool."""
        url = http.without_query(target.url)
        content = b""
        if stream:
            try:
                for chunk in response.iter_bytes():
                    content += chunk
                    if len(content) > ERROR_BODY_LIMIT_BYTES:
                        break
            except http.TRANSPORT_ERRORS as error:
                raise http.translated(error, operation.method, url, attempts) from error
            finally:
                response.close()
        else:
            content = response.content
        raw = RawResponse(operation, response, content=content, attempts=attempts)
        return error_from(operation, raw, str(response.reason_phrase), url, secrets.values())

    def _pause(self, operation: Operation[Any], target: Target, failure: Exception, attempts: int) -> float | None:
        """Seconds before the next attempt; None if there must be none."""
        status: int = getattr(failure, "status", 0)
        if attempts > target.max_retries or not is_retryable_status(status, idempotent=operation.idempotent):
            return None
        return delay_seconds(attempts, getattr(failure, "headers", None))


def _secrets(chosen: Iterable[tuple[str, object]], rejected: Mapping[str, str]) -> dict[str, str]:
    secrets: dict[str, str] = {}
    for scheme, source in chosen:
        if isinstance(source, str):
            secrets[scheme] = source
        else:
            secrets[scheme] = cast("TokenSource", source).token(rejected.get(scheme))
    return secrets


class RawTransport(Transport):
    """Returns the whole answer in place of the success value."""

    def call(
        self,
        operation: Operation[Any],
        arguments: Mapping[str, Any],
        options: RequestOptions,
        body: object = UNSET,
    ) -> Any:
        """Send an operation and return the whole answer if it is a success."""
        return self.exchange(operation, arguments, options, body)

    def stream(
        self,
        operation: Operation[Any],
        arguments: Mapping[str, Any],
        options: RequestOptions,
        body: object = UNSET,
    ) -> Any:
        """Send an operation and return the whole answer, once the stream has ended."""
        return self.exchange(operation, arguments, options, body)
