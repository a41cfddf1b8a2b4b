"""JSON handled as text, so that no digit, no `1.0` and no `{}` is changed on its way."""

from __future__ import annotations

import json
import re
from typing import NoReturn

from modelport.predict_code._errors import InvalidRequestError

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')
_INLINE_WIDTH = 80


def check_json(text: str) -> None:
    """Refuse text that is not one JSON value in the strict sense (no NaN, no lone surrogate)."""
    try:
        json.loads(text, parse_constant=_refuse_constant)
        text.encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise InvalidRequestError("body", f"is not JSON that can be sent: {error}") from error


def _refuse_constant(name: str) -> NoReturn:
    message = f"{name} is not JSON"
    raise ValueError(message)


def indent(text: str, step: str = "  ") -> str:
    """The same JSON tokens, one member to a line; a list of scalars that fits stays on its line."""
    parts: list[str] = _TOKEN.findall(text)
    out: list[str] = []
    depth = 0
    position = 0
    while position < len(parts):
        part = parts[position]
        inline = _inline_end(parts, position)
        if inline:
            out.append(_inline(parts[position:inline]))
            position = inline
            continue
        if part in "{[":
            depth += 1
            out.append(part + "\n" + step * depth)
        elif part in "}]":
            depth -= 1
            out.append("\n" + step * depth + part)
        elif part == ",":
            out.append(",\n" + step * depth)
        else:
            out.append(": " if part == ":" else part)
        position += 1
    return "".join(out)


def _inline_end(parts: list[str], start: int) -> int:
    """Where an empty container, or a short list of scalars, ends; 0 when this is neither."""
    if parts[start] == "{":
        return start + 2 if parts[start + 1] == "}" else 0
    if parts[start] != "[":
        return 0
    width = 0
    for end in range(start + 1, len(parts)):
        if parts[end] == "]":
            return end + 1
        width += len(parts[end]) + 1
        if parts[end] in "{[" or width > _INLINE_WIDTH:
            return 0
    return 0


def _inline(parts: list[str]) -> str:
    return "".join(", " if part == "," else part for part in parts)
