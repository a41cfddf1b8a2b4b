"""The parameters of an operation."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from modelport_tools.document import Document, is_object, resolve
from modelport_tools.errors import SpecError

from .media import is_json
from .models import with_default
from .names import identifier, is_name, numbered
from .plan import ParameterPlan
from .schemas import is_null, listed, mapped, members, null_apart, without
from .types import Place

if TYPE_CHECKING:
    from .types import Types

LOCATIONS = ("path", "query", "header", "cookie")
_ARGUMENT_NAMES = frozenset({"self", "body", "options", "timeout", "max_retries", "headers"})
_DEFAULT_STYLES = {"path": "simple", "header": "simple", "query": "form", "cookie": "form"}
_IGNORED_HEADERS = frozenset({"accept", "content-type", "authorization"})
"""OpenAPI: a header parameter of such a name shall be ignored; the operation itself says what they are."""


def declared(document: Document, path: str, item: Document, operation: Document) -> list[Document]:
    """The parameters of an operation, those of its path included, in the order in which they are arguments."""
    found: dict[tuple[str, str], Document] = {}
    for entry in [*listed(operation, "parameters"), *listed(item, "parameters")]:
        parameter = resolve(document, entry)
        found.setdefault((str(parameter["in"]), str(parameter["name"])), parameter)
    template = re.findall(r"\{([^}]*)\}", path)
    for name in template:
        found.setdefault(("path", name), {"name": name, "in": "path", "required": True, "schema": {"type": "string"}})
    kept = [
        entry
        for (place, name), entry in found.items()
        if (name in template if place == "path" else place != "header" or name.lower() not in _IGNORED_HEADERS)
    ]
    position = {name: index for index, name in enumerate(template)}
    return sorted(kept, key=lambda entry: (LOCATIONS.index(entry["in"]), position.get(entry["name"], 0)))


def make_parameters(types: Types, method: str, entries: list[Document]) -> tuple[ParameterPlan, ...]:
    """The arguments of a method.

    Args:
        types: The types of the document.
        method: The name of the method, for the names of classes.
        entries: The parameters, as `declared`.

    Raises:
        SpecError: If a name that the document chose for an argument cannot be one.
    """
    names = arguments([(str(entry["in"]), str(entry["name"]), entry) for entry in entries])
    return tuple(_parameter(types, method, entry, names[entry["in"], entry["name"]]) for entry in entries)


def _parameter(types: Types, method: str, entry: Document, name: str) -> ParameterPlan:
    location = str(entry["in"])
    content = mapped(entry, "content")
    style = str(entry.get("style", _DEFAULT_STYLES[location]))
    if content and is_json(next(iter(content))):
        style = "json"
    schema: Any = _schema(next(iter(content.values()))) if content else entry.get("schema", {})
    if location == "path":
        schema = _without_null(types.document, schema)
    return ParameterPlan(
        name=name,
        wire=str(entry["name"]),
        location=location,
        style=style,
        explode=bool(entry.get("explode", style == "form")),
        annotation=types.of(schema, Place(method, str(entry["name"]))),
        required=bool(entry.get("required", False)),
        reserved=entry.get("allowReserved") is True and location == "query",
        description=with_default(str(entry.get("description", "")), [schema]),
    )


def _schema(media: Any) -> Any:
    return media.get("schema", {}) if is_object(media) else {}


def arguments(entries: list[tuple[str, str, Any]]) -> dict[tuple[str, str], str]:
    """The argument of each parameter, given as location, name and declaration.

    Raises:
        SpecError: If a name that the document chose cannot be that of an argument, or stands twice.
    """
    made = {(place, name): identifier(name, "field_") for place, name, _ in entries}
    count = Counter(made.values())
    places = Counter((place, text) for (place, _), text in made.items())
    chosen: dict[tuple[str, str], str] = {}
    for place, name, entry in entries:
        text = made[place, name]
        if count[text] > 1:
            same = places[place, text] > 1
            text = identifier(name, "field_", verbatim=True) if same else identifier(f"{text}_{place}", "field_")
        wish = entry.get("x-modelport-argument") if is_object(entry) else None
        if wish:
            text = str(wish)
            if not is_name(text):
                raise SpecError(f"the x-modelport-argument {text!r} is no name for an argument")
            chosen[place, name] = text
        made[place, name] = f"{text}_" if text in _ARGUMENT_NAMES else text
    twice = [text for text in chosen.values() if Counter(made.values())[text] > 1]
    if twice:
        raise SpecError(f"two parameters would be {twice[0]}: name one with x-modelport-argument")
    distinct = numbered({f"{place} {name}": text for (place, name), text in made.items()})
    return {(place, name): distinct[f"{place} {name}"] for place, name in made}


def _without_null(document: Document, schema: Any) -> Any:
    """A path cannot hold null, whatever its schema allows."""
    resolved = resolve(document, schema)
    if not is_object(resolved):
        return schema
    bare, nullable = null_apart(resolved)
    real = [member for member in members(bare) if not is_null(member)]
    if real and len(real) < len(members(bare)):
        rest = without(bare, "anyOf", "oneOf")
        return real[0] if len(real) == 1 else {**rest, "oneOf": real}
    return bare if nullable else schema
