"""JSON pointers (RFC 6901), and how large a document may be."""

from __future__ import annotations

MAX_SIZE_BYTES = 32 * 1024 * 1024
MAX_VALUES = 2_000_000
"""A document with more values than this, once its aliases are written out, is taken for an alias bomb."""
MAX_DEPTH = 200


def step_text(step: str) -> str:
    """A key as a step of a JSON pointer."""
    return step.replace("~", "~0").replace("/", "~1")


def steps_of(pointer: str) -> list[str]:
    """The keys that a JSON pointer goes through; none for the whole document."""
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]
