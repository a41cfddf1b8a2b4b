"""Every error that modelport raises on purpose, in one tree.

```
ModelportError                       root; the same class as modelport_api.errors.APIError
├── ClientConfigError                (ValueError) and below it MissingCredentialsError: nothing was sent
├── EncodeError                      (ValueError) a value that cannot be put on the wire
├── APIConnectionError, APITimeoutError, APIProtocolError > DecodeError, PaginationError
├── APIStatusError                   BadRequestError, AuthenticationError, NotFoundError, GoneError, ServerError, ...
├── InvalidInputError                (ValueError) what you gave is wrong; seen before anything was sent
│   ├── ConfigError                  a profile, an environment variable or a missing setting
│   └── PipelineError                a pipeline file; names everything that is wrong with it: .problems
├── WorkError                        work on the server: .subject .operation_id .state
│   ├── OperationFailedError         it ended badly: .server_message
│   ├── WaitTimeoutError             (TimeoutError) it goes on; .operation_id to resume from
│   └── NotReadyError                a result was asked for before it is there
├── DownloadError                    (OSError) nothing was written to where you asked; an older file is still there
└── UnsafeArchiveError               (ValueError) an archive that would write elsewhere, or without end
MissingExtraError                    (ImportError) an optional package is not installed; names the extra
```

The first five lines, and `WorkError`, are explained in `modelport_api.errors`.
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
    OperationFailedError,
    PaginationError,
    PayloadTooLargeError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
    UnprocessableEntityError,
    WaitTimeoutError,
    WorkError,
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
    "PaginationError",
    "PayloadTooLargeError",
    "PermissionDeniedError",
    "PipelineError",
    "RateLimitError",
    "ServerError",
    "UnprocessableEntityError",
    "UnsafeArchiveError",
    "WaitTimeoutError",
    "WorkError",
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


class NotReadyError(WorkError):
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
