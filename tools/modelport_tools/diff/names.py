"""Names as a Python importer of the generated client sees them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from modelport_tools.document import is_array, is_object
from modelport_tools.errors import SpecError
from modelport_tools.planning import names, parameters

if TYPE_CHECKING:
    from collections.abc import Iterable

_SCHEMA = re.compile(r"#/components/schemas/([^/]+)")


def identifier(name: str) -> str:
    """A name of the document as a name of Python."""
    return names.identifier(name, "field_")


def fields(wire: Iterable[str]) -> dict[str, str]:
    """The attribute of each property."""
    return names.attributes(wire)


def arguments(declared: Iterable[tuple[str, str, Any]]) -> dict[tuple[str, str], str]:
    """The argument of each parameter, given as location, name and declaration."""
    entries = list(declared)
    try:
        return parameters.arguments(entries)
    except SpecError:  # a wish for a name that cannot be granted: no client can be generated
        return {(place, name): identifier(name) for place, name, _ in entries}


def class_name(text: str) -> str:
    """The class of a model."""
    return names.class_name(text)


def component(reference: str) -> str:
    """The name of a component schema out of a reference to it; empty if it refers to something else."""
    found = _SCHEMA.fullmatch(reference)
    return found.group(1).replace("~1", "/").replace("~0", "~") if found else ""


def model_of(schema: Any) -> str:
    """The class that stands for a schema, as far as the document names it; empty if its place does."""
    if not is_object(schema):
        return ""
    reference = schema.get("$ref")
    if isinstance(reference, str):
        name = component(reference)
        return class_name(name) if name else ""
    for key in ("allOf", "anyOf", "oneOf"):
        members = schema.get(key)
        if is_array(members) and "properties" not in schema:
            others = [member for member in members if not is_object(member) or member.get("type") != "null"]
            if len(others) == 1:
                return model_of(others[0])
    title = schema.get("title")
    return class_name(title) if isinstance(title, str) and title else ""
