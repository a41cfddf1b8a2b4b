"""JSON of unknown shape, narrowed once so that type checkers can follow."""

from __future__ import annotations

from typing import Any, cast


def as_object(value: object) -> dict[str, Any] | None:
    """The value as a JSON object, or None."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def as_list(value: object) -> list[Any] | None:
    """The value as a JSON array, or None."""
    return cast("list[Any]", value) if isinstance(value, list) else None


def as_names(value: object) -> list[str] | None:
    """The value as a list of text with at least one entry, or None."""
    found = as_list(value)
    return [*map(str, found)] if found and all(isinstance(entry, str) for entry in found) else None
