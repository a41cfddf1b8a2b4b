"""Every error that modelport raises on purpose, in one tree.

```
ModelportError                       root; the same class as modelport_api.errors.APIError
├── ClientConfigError                (ValueError) and below it MissingCredentialsError: nothing was sent
├── EncodeError                      (ValueError) a value that cannot be put on the wire
├── APIConnectionError, APITimeoutError, APIProtocolError > DecodeError
├── APIStatusError                   BadRequestError, AuthenticationError, NotFoundError, GoneError, ServerError, ...
├── InvalidInputError                (ValueError) what you gave is wrong; seen before anything was sent
│   ├── ConfigError                  a profile, an environment variable or a missing setting
│   └── PipelineError                a pipeline file; names everything that is wrong with it: .problems
├── OperationFailedError             work on the server ended badly: .server_message .state .operation_id
├── WaitTimeoutError                 (TimeoutError) the work goes on; .operation_id to resume from
├── NotReadyError                    a result was asked for before it is there: .state .operation_id
├── DownloadError                    (OSError) nothing was written to where you asked; an older file is still there
└── UnsafeArchiveError               (ValueError) an archive that would write elsewhere, or without end
MissingExtraError                    (ImportError) an optional package is not installed; names the extra
```

The first five lines are explained in `modelport_api.errors`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelport._extras import MissingExtraError
from modelport_api.errors import (
    APIConnectionError,
    APIError,
    APIProtocolError,
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    ClientConfigError,
    ConflictError,
    DecodeError,
    EncodeError,
    GoneError,
    MissingCredentialsError,
    NotFoundError,
    PayloadTooLargeError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
    UnprocessableEntityError,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "APIConnectionError",
    "APIError",
    "APIProtocolError",
    "APIStatusError",
    "APITimeoutError",
    "AuthenticationError",
    "BadRequestError",
    "ClientConfigError",
    "ConfigError",
    "ConflictError",
    "DecodeError",
    "DownloadError",
    "EncodeError",
    "GoneError",
    "InvalidInputError",
    "MissingCredentialsError",
    "MissingExtraError",
    "ModelportError",
    "NotFoundError",
    "NotReadyError",
    "OperationFailedError",
    "PayloadTooLargeError",
    "PermissionDeniedError",
    "PipelineError",
    "RateLimitError",
    "ServerError",
    "UnprocessableEntityError",
    "UnsafeArchiveError",
    "WaitTimeoutError",
]

ModelportError = APIError


class InvalidInputError(ModelportError, ValueError):
    """An argument, file or setting that cannot work; nothing was sent."""


class ConfigError(InvalidInputError):
    """A profile or environment variable that is wrong, or a setting that is missing."""


class PipelineError(InvalidInputError):
    """A pipeline file that cannot be run; nothing was sent.

    Attributes:
        problems: Everything that is wrong with it, one sentence each.
    """

    def __init__(self, source: str, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__(f"{source}: " + "; ".join(self.problems))


class _OperationError(ModelportError):
    """Something about one piece of work on the server.

    Attributes:
        subject: What it is, such as ``model M7ab...``.
        operation_id: Its hash or number, to resume from in this or another process.
        state: Its state when last seen; None if it never was.
    """

    def __init__(self, message: str, *, subject: str, operation_id: str, state: str | None) -> None:
        super().__init__(message)
        self.subject = subject
        self.operation_id = operation_id
        self.state = state


class OperationFailedError(_OperationError):
    """Work on the server ended badly.

    Attributes:
        server_message: What the server says of it; may be empty.
    """

    def __init__(self, *, subject: str, operation_id: str, state: str, server_message: str | None) -> None:
        self.server_message = server_message or ""
        told = f": {self.server_message}" if self.server_message else "; the server gives no reason"
        super().__init__(f"{subject} is {state}{told}", subject=subject, operation_id=operation_id, state=state)


class WaitTimeoutError(_OperationError, TimeoutError):
    """The deadline of a wait passed; the work itself goes on.

    Attributes:
        elapsed_seconds: How long the wait took.
    """

    def __init__(self, *, subject: str, operation_id: str, state: str | None, elapsed_seconds: float) -> None:
        self.elapsed_seconds = elapsed_seconds
        seen = f"is still {state}" if state else "could not be reached"
        message = f"{subject} {seen} after {elapsed_seconds:.0f} s; it goes on, wait again to resume"
        super().__init__(message, subject=subject, operation_id=operation_id, state=state)


class NotReadyError(_OperationError):
    """A result was asked for before the work that makes it has ended."""

    def __init__(self, *, subject: str, operation_id: str, state: str | None) -> None:
        message = f"{subject} has no result yet (it is {state}); wait for it first"
        super().__init__(message, subject=subject, operation_id=operation_id, state=state)


class DownloadError(ModelportError, OSError):
    """A download that did not arrive whole; nothing was written to its place, an older file there is untouched.

    Attributes:
        path: Where it should have gone.
    """

    def __init__(self, message: str, *, path: str, errno: int | None = None) -> None:
        super().__init__(message)
        self.path = path
        self.errno = errno


class UnsafeArchiveError(ModelportError, ValueError):
    """An archive that would write outside its folder, make links, or unpack without end; nothing was unpacked."""
