"""Enum values past openapi-python-client, which escapes them for templates of its own and loses some on the way.

It is given a copy of the document in which every text of an enum is a token; the values come back out of the tokens.
Defaults are left out of the copy: generated methods send what they are given, and a wrong one would lose its operation.
"""

from __future__ import annotations

import re
from typing import Any, cast

from modelport_tools.document import Document, is_array, is_object

_TOKEN = re.compile(r"mpt((?:[0-9a-f]{2})*)")
_MAPS = frozenset(
    {"$defs", "callbacks", "content", "definitions", "headers", "parameters", "pathItems", "paths", "patternProperties",
     "properties", "requestBodies", "responses", "schemas"}
)  # fmt: skip
"""Keys whose values are named by the document: there ``default`` or ``example`` is a name like any other."""
_DATA = frozenset({"const", "default", "example", "examples", "servers", "securitySchemes", "x-modelport-evidence"})


def prepared(document: Document) -> Document:
    """The copy for openapi-python-client."""
    return cast("Document", _copied(document, named=False))


def _copied(value: Any, *, named: bool) -> Any:
    if is_array(value):
        return [_copied(item, named=False) for item in value]
    if not is_object(value):
        return value
    copied: Document = {}
    for key, item in value.items():
        if named:
            copied[key] = _copied(item, named=False)
        elif key == "default":
            continue
        elif key in _DATA:
            copied[key] = item
        elif key in {"enum", "x-enum-varnames"} and is_array(item):
            copied[key] = [_token(entry) if isinstance(entry, str) else entry for entry in item]
        else:
            copied[key] = _copied(item, named=key in _MAPS)
    return copied


def _token(value: str) -> str:
    return f"mpt{value.encode().hex()}"


def members(values: dict[str, Any]) -> tuple[tuple[str, str | int], ...]:
    """The names and values of an enum, as Python has them, out of what openapi-python-client made of it."""
    found: dict[str, str | int] = {}
    for index, (key, value) in enumerate(values.items()):
        hint = _original(key.lower())
        raw = value if isinstance(value, int) else str(_original(value) or "")
        name = key if hint is None else _name(hint.upper() if hint == raw else hint, index)
        while name in found:
            name = f"{name}_{index}"
        found[name] = raw
    return tuple(found.items())


def _original(token: str) -> str | None:
    match = _TOKEN.fullmatch(token)
    return bytes.fromhex(match[1]).decode() if match else None


def _name(hint: str, index: int) -> str:
    from openapi_python_client.strings import snake_case

    name = str(snake_case(hint)).upper() if hint[:1].isalpha() else ""
    return name if name.isidentifier() else f"VALUE_{index}"
