"""The only module that names httpx: it makes clients and translates errors."""

from __future__ import annotations

import ssl
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import httpx

from .errors import APIConnectionError, APIError, APIProtocolError, APITimeoutError, ClientConfigError
from .types import Timeout

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
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


def usual_trust() -> ssl.SSLContext:
    """A context that trusts whom the HTTP client trusts by default; reading that takes a while."""
    return httpx.create_ssl_context()


class _NoCookies(httpx.Cookies):
    """Keeps nothing: derived clients share it, and one user's session must not become another's.

    It does not even look at an answer's cookies, which would cost a tenth of a call.
    """

    def extract_cookies(self, response: httpx.Response) -> None:
        """Leave the answer's cookies where they are."""


_NO_COOKIES = _NoCookies()


class _Client(httpx.Client):
    """The client of a generated client that was given none."""

    @property
    def cookies(self) -> httpx.Cookies:
        """None, for ever."""
        return _NO_COOKIES

    @cookies.setter
    def cookies(self, cookies: object) -> None:
        """Leave them."""


class _AsyncClient(httpx.AsyncClient):
    """The same, for asyncio."""

    @property
    def cookies(self) -> httpx.Cookies:
        """None, for ever."""
        return _NO_COOKIES

    @cookies.setter
    def cookies(self, cookies: object) -> None:
        """Leave them."""


def make_client(tls: ssl.SSLContext | None = None) -> httpx.Client:
    """A pooled sync client that honours the proxy variables and keeps no cookie."""
    return _Client(verify=tls or _tls(), limits=_limits())


def make_async_client(tls: ssl.SSLContext | None = None) -> httpx.AsyncClient:
    """A pooled async client that honours the proxy variables and keeps no cookie."""
    return _AsyncClient(verify=tls or _tls(), limits=_limits())


def _limits() -> httpx.Limits:
    return httpx.Limits(max_connections=MAX_CONNECTIONS, max_keepalive_connections=MAX_CONNECTIONS)


_PLAIN_BUILD = httpx.Client.build_request
_UNUSUAL = frozenset({b"host", b"content-length", b"transfer-encoding"})


def build_request(
    client: Any,
    method: str,
    url: str | httpx.URL,
    headers: Mapping[str, str],
    *,
    arguments: Mapping[str, Any],
    timeout: float | Timeout | None,
) -> Any:
    """The request that the client's own ``build_request`` makes, which costs a fifth of a call.

    Where the client adds headers at most, and the body is bytes or none, it is put together here.
    """
    extensions = {"timeout": timeout_argument(timeout)}
    content = arguments.get("content", b"")
    if (
        getattr(client.build_request, "__func__", None) is _PLAIN_BUILD
        and len(arguments) == ("content" in arguments)
        and isinstance(content, bytes)
        and not client.params
        and (isinstance(client, _Client | _AsyncClient) or not client.cookies)
    ):
        own = [(name.encode(), value.encode()) for name, value in headers.items()]
        names = {name.lower() for name, _ in own}
        merged = [entry for entry in client.headers.raw if entry[0].lower() not in names] + own
        target = url if isinstance(url, httpx.URL) else httpx.URL(url)
        is_usual = _UNUSUAL.isdisjoint([name.lower() for name, _ in merged])
        if is_usual and b"".join([value for _, value in merged]).isascii():
            return _put_together(method, target, merged, content, extensions)
    return client.build_request(method, url, headers=headers, extensions=extensions, **arguments)


def _put_together(
    method: str, url: httpx.URL, headers: list[tuple[bytes, bytes]], content: bytes, extensions: dict[str, Any]
) -> httpx.Request:
    if content:
        headers.append((b"Content-Length", b"%d" % len(content)))
    elif method in {"POST", "PUT", "PATCH"}:
        headers.insert(0, (b"Content-Length", b"0"))
    headers.insert(0, (b"Host", url.netloc))
    request = httpx.Request(method, url, headers=headers, stream=httpx.ByteStream(content), extensions=extensions)
    request.headers.encoding = "utf-8"  # else it is found out time and again
    request.read()
    return request


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
    if isinstance(request, httpx.Request) and not isinstance(request.url, _QuietURL):
        request.url = _QuietURL(request.url)


def content_type(response: Any) -> str:
    """The ``Content-Type`` of an answer; empty if there is none."""
    for name, value in cast("httpx.Response", response).headers.raw:
        if name.lower() == b"content-type":
            return value.decode("latin-1")
    return ""


def lower_headers(response: Any) -> dict[str, str]:
    """The headers of an answer by lower-case name; repeated ones are joined by a comma."""
    return {name.lower(): value for name, value in cast("httpx.Response", response).headers.items()}


def is_query_hidden(request: Any) -> bool:
    """Whether `hide_query` was used on a request."""
    return isinstance(request.url, _QuietURL)


def url_with_query(request: Any) -> str:
    """Where a request goes, with all that `hide_query` hides."""
    url = request.url
    return httpx.URL.__str__(url) if isinstance(url, httpx.URL) else str(url)


def is_response(value: object) -> bool:
    """Whether middleware returned an answer, of this HTTP client or of its shape."""
    return isinstance(value, httpx.Response) or hasattr(value, "status_code")


def ascribe(response: Any, request: Any) -> None:
    """Note which request an answer belongs to; one that middleware made does not know."""
    if isinstance(response, httpx.Response):
        try:
            _ = response.request
        except RuntimeError:
            response.request = request


class BodySize(NamedTuple):
    """What the headers of an answer say of the size of its body, unpacked, in bytes."""

    least: int
    most: float
    is_stacked: bool
    """Whether it is packed more than once: a few bytes may then unpack to any number at one go."""


_SIZE_HEADERS = {b"content-length": "length", b"transfer-encoding": "transfer", b"content-encoding": "coding"}
_DEFLATE_RATIO = 1032
"""What the format of gzip and deflate can make of a byte at most (zlib's technical details)."""


def body_size(response: Any) -> BodySize:
    """The bounds that the headers of an answer set for its body.

    A length beside a transfer coding, or one of two, does not count (RFC 9112 6.3).
    """
    lengths: set[bytes] = set()
    codings: list[bytes] = []
    for name, value in cast("httpx.Response", response).headers.raw:
        kind = _SIZE_HEADERS.get(name.lower())
        if kind == "length":
            lengths.add(value)
        elif kind == "transfer":
            lengths.add(b"")
        elif kind == "coding":
            codings += [part.strip() for part in value.lower().split(b",")]
    coded = [coding for coding in codings if coding not in {b"", b"identity"}]
    text = lengths.pop() if len(lengths) == 1 else b""
    if not text.isdigit():
        return BodySize(0, float("inf"), len(coded) > 1)
    length = int(text)
    if not coded:
        return BodySize(length, length, is_stacked=False)
    is_deflated = len(coded) == 1 and coded[0] in {b"gzip", b"deflate"}
    return BodySize(0, length * _DEFLATE_RATIO if is_deflated else float("inf"), len(coded) > 1)


def keep_content(response: Any, content: bytes) -> None:
    """Give an answer the body that was read from it piece by piece, as its own ``read`` would have."""
    response._content = content  # noqa: SLF001 - httpx has no public way


_SLICE_BYTES = 4096


class _SlicedStream(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body in small pieces, so that what one of them unpacks to can be counted before the next is unpacked."""

    def __init__(self, stream: Any, step: int) -> None:
        self._stream = stream
        self._step = step

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._stream:
            yield from _slices(chunk, self._step)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._stream:
            for part in _slices(chunk, self._step):
                yield part

    def close(self) -> None:
        self._stream.close()

    async def aclose(self) -> None:
        await self._stream.aclose()


def _slices(chunk: bytes, step: int) -> Iterator[bytes]:
    for start in range(0, len(chunk), step):
        yield chunk[start : start + step]


def unpack_slowly(response: Any, *, is_stacked: bool) -> None:
    """Have a packed body, which is still to be read, unpacked in small steps; byte by byte if it is packed twice."""
    if "content-encoding" in response.headers and not response.is_closed:
        response.stream = _SlicedStream(response.stream, 1 if is_stacked else _SLICE_BYTES)


class _WatchedStream(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body that tells when it was left: with the error that cut it, or with None."""

    def __init__(self, stream: Any, left: Callable[[BaseException | None], None]) -> None:
        self._stream = stream
        self._left = left
        self._error: BaseException | None = None

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._stream
        except Exception as error:
            self._error = error
            raise

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._stream:
                yield chunk
        except Exception as error:
            self._error = error
            raise

    def close(self) -> None:
        try:
            self._stream.close()
        finally:
            self._left(self._error)

    async def aclose(self) -> None:
        try:
            await self._stream.aclose()
        finally:
            self._left(self._error)


def watch(response: Any, left: Callable[[BaseException | None], None]) -> None:
    """Have `left` called, once or more, when an open answer is closed; at once if it is closed already."""
    if response.is_closed:
        left(None)
    else:
        response.stream = _WatchedStream(response.stream, left)
