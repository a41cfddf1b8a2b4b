"""One description of a request, the same for every language."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Literal

import attrs

from modelport.predict_code import _checks, _json_text
from modelport.predict_code._errors import InvalidRequestError

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Pairs = tuple[tuple[str, str], ...]

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_ERROR_STATUSES = range(300, 600)
_RETRIES = range(21)
_DEADLINE_SECONDS = 1800
_TIMEOUT_SECONDS = 60
# JavaScript's timers count milliseconds in 31 bits.
_MAX_SECONDS = 2_000_000


def _pairs(value: Mapping[str, str] | Sequence[tuple[str, str]]) -> Pairs:
    items = value.items() if isinstance(value, Mapping) else value
    return tuple((str(name), str(text)) for name, text in items)


def _path(value: str | Sequence[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _numbers(value: Sequence[int]) -> tuple[int, ...]:
    return tuple(value)


def _check_seconds(field: str, value: float, *, least: float = 0) -> None:
    if isinstance(value, bool) or not least <= value <= _MAX_SECONDS:
        raise InvalidRequestError(field, f"{value!r} must be a number from {least} to {_MAX_SECONDS}")


@attrs.frozen(kw_only=True)
class Auth:
    """How the program authenticates: `variable` names the environment variable that holds the token."""

    variable: str
    scheme: str = "Bearer"
    header: str = "Authorization"

    def __attrs_post_init__(self) -> None:
        _checks.check_variable("auth.variable", self.variable)
        _checks.check_header_name("auth.header", self.header)
        if self.scheme:
            _checks.check_header_name("auth.scheme", self.scheme)

    @property
    def prefix(self) -> str:
        """What stands before the token in the header's value."""
        return f"{self.scheme} " if self.scheme else ""


@attrs.frozen
class JsonBody:
    """A JSON body, kept as the text that goes on the wire."""

    text: str

    def __attrs_post_init__(self) -> None:
        _json_text.check_json(self.text)

    @classmethod
    def of(cls, value: object) -> JsonBody:
        """The body for a Python value, spread over lines where it is long."""
        try:
            text = json.dumps(value, ensure_ascii=False, allow_nan=False)
        except (TypeError, ValueError, RecursionError) as error:
            raise InvalidRequestError("body", f"cannot be written as JSON: {error}") from error
        return cls(text).indented()

    def indented(self) -> JsonBody:
        """The same JSON tokens with one member to a line, for people to read."""
        return JsonBody(_json_text.indent(self.text))


@attrs.frozen(kw_only=True)
class MultipartBody:
    """A multipart form with one file, which the program takes as its first argument."""

    file_field: str = "file"
    fields: Pairs = attrs.field(default=(), converter=_pairs)
    content_type: str = "application/octet-stream"

    def __attrs_post_init__(self) -> None:
        names = [self.file_field, *(name for name, _ in self.fields)]
        for name in names:
            if not name:
                raise InvalidRequestError("body.fields", "a form field needs a name")
            _checks.check_plain("body.fields", name, forbidden='"=;\\')
        for _, text in self.fields:
            _checks.check_unicode("body.fields", text)
        _checks.check_media_type("body.content_type", self.content_type)


@attrs.frozen(kw_only=True)
class Job:
    """How the result of an asynchronous request is reached; `{id}` stands for the id found in its answer."""

    id_at: tuple[str, ...] = attrs.field(converter=_path)
    status_url: str
    status_at: tuple[str, ...] = attrs.field(converter=_path)
    result_url: str
    succeeded: tuple[str, ...] = attrs.field(converter=_path)
    failed: tuple[str, ...] = attrs.field(converter=_path)
    message_at: tuple[str, ...] = attrs.field(default=(), converter=_path)
    result_filename: str = "result-{id}.bin"
    archive: Literal["zip"] | None = None
    readable_statuses: tuple[int, ...] = attrs.field(default=(), converter=_numbers)
    deadline_seconds: float = _DEADLINE_SECONDS
    first_delay_seconds: float = 1
    max_delay_seconds: float = 15

    def __attrs_post_init__(self) -> None:
        for field, url in (("job.status_url", self.status_url), ("job.result_url", self.result_url)):
            if "{id}" not in url:
                raise InvalidRequestError(field, "must hold {id} where the job's id goes")
            _checks.check_url(field, url.replace("{id}", "0"))
        for field, path in (("job.id_at", self.id_at), ("job.status_at", self.status_at)):
            if not path:
                raise InvalidRequestError(field, "needs at least one name")
        for name in (*self.id_at, *self.status_at, *self.message_at, *self.succeeded, *self.failed):
            _checks.check_plain("job", name)
        if not self.succeeded:
            raise InvalidRequestError("job.succeeded", "needs at least one state")
        _check_file_name(self.result_filename)
        if not all(status in _ERROR_STATUSES for status in self.readable_statuses):
            raise InvalidRequestError("job.readable_statuses", "must be HTTP error statuses")
        _check_seconds("job.deadline_seconds", self.deadline_seconds, least=1)
        _check_seconds("job.first_delay_seconds", self.first_delay_seconds, least=0.01)
        _check_seconds("job.max_delay_seconds", self.max_delay_seconds, least=self.first_delay_seconds)


def _check_file_name(name: str) -> None:
    _checks.check_plain("job.result_filename", name, forbidden='/\\:*?"<>|')
    if not name.replace("{id}", "").strip(" .") or name.startswith(("-", "~")):
        raise InvalidRequestError("job.result_filename", f"{name!r} is not a plain file name")


@attrs.frozen(kw_only=True)
class PredictRequest:
    """A request to a deployed model, without any secret in it."""

    url: str
    method: Method = "POST"
    headers: Pairs = attrs.field(default=(), converter=_pairs)
    auth: Auth | None = None
    body: JsonBody | MultipartBody | None = None
    job: Job | None = None
    title: str = ""
    timeout_seconds: float = _TIMEOUT_SECONDS
    max_retries: int = 3

    def __attrs_post_init__(self) -> None:
        if self.method not in _METHODS:
            raise InvalidRequestError("method", f"{self.method!r} is not one of {', '.join(_METHODS)}")
        if self.method == "GET" and self.body is not None:
            raise InvalidRequestError("method", "a GET carries no body")
        _checks.check_url("url", self.url)
        reserved = ["content-length", "host", "transfer-encoding"]
        reserved += [] if self.body is None else ["content-type"]
        reserved += [] if self.auth is None else [self.auth.header]
        _checks.check_headers(self.headers, reserved)
        _checks.check_unicode("title", self.title)
        _check_seconds("timeout_seconds", self.timeout_seconds, least=0.001)
        if self.max_retries not in _RETRIES:
            raise InvalidRequestError("max_retries", f"{self.max_retries!r} must be a whole number from 0 to 20")
