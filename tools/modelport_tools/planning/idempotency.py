"""Which operations take an idempotency key: a header by which the server knows a repeat of the same call.

The header is that of the IETF draft (draft-ietf-httpapi-idempotency-key-header) where the operation declares it, else
the one that ``x-modelport-idempotency-key`` names, on the operation or on the document.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from modelport_tools.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from modelport_tools.document import Document

EXTENSION = "x-modelport-idempotency-key"
_STANDARD = "Idempotency-Key"
_HEADER_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")


def idempotency_key(
    document: Document, operation: Document, declared: Iterable[Document], *, is_idempotent: bool
) -> str:
    """The name of the header in which an operation takes its key; empty if it takes none.

    What the operation says goes before what it declares, and that before what the document says, which holds for
    operations that are not safe to repeat by themselves.

    Args:
        document: The canonical document.
        operation: The operation in it.
        declared: Its parameters.
        is_idempotent: Whether a repeat is safe without a key.

    Raises:
        SpecError: If the extension holds no name of a header.
    """
    where = str(operation.get("operationId", ""))
    if EXTENSION in operation:
        return _name(operation[EXTENSION], where)
    standard = next((str(entry["name"]) for entry in declared if _is_header(entry, _STANDARD)), "")
    if standard or is_idempotent:
        return standard
    return _name(document.get(EXTENSION, False), "/")


def key_optional(declared: list[Document], key: str) -> list[Document]:
    """The parameters, with that of the key left to the caller: the client draws one."""
    return [{**entry, "required": False} if key and _is_header(entry, key) else entry for entry in declared]


def _is_header(entry: Document, name: str) -> bool:
    return entry["in"] == "header" and str(entry["name"]).lower() == name.lower()


def _name(value: object, where: str) -> str:
    if value is False:  # an operation that is left out of what the document says
        return ""
    if not isinstance(value, str) or not _HEADER_NAME.fullmatch(value):
        raise SpecError(f"{EXTENSION} must be the name of a header, or false, not {value!r}", pointer=where)
    return value
