"""Where findings are written down: one page for each pair of schemas, so that none is judged twice."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

Key = tuple[str, str, str]
"""The direction and the two schemas that are compared."""


@dataclass(frozen=True, eq=False)
class Finding:
    """A change at a path of a page."""

    kind: str
    direction: str
    path: str
    message: str
    old: Any = None
    new: Any = None


@dataclass(eq=False)
class Page:
    """What was found in a pair of schemas, and the pairs that it leads to."""

    findings: list[Finding] = field(default_factory=list[Finding])
    links: list[tuple[str, Key]] = field(default_factory=list[tuple[str, Key]])


@dataclass(eq=False)
class Root:
    """A place of an operation: its own page is where the pairs of schemas are entered from."""

    operation: str
    operation_id: str
    place: str
    page: Page = field(default_factory=Page)


@dataclass(eq=False)
class Book:
    """All pages and all places."""

    pages: dict[Key, Page] = field(default_factory=dict[Key, Page])
    roots: list[Root] = field(default_factory=list[Root])

    def root(self, operation: str, operation_id: str, place: str) -> Root:
        """A new place."""
        root = Root(operation, operation_id, place)
        self.roots.append(root)
        return root

    def reached(self, root: Root) -> Iterator[tuple[str, Finding]]:
        """Every finding of a place with its path, nearest first."""
        seen: set[Key] = set()
        waiting: deque[tuple[str, Page]] = deque([("", root.page)])
        while waiting:
            path, page = waiting.popleft()
            for finding in page.findings:
                yield path + finding.path, finding
            for step, key in page.links:
                if key not in seen:
                    seen.add(key)
                    waiting.append((path + step, self.pages[key]))
