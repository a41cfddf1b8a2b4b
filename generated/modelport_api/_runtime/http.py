"""The only module that names httpx: it makes clients and translates errors."""

from __future__ import annotations

import ssl
from functools import lru_cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Any, cast

import httpx

from .errors import APIConnectionError, APIError, APIProtocolError, APITimeoutError, ClientConfigError
from .types import Timeout

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TypeGuard

MAX_CONNECTIONS = 100

TRANSPORT_ERRORS = (httpx.TransportError, httpx.InvalidURL, httpx.DecodingError, httpx.StreamError)
"""What an attempt may end in, beside an answer."""

NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
"""Errors before the first byte of the request: a repeat is safe for every method."""

_NEVER_HELPS = (httpx.UnsupportedProtocol, httpx.InvalidURL, httpx.LocalProtocolError, httpx.DecodingError)


class _LazyTLS(ssl.SSLContext):
    """A TLS context that reads the trust store at the first handshake, not when a client is made.

    Reading it costs some 25 ms, which programs that speak plain HTTP, or make many clients, would pay for nothing.
    Then it hands over to the context that the HTTP client would have made, so trust is whatever it is there.
    """

    _made: ssl.SSLContext | None = None
    _protocols: list[str] | None = None

    def _real(self) -> ssl.SSLContext:
        made = self._made
        if made is None:
            made = httpx.create_ssl_context()
            if self._protocols is not None:
                made.set_alpn_protocols(self._protocols)
            self._made = made
        return made

    def set_alpn_protocols(self, alpn_protocols: Iterable[str]) -> None:
        """Keep what a handshake is to offer."""
        self._protocols = list(alpn_protocols)
        if self._made is not None:
            self._made.set_alpn_protocols(self._protocols)

    def wrap_socket(self, *args: Any, **kwargs: Any) -> ssl.SSLSocket:
        """Load the trust store, then shake hands."""
        return self._real().wrap_socket(*args, **kwargs)

    def wrap_bio(self, *args: Any, **kwargs: Any) -> ssl.SSLObject:
        """Load the trust store, then shake hands."""
        return self._real().wrap_bio(*args, **kwargs)


_shared_tls: list[_LazyTLS] = []


def _tls() -> ssl.SSLContext:
    if not _shared_tls:
        _shared_tls.append(_LazyTLS(ssl.PROTOCOL_TLS_CLIENT))  # checks host names and certificates by default
    return _shared_tls[0]


def make_client() -> httpx.Client:
    """A pooled sync client that honours the proxy variables and keeps no cookie."""
    return httpx.Client(verify=_tls(), limits=_limits(), cookies=_no_cookies())


def make_async_client() -> httpx.AsyncClient:
    """A pooled async client that honours the proxy variables and keeps no cookie."""
    return httpx.AsyncClient(verify=_tls(), limits=_limits(), cookies=_no_cookies())


def _no_cookies() -> CookieJar:
    """A jar that keeps nothing: derived clients share it, and one user's session must not become another's."""
    return CookieJar(DefaultCookiePolicy(allowed_domains=[]))


def _limits() -> httpx.Limits:
    return httpx.Limits(max_connections=MAX_CONNECTIONS, max_keepalive_connections=MAX_CONNECTIONS)


def is_sync(client: object) -> TypeGuard[httpx.Client]:
    """Whether an injected client is a sync one."""
    return isinstance(client, httpx.Client)


def is_async(client: object) -> TypeGuard[httpx.AsyncClient]:
    """Whether an injected client is an async one."""
    return isinstance(client, httpx.AsyncClient)


def check_library(client: object) -> None:
    """Refuse a client of another major version's package: they share a shape, not their classes.

    Raises:
        ClientConfigError: Names both.
    """
    own = httpx.__name__
    family = own.rstrip("0123456789")
    for base in type(client).__mro__:
        library = base.__module__.partition(".")[0]
        if library != own and library.rstrip("0123456789") == family:
            found = f"{library}.{base.__name__}"
            raise ClientConfigError(f"this package speaks through {own}: bring a client of {own}, not a {found}")


def timeout_argument(timeout: float | Timeout | None) -> dict[str, float | None]:
    """A timeout as requests carry it."""
    if isinstance(timeout, Timeout):
        return {"connect": timeout.connect, "read": timeout.read, "write": timeout.write, "pool": timeout.pool}
    return {"connect": timeout, "read": timeout, "write": timeout, "pool": timeout}


def may_repeat(error: BaseException, *, idempotent: bool) -> bool:
    """Whether an attempt that ended in `error` may be made again."""
    if isinstance(error, _NEVER_HELPS):
        return False
    return idempotent or isinstance(error, NEVER_SENT)


def translated(error: BaseException, method: str, url: str, attempts: int) -> APIError:
    """The error of ours for one of the HTTP client's."""
    detail = str(error) or type(error).__name__
    if isinstance(error, httpx.TimeoutException):
        phase = type(error).__name__.removesuffix("Timeout").lower()
        message = f"the server did not answer in time (phase: {phase})"
        return APITimeoutError(message, method=method, url=url, attempts=attempts)
    if isinstance(error, httpx.InvalidURL | httpx.DecodingError | httpx.ProtocolError | httpx.UnsupportedProtocol):
        cut = isinstance(error, httpx.RemoteProtocolError)
        if not cut:
            return APIProtocolError(detail, method=method, url=url, attempts=attempts)
    return APIConnectionError(f"no answer: {detail}", method=method, url=url, attempts=attempts)


def without_query(url: str) -> str:
    """A URL as errors and logs may show it: no query, no fragment, no user information."""
    plain = url.split("?", 1)[0].split("#", 1)[0]
    scheme, found, rest = plain.partition("://")
    if not found:
        return plain
    authority, slash, path = rest.partition("/")
    return f"{scheme}://{authority.rpartition('@')[2]}{slash}{path}"


@lru_cache(maxsize=256)
def parsed_url(url: str) -> httpx.URL:
    """A URL as the HTTP client takes it. Parsing costs a tenth of a call, and programs call the same places again."""
    return httpx.URL(url)


class _QuietURL(httpx.URL):
    """A URL that does not show its query where it is printed: httpx logs the URL of every request."""

    def __str__(self) -> str:
        return without_query(super().__str__())

    def __repr__(self) -> str:
        return f"URL({str(self)!r})"


def hide_query(request: Any) -> None:
    """Keep the query of a request, which holds a secret, out of logs."""
    if isinstance(request, httpx.Request):
        request.url = _QuietURL(request.url)


def lower_headers(response: Any) -> dict[str, str]:
    """The headers of an answer by lower-case name; repeated ones are joined by a comma."""
    return {name.lower(): value for name, value in cast("httpx.Response", response).headers.items()}
