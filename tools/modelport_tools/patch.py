"""Applying OpenAPI Overlay documents (1.0 and 1.1); an action that matches nothing is an error.

Source: the Overlay Specification of the OpenAPI Initiative. Targets are JSONPath of RFC 9535.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from .document import Document, is_array, is_object, read
from .errors import SpecError

if TYPE_CHECKING:
    from pathlib import Path


def apply(document: Document, path: Path) -> Document:
    """A copy of the document with one overlay applied.

    Raises:
        SpecError: If the overlay is malformed, or one of its actions matches nothing.
    """
    overlay = read(path)
    version = str(overlay.get("overlay", ""))
    if not version.startswith(("1.0", "1.1")):
        raise SpecError(f"needs Overlay 1.0 or 1.1, found {version or 'none'}", source=path, pointer="/overlay")
    actions = overlay.get("actions")
    if not is_array(actions) or not actions:
        raise SpecError("has no actions", source=path, pointer="/actions")
    patched = copy.deepcopy(document)
    for index, action in enumerate(actions):
        pointer = f"/actions/{index}"
        if not is_object(action) or not isinstance(action.get("target"), str):
            raise SpecError("an action needs a target", source=path, pointer=pointer)
        _act(patched, action, path, pointer)
    return patched


def _act(document: Document, action: Document, path: Path, pointer: str) -> None:
    import jsonpath

    target: str = action["target"]
    try:
        matches = list(jsonpath.finditer(target, document))
    except jsonpath.JSONPathError as error:
        raise SpecError(f"the target {target!r} is not JSONPath: {error}", source=path, pointer=pointer) from error
    if not matches:
        raise SpecError(f"the target {target!r} matches nothing", source=path, pointer=pointer)
    # From the last match to the first: removing an item of a list moves those behind it.
    for match in reversed(matches):
        if match.parent is None and (action.get("remove") is True or not isinstance(action.get("update"), dict)):
            raise SpecError("the document itself can only be updated with an object", source=path, pointer=pointer)
        container: Any = match.parent.obj if match.parent else None
        key: Any = match.parts[-1] if match.parts else None
        if action.get("remove") is True:
            del container[key]
        elif "update" in action:
            merged = _merged(match.obj, copy.deepcopy(action["update"]))
            if container is not None:
                container[key] = merged
        else:
            raise SpecError("an action needs update or remove", source=path, pointer=pointer)


def _merged(value: Any, update: Any) -> Any:
    """Objects merge, lists grow, anything else is replaced."""
    if is_object(value) and is_object(update):
        for key, item in update.items():
            value[key] = _merged(value[key], item) if key in value else item
        return value
    if is_array(value):
        value.extend(update if is_array(update) else [update])
        return value
    return update
