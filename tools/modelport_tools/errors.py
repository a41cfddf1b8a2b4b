"""What can be wrong with a document, a patch, or a place to generate into."""

from __future__ import annotations


class SpecError(ValueError):
    """A document that cannot be used; says where and why in one sentence.

    Args:
        reason: What is wrong, and what to do where that is not plain.
        source: The file.
        pointer: The place in the document, as a JSON pointer.
        line: The line of the file, counted from 1.
    """

    def __init__(self, reason: str, *, source: object = None, pointer: str = "", line: int | None = None) -> None:
        self.reason = reason
        self.source = str(source) if source is not None else ""
        self.pointer = pointer
        self.line = line
        place = self.source + (f":{line}" if line else "")
        super().__init__(": ".join(part for part in (place, pointer, reason) if part))


class OutputError(SpecError):
    """A folder that cannot be generated into; it was left as it is."""
