"""What every generated client is: settings, an HTTP client, and its lifetime."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NoReturn, Self

from ..credentials import Credentials
from ..errors import ClientConfigError
from ..exchange import (
    DEFAULT_MAX_RESPONSE_BYTES,
    DEFAULT_MAX_RETRIES,
    DEFAULT_TIMEOUT_SECONDS,
    Settings,
    checked_base_url,
    checked_headers,
    checked_middleware,
    checked_retries,
    checked_size,
    replaced,
)
from ..http import check_library, without_query
from ..types import UNSET, Timeout, Unset
from ._shim import is_other_http_client
from .pool import AsyncPool
from .transport import AsyncTransport

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from os import PathLike
    from ssl import SSLContext

    from ..middleware import AsyncMiddleware
    from ..server import Server
    from ..types import AsyncHTTPClient, AsyncTokenSource, Certificate, Tracer


class AsyncBaseClient:
    """The root of a generated client; its operations are attributes of the generated class.

    Args:
        base_url: Where the server is, such as ``https://host/api``; the document's own server by default.
        credentials: By the name of the document's security scheme: a text, or a token source. Sent only to
            operations that ask for them.
        timeout: Seconds for each phase of an attempt, or a `Timeout`; ``None`` waits for ever.
        max_retries: Attempts after the first, where a repeat is safe.
        headers: Sent with every request.
        max_response_bytes: How large an answer may be, unpacked, that is read into memory; ``None`` for no limit.
            One that is streamed may have any size.
        middleware: Functions of an attempt and ``send``, called for every attempt, the first outermost.
        tracer: A tracer of OpenTelemetry, or True for one of the global provider's: one span a call.
        cert: A client certificate, for servers that ask for one: a PEM file of certificate and key, or
            ``(certificate, key)``, or ``(certificate, key, pass phrase)``. Read at once.
        verify: A file or folder of the authorities to trust in place of the usual ones, or an ``ssl.SSLContext``.
        http_client: A client of your own (proxy, transport, TLS); it is yours to close.

    Raises:
        ClientConfigError: If an argument is wrong.
    """

    default_base_url: ClassVar[str | None] = None
    _servers: ClassVar[tuple[Server, ...]] = ()

    def __init__(
        self,
        base_url: str | None = None,
        *,
        credentials: Mapping[str, str | AsyncTokenSource] | None = None,
        timeout: float | Timeout | None = DEFAULT_TIMEOUT_SECONDS,
        max_retries: int = DEFAULT_MAX_RETRIES,
        headers: Mapping[str, str] | None = None,
        max_response_bytes: int | None = DEFAULT_MAX_RESPONSE_BYTES,
        middleware: Sequence[AsyncMiddleware] = (),
        tracer: Tracer | bool | None = None,
        cert: Certificate | None = None,
        verify: SSLContext | str | PathLike[str] | None = None,
        http_client: AsyncHTTPClient | None = None,
    ) -> None:
        url = self.default_base_url if base_url is None else base_url
        if url is None:
            named = f"only the relative server {self._servers[0].url}" if self._servers else "no server"
            raise ClientConfigError(f"the document names {named}: give the client a base_url")
        if http_client is not None:
            check_library(http_client)
            if is_other_http_client(http_client):
                raise ClientConfigError(f"{type(self).__name__} does not take a {type(http_client).__name__}")
        tls = None
        if cert is not None or verify is not None:
            if http_client is not None:
                raise ClientConfigError("an http_client has its own certificates: give it cert and verify")
            from ..tls import tls_context

            tls = tls_context(cert, verify)
        # What was brought from outside may have one.
        has_certificate = http_client is not None or cert is not None or (tls is not None and tls is verify)
        self._pool = AsyncPool(http_client, tls)
        self._is_derived = False
        settings = Settings(
            checked_base_url(url),
            Credentials(credentials, has_certificate=has_certificate),
            timeout,
            checked_retries(max_retries),
            checked_headers(headers or {}),
            checked_size(max_response_bytes),
            checked_middleware(middleware),
            _checked_tracer(tracer),
        )
        self._transport = AsyncTransport(settings, self._pool)

    @classmethod
    def server_url(cls, index: int = 0, **variables: str) -> str:
        """The URL of one of the document's servers, to be a client's base URL.

        Args:
            index: Which one, counted from 0 in the order of the document.
            variables: Values for the variables in its URL; each has a default.

        Raises:
            ClientConfigError: If there is no such server or variable, or the variable has no such value.
        """
        from ..server import filled

        return filled(cls._servers, index, variables)

    @property
    def base_url(self) -> str:
        """Where the server is, without a trailing slash."""
        return self._transport.settings.base_url

    def with_options(
        self,
        *,
        credentials: Mapping[str, str | AsyncTokenSource] | None = None,
        timeout: float | Timeout | Unset | None = UNSET,
        max_retries: int | Unset = UNSET,
        headers: Mapping[str, str] | None = None,
        max_response_bytes: int | Unset | None = UNSET,
        middleware: Sequence[AsyncMiddleware] | Unset = UNSET,
        tracer: Tracer | bool | Unset | None = UNSET,
    ) -> Self:
        """A client with some settings replaced; it shares this one's connections and leaves it as it is."""
        old = self._transport.settings
        derived = object.__new__(type(self))
        derived._pool = self._pool
        derived._is_derived = True
        settings = Settings(
            old.base_url,
            old.credentials.merged(credentials or {}),
            old.timeout if timeout is UNSET else timeout,
            old.max_retries if max_retries is UNSET else checked_retries(max_retries),
            replaced(old.headers, checked_headers(headers or {})),
            old.max_response_bytes if max_response_bytes is UNSET else checked_size(max_response_bytes),
            old.middleware if middleware is UNSET else checked_middleware(middleware),
            old.tracer if tracer is UNSET else _checked_tracer(tracer),
        )
        derived._transport = AsyncTransport(settings, self._pool)
        return derived

    async def close(self) -> None:
        """Close the connections, unless they belong to another client or to an HTTP client from outside."""
        if not self._is_derived:
            await self._pool.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()

    def __repr__(self) -> str:
        settings = self._transport.settings
        return f"{type(self).__name__}({without_query(settings.base_url)!r}, credentials={settings.credentials!r})"

    def __copy__(self) -> Self:
        return self.with_options()

    def __deepcopy__(self, _: object) -> Self:
        return self.with_options()

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"{type(self).__name__} holds connections and credentials: make a new one in the other process")


def _checked_tracer(tracer: object) -> Tracer | None:
    if tracer is None or tracer is False:
        return None
    from ..telemetry import checked_tracer  # OpenTelemetry is an extra

    return checked_tracer(tracer)
