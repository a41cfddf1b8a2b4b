"""What settings must be: told where they are given, and not by a thread, a scrape or the first request."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable
from numbers import Integral, Real
from typing import TYPE_CHECKING, cast

from modelport.predictions import Sink

if TYPE_CHECKING:
    from typing import NoReturn

__all__ = [
    "check_count", "check_extractor", "check_function", "check_header", "check_path", "check_seconds", "check_text",
    "methods_of", "paths_of", "sinks_of", "statuses_of",
]  # fmt: skip

# RFC 9110, section 5.6.2: names of methods and headers.
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def check_text(setting: str, value: object) -> str:
    """`value`, which is text and not empty."""
    if not isinstance(value, str):
        _refuse(setting, "text", value)
    if not value:
        message = f"{setting} is empty"
        raise ValueError(message)
    return value


def check_count(setting: str, value: object) -> int:
    """`value`, which is a whole number from 1 on."""
    if not isinstance(value, Integral):
        _refuse(setting, "a whole number", value)
    if int(value) < 1:
        message = f"{setting} is at least 1, not {value}"
        raise ValueError(message)
    return int(value)


def check_seconds(setting: str, value: object) -> float:
    """`value`, which is a number of seconds above 0."""
    if not isinstance(value, Real):
        _refuse(setting, "a number of seconds", value)
    if not 0 < float(value) < math.inf:
        message = f"{setting} is a number of seconds above 0, not {value}"
        raise ValueError(message)
    return float(value)


def check_path(setting: str, value: object) -> str:
    """`value`, which is a path of a service."""
    path = check_text(setting, value)
    if not path.startswith("/"):
        message = f"{setting} begins with a slash, unlike {path!r}"
        raise ValueError(message)
    return path


def check_header(setting: str, value: object) -> str:
    """`value`, which can be a name of a header."""
    return _token(setting, value, "a header")


def check_function(setting: str, value: object) -> None:
    """Raise where `value` is neither None nor a function."""
    if value is not None and not callable(value):
        _refuse(setting, "a function", value)


def check_extractor(setting: str, value: object) -> None:
    """Raise where `value` is none of None, a field's name and a function."""
    if value is not None and not callable(value) and not isinstance(value, str):
        _refuse(setting, "a field's name or a function", value)


def paths_of(value: str | Collection[str]) -> list[str]:
    """Paths of predictions: one or several."""
    return [check_path("path", path) for path in ([value] if isinstance(value, str) else _some("path", value))]


def methods_of(value: Collection[str]) -> frozenset[str]:
    """Methods of predictions, in upper case."""
    return frozenset(_token("methods", method, "a method").upper() for method in _some("methods", value))


def statuses_of(value: Collection[int]) -> frozenset[int]:
    """Statuses of predictions."""
    return frozenset(check_count("statuses", status) for status in _some("statuses", value))


def sinks_of(value: object) -> tuple[Sink, ...]:
    """Sinks, if there are any."""
    wanted = "a list of sinks, such as [FileSink('log')]"
    if isinstance(value, str) or not isinstance(value, Iterable):
        _refuse("sinks", wanted, value)
    sinks = tuple(cast("Iterable[object]", value))
    for sink in sinks:
        if not isinstance(sink, Sink):
            _refuse("sinks", wanted, sink, "of ")
    return cast("tuple[Sink, ...]", sinks)


def _some(setting: str, value: object) -> Collection[object]:
    if isinstance(value, str) or not isinstance(value, Collection):
        _refuse(setting, "a list", value)
    if not value:
        message = f"{setting} is an empty list: nothing would be logged"
        raise ValueError(message)
    return cast("Collection[object]", value)


def _token(setting: str, value: object, what: str) -> str:
    text = check_text(setting, value)
    if not _TOKEN.fullmatch(text):
        message = f"{setting}: {text!r} is no name of {what}"
        raise ValueError(message)
    return text


def _refuse(setting: str, wanted: str, value: object, of: str = "") -> NoReturn:
    message = f"{setting} is {wanted}, not {of}{type(value).__name__}"
    raise TypeError(message)
