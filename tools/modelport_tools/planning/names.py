"""Names of Python out of names of a document: the words are those of openapi-python-client, the clashes are ours."""

from __future__ import annotations

import keyword
import re
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

RESERVED_CLASSES = frozenset(
    {"Any", "AsyncPages", "AsyncRawItemsMethod", "AsyncRawMethod", "AsyncResource", "AsyncStream",
     "AsyncStreamMethod", "Chosen", "ClassVar", "Encoding", "File", "Iterable", "Literal", "OnProgress",
     "OpenIntEnum", "OpenStrEnum", "Operation", "Pages", "Parameter", "RawItemsMethod", "RawMethod",
     "RequestOptions", "Resource", "ServerSentEvent", "Stream", "StreamMethod", "TYPE_CHECKING", "UNSET", "UUID",
     "Unpack", "Unset", "Uuid"}
)  # fmt: skip
"""Names that generated modules use themselves: a schema of such a name gets the suffix ``Model``."""


@cache
def identifier(text: str, prefix: str = "tag", *, verbatim: bool = False) -> str:
    """The text as a name of Python: in snake case, or as near to its own spelling as may be."""
    from openapi_python_client.strings import PythonIdentifier

    return str(PythonIdentifier(text, prefix, skip_snake_case=verbatim))


@cache
def class_name(text: str) -> str:
    """The text as the name of a class, whatever else bears it."""
    from openapi_python_client.strings import ClassName

    name = str(ClassName(text.rsplit("/", 1)[-1], "field_"))
    return f"{name}Model" if name in RESERVED_CLASSES else name


@cache
def pascal(text: str) -> str:
    """The words of a text in pascal case, to be a part of a name."""
    from openapi_python_client.strings import pascal_case

    return str(pascal_case(text))


def attributes(names: Iterable[str]) -> dict[str, str]:
    """The attribute of each property; those that would clash keep their own spelling, or get a number."""
    wanted = list(names)
    made = {name: identifier(name, "field_") for name in wanted}
    count = Counter(made.values())
    made = {name: identifier(name, "field_", verbatim=True) if count[text] > 1 else text for name, text in made.items()}
    return numbered(made)


def numbered(made: dict[str, str]) -> dict[str, str]:
    """The same names, with a number behind those that another one before them bears."""
    taken = set(made.values())
    used: set[str] = set()
    given: dict[str, str] = {}
    for key, text in made.items():
        chosen, number = text, 2
        while chosen in used or (chosen != text and chosen in taken):
            chosen, number = f"{text}_{number}", number + 1
        used.add(chosen)
        given[key] = chosen
    return given


def unused(name: str, taken: Iterable[str]) -> str:
    """The name, with underscores behind it for as long as it is taken."""
    occupied = set(taken)
    while name in occupied:
        name += "_"
    return name


def is_name(text: str) -> bool:
    """Whether a text can stand as a name in Python."""
    return text.isidentifier() and not keyword.iskeyword(text)


def words(annotations: Iterable[str]) -> set[str]:
    """Every name that stands in annotations."""
    return {word for text in annotations for word in re.findall(r"\w+", text)}
