"""JSON of unknown shape, narrowed once so that type checkers can follow."""

from __future__ import annotations

from typing import Any, TypeGuard


def is_object(value: object) -> TypeGuard[dict[str, Any]]:
    """Whether the value is a dictionary; its keys are taken for text."""
    return isinstance(value, dict)


def is_list(value: object) -> TypeGuard[list[Any]]:
    """Whether the value is a list."""
    return isinstance(value, list)


def as_object(value: object) -> dict[str, Any] | None:
    """The value as a JSON object, or None."""
    return value if is_object(value) else None


def as_list(value: object) -> list[Any] | None:
    """The value as a JSON array, or None."""
    return value if is_list(value) else None


def as_names(value: object) -> list[str] | None:
    """The value as a list of text with at least one entry, or None."""
    found = as_list(value)
    return [*map(str, found)] if found and all(isinstance(entry, str) for entry in found) else None
