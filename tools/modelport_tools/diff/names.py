"""Names as a Python importer of the generated client sees them."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from openapi_python_client.schema.untrusted_string import UntrustedString
from openapi_python_client.strings import ClassName, PythonIdentifier

from modelport_tools.document import is_array, is_object

if TYPE_CHECKING:
    from collections.abc import Iterable

_SCHEMA = re.compile(r"#/components/schemas/([^/]+)")


def identifier(name: str, *, verbatim: bool = False) -> str:
    """A name of the document as a name of Python."""
    return str(PythonIdentifier(UntrustedString(name), "field_", skip_snake_case=verbatim))


def fields(names: Iterable[str]) -> dict[str, str]:
    """The attribute of each property; those that would clash keep their own spelling."""
    made = {name: identifier(name) for name in names}
    count = Counter(made.values())
    return {name: identifier(name, verbatim=True) if count[text] > 1 else text for name, text in made.items()}


def arguments(parameters: Iterable[tuple[str, str, Any]]) -> dict[tuple[str, str], str]:
    """The argument of each parameter, given as location, name and declaration."""
    declared = list(parameters)
    made = {(place, name): identifier(name) for place, name, _ in declared}
    count = Counter(made.values())
    places = Counter((place, text) for (place, _), text in made.items())
    for place, name, declaration in declared:
        text = made[place, name]
        if count[text] > 1:
            made[place, name] = (
                identifier(name, verbatim=True) if places[place, text] > 1 else identifier(f"{text}_{place}")
            )
        chosen = declaration.get("x-modelport-argument")
        if isinstance(chosen, str) and chosen:
            made[place, name] = chosen
    return made


def class_name(text: str) -> str:
    """The class of a model."""
    return str(ClassName(UntrustedString(text), "model_"))


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
