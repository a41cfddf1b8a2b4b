"""What sync and async calls share: the request that is sent, and what an answer means. No I/O here."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar, cast
from urllib.parse import urlsplit

from .encode import build_headers, build_path, build_query, is_header_value
from .errors import ClientConfigError, DecodeError, find_request_id, status_error_class
from .http import content_type, lower_headers, without_query
from .types import UNSET, Timeout, Unset

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .credentials import Credentials
    from .errors import APIStatusError
    from .operation import Operation
    from .types import Tracer

T = TypeVar("T")

logger = logging.getLogger("modelport_api")
"""One DEBUG event an attempt: method, URL without its query, status, attempt. Never a header or a body."""

DEFAULT_TIMEOUT_SECONDS = 60.0
DEFAULT_MAX_RETRIES = 2
DEFAULT_MAX_RESPONSE_BYTES = 1024**3
"""How large an answer may be that is not streamed, unpacked."""

_HEADER_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_SNIPPET_CHARACTERS = 120
_CACHED_DECODERS = 32
"""Of one operation; a server that sends ever new content types fills no memory."""
_ERROR_STATUS = 400


class Settings(NamedTuple):
    """What every call of a client starts from."""

    base_url: str
    credentials: Credentials
    timeout: float | Timeout | None
    max_retries: int
    headers: Mapping[str, str]
    max_response_bytes: int | None = DEFAULT_MAX_RESPONSE_BYTES
    middleware: tuple[Any, ...] = ()
    tracer: Tracer | None = None

    def __repr__(self) -> str:
        return f"Settings({self.base_url!r}, {self.credentials!r}, headers={sorted(self.headers)})"


class Target(NamedTuple):
    """Where one call goes, and with which headers, before credentials."""

    url: str
    headers: dict[str, str]
    max_retries: int
    timeout: float | Timeout | None

    def __repr__(self) -> str:
        return f"Target({without_query(self.url)!r}, headers={sorted(self.headers)})"


class RawResponse(Generic[T]):
    """An answer with what the HTTP layer says of it.

    Attributes:
        status: The status, a plain int.
        content: The body as it came.
        attempts: How many times the request was sent.
    """

    __slots__ = ("_headers", "_operation", "_response", "attempts", "content", "status")

    def __init__(self, operation: Operation[T], response: Any, *, content: bytes, attempts: int) -> None:
        self._operation = operation
        self._response = response
        self._headers: dict[str, str] | None = None
        self.status: int = response.status_code
        self.content = content
        self.attempts = attempts

    @property
    def headers(self) -> dict[str, str]:
        """The headers by lower-case name; repeated ones are joined by a comma."""
        if self._headers is None:
            self._headers = lower_headers(self._response)
        return self._headers

    @property
    def content_type(self) -> str:
        """The ``Content-Type`` with its parameters, as it came; empty if there is none."""
        return content_type(self._response)

    @property
    def url(self) -> str:
        """Where the answer came from, without the query."""
        return without_query(str(self._response.request.url))

    @property
    def full_url(self) -> str:
        """Where the answer came from, with the query; without it if that holds a credential."""
        return str(self._response.request.url)

    @property
    def request_id(self) -> str | None:
        """The server's id of the request, if it sent one."""
        return find_request_id(self.headers)

    @property
    def parsed(self) -> T:
        """The success value; of a stream, a list of its items.

        Raises:
            DecodeError: If the body is not what the document says.
        """
        if self._operation.stream:
            from .items import Answer, items_of

            answer = Answer(self.status, self.content_type, self._operation.method, self.url, self.attempts)
            return cast("T", items_of(self._operation, answer, self.content))
        return decode_success(self._operation, self)

    def __repr__(self) -> str:
        return f"RawResponse(status={self.status}, {len(self.content)} bytes, operation={self._operation.name!r})"

    def decode_error(self, message: str) -> DecodeError:
        """The error for a body that does not fit."""
        return DecodeError(
            message,
            status=self.status,
            raw_body=self.content,
            method=self._operation.method,
            url=self.url,
            attempts=self.attempts,
        )


def checked_base_url(base_url: str) -> str:
    """The base URL without its trailing slash.

    Raises:
        ClientConfigError: If it is not an absolute http or https URL, or holds a user name.
    """
    try:
        parts = urlsplit(base_url)
        _ = parts.port  # a wrong one is seen when it is read
    except ValueError as error:
        raise ClientConfigError(f"the base URL is no URL: {error}") from None
    if any(character <= " " or character == "\x7f" for character in base_url):
        raise ClientConfigError("the base URL holds white space or control characters")
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ClientConfigError("the base URL must be absolute, such as https://host/api")
    if parts.username is not None or parts.password is not None:
        raise ClientConfigError("the base URL must not hold a user name or password: pass credentials instead")
    if parts.query or parts.fragment:
        raise ClientConfigError("the base URL must have no query and no fragment")
    return base_url.rstrip("/")


def aim(
    settings: Settings,
    operation: Operation[Any],
    arguments: Mapping[str, Any],
    *,
    timeout: float | Timeout | Unset | None = UNSET,
    max_retries: int | Unset = UNSET,
    headers: Mapping[str, str] | None = None,
) -> Target:
    """Work out where a call goes; a misspelt option is a TypeError."""
    base_url = settings.base_url if operation.server is None else operation.base_url(settings.base_url)
    url = base_url + build_path(operation, arguments)
    query = build_query(operation, arguments)
    sent = {"Accept": _accept(operation)}
    if settings.headers:
        sent = replaced(sent, settings.headers)
    own = build_headers(operation, arguments)
    if own:
        sent = replaced(sent, own)
    if headers:
        sent = replaced(sent, checked_headers(headers))
    if operation.idempotency_key:
        from uuid import uuid4

        sent = replaced({operation.idempotency_key: str(uuid4())}, sent)
    return Target(
        f"{url}?{query}" if query else url,
        sent,
        settings.max_retries if max_retries is UNSET else checked_retries(max_retries),
        settings.timeout if timeout is UNSET else timeout,
    )


def replaced(headers: Mapping[str, str], others: Mapping[str, str]) -> dict[str, str]:
    """Headers with others put in or in their places, whatever the case of their names."""
    names = {name.lower() for name in others}
    return {**{name: value for name, value in headers.items() if name.lower() not in names}, **others}


def checked_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """A copy of headers that a caller gave.

    Raises:
        ClientConfigError: If one cannot be sent; the message does not show its value.
    """
    given: Mapping[Any, Any] = headers
    for name, value in given.items():
        if not isinstance(name, str) or not _HEADER_NAME.fullmatch(name):
            raise ClientConfigError(f"{name!r} is no name of a header")
        if not isinstance(value, str) or not is_header_value(value):
            raise ClientConfigError(
                f"the header {name} must be an ASCII text, without line breaks or white space at its ends"
            )
    return dict(headers)


def checked_retries(max_retries: int) -> int:
    """The number of retries.

    Raises:
        ClientConfigError: If it is negative.
    """
    if max_retries < 0:
        raise ClientConfigError(f"max_retries must be 0 or more, not {max_retries}")
    return max_retries


def checked_size(max_response_bytes: int | None) -> int | None:
    """The limit of an answer's size.

    Raises:
        ClientConfigError: If it is no positive number.
    """
    if max_response_bytes is not None and max_response_bytes < 1:
        raise ClientConfigError(f"max_response_bytes must be 1 or more, or None, not {max_response_bytes}")
    return max_response_bytes


def checked_middleware(middleware: Iterable[Any]) -> tuple[Any, ...]:
    """The middleware, first outermost.

    Raises:
        ClientConfigError: If one cannot be called.
    """
    given = tuple(middleware)
    for one in given:
        if not callable(one):
            raise ClientConfigError(f"middleware must be functions of an attempt and send, not a {type(one).__name__}")
    return given


def _accept(operation: Operation[Any]) -> str:
    accept = operation.cache.get("accept")
    if accept is None:
        media_types = list(operation.success())
        if media_types and "application/json" not in media_types:
            media_types.append("application/json;q=0.5")  # errors come as JSON
        accept = operation.cache["accept"] = ", ".join(media_types) or "*/*"
    return cast("str", accept)


def decode_success(operation: Operation[T], response: RawResponse[T]) -> T:
    """The success value of an answer.

    A 2xx that the document does not know is read as its first success: servers answer 200 for a documented 201.
    """
    key = (response.status, response.content_type)
    known = operation.cache.get(key)
    if known is not None:
        try:
            return cast("T", known(response.content))
        except (ValueError, RecursionError):
            pass  # said in full below
    media = operation.documented(response.status)
    if media is None:
        media = operation.success()
    return cast("T", _decode(operation, response, media, key))


def error_from(
    operation: Operation[Any], response: RawResponse[Any], reason: str, url: str, secrets: Iterable[str] = ()
) -> APIStatusError:
    """The typed error for an answer that is no success; a secret that the server sends back is not in its message."""
    status = response.status
    body: Any = None
    message = ""
    if response.content:
        try:
            values = _json(response.content)
        except ValueError:
            body = _text(response)
        else:
            body = values
            message = find_message(values)
            media = operation.documented(status)
            if media:
                try:
                    body = _decode(operation, response, media)
                except DecodeError:
                    body = values
    for secret in secrets:
        message = message.replace(secret, "REDACTED")
    return status_error_class(status)(
        message or reason or "error without a message",
        status=status,
        method=operation.method,
        url=url,
        body=body,
        raw_body=response.content,
        headers=response.headers,
        attempts=response.attempts,
    )


def is_error(status: int) -> bool:
    """Whether a status is no success; redirects count, since they are not followed."""
    return status >= _ERROR_STATUS or 300 <= status < _ERROR_STATUS  # noqa: PLR2004


def find_message(body: Any) -> str:
    """The message in a JSON error body, whichever of the usual forms it has; empty if none."""
    from .wire import is_array, is_object

    for _ in range(3):
        if is_array(body) and body:
            body = body[0]
        if isinstance(body, str):
            return body
        if not is_object(body):
            return ""
        entries = {str(key).lower(): value for key, value in body.items()}
        names = ("message", "detail", "msg", "title", "error", "errors")
        body = next((entries[name] for name in names if entries.get(name)), None)
    return body if isinstance(body, str) else ""


def _decode(operation: Operation[Any], response: RawResponse[Any], media: Mapping[str, str], key: Any = None) -> Any:
    if not media:
        return None
    content_type = response.content_type.split(";", 1)[0].strip().lower()
    expression = media.get(content_type)
    if expression is None:
        found = content_type
        ranges = (f"{found.partition('/')[0]}/*", "*/*")
        content_type = next((kind for kind in ranges if kind in media), None) or next(iter(media))
        expression = media[content_type]
        if found == "text/html" and "*/*" not in media and not _is_json(content_type):
            promised = " or ".join(media)
            raise response.decode_error(f"a page of HTML came where the document promises {promised}")
    if expression == "bytes":
        return response.content
    if not _is_json(content_type):
        return _text(response) if expression == "str" else response.content
    if not response.content:
        if expression == "None":
            return None
        raise response.decode_error("the body is empty where the document promises JSON")
    return _fit(operation, response, expression, key)


def _fit(operation: Operation[Any], response: RawResponse[Any], expression: str, key: Any) -> Any:
    from .decode import JSONDecoder, Mismatch

    decoder = operation.cache.get(expression)
    if decoder is None:
        decoder = operation.cache[expression] = JSONDecoder(expression, operation.names)
    if key is not None and len(operation.cache) < _CACHED_DECODERS:
        operation.cache[key] = decoder
    try:
        return decoder(response.content)
    except Mismatch as mismatch:
        raise response.decode_error(f"the body does not fit the document at {mismatch}") from None
    except ValueError:
        found = response.content_type or "no content type"
        raise response.decode_error(f"the body is not JSON ({found}): {_snippet(response.content)}") from None
    except RecursionError:
        raise response.decode_error("the body is nested too deeply") from None


def _is_json(content_type: str) -> bool:
    return content_type in {"application/json", "*/*", "text/json"} or content_type.endswith("+json")


def _json(content: bytes) -> Any:
    from .json_bytes import parse_json

    return parse_json(content)


def _text(response: RawResponse[Any]) -> str:
    _, _, charset = response.content_type.lower().partition("charset=")
    try:
        return response.content.decode(charset.split(";")[0].strip(' "') or "utf-8", "replace")
    except LookupError:
        return response.content.decode("utf-8", "replace")


def _snippet(content: bytes) -> str:
    text = " ".join(content[: 4 * _SNIPPET_CHARACTERS].decode("utf-8", "replace").split())
    return repr(text[:_SNIPPET_CHARACTERS])
