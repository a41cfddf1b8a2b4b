"""JSON, and nothing that only looks like it: no key twice, no NaN; and where something stands in its text."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from .errors import SpecError
from .pointers import step_text, steps_of

if TYPE_CHECKING:
    from collections.abc import Iterator

_SPACE = re.compile(r"[ \t\n\r]*")
_PLAIN = json.JSONDecoder(parse_int=lambda _: 0)


def parse(content: str) -> Any:
    """The value of a JSON text.

    Raises:
        SpecError: If it is not JSON; with line and, where there is one, pointer.
    """
    try:
        return _STRICT.decode(content)
    except json.JSONDecodeError as error:
        raise SpecError(f"is not JSON: {error.msg}", line=error.lineno) from error
    except RecursionError:
        raise SpecError("is nested too deeply") from None
    except ValueError as error:  # a fault in a value, or an integer longer than Python reads
        reason = error.reason if isinstance(error, SpecError) else f"holds a value that cannot be read: {error}"
        try:
            pointer, start = _fault(content)
        except RecursionError:
            pointer, start = "", 0
        raise SpecError(reason, pointer=pointer, line=_line(content, start)) from None


def line_of(content: str, pointer: str) -> int | None:
    """The line of the key or item that a pointer names, or of the nearest above it; None if not even its first step."""
    steps = steps_of(pointer)
    start = _space(content, 0)
    found = None if steps else start
    try:
        for step in steps:
            place, start = next((place, value) for key, place, value in _entries(content, start) if key == step)
            found = place
    except (StopIteration, ValueError, IndexError, RecursionError):
        pass
    return None if found is None else _line(content, found)


def finite(text: str) -> float:
    """A number with a fraction or an exponent.

    Raises:
        SpecError: If it is too large for one.
    """
    value = float(text)
    if value in {float("inf"), float("-inf")}:
        raise SpecError(f"the number {text[:40]} is out of range")
    return value


def _no_number(text: str) -> float:
    raise SpecError(f"{text} is no number of JSON")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        counts = Counter(key for key, _ in pairs)
        key = next(key for key, count in counts.items() if count > 1)
        raise SpecError(f"the key {key!r} stands twice")
    return values


_STRICT = json.JSONDecoder(object_pairs_hook=_unique, parse_float=finite, parse_constant=_no_number)


def _fault(content: str) -> tuple[str, int]:
    """Pointer and place of the innermost value that the strict decoder does not take."""
    pointer, place, start = "", 0, _space(content, 0)
    while True:
        seen: set[str] = set()
        for key, at, value in _entries(content, start):
            if key in seen:
                return f"{pointer}/{step_text(key)}", at
            seen.add(key)
            try:
                _STRICT.raw_decode(content, value)
            except ValueError:
                pointer, place, start = f"{pointer}/{step_text(key)}", at, value
                break
        else:
            return pointer, place


def _entries(content: str, start: int) -> Iterator[tuple[str, int, int]]:
    """Of the object or list that begins there: each key or index, where it stands, where its value begins."""
    if content[start] not in "{[":
        return
    at, index = _space(content, start + 1), 0
    while content[at] not in "}]":
        key, place = str(index), at
        if content[start] == "{":
            key, at = _PLAIN.raw_decode(content, at)
            at = _space(content, _space(content, at) + 1)
        yield key, place, at
        at = _space(content, _PLAIN.raw_decode(content, at)[1])
        at = _space(content, at + 1) if content[at] == "," else at
        index += 1


def _space(content: str, start: int) -> int:
    """Where the white space that begins there ends."""
    match = _SPACE.match(content, start)
    return match.end() if match else start


def _line(content: str, place: int) -> int:
    return content.count("\n", 0, place) + 1
