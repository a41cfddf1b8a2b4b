"""How text becomes a literal, one function per language and kind of literal.

Every literal chosen here has no interpolation at all, so request data can never be run as code: single quotes in the
shell, plain (not f- or template) strings in Python and JavaScript.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from typing import Any

import attrs

_SHORT_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_BMP_END = 0xFFFF
_JQ_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Code(str):
    """Text that stands in the target's own syntax; only escape functions make it."""

    __slots__ = ()


@attrs.frozen(kw_only=True, eq=False)
class Dialect:
    """The escape functions of one language, by the name that its templates call them."""

    name: str
    filters: Mapping[str, Callable[[Any], Code]]


def comment(value: str) -> Code:
    """One line of comment: whatever could end the line, or turn its direction, becomes a space."""
    shown = "".join(char if char.isprintable() else " " for char in value)
    return Code(" ".join(shown.split()))


def name(value: str) -> Code:
    """An identifier, such as an environment variable's name."""
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", value):
        message = f"{value!r} is not an identifier"
        raise ValueError(message)
    return Code(value)


def number(value: float) -> Code:
    """A number literal; a whole float loses its `.0`."""
    return Code(repr(int(value)) if value == int(value) else repr(float(value)))


def whole(value: float) -> Code:
    """A whole number, rounded up, for languages that count in integers."""
    return Code(str(max(1, math.ceil(value))))


def python_text(value: str) -> Code:
    """A Python string literal in double quotes."""
    return Code(f'"{"".join(_python_char(char) for char in value)}"')


def _python_char(char: str) -> str:
    if char in _SHORT_ESCAPES:
        return _SHORT_ESCAPES[char]
    if char.isprintable():
        return char
    code = ord(char)
    return f"\\u{code:04x}" if code <= _BMP_END else f"\\U{code:08x}"


def python_block(value: str) -> Code:
    """A Python literal for a text of many lines: triple-quoted where that changes nothing, else line by line."""
    if "\n" not in value:
        return python_text(value)
    if _keeps_in_triple_quotes(value):
        prefix = "r" if "\\" in value else ""
        return Code(f'{prefix}"""{value}"""')
    lines = "\n".join(f"    {python_text(line)}" for line in value.splitlines(keepends=True))
    return Code(f"(\n{lines}\n)")


def _keeps_in_triple_quotes(value: str) -> bool:
    plain = all(char.isprintable() or char in "\n\t" for char in value)
    return plain and '"""' not in value and not value.startswith('"') and not value.endswith(('"', "\\"))


def javascript_text(value: str) -> Code:
    """A JavaScript string literal in double quotes."""
    return Code(f'"{"".join(_javascript_char(char) for char in value)}"')


def _javascript_char(char: str) -> str:
    if char in _SHORT_ESCAPES:
        return _SHORT_ESCAPES[char]
    if char.isprintable():
        return char
    code = ord(char)
    return f"\\u{code:04x}" if code <= _BMP_END else f"\\u{{{code:x}}}"


def javascript_block(value: str) -> Code:
    """A JavaScript expression for a text of many lines: one single-quoted string per line, joined.

    It begins with the space or line break that sets it off from what stands before.
    """
    if "\n" not in value:
        return Code(f" {_javascript_single(value)}")
    lines = [f"\n  {_javascript_single(line)}" for line in value.splitlines(keepends=True)]
    return Code(" +".join(lines))


def _javascript_single(value: str) -> Code:
    # Single quotes, because JSON is full of double ones.
    escaped = "".join('"' if char == '"' else "\\'" if char == "'" else _javascript_char(char) for char in value)
    return Code(f"'{escaped}'")


def shell_text(value: str) -> Code:
    """A bash word in single quotes; what no eye could see goes in as ANSI-C bytes, which have no expansion either."""
    return Code("'" + "".join(_shell_char(char) for char in value) + "'")


def _shell_char(char: str) -> str:
    if char == "'":
        return "'\\''"
    if char.isprintable() or char in "\n\t":
        return char
    return "'$'" + "".join(f"\\x{byte:02x}" for byte in char.encode()) + "''"


def shell_header(pair: tuple[str, str]) -> Code:
    """A header as curl's `--header` takes it."""
    return shell_text(f"{pair[0]}: {pair[1]}")


def jq_path(path: tuple[str, ...]) -> Code:
    """A jq filter that finds a place in an answer, quoted for the shell."""
    plain = all(_JQ_NAME.fullmatch(part) for part in path)
    steps = "".join(f".{part}" for part in path) if plain else "." + "".join(f"[{json.dumps(part)}]" for part in path)
    return shell_text(steps)


PYTHON = Dialect(
    name="python",
    filters={"text": python_text, "block": python_block, "comment": comment, "name": name, "number": number},
)
JAVASCRIPT = Dialect(
    name="javascript",
    filters={"text": javascript_text, "block": javascript_block, "comment": comment, "name": name, "number": number},
)
SHELL = Dialect(
    name="shell",
    filters={
        "text": shell_text,
        "block": shell_text,
        "comment": comment,
        "name": name,
        "number": whole,
        "count": number,
        "jq": jq_path,
        "header": shell_header,
    },
)
