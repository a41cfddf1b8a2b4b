"""Text and names out of what openapi-python-client parsed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable


def text(value: Any) -> str:
    """The text behind the wrapper that openapi-python-client puts around text of a document."""
    return str(value.get_untrusted_value()) if hasattr(value, "get_untrusted_value") else str(value or "")


def identifier(text: str) -> str:
    """The text as a name of Python, in snake case."""
    from openapi_python_client.schema.untrusted_string import UntrustedString
    from openapi_python_client.strings import PythonIdentifier

    return str(PythonIdentifier(UntrustedString(text), "tag"))


def unused(name: str, taken: Iterable[str]) -> str:
    """The name, with underscores behind it for as long as it is taken."""
    occupied = set(taken)
    while name in occupied:
        name += "_"
    return name


def words(annotations: Iterable[str]) -> set[str]:
    """Every name that stands in annotations."""
    return {word for text in annotations for word in re.findall(r"\w+", text)}
