"""The names of the members of enums."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelport_tools.document import is_array

from .names import numbered

if TYPE_CHECKING:
    from collections.abc import Sequence


def members(values: Sequence[str | int], hints: Any = None) -> tuple[tuple[str, str | int], ...]:
    """The names and values of an enum, as Python has them.

    Args:
        values: The values; all texts or all integers.
        hints: What the document itself calls them, if it does (``x-enum-varnames``).
    """
    distinct = list(dict.fromkeys(values))
    told = is_array(hints) and len(hints) == len(values) == len(distinct)
    texts = [str(hint) for hint in hints] if told else [_told(value) for value in distinct]
    made = {str(index): _name(text, index) for index, text in enumerate(texts)}
    return tuple(zip(numbered(made).values(), distinct, strict=True))


def _told(value: str | int) -> str:
    if isinstance(value, str):
        return value.upper()
    return f"VALUE_NEGATIVE_{-value}" if value < 0 else f"VALUE_{value}"


def _name(hint: str, index: int) -> str:
    from openapi_python_client.strings import snake_case

    name = str(snake_case(hint)).upper() if hint[:1].isalpha() else ""
    return name if name.isidentifier() else f"VALUE_{index}"
