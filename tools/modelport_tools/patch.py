"""Applying OpenAPI Overlay documents (1.0 and 1.1); an action that matches nothing is an error.

Source: the Overlay Specification of the OpenAPI Initiative. Targets are JSONPath of RFC 9535.
"""

from __future__ import annotations

import copy
import re
from typing import TYPE_CHECKING, Any

from .document import Document, is_array, is_object, line_of, read
from .errors import SpecError

if TYPE_CHECKING:
    from pathlib import Path


_VERSION = re.compile(r"1\.[01](?:\.\d+)?")


def apply(document: Document, path: Path) -> Document:
    """A copy of the document with one overlay applied.

    Raises:
        SpecError: If the overlay is malformed, or one of its actions matches nothing.
    """
    overlay = read(path)
    version = str(overlay.get("overlay", ""))
    if not _VERSION.fullmatch(version):
        raise _faulty(f"needs Overlay 1.0 or 1.1, found {version or 'none'}", path, "/overlay")
    actions = overlay.get("actions")
    if not is_array(actions) or not actions:
        raise _faulty("has no actions", path, "/actions")
    patched = copy.deepcopy(document)
    for index, action in enumerate(actions):
        pointer = f"/actions/{index}"
        if not is_object(action) or not isinstance(action.get("target"), str):
            raise _faulty("an action needs a target", path, pointer)
        _act(patched, action, path, pointer)
    return patched


def _act(document: Document, action: Document, path: Path, pointer: str) -> None:
    try:
        matches = _matches(document, action["target"], "target")
        if action.get("remove") is True:
            for match in matches:
                _remove(match)
            return
        update = copy.deepcopy(_update(document, action))
        for match in matches:
            merged = _merged(match.obj, copy.deepcopy(update), "")
            if match.parent is not None:
                match.parent.obj[match.parts[-1]] = merged
    except SpecError as error:
        raise _faulty(error.reason, path, pointer) from None


def _faulty(reason: str, path: Path, pointer: str) -> SpecError:
    return SpecError(reason, source=path, pointer=pointer, line=line_of(path, pointer))


def _update(document: Document, action: Document) -> Any:
    if "update" in action:
        return action["update"]
    if not isinstance(action.get("copy"), str):
        raise SpecError("an action needs update, copy or remove")
    sources = _matches(document, action["copy"], "source of the copy")
    if len(sources) > 1:
        raise SpecError(f"the source of the copy {action['copy']!r} matches {len(sources)} places")
    return sources[0].obj


def _matches(document: Document, query: str, what: str) -> list[Any]:
    """The places that a query selects, each once; of one list, the last comes first."""
    import jsonpath

    try:
        found = {match.parts: match for match in jsonpath.finditer(query, document)}
    except jsonpath.JSONPathError as error:
        raise SpecError(f"the {what} {query!r} is not JSONPath: {_first_line(error)}") from error
    except RecursionError:
        raise SpecError(f"the {what} is nested too deeply") from None
    if not found:
        raise SpecError(f"the {what} {query!r} matches nothing")
    # Removing an item of a list moves those behind it, and what holds others goes after them.
    order = sorted(found, key=lambda parts: [(isinstance(part, int), str(part).rjust(9)) for part in parts])
    return [found[parts] for parts in reversed(order)]


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def _remove(match: Any) -> None:
    if match.parent is None:
        raise SpecError("the document itself cannot be removed")
    del match.parent.obj[match.parts[-1]]


def _merged(value: Any, update: Any, where: str) -> Any:
    """Objects merge, lists grow, a simple value is replaced by another.

    Raises:
        SpecError: If they are of different kinds.
    """
    if is_array(value):
        value.extend(update if is_array(update) else [update])
        return value
    if is_object(value) != is_object(update) or is_array(update):
        place = f" at {where}" if where else ""
        raise SpecError(
            f"the update{place} does not fit: objects merge with objects, simple values replace simple ones"
        )
    if is_object(value):
        for key, item in update.items():
            value[key] = _merged(value[key], item, f"{where}/{key}") if key in value else item
        return value
    return update
