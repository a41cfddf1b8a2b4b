"""What a request's parts may hold: everything that every client library would send unchanged."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from modelport.predict_code._errors import InvalidRequestError, SecretLeakError

if TYPE_CHECKING:
    from collections.abc import Iterable

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?")
# The marks that some library would re-encode on its own (quotes, brackets, spaces) must come percent-encoded.
_URL_REST = re.compile(r"(?:[A-Za-z0-9\-._~!$&()*+,;=:@/?]|%[0-9A-Fa-f]{2})*")
_HOST = re.compile(r"(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_SECRET_HEADERS = frozenset(
    [
        "api-key",
        "authorization",
        "cookie",
        "proxy-authorization",
        "set-cookie",
        "x-access-token",
        "x-amz-security-token",
        "x-api-key",
        "x-auth-token",
        "x-csrf-token",
        "x-session-token",
    ]
)
_SECRET_QUERY = frozenset(
    [
        "access_token",
        "api_key",
        "apikey",
        "auth",
        "client_secret",
        "key",
        "password",
        "passwd",
        "secret",
        "sig",
        "signature",
        "token",
        "x-amz-credential",
        "x-amz-security-token",
        "x-amz-signature",
        "x-goog-signature",
    ]
)
_MEDIA_TYPE = re.compile(r"[A-Za-z0-9.+-]+/[A-Za-z0-9.+-]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_CREDENTIAL = re.compile(r"(?i)(?:bearer|basic|token|digest|negotiate)\s+\S")


def check_variable(field: str, name: str) -> None:
    """Refuse a name that is not an environment variable's in every shell."""
    if not _VARIABLE.fullmatch(name):
        raise InvalidRequestError(field, f"{name!r} is not the name of an environment variable")


def check_header_name(field: str, name: str) -> None:
    """Refuse a name that HTTP does not know as a header's."""
    if not _HEADER_NAME.fullmatch(name):
        raise InvalidRequestError(field, f"{name!r} is not the name of a header")


def check_headers(headers: Iterable[tuple[str, str]], reserved: Iterable[str]) -> None:
    """Refuse headers that cannot be sent as they stand, that carry credentials, or that the body decides."""
    taken = {name.lower() for name in reserved}
    for name, value in headers:
        check_header_name("headers", name)
        if name.lower() in _SECRET_HEADERS or _CREDENTIAL.match(value):
            message = f"headers: {name} carries credentials; name the environment variable in auth=Auth(...) instead"
            raise SecretLeakError(message)
        if name.lower() in taken:
            raise InvalidRequestError("headers", f"{name} is set by the body or by auth, or stands twice")
        taken.add(name.lower())
        if not _HEADER_VALUE.fullmatch(value):
            problem = f"the value of {name} must be visible ASCII without a line break or a space at its ends"
            raise InvalidRequestError("headers", problem)


def check_url(field: str, url: str) -> None:
    """Refuse a URL that a library would rewrite, or that holds a secret."""
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise InvalidRequestError(field, f"is not a URL: {error}") from error
    if "@" in parts.netloc:
        message = f"{field}: has a user part; send credentials with auth=Auth(...)"
        raise SecretLeakError(message)
    if parts.scheme not in {"http", "https"} or not _HOST.fullmatch(parts.netloc):
        raise InvalidRequestError(field, "must begin with http:// or https:// and an ASCII host")
    rest = url.split(parts.netloc, 1)[1]
    if not _URL_REST.fullmatch(rest):
        raise InvalidRequestError(field, "percent-encode every mark in path and query that is not plain (no fragment)")
    if {".", ".."} & set(parts.path.lower().replace("%2e", ".").split("/")):
        raise InvalidRequestError(field, "must not hold the path segments . or ..")
    for name, _ in parse_qsl(parts.query, keep_blank_values=True):
        if name.lower() in _SECRET_QUERY:
            message = f"{field}: the query parameter {name} looks like a secret; it would be printed in the program"
            raise SecretLeakError(message)


def check_media_type(field: str, text: str) -> None:
    """Refuse what is not a media type without parameters."""
    if not _MEDIA_TYPE.fullmatch(text):
        raise InvalidRequestError(field, f"{text!r} is not a media type such as text/csv")


def check_plain(field: str, text: str, forbidden: str = "") -> None:
    """Refuse control characters, lone surrogates and the marks in `forbidden`."""
    if _CONTROL.search(text) or set(forbidden) & set(text):
        either = f" or one of {forbidden}" if forbidden else ""
        raise InvalidRequestError(field, f"{text!r} holds a control character{either}")
    check_unicode(field, text)


def check_unicode(field: str, text: str) -> None:
    """Refuse what no file and no request can hold: NUL and lone surrogates."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InvalidRequestError(field, "holds a lone surrogate") from error
    if "\0" in text:
        raise InvalidRequestError(field, "holds a NUL character")
