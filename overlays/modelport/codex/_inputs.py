"""Checks of plain arguments: each gives the value as the wire wants it, or says what is wrong and what to do."""

from __future__ import annotations

import contextlib
import datetime as dt
import re
from typing import TYPE_CHECKING, Literal, TypeAlias

from modelport.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "Day",
    "check_choice",
    "check_day",
    "check_experiment_name",
    "check_function",
    "check_group",
    "check_group_token",
    "check_hash",
    "check_input_type",
    "check_model_type",
    "check_name",
    "check_new_group",
    "check_operation",
    "check_python_version",
    "check_url",
    "day_range",
]

Day: TypeAlias = "dt.date | str"

DEFAULT_LOG_DAYS = 7
_PYTHON_VERSIONS = {"3.8": "Python38", "3.9": "Python39", "3.10": "Python310"}
_MODEL_TYPES = ("Classification", "Regression", "Unsupervised")
_INPUT_TYPES = ("json", "csv", "parquet")
_NAME_LIMIT = 31
_GROUP_LIMIT = 32
_HASH = re.compile(r"[A-Z][0-9a-f]{63}")
_GROUP = re.compile(r"[A-Za-z0-9_]+")
_EXPERIMENT = re.compile(r"[A-Za-z\u00c0-\u00ff0-9 ]{3,32}")
_HASH_KINDS = {"D": "dataset", "M": "model", "T": "training", "S": "script"}


def check_choice(value: str, what: str, choices: Iterable[str]) -> str:
    """The choice that a value means, whatever the case of its letters.

    Raises:
        InvalidInputError: It means none.
    """
    by_folded = {choice.casefold(): choice for choice in choices}
    found = by_folded.get(str(value).casefold())
    if found is None:
        raise InvalidInputError(f"{what} must be one of {', '.join(by_folded.values())}, not {value!r}")
    return found


def check_operation(value: str) -> Literal["Sync", "Async"]:
    """``Sync`` or ``Async``, written in any case."""
    return "Sync" if check_choice(value, "operation", ("Sync", "Async")) == "Sync" else "Async"


def check_model_type(value: str) -> str:
    """``Classification``, ``Regression`` or ``Unsupervised``, written in any case."""
    return check_choice(value, "model_type", _MODEL_TYPES)


def check_input_type(value: str | None, operation: str) -> str:
    """The input type of a model; by default json for Sync and csv for Async.

    Raises:
        InvalidInputError: There is no such type, or a Sync model is to take something other than json.
    """
    if value is None:
        return "json" if operation == "Sync" else "csv"
    chosen = check_choice(value, "input_type", _INPUT_TYPES)
    if operation == "Sync" and chosen != "json":
        raise InvalidInputError(f"a Sync model takes json, not {chosen}: leave input_type out, or deploy it as Async")
    return chosen


def check_python_version(value: str | float) -> str:
    """``Python310`` for ``3.10``.

    Raises:
        InvalidInputError: The platform has no such Python; a number is refused, since 3.10 as a number is 3.1.
    """
    if not isinstance(value, str):
        raise InvalidInputError(f"python_version must be text such as '3.10', not the number {value!r}")
    text = value.strip()
    if text in _PYTHON_VERSIONS:
        return _PYTHON_VERSIONS[text]
    if text in _PYTHON_VERSIONS.values():
        return text
    raise InvalidInputError(f"python_version must be one of {', '.join(_PYTHON_VERSIONS)}, not {value!r}")


def check_name(value: str, what: str = "name") -> str:
    """A name of 1 to 31 printable characters."""
    if not value.strip():
        raise InvalidInputError(f"{what} is empty")
    if len(value) > _NAME_LIMIT:
        raise InvalidInputError(f"{what} {value!r} has {len(value)} characters; the limit is {_NAME_LIMIT}")
    if not value.isprintable():
        raise InvalidInputError(f"{what} {value!r} holds characters that cannot be printed")
    return value


def check_experiment_name(value: str) -> str:
    """A name of 3 to 32 letters, digits and spaces."""
    if not _EXPERIMENT.fullmatch(value):
        raise InvalidInputError(f"a training's name must be 3 to 32 letters, digits and spaces, not {value!r}")
    return value


def check_new_group(value: str) -> str:
    """The name of a group to create: 1 to 32 letters without accents, digits and underscores."""
    if _GROUP.fullmatch(value) and len(value) <= _GROUP_LIMIT:
        return value
    near = re.sub(r"[^A-Za-z0-9_]+", "_", value).strip("_")[:_GROUP_LIMIT]
    hint = f"; {near!r} would do" if near else ""
    raise InvalidInputError(f"a group's name must be 1 to 32 letters, digits and underscores, not {value!r}{hint}")


def check_group(value: str) -> str:
    """The name of a group that exists; its form is the server's business."""
    if not value or not value.strip():
        raise InvalidInputError("group is empty")
    return value


def check_function(value: str, what: str) -> str:
    """The name of a function in a script."""
    if not value.isidentifier():
        raise InvalidInputError(f"{what} must be the name of a function, not {value!r}")
    return value


def check_hash(value: str, kind: Literal["D", "M", "T", "S"]) -> str:
    """A hash: a letter that says of what, and 63 hexadecimal digits.

    Scripts and monitorings are known under several letters, so for ``S`` any will do.
    """
    text = value.strip()
    what = _HASH_KINDS[kind]
    if not _HASH.fullmatch(text):
        raise InvalidInputError(
            f"a {what} hash is the letter {kind} and 63 hexadecimal digits, not {value!r} ({len(text)} characters)"
        )
    if kind != "S" and not text.startswith(kind):
        other = _HASH_KINDS.get(text[0], "something else")
        raise InvalidInputError(f"{text[:8]}... is the hash of a {other}; a {what} hash begins with {kind}")
    return text


def check_group_token(token: str) -> str:
    """A group token; its value stands in no message."""
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise InvalidInputError("the group token is empty or holds characters that no token has (a space, a line end?)")
    return token


def check_url(url: str) -> str:
    """The base of the API: one trailing slash goes, ``/api`` comes unless it is there.

    Raises:
        InvalidInputError: It is not an absolute http or https URL.
    """
    if not re.match(r"https?://[^/\s]", url):
        raise InvalidInputError("the URL must be absolute, such as https://codex.example.org")
    base = url.removesuffix("/")
    return base if base.endswith("/api") else f"{base}/api"


def check_day(value: Day, what: str) -> str:
    """A day as the platform writes it, dd-mm-yyyy; taken as a date, or as text in yyyy-mm-dd or dd-mm-yyyy.

    Raises:
        InvalidInputError: It is no day.
    """
    if isinstance(value, str):
        value = _day_in(value, what)
    elif isinstance(value, dt.datetime):
        value = value.date()
    return value.strftime("%d-%m-%Y")


def _day_in(text: str, what: str) -> dt.date:
    for form in ("%Y-%m-%d", "%d-%m-%Y"):
        with contextlib.suppress(ValueError):
            return dt.datetime.strptime(text, form).date()  # noqa: DTZ007 - a day has no zone
    raise InvalidInputError(f"{what} must be a date, yyyy-mm-dd or dd-mm-yyyy, not {text!r}")


def day_range(start: Day | None, end: Day | None, *, today: dt.date | None = None) -> tuple[str, str]:
    """Both ends of a range of days; by default the last seven, today included.

    Raises:
        InvalidInputError: It ends before it starts.
    """
    last = _parsed(end, "end") if end is not None else today or dt.datetime.now(dt.UTC).date()
    first = _parsed(start, "start") if start is not None else last - dt.timedelta(days=DEFAULT_LOG_DAYS - 1)
    if first > last:
        raise InvalidInputError(f"start {first} is after end {last}")
    return check_day(first, "start"), check_day(last, "end")


def _parsed(value: Day, what: str) -> dt.date:
    return dt.datetime.strptime(check_day(value, what), "%d-%m-%Y").date()  # noqa: DTZ007 - a day has no zone
