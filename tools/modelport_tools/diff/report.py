"""The result of a comparison: changes, each with its label, operation and place."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

_WIDEST_PLACE = 72


class Label(Enum):
    """Whom a change breaks, worst first."""

    BREAKING = "breaking"
    """Programs that speak to the server break, whatever they are written with."""
    SOURCE = "source"
    """The wire stays as it was; programs that import the generated client have to be changed."""
    ADDITIVE = "additive"
    """Programs written for the old document go on working."""
    INFO = "info"
    """Text only."""

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return list(Label).index(self)


@dataclass(frozen=True)
class Change:
    """One change.

    Attributes:
        kind: What kind of change; the kinds are listed in docs/spec-diff.md.
        label: Whom it breaks.
        direction: ``request`` or ``response``; empty where that makes no difference.
        operation: Method and path, such as ``GET /things``; empty for the document as a whole.
        operation_id: The operation's id in the old document, or in the new one if it is new.
        place: Where in the operation, in words.
        message: What changed, in words.
        old: What stood there; None if nothing did.
        new: What stands there now; None if nothing does.
        also: The other operations that the same change reaches, because they share the schema.
    """

    kind: str
    label: Label
    direction: str
    operation: str
    operation_id: str
    place: str
    message: str
    old: Any = field(default=None, hash=False)
    new: Any = field(default=None, hash=False)
    also: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The change as JSON's own types."""
        return {
            "kind": self.kind,
            "label": self.label.value,
            "direction": self.direction or None,
            "operation": self.operation or None,
            "operation_id": self.operation_id or None,
            "place": self.place,
            "message": self.message,
            "old": self.old,
            "new": self.new,
            "also": list(self.also),
        }

    @property
    def where(self) -> str:
        """The operation and the place in it, in words."""
        name = f"{self.operation} ({self.operation_id})" if self.operation_id else self.operation
        return _printable(", ".join(part for part in (name, self.place) if part) or "document")

    @property
    def what(self) -> str:
        """What changed, and how many other operations it reaches."""
        also = f" (in {len(self.also)} more operations)" if self.also else ""
        return _printable(f"{self.message}{also}")


@dataclass(frozen=True)
class DiffReport:
    """Every change between two documents, worst first."""

    changes: tuple[Change, ...] = ()

    def of(self, label: Label) -> tuple[Change, ...]:
        """The changes with this label."""
        return tuple(change for change in self.changes if change.label is label)

    @property
    def counts(self) -> dict[Label, int]:
        """How many changes bear each label."""
        return {label: len(self.of(label)) for label in Label}

    def lines(self, label: Label) -> list[str]:
        """A line for each change with this label, its parts aligned."""
        changes = self.of(label)
        width = min(max((len(change.where) for change in changes), default=0), _WIDEST_PLACE)
        return [f"{change.where:<{width}}  {change.what}" for change in changes]

    def fails(self, threshold: Label | None) -> bool:
        """Whether there is a change as bad as the threshold or worse."""
        return threshold is not None and any(change.label.rank <= threshold.rank for change in self.changes)

    def as_json(self) -> dict[str, Any]:
        """The structure that ``--json`` prints; docs/spec-diff.md describes it."""
        return {
            "counts": {label.value: count for label, count in self.counts.items()},
            "changes": [change.as_json() for change in self.changes],
        }


def _printable(text: str) -> str:
    # A document's text must not be able to drive the terminal or to break the line.
    return "".join(letter if letter.isprintable() else " " for letter in text)
