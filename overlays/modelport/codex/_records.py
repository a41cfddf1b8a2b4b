"""Small values that the face gives beside the generated models, and how they are read."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from modelport.errors import APIProtocolError, ModelportError
from modelport_api.codex.v1 import UNSET, Unset

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = ["GroupToken", "execution_number", "given", "known", "told_of"]

T = TypeVar("T")

_QUOTED_NUMBER = re.compile(r"""['"`](\d+)['"`]""")
_NUMBER = re.compile(r"\b(\d+)\b")


@dataclass(frozen=True)
class GroupToken:
    """The token of a group, which opens predictions; the server shows it this once.

    Attributes:
        group: The group it belongs to.
        token: The secret itself; it is in no repr.
    """

    group: str
    token: str = field(repr=False)


def known(value: T | Unset | None) -> T | None:
    """A value of a generated model, None where the server gave none."""
    return None if isinstance(value, Unset) else value


def given(value: T | None) -> T | Unset:
    """An argument as a generated model takes it: absent where it is None."""
    return UNSET if value is None else value


def execution_number(record: Any) -> int:
    """The number of an execution that the server tells in words only.

    Raises:
        APIProtocolError: There is no number in them.
    """
    message = str(record.message)
    found = _QUOTED_NUMBER.search(message) or _NUMBER.search(message)
    if found is None:
        raise APIProtocolError(f"the server named no execution in its answer {message!r}")
    return int(found[1])


@contextmanager
def told_of(what: str) -> Generator[None]:
    """Add to an error what was done on the server before it, so that nothing is lost."""
    try:
        yield
    except ModelportError as error:
        error.add_note(what)
        raise
