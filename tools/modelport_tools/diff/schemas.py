"""Rules for schemas: properties, items, unions, and the references between them."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from modelport_tools.document import is_object

from . import names, unions, values
from .book import Book, Finding, Key, Page
from .report import Label
from .rules import REQUEST, RESPONSE, label_of
from .shapes import Shape, Shapes, text_of

if TYPE_CHECKING:
    from collections.abc import Callable

_HIDDEN_FROM = {REQUEST: "readOnly", RESPONSE: "writeOnly"}


class Schemas:
    """Compares schemas of two documents, every pair once for each direction."""

    def __init__(self, old: Shapes, new: Shapes, book: Book) -> None:
        """Write into this book."""
        self.old, self.new, self.book = old, new, book
        self.renamed: dict[str, str] = {}
        self._waiting: deque[Callable[[], None]] = deque()

    def compare(self, page: Page, direction: str, path: str, old: Any, new: Any) -> None:
        """Note on the page what changed between two schemas and in all that they lead to."""
        self._compare(page, direction, path, old, new)
        while self._waiting:
            self._waiting.popleft()()

    def default(self, page: Page, direction: str, path: str, old: Any, new: Any) -> None:
        """Note a default that changed, where leaving the value out is allowed."""
        before, after = self.old.of(old).rest, self.new.of(new).rest
        if text_of(before.get("default")) == text_of(after.get("default")):
            return
        change = ("added", "removed", "changed")
        kind = change[0 if "default" not in before else 1 if "default" not in after else 2]
        message = f"the default {_text_or_none(before)} is now {_text_or_none(after)}"
        found = (before.get("default"), after.get("default"))
        page.findings.append(Finding(f"default-{kind}", direction, path, message, *found))

    def _compare(self, page: Page, direction: str, path: str, old: Any, new: Any) -> None:
        if not is_object(old) and old == new:
            return
        self._name(page, path, old, new)
        keys = self.old.key(old), self.new.key(new)
        if not any(keys):
            self._judge(page, direction, path, old, new)
            return
        key: Key = (direction, keys[0] or text_of(old), keys[1] or text_of(new))
        page.links.append((path, key))
        if key not in self.book.pages:
            entered = self.book.pages[key] = Page()
            self._waiting.append(lambda: self._judge(entered, direction, "", old, new))

    def _name(self, page: Page, path: str, old: Any, new: Any) -> None:
        """Note a class that bears another name; once, wherever it is used."""
        before, after = names.model_of(old), names.model_of(new)
        if before == after or self.renamed.get(before or path) == after:
            return
        if not (self.old.of(old).makes_class and self.new.of(new).makes_class):
            return
        self.renamed[before or path] = after
        old_name, new_name = before or "named by its place", after or "named by its place"
        message = f"the model {old_name} is now {new_name}"
        page.findings.append(Finding("model-renamed", "", path, message, before or None, after or None))

    def _judge(self, page: Page, direction: str, path: str, old: Any, new: Any) -> None:
        before, after = self.old.of(old), self.new.of(new)
        if unions.is_compared_alone(before, after):
            self._union(page, direction, path, old, new)
            return
        self._values(page, direction, path, before, after)
        if before.union or after.union:
            self._union(page, direction, path, old, new)
        if before.is_free != after.is_free:
            return  # the type says all: a schema that says nothing has no properties to lose
        if "object" in before.types & after.types:
            self._object(page, direction, path, before, after)
        if "array" in before.types & after.types:
            self._array(page, direction, path, before, after)

    def _values(self, page: Page, direction: str, path: str, old: Shape, new: Shape) -> None:
        notes = list(values.notes(old, new))
        retyped = any(note[0] == "format-retyped" for note in notes)
        for kind, *note in notes:
            # A format with a type of its own is one change: the worse of what it does on the wire and in Python.
            is_format = retyped and kind.startswith("format-")
            breaks = any(label_of(other[0], direction) is Label.BREAKING for other in notes if "format-" in other[0])
            if is_format and (kind == "format-retyped") == breaks:
                continue
            page.findings.append(Finding(kind, direction, path, str(note[0]), *note[1:]))

    def _array(self, page: Page, direction: str, path: str, old: Shape, new: Shape) -> None:
        self._compare(page, direction, f"{path}[]", old.items, new.items)
        for index in range(max(len(old.prefix), len(new.prefix))):
            before = old.prefix[index] if index < len(old.prefix) else old.items
            after = new.prefix[index] if index < len(new.prefix) else new.items
            self._compare(page, direction, f"{path}[{index}]", before, after)

    def _object(self, page: Page, direction: str, path: str, old: Shape, new: Shape) -> None:
        attributes = names.fields(old.properties), names.fields(new.properties)
        for name in sorted(self._named(old) | self._named(new)):
            where = f"{path}.{name}" if name.isidentifier() else f"{path}[{text_of(name)}]"
            if name not in self._named(new):
                self._gone(page, direction, where, name, old)
            elif name not in self._named(old):
                self._come(page, direction, where, name, new)
            else:
                self._kept(page, direction, where, name, (old, new))
                ours, theirs = (side.get(name, "") for side in attributes)
                if ours and theirs and ours != theirs:
                    message = f"the attribute {ours} is now {theirs}"
                    page.findings.append(Finding("property-renamed", "", where, message, ours, theirs))
        for pattern in sorted(old.patterns.keys() | new.patterns.keys()):
            self._pattern(page, direction, f"{path}[/{pattern}/]", pattern, (old, new))
        self._others(page, direction, path, old, new)

    def _named(self, shape: Shape) -> frozenset[str]:
        return frozenset(shape.properties) | shape.required

    def _flags(self, shapes: Shapes, shape: Shape, name: str, direction: str) -> tuple[bool, bool]:
        """Whether a property must be there, and whether it never goes in this direction."""
        hidden = shapes.of(shape.properties.get(name, True)).rest.get(_HIDDEN_FROM[direction]) is True
        return name in shape.required, hidden

    def _gone(self, page: Page, direction: str, path: str, name: str, old: Shape) -> None:
        required, hidden = self._flags(self.old, old, name, direction)
        kind = "argument-removed" if hidden else "property-removed"
        message = f"the {'required' if required else 'optional'} property {name!r} is gone"
        page.findings.append(Finding(kind, direction, path, message, name))

    def _come(self, page: Page, direction: str, path: str, name: str, new: Shape) -> None:
        required, hidden = self._flags(self.new, new, name, direction)
        kind = f"property-added-{'required' if required and not hidden else 'optional'}"
        if hidden and required and direction == REQUEST:
            kind = "argument-added"  # the generated model asks for it though it is never sent
        message = f"the {'required' if required else 'optional'} property {name!r} is new"
        page.findings.append(Finding(kind, direction, path, message, None, name))

    def _kept(self, page: Page, direction: str, path: str, name: str, shapes: tuple[Shape, Shape]) -> None:
        old, new = shapes
        before, after = old.properties.get(name, True), new.properties.get(name, True)
        (required, hidden), (now_required, now_hidden) = (
            self._flags(self.old, old, name, direction),
            self._flags(self.new, new, name, direction),
        )
        if hidden != now_hidden:
            kind = "property-withdrawn" if now_hidden else "property-opened"
            message = f"{_HIDDEN_FROM[direction]} is {hidden} before and {now_hidden} now".lower()
            page.findings.append(Finding(kind, direction, path, message, hidden, now_hidden))
        elif required != now_required:
            kind = "property-required" if now_required else "property-optional"
            if now_hidden:
                kind = "argument-added" if now_required and direction == REQUEST else "text-changed"
            message = f"the property {name!r} is now {'required' if now_required else 'optional'}"
            page.findings.append(Finding(kind, direction, path, message, required, now_required))
        elif not required:
            self.default(page, direction, path, before, after)
        other = _HIDDEN_FROM[RESPONSE if direction == REQUEST else REQUEST]
        marked = self.old.of(before).rest.get(other) is True, self.new.of(after).rest.get(other) is True
        if marked[0] != marked[1]:
            message = f"{other} changed, which means nothing in a {direction}"
            page.findings.append(Finding("text-changed", direction, path, message, *marked))
        if not (hidden and now_hidden):
            self._compare(page, direction, path, before, after)

    def _pattern(self, page: Page, direction: str, path: str, pattern: str, shapes: tuple[Shape, Shape]) -> None:
        old, new = (shape.patterns for shape in shapes)
        if pattern in old and pattern in new:
            self._compare(page, direction, path, old[pattern], new[pattern])
        elif pattern in old:
            message = f"properties like {pattern!r} are gone"
            page.findings.append(Finding("property-removed", direction, path, message, pattern))
        else:
            message = f"properties like {pattern!r} are new"
            page.findings.append(Finding("property-added-optional", direction, path, message, None, pattern))

    def _others(self, page: Page, direction: str, path: str, old: Shape, new: Shape) -> None:
        """Properties that are not declared by name."""
        before, after = old.additional, new.additional
        if (before is False) == (after is False):
            if before is not False:
                self._compare(page, direction, f"{path}.*", before, after)
            return
        if before is False:
            kind, message = "properties-opened", "other properties are allowed now"
        elif is_object(before):
            kind, message = "map-closed", "the values of other names are gone"
        else:
            kind, message = "properties-closed", "other properties are no longer allowed"
        page.findings.append(Finding(kind, direction, f"{path}.*", message, before, after))

    def _union(self, page: Page, direction: str, path: str, old: Any, new: Any) -> None:
        before, after = self.old.of(old), self.new.of(new)
        alone = unions.is_compared_alone(before, after)
        found = unions.compare((self.old, old), (self.new, new), alone=alone)
        for kind, message, *shown in found.notes:
            page.findings.append(Finding(kind, direction, path, str(message), *shown))
        for name, one, other in found.pairs:
            self._compare(page, direction, f"{path}<{name}>", one, other)


def _text_or_none(rest: dict[str, Any]) -> str:
    return text_of(rest["default"]) if "default" in rest else "none"
