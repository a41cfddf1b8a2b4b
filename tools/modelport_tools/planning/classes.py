"""The names of classes: each schema that needs one gets one, and no two the same.

A component is named by its title, or by its own name if its title is that of another one too, or a whole sentence.
A schema without a name of its own is named by its title if no other schema is, else by where it stands: ``ThingPart``
is ``part`` of ``Thing``. If that name is taken, it is followed by ``Inline``, then by numbers, in the order of the
canonical document.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from modelport_tools.document import Document, is_array, is_object
from modelport_tools.shape import walk

from .names import class_name, identifier


class ClassNames:
    """The names of the classes of a document.

    Args:
        document: The canonical document.
    """

    def __init__(self, document: Document) -> None:
        self._taken: set[str] = set()
        self.modules: dict[str, str] = {}
        """The module of each class."""
        schemas: Document = document.get("components", {}).get("schemas", {})
        self.components = self._named(schemas)
        """The class of each component."""
        titles = _titles(document, schemas)
        self._titles = {title: found for title, found in titles.items() if title not in self.components.values()}
        self._inline: dict[tuple[str, str], str] = {}

    def inline(self, schema: Document, path: str, *, by_title: bool = True) -> tuple[str, bool]:
        """The class of a schema that has no name of its own, and whether it is a new one.

        Args:
            schema: The schema; where two are equal, down to their names, they are one class.
            path: The name by its place.
            by_title: Whether its title may be its name.
        """
        title = _title(schema)
        content = json.dumps(schema, sort_keys=True)
        wanted = class_name(path)
        if by_title and title and len(self._titles.get(class_name(title), ())) == 1:
            wanted = class_name(title)
        known = self._inline.get((wanted, content))
        if known is not None:
            return known, False
        name = wanted
        if name in self.components.values():
            name = f"{name}Inline"
        made = self._inline[wanted, content] = self._take(name)
        return made, True

    def _named(self, schemas: Document) -> dict[str, str]:
        titles = {
            name: class_name((_title(schema) if is_object(schema) else "") or name) for name, schema in schemas.items()
        }
        count = Counter(_module(title) for title in titles.values())
        own = {name: class_name(name) for name in schemas}
        wanted = {name: title if count[_module(title)] == 1 else own[name] for name, title in titles.items()}
        # Those whose name is their own go first: a title gives way to it.
        order = sorted(wanted, key=lambda name: (wanted[name] != own[name], own[name] != name, name))
        made = {name: self._take(wanted[name]) for name in order}
        return {name: made[name] for name in schemas}

    def _take(self, wanted: str) -> str:
        name, number = wanted, 2
        while _module(name) in self._taken:
            name, number = f"{wanted}{number}", number + 1
        module = _module(name)
        self._taken.add(module)
        self.modules[name] = module
        return name


def _module(name: str) -> str:
    return identifier(name, "field_")


def _titles(document: Document, schemas: Document) -> dict[str, set[str]]:
    """The schemas behind each title that would be a class."""
    named = {id(schema) for schema in schemas.values()}
    found: dict[str, set[str]] = {}
    for _, schema, kind in walk(document):
        title = _title(schema) if kind == "schema" else ""
        if title and id(schema) not in named and _is_class(schema):
            found.setdefault(class_name(title), set()).add(json.dumps(schema, sort_keys=True))
    return found


_MAX_TITLE_CHARACTERS = 60
"""A longer title is a sentence about the schema, and no name for it."""


def _title(schema: Document) -> str:
    """The title of a schema, if it can be a name; else empty."""
    title: Any = schema.get("title")
    return title if isinstance(title, str) and len(title) <= _MAX_TITLE_CHARACTERS else ""


def _is_class(schema: Document) -> bool:
    return "properties" in schema or schema.get("type") == "object" or is_array(schema.get("allOf"))
