"""Every error that a generated client raises.

```
APIError
├── ClientConfigError          (ValueError) a wrong argument, seen before anything was sent
│   └── MissingCredentialsError    the operation asks for a credential that the client was not given
├── EncodeError                (ValueError) a value that cannot be put on the wire
├── SaveError                  (OSError) a body that cannot be written to its file
├── APIConnectionError         (ConnectionError) no answer: refused, reset, name not found, TLS
├── APITimeoutError            (TimeoutError)
├── APIProtocolError           an answer that does not keep to HTTP
│   ├── DecodeError            (ValueError) a body that is not what the document says
│   └── PaginationError        pages that cannot be followed: a token twice, a link to another host
├── WorkError                  what a wait for work on the server ends in: .subject .state .body
│   ├── OperationFailedError   the work ended badly: .server_message
│   └── WaitTimeoutError       (TimeoutError) the deadline passed; the work goes on
│   └── ResponseTooLargeError      a body larger than the client's max_response_bytes
└── APIStatusError             an answer with an error status
    ├── BadRequestError 400, AuthenticationError 401, PermissionDeniedError 403, NotFoundError 404
    ├── ConflictError 409, GoneError 410, PayloadTooLargeError 413, UnprocessableEntityError 422
    ├── RateLimitError 429
    └── ServerError 5xx
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

RAW_BODY_LIMIT_BYTES = 4096
"""How much of an error's body is kept."""

_SHOWN_CHARACTERS = 1000
"""How much of a server's message `str` shows; ``message`` holds it whole."""


class APIError(Exception):
    """The root of every error that a client raises on purpose."""


class ClientConfigError(APIError, ValueError):
    """A wrong argument of the client or of a call; nothing was sent."""


class MissingCredentialsError(ClientConfigError):
    """The operation asks for a credential that the client was not given; nothing was sent."""


class EncodeError(APIError, ValueError):
    """A value that cannot be put on the wire; nothing was sent."""


class SaveError(APIError, OSError):
    """A body that cannot be written to its file: the disk is full, or the folder takes none.

    Nothing is under the file's name that was not there before.

    Attributes:
        path: Where the file should have gone.
        errno: The number of the system's error, such as `errno.ENOSPC`.
    """

    def __init__(self, message: str, *, path: str = "", errno: int | None = None) -> None:
        super().__init__(message)
        self.path = path
        self.errno = errno

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuilt, (type(self), self.args, {**self.__dict__, "errno": self.errno})


def _short(message: str) -> str:
    return message if len(message) <= _SHOWN_CHARACTERS else f"{message[:_SHOWN_CHARACTERS]}..."


def _rebuilt(kind: type[APIError], args: tuple[Any, ...], state: dict[str, Any]) -> APIError:
    error = kind.__new__(kind, *args)
    error.args = args
    for name, value in state.items():
        setattr(error, name, value)
    return error


class _CallError(APIError):
    """An error of one call, which it names by method and URL (without its query: that may hold a secret)."""

    def __init__(self, message: str, *, method: str = "", url: str = "", attempts: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.method = method
        self.url = url
        self.attempts = attempts

    def _where(self) -> str:
        tries = f" after {self.attempts} attempts" if self.attempts > 1 else ""
        return f" ({self.method} {self.url}{tries})" if self.method else ""

    def __str__(self) -> str:
        return f"{_short(self.message)}{self._where()}"

    def __reduce__(self) -> tuple[Any, ...]:
        # The bases rebuild an error from its positional arguments only; errors cross process borders whole.
        return _rebuilt, (type(self), self.args, self.__dict__.copy())


class APIConnectionError(_CallError, ConnectionError):
    """No answer came: the connection was refused, reset or cut, the name is unknown, or TLS failed."""


class APITimeoutError(_CallError, TimeoutError):
    """No answer came in time."""


class APIProtocolError(_CallError):
    """The answer does not keep to HTTP or to the document."""


class DecodeError(APIProtocolError, ValueError):
    """The body is not what the document says; the message names the place in it."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 0,
        raw_body: bytes = b"",
        method: str = "",
        url: str = "",
        attempts: int = 1,
    ) -> None:
        super().__init__(message, method=method, url=url, attempts=attempts)
        self.status = status
        self.raw_body = raw_body[:RAW_BODY_LIMIT_BYTES]


class PaginationError(APIProtocolError):
    """The next page cannot be asked for: a token came twice, the list has no end, or a link leads elsewhere.

    The items before it were given; the iterator keeps its place.
    """


class WorkError(APIError):
    """What a wait for work on the server ends in, if not in its result.

    Attributes:
        subject: What was waited for.
        operation_id: Its hash or number, where there is one, to resume from in this or another process.
        state: Its state when last seen, in the server's words; None if it never was.
        body: The last answer, typed as the operation's own; None if there was none.
    """

    def __init__(
        self, message: str, *, subject: str, operation_id: str = "", state: str | None = None, body: Any = None
    ) -> None:
        super().__init__(message)
        self.subject = subject
        self.operation_id = operation_id
        self.state = state
        self.body = body

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuilt, (type(self), self.args, self.__dict__.copy())


class OperationFailedError(WorkError):
    """Work on the server ended badly.

    Attributes:
        server_message: What the server says of it; may be empty.
    """

    def __init__(
        self, *, subject: str, operation_id: str = "", state: str, server_message: str | None, body: Any = None
    ) -> None:
        self.server_message = server_message or ""
        told = f": {_short(self.server_message)}" if self.server_message else "; the server gives no reason"
        message = f"{subject} is {state}{told}"
        super().__init__(message, subject=subject, operation_id=operation_id, state=state, body=body)


class WaitTimeoutError(WorkError, TimeoutError):
    """The deadline of a wait passed; the work itself goes on.

    Attributes:
        elapsed_seconds: How long the wait took.
    """

    def __init__(
        self, *, subject: str, operation_id: str = "", state: str | None, elapsed_seconds: float, body: Any = None
    ) -> None:
        self.elapsed_seconds = elapsed_seconds
        seen = f"is still {state}" if state else "could not be reached"
        message = f"{subject} {seen} after {elapsed_seconds:.0f} s; it goes on, wait again to resume"
        super().__init__(message, subject=subject, operation_id=operation_id, state=state, body=body)


class ResponseTooLargeError(APIProtocolError):
    """The body is larger, unpacked, than the client's ``max_response_bytes``; its connection was closed.

    Attributes:
        status: The status of the answer, a plain int.
        limit_bytes: The limit that it passed.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 0,
        limit_bytes: int = 0,
        method: str = "",
        url: str = "",
        attempts: int = 1,
    ) -> None:
        super().__init__(message, method=method, url=url, attempts=attempts)
        self.status = status
        self.limit_bytes = limit_bytes


class APIStatusError(_CallError):
    """The server answered with an error status.

    Attributes:
        status: The status, a plain int (520 exists).
        message: The server's own message where its body has one, else the reason phrase.
        body: The parsed body: the document's model where it fits, else JSON values, else text; None if empty.
        raw_body: The start of the body as it came.
        headers: The response headers, by lower-case name.
        request_id: The server's id of the request, if it sent one.
        attempts: How many times the request was sent.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int,
        method: str = "",
        url: str = "",
        body: Any = None,
        raw_body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        attempts: int = 1,
    ) -> None:
        super().__init__(message, method=method, url=url, attempts=attempts)
        self.status = status
        self.body = body
        self.raw_body = raw_body[:RAW_BODY_LIMIT_BYTES]
        self.headers = dict(headers or {})
        self.request_id = find_request_id(self.headers)

    def __str__(self) -> str:
        request = f", request id {self.request_id}" if self.request_id else ""
        return f"HTTP {self.status}: {_short(self.message)}{self._where()}{request}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}(status={self.status}, message={_short(self.message)!r}, method={self.method!r})"


class BadRequestError(APIStatusError):
    """400: the server refused the input."""


class AuthenticationError(APIStatusError):
    """401: the credential is missing, wrong or expired."""


class PermissionDeniedError(APIStatusError):
    """403: the credential does not allow this."""


class NotFoundError(APIStatusError):
    """404: there is no such thing."""


class ConflictError(APIStatusError):
    """409: it exists already, or its state does not allow this."""


class GoneError(APIStatusError):
    """410: it is not there any more."""


class PayloadTooLargeError(APIStatusError):
    """413: the request is larger than the server takes."""


class UnprocessableEntityError(APIStatusError):
    """422: the input is well formed and wrong."""


class RateLimitError(APIStatusError):
    """429: too many requests."""


class ServerError(APIStatusError):
    """5xx: the server failed."""


_BY_STATUS: dict[int, type[APIStatusError]] = {
    400: BadRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    410: GoneError,
    413: PayloadTooLargeError,
    422: UnprocessableEntityError,
    429: RateLimitError,
}

_REQUEST_ID_HEADERS = ("x-request-id", "request-id", "x-correlation-id", "x-amzn-requestid", "cf-ray")


def status_error_class(status: int) -> type[APIStatusError]:
    """The class for an error status."""
    return _BY_STATUS.get(status) or (ServerError if status >= 500 else APIStatusError)  # noqa: PLR2004


def find_request_id(headers: Mapping[str, str]) -> str | None:
    """The server's id of a request, out of headers by lower-case name."""
    return next((headers[name] for name in _REQUEST_ID_HEADERS if name in headers), None)
