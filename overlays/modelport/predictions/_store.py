"""Object stores: opening one by URL, and its errors in words of our own that show no secret."""

from __future__ import annotations

import datetime as dt
import os
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from modelport._extras import require

if TYPE_CHECKING:
    from obstore.store import ObjectStore

__all__ = ["is_store", "is_url", "label_of", "open_store", "store_errors", "told"]

_TIMEOUT = dt.timedelta(seconds=30)
_CONNECT_TIMEOUT = dt.timedelta(seconds=5)
_RETRIES = 2
_RETRY_TIMEOUT = dt.timedelta(seconds=20)
_BUCKET = re.compile(r"[a-z0-9][a-z0-9._-]{2,254}")
_STATUS = re.compile(r"non-2xx status code: (\d{3})\b")
_REFUSED = {"401", "403"}
_ABSENT = "404"


def is_url(target: object) -> bool:
    """Whether `target` is the URL of an object store and not a path."""
    return isinstance(target, str) and "://" in target


def is_store(target: object) -> bool:
    """Whether `target` is an obstore store."""
    return type(target).__module__.startswith("obstore")


def label_of(store: ObjectStore) -> str:
    """What to call `store`: its repr where that names bucket and prefix (and never credentials), else its type."""
    text = repr(store)
    return type(store).__name__ if text.startswith("<") else text


def open_store(url: str) -> ObjectStore:
    """The store behind ``s3://bucket/prefix``, with credentials, region and endpoint from the AWS variables.

    Raises:
        ValueError: Another kind of URL, or one that carries credentials or a query.
        MissingExtraError: obstore is not installed.
    """
    # The URL itself stays out of the messages: it may carry a password. What urlsplit does not like it quotes.
    try:
        parts = urlsplit(url)
    except ValueError:
        message = "not an s3:// URL"
        raise ValueError(message) from None
    if parts.scheme != "s3":
        message = f"not an s3:// URL but {parts.scheme}://; for other stores hand over an obstore store"
        raise ValueError(message)
    if parts.query or parts.fragment or "@" in parts.netloc or ":" in parts.netloc:
        message = "an S3 URL is s3://bucket/prefix, without credentials (they come from the AWS_... variables)"
        raise ValueError(message)
    if not _BUCKET.fullmatch(parts.netloc):
        message = "an S3 URL is s3://bucket/prefix, the bucket of 3 to 255 small letters, digits, '.', '-' and '_'"
        raise ValueError(message)
    stores: Any = require("obstore.store", "storage")
    options: dict[str, Any] = {"timeout": _TIMEOUT, "connect_timeout": _CONNECT_TIMEOUT}
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or ""
    settings: dict[str, Any] = {}
    if endpoint:
        settings["endpoint"] = endpoint
        options["allow_http"] = endpoint.startswith("http://")
    store: ObjectStore = stores.S3Store(
        parts.netloc,
        prefix=parts.path.strip("/") or None,
        client_options=options,
        # A sink has its worker and its journal to try again; a reader is told after these.
        retry_config={"max_retries": _RETRIES, "retry_timeout": _RETRY_TIMEOUT},
        **settings,
    )
    return store


def store_errors() -> tuple[type[Exception], ...]:
    """What a call of obstore may raise."""
    exceptions: Any = require("obstore.exceptions", "storage")
    return (exceptions.BaseError, OSError)


def told(error: Exception, what: str) -> OSError:
    """`error` of a store as an OSError that says `what` failed and why, in words that hold no secret.

    ``PermissionError`` for credentials that are wrong or may not do this, ``FileNotFoundError`` for a missing object
    or bucket, ``ConnectionError`` for everything that may be better later.
    """
    if isinstance(error, OSError) and not isinstance(error, FileNotFoundError):
        return error
    name = type(error).__name__
    # The store's own text may quote the request, so only its status is taken over.
    found = _STATUS.search(str(error))
    status = found[1] if found else ""
    # A list of a bucket that is not there is no NotFoundError to obstore, but a generic one with this status.
    if isinstance(error, FileNotFoundError) or name == "NotFoundError" or status == _ABSENT:
        return FileNotFoundError(f"{what}: no such bucket or object")
    if name in {"PermissionDeniedError", "UnauthenticatedError"} or status in _REFUSED:
        return PermissionError(f"{what}: permission denied: the store refused the credentials or what they may do")
    return ConnectionError(f"{what}: {f'status {status}' if status else 'out of reach'} ({name})")
