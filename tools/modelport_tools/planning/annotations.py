"""The Python type of a property that openapi-python-client parsed, as the text of an annotation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openapi_python_client.parser.properties import EnumProperty, ModelProperty
from openapi_python_client.parser.properties.boolean import BooleanProperty
from openapi_python_client.parser.properties.const import ConstProperty
from openapi_python_client.parser.properties.date import DateProperty
from openapi_python_client.parser.properties.datetime import DateTimeProperty
from openapi_python_client.parser.properties.file import FileProperty
from openapi_python_client.parser.properties.float import FloatProperty
from openapi_python_client.parser.properties.int import IntProperty
from openapi_python_client.parser.properties.list_property import ListProperty
from openapi_python_client.parser.properties.none import NoneProperty
from openapi_python_client.parser.properties.string import StringProperty
from openapi_python_client.parser.properties.union import UnionProperty
from openapi_python_client.parser.properties.uuid import UuidProperty

from .unions import OPEN_MEMBER

if TYPE_CHECKING:
    from collections.abc import Iterator

_SIMPLE: dict[type, str] = {
    StringProperty: "str",
    IntProperty: "int",
    FloatProperty: "float",
    BooleanProperty: "bool",
    NoneProperty: "None",
    FileProperty: "File",
    DateProperty: "date",
    DateTimeProperty: "datetime",
    UuidProperty: "UUID",
}

IMPORTS = {"date": "datetime", "datetime": "datetime", "UUID": "uuid", "Literal": "typing", "Any": "typing"}
"""Names that an annotation may use, and the module of the standard library each comes from."""


def annotation(prop: Any) -> str:
    """The annotation of a property, without the `Unset` of an optional one."""
    if isinstance(prop, ModelProperty | EnumProperty):
        return str(prop.class_info.name)
    if isinstance(prop, ListProperty):
        return f"list[{annotation(prop.inner_property)}]"
    if isinstance(prop, UnionProperty):
        members = list(dict.fromkeys(annotation(inner) for inner in prop.inner_properties))
        return "Any" if "Any" in members else " | ".join(sorted(members, key=lambda member: member == "None"))
    if isinstance(prop, ConstProperty):
        raw = prop.value.raw_value
        value = raw.get_untrusted_value() if hasattr(raw, "get_untrusted_value") else raw
        return "dict[str, Any]" if value == OPEN_MEMBER else f"Literal[{value!r}]"
    return _SIMPLE.get(prop.__class__, "Any")


def classes(prop: Any) -> Iterator[tuple[str, str]]:
    """The generated classes that a property's annotation names, with the module of each."""
    if isinstance(prop, ModelProperty | EnumProperty):
        yield str(prop.class_info.name), str(prop.class_info.module_name)
    elif isinstance(prop, ListProperty):
        yield from classes(prop.inner_property)
    elif isinstance(prop, UnionProperty):
        for inner in prop.inner_properties:
            yield from classes(inner)
