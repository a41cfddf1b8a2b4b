"""Values of unknown shape, narrowed once so that type checkers can follow."""

from __future__ import annotations

from typing import Any, TypeGuard


def is_object(value: object) -> TypeGuard[dict[str, Any]]:
    """Whether the value is a dictionary; its keys are taken for text."""
    return isinstance(value, dict)


def is_list(value: object) -> TypeGuard[list[Any]]:
    """Whether the value is a list."""
    return isinstance(value, list)


def as_object(value: object) -> dict[str, Any] | None:
    """The value as a dictionary, or None."""
    return value if is_object(value) else None


def as_list(value: object) -> list[Any] | None:
    """The value as a list, or None."""
    return value if is_list(value) else None


def is_tuple(value: object) -> TypeGuard[tuple[Any, ...]]:
    """Whether the value is a tuple."""
    return isinstance(value, tuple)
