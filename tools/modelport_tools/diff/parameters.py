"""Rules for parameters: which became which, where they stand, how they are written."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from modelport_tools.document import Document, is_array, is_object, resolve
from modelport_tools.errors import SpecError

from . import names
from .book import Finding
from .values import deprecation

if TYPE_CHECKING:
    from collections.abc import Callable

    from .book import Root
    from .operations import Endpoint
    from .schemas import Schemas

Key = tuple[str, str]
"""Location, and name; for a parameter of the path its rank, since its name is never sent."""

_BRACES = re.compile(r"\{([^}]*)\}")
_STYLES = {"path": "simple", "header": "simple", "query": "form", "cookie": "form"}
# What OpenAPI says to describe elsewhere.
_IGNORED_HEADERS = frozenset({"accept", "authorization", "content-type"})


def bare(path: str) -> str:
    """A path without the names in its braces, which are never sent."""
    return _BRACES.sub("{}", path)


def schema(declaration: Document) -> Any:
    """The schema of a parameter or header, also of one that is described by a media type."""
    content = declaration.get("content")
    if is_object(content) and content:
        entry = next(iter(content.values()))
        return entry.get("schema", True) if is_object(entry) else True
    return declaration.get("schema", True)


def compare(schemas: Schemas, root: Callable[[str], Root], direction: str, old: Endpoint, new: Endpoint) -> None:
    """Note what changed in the parameters of an operation."""
    before, after = _declared(old), _declared(new)
    by_rank = bare(old.path) == bare(new.path)
    ours, theirs = _keyed(before, old.path, by_rank=by_rank), _keyed(after, new.path, by_rank=by_rank)
    arguments = (
        names.arguments((*key, entry) for key, entry in before.items()),
        names.arguments((*key, entry) for key, entry in after.items()),
    )
    moved = _moved(ours, theirs)
    for key, name in ours.items():
        other = moved.get(key, key)
        page = root(f"{name[0]} parameter {name[1]!r}").page
        if other not in theirs:
            kind = "required" if before[name].get("required") is True else "optional"
            message = f"the {kind} parameter {name[1]!r} is gone"
            page.findings.append(Finding("parameter-removed", direction, "", message, name[1]))
            continue
        target = theirs[other]
        if key in moved:
            message = f"the parameter {name[1]!r} is now in the {target[0]}"
            page.findings.append(Finding("parameter-moved", direction, "", message, name[0], target[0]))
        argument, now = arguments[0][name], arguments[1][target]
        if argument != now:
            message = f"the argument {argument} is now {now}"
            page.findings.append(Finding("parameter-renamed", direction, "", message, argument, now))
        _Pair(schemas, page.findings, direction, before[name], after[target], same_place=key not in moved).compare()
        one, two = schema(before[name]), schema(after[target])
        if not (before[name].get("required") is True and after[target].get("required") is True):
            schemas.default(page, direction, "", one, two)
        schemas.compare(page, direction, "", one, two)
    for key, name in theirs.items():
        if key not in ours and key not in moved.values():
            kind = "required" if after[name].get("required") is True else "optional"
            page = root(f"{name[0]} parameter {name[1]!r}").page
            message = f"the {kind} parameter {name[1]!r} is new"
            page.findings.append(Finding(f"parameter-added-{kind}", direction, "", message, None, name[1]))


class _Pair:
    """Two declarations of one parameter."""

    def __init__(
        self,
        schemas: Schemas,
        findings: list[Finding],
        direction: str,
        old: Document,
        new: Document,
        *,
        same_place: bool,
    ) -> None:
        self.schemas, self.findings, self.direction = schemas, findings, direction
        self.old, self.new, self.same_place = old, new, same_place

    def compare(self) -> None:
        required, now_required = (side.get("required") is True for side in (self.old, self.new))
        if required != now_required:
            kind = "required" if now_required else "optional"
            self._add(f"parameter-{kind}", f"is now {kind}", required, now_required)
        style, now_style = self._style(self.old), self._style(self.new)
        if self.same_place and style != now_style:
            self._add("parameter-style-changed", f"is written {now_style}, was {style}", style, now_style)
        empty, now_empty = (side.get("allowEmptyValue") is True for side in (self.old, self.new))
        if empty != now_empty:
            kind, word = ("allowed", "now") if now_empty else ("refused", "no longer")
            self._add(f"empty-value-{kind}", f"may {word} be empty", empty, now_empty)
        deprecated, now_deprecated = (bool(side.get("deprecated")) for side in (self.old, self.new))
        if deprecated != now_deprecated:
            self._add(*deprecation(now=now_deprecated), deprecated, now_deprecated)
        if any(self.old.get(key) != self.new.get(key) for key in ("description", "example", "examples")):
            self._add("text-changed", "the description or the examples changed")

    def _add(self, kind: str, message: str, old: Any = None, new: Any = None) -> None:
        self.findings.append(Finding(kind, self.direction, "", message, old, new))

    def _style(self, declaration: Document) -> str:
        """How the value is written, as far as that can be seen on the wire."""
        content = declaration.get("content")
        if is_object(content) and content:
            return f"as {next(iter(content))}"
        style = str(declaration.get("style", _STYLES.get(str(declaration.get("in")), "form")))
        reserved = ", reserved characters as they are" if declaration.get("allowReserved") is True else ""
        if style in {"form", "simple"} and not self._is_compound():
            return f"{style}{reserved}"
        explode = declaration.get("explode", style == "form") is True
        return f"{style}{', exploded' if explode else ''}{reserved}"

    def _is_compound(self) -> bool:
        """Whether the value is a list or an object in either document; else style and explode change nothing."""
        shapes = self.schemas.old.of(schema(self.old)), self.schemas.new.of(schema(self.new))
        return any(shape.types & {"array", "object"} or shape.union for shape in shapes)


def _declared(endpoint: Endpoint) -> dict[Key, Document]:
    """The parameters of an operation and its path item, by location and name."""
    found: dict[Key, Document] = {}
    for holder in (endpoint.item, endpoint.operation):
        entries = holder.get("parameters")
        if entries is None:
            continue
        if not is_array(entries):
            raise SpecError("the parameters must be a list", pointer=endpoint.where)
        for entry in entries:
            declaration = resolve(endpoint.document, entry)
            if not is_object(declaration) or not {"in", "name"} <= declaration.keys():
                raise SpecError("a parameter needs a name and a place", pointer=endpoint.where)
            place, name = str(declaration["in"]), str(declaration["name"])
            if place == "header" and name.lower() in _IGNORED_HEADERS:
                continue
            found[place, name] = declaration
    return found


def _keyed(declared: dict[Key, Document], path: str, *, by_rank: bool) -> dict[Key, Key]:
    """The parameters by what identifies them on the wire."""
    ranks = {name: str(rank) for rank, name in enumerate(_BRACES.findall(path))}
    keyed: dict[Key, Key] = {}
    for place, name in sorted(declared):
        wire = name.lower() if place == "header" else ranks.get(name, name) if place == "path" and by_rank else name
        keyed[place, wire] = (place, name)
    return keyed


def _moved(ours: dict[Key, Key], theirs: dict[Key, Key]) -> dict[Key, Key]:
    """Parameters that stand in another place now, by the key they had."""
    gone = {name: key for key, (_, name) in ours.items() if key not in theirs}
    come = {name: key for key, (_, name) in theirs.items() if key not in ours}
    return {gone[name]: come[name] for name in gone if name in come}
