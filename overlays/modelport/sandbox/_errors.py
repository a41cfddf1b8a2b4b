"""The refusals a handler may raise; the platform turns them into its own error body."""

from __future__ import annotations


class ApiError(Exception):
    """An answer that is not a success: `status`, a `kind` word for the body and a message for the reader."""

    status = 500
    kind = "UnexpectedError"

    def __init__(self, message: str, *, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.headers = headers or {}


class BadRequestError(ApiError):
    """The request breaks the specification or names something unusable."""

    status, kind = 400, "InputError"


class UnauthorizedError(ApiError):
    """No token, a wrong one or an expired one."""

    status, kind = 401, "AuthenticationError"


class NotFoundError(ApiError):
    """Nothing of that name, or not for this caller."""

    status, kind = 404, "NotFoundError"


class MethodNotAllowedError(ApiError):
    """The path exists, this method on it does not."""

    status, kind = 405, "MethodNotAllowedError"


class ConflictError(ApiError):
    """The thing exists already or is in a state that forbids the step."""

    status, kind = 409, "ConflictError"


class GoneError(ApiError):
    """It was there and is not available any more."""

    status, kind = 410, "GoneError"


class TooLargeError(ApiError):
    """The body passes the upload limit."""

    status, kind = 413, "PayloadTooLargeError"


class ScriptError(ApiError):
    """The user's own script failed; the message carries its traceback without server paths."""

    status, kind = 500, "ScriptError"
