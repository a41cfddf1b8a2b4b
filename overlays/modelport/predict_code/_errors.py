"""What can go wrong between a request and its program.

PredictCodeError (ValueError)
├── InvalidRequestError
├── UnknownLanguageError
├── UnsupportedRequestError
└── SecretLeakError
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class PredictCodeError(ValueError):
    """The root of this room's errors."""


class InvalidRequestError(PredictCodeError):
    """The request cannot be what it says: `field` names the place."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem

    def __reduce__(self) -> tuple[type[InvalidRequestError], tuple[str, str]]:
        return type(self), (self.field, self.problem)


class UnknownLanguageError(PredictCodeError):
    """No program can be written in that language; `near` holds the names that look alike."""

    def __init__(self, language: str, known: Sequence[str], near: Sequence[str]) -> None:
        hint = f"did you mean {' or '.join(near)}? " if near else ""
        super().__init__(f"unknown language {language!r}: {hint}known are {', '.join(known)}")
        self.language = language
        self.known = tuple(known)
        self.near = tuple(near)

    def __reduce__(self) -> tuple[type[UnknownLanguageError], tuple[str, tuple[str, ...], tuple[str, ...]]]:
        return type(self), (self.language, self.known, self.near)


class UnsupportedRequestError(PredictCodeError):
    """This language has no program for this kind of request."""

    def __init__(self, language: str, problem: str) -> None:
        super().__init__(f"{language}: {problem}")
        self.language = language
        self.problem = problem

    def __reduce__(self) -> tuple[type[UnsupportedRequestError], tuple[str, str]]:
        return type(self), (self.language, self.problem)


class SecretLeakError(PredictCodeError):
    """A secret stands where a reader would see it; the message says where and never repeats the secret."""
