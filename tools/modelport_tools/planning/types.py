"""The Python type of each schema of a document, as the text of an annotation, and the classes that it needs."""

from __future__ import annotations

from dataclasses import dataclass
from types import NoneType
from typing import TYPE_CHECKING, Any

from modelport_tools.document import Document, is_array, is_object, lookup

from .circles import circular_maps
from .classes import ClassNames
from .names import pascal
from .schemas import (
    COMPONENTS,
    UNIONS,
    all_allow_null,
    component,
    is_null,
    is_object_schema,
    is_shaping,
    listed,
    mapped,
    members,
    merged,
    null_apart,
    parts,
    without,
)
from .unions import families, property_of, texts

if TYPE_CHECKING:
    from collections.abc import Iterable

IMPORTS = {
    "date": "datetime",
    "datetime": "datetime",
    "UUID": "uuid",
    "Literal": "typing",
    "Any": "typing",
    "Iterable": "collections.abc",
}
"""Names that an annotation may use, and the module of the standard library each comes from."""

OPEN = "dict[str, Any]"
"""An object of a kind that the document does not know."""

_TEXTS = {"date": "date", "date-time": "datetime", "uuid": "UUID", "binary": "File"}
_SIMPLE = {"integer": "int", "number": "float", "boolean": "bool", "null": "None"}
_KINDS: dict[type, str] = {
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    dict: "object",
    list: "array",
}


@dataclass(frozen=True)
class Place:
    """Where a schema stands, for the name of a class that it may need."""

    parent: str
    name: str

    @property
    def path(self) -> str:
        """The name of such a class."""
        return f"{pascal(self.parent)}{pascal(self.name)}" if self.parent else self.name

    def below(self, name: str) -> Place:
        """A part of the schema at this place."""
        return Place(self.parent, f"{self.name}_{name}")


@dataclass(frozen=True)
class Draft:
    """A class to be made.

    Attributes:
        name: Its name.
        schema: What it stands for.
        component: The component that it is, if it is one.
    """

    name: str
    schema: Document
    component: str | None = None


class Types:
    """The types of a document's schemas.

    Args:
        document: The canonical document.
    """

    def __init__(self, document: Document) -> None:
        self.document = document
        self.names = ClassNames(document)
        self.models: list[Draft] = []
        self.enums: list[Draft] = []
        self.tags: dict[str, dict[str, set[str]]] = {}
        """The texts that stand for a class in unions, by the property that holds them."""
        self._schemas = mapped(document.get("components", {}), "schemas")
        self._known: dict[str, tuple[str, ...]] = {}
        self._open: list[str] = []
        self._families = families(document)
        self.discriminators: dict[str, str] = {}
        """The property that tells the classes that extend a class apart."""
        self._own_class = circular_maps(self._schemas)
        self._named: set[str] = set()

    def of(self, schema: Any, place: Place) -> str:
        """The annotation of a schema."""
        return joined(self._members(schema, place))

    def union(self, schema: Any, place: Place) -> tuple[str, ...]:
        """The members of the annotation of a schema."""
        return self._members(schema, place)

    def of_component(self, name: str) -> str:
        """The annotation of a component."""
        return joined(self._component(name))

    def _component(self, name: str) -> tuple[str, ...]:
        known = self._known.get(name)
        if known is not None:
            return known
        if name in self._open:  # it holds itself by way of arrays or unions: Python has no name for such a type
            return ("Any",)
        schema = self._schemas[name]
        self._open.append(name)
        try:
            found = self._members(schema, Place("", name), name)
        finally:
            self._open.pop()
        if name in self._families:
            found = self._family(name, found)
        if found != ("Any",) or not self._open:
            self._known[name] = found
        return found

    def _family(self, name: str, found: tuple[str, ...]) -> tuple[str, ...]:
        """A parent with a discriminator, and those that extend it."""
        if len(found) != 1 or found[0] not in self._model_names():
            return found
        discriminator = mapped(self._schemas[name], "discriminator")
        self._known[name] = found  # of itself, while those that extend it are worked out
        children = self._families[name]
        classes = [one for child in children for one in self._component(child)]
        if not {*classes} <= self._model_names():
            return found
        self.discriminators[found[0]] = str(discriminator["propertyName"])
        family = [{"$ref": COMPONENTS + one} for one in [*children, name]]
        self._tell(discriminator, family, [()] * len(family))
        return _distinct([*(one for one in classes if one != found[0]), *found])

    def _model_names(self) -> set[str]:
        return {draft.name for draft in self.models}

    def _tell(self, discriminator: Document, alternatives: list[Any], classes: list[tuple[str, ...]]) -> None:
        """Note the texts that stand for the classes of alternatives."""
        name = str(discriminator["propertyName"])
        known = self._model_names()
        for text, schema in texts(self.document, discriminator, alternatives):
            target = component(schema)
            found = [kinds for one, kinds in zip(alternatives, classes, strict=True) if one is schema]
            for member in self._component(target) if target is not None else found[0] if found else ():
                if member in known:
                    self.tags.setdefault(member, {}).setdefault(name, set()).add(text)

    def _members(self, schema: Any, place: Place, own: str | None = None) -> tuple[str, ...]:  # noqa: PLR0911
        """The members of a type, one if it is no union.

        Args:
            schema: The schema.
            place: Where it stands.
            own: The component that it is, if it is one.
        """
        if not is_object(schema):
            return ("Any",)
        bare, nullable = null_apart(schema)
        if nullable:
            return _distinct([*self._members(bare, place, own), "None"])
        if is_null(bare):
            return ("None",)
        target = bare.get("$ref")
        if isinstance(target, str) and not is_shaping(without(bare, "$ref", "format", "type")):
            name = component(bare)
            if name is not None:
                return self._component(name)
            return self._elsewhere(target, place)
        if isinstance(target, str) or "allOf" in bare:
            return self._together(bare, place, own)
        if is_array(bare.get("type")) and len(bare["type"]) > 1:
            kinds = [self._members({**bare, "type": kind}, place, own) for kind in bare["type"]]
            return _distinct(member for kind in kinds for member in kind)
        alternatives = members(bare)
        if alternatives:
            return self._union(bare, alternatives, place)
        if "enum" in bare or "const" in bare:
            return self._constant(bare, place, own)
        return self._plain(bare, place, own)

    def _elsewhere(self, reference: str, place: Place) -> tuple[str, ...]:
        """What a reference to a schema that is no component means."""
        if reference in self._open:
            return ("Any",)
        self._open.append(reference)
        try:
            return self._members(lookup(self.document, reference), place)
        finally:
            self._open.pop()

    def _together(self, schema: Document, place: Place, own: str | None) -> tuple[str, ...]:
        """A schema of several that hold together."""
        meaning = [part for part in _flat(schema) if is_shaping(part) or "required" in part]
        is_child = own is not None and len(meaning) == 1 and component(meaning[0]) in self._families
        if len(meaning) == 1 and meaning[0] is not schema and not is_child:
            return self._members(meaning[0], place, own if "$ref" not in meaning[0] else None)
        every = list(parts(self.document, schema))
        found = self._all([null_apart(part)[0] for part in every], schema, place, own)
        return _distinct([*found, "None"]) if all_allow_null(every) else found

    def _all(self, several: list[Document], schema: Document, place: Place, own: str | None) -> tuple[str, ...]:
        """What fits each of several schemas, but for null."""
        for index, part in enumerate(several):
            alternatives = [one for one in members(part) if not is_null(one)]
            if alternatives:
                rest = [*several[:index], without(part, *UNIONS, "discriminator"), *several[index + 1 :]]
                return self._each(rest, alternatives, _titled(schema, place), mapped(part, "discriminator"))
        if any(is_object_schema(part) for part in several):
            return self._object(schema, several, place, own)
        if not several:
            return ("Any",)
        return self._members(merged(several), place, own)

    def _each(
        self, rest: list[Document], alternatives: list[Any], place: Place, discriminator: Document
    ) -> tuple[str, ...]:
        """Each alternative together with what all have in common."""
        common = [part for part in rest if is_shaping(part) or "required" in part]
        if not common:
            return self._union({"oneOf": alternatives, "discriminator": discriminator}, alternatives, place)
        found: list[str] = []
        for index, member in enumerate(alternatives):
            title = member.get("title") if is_object(member) else None
            name = component(member) or (title if isinstance(title, str) else f"type_{index}")
            found += self._members({"allOf": [*common, member]}, place.below(name))
        return _distinct(found)

    def _union(self, schema: Document, alternatives: list[Any], place: Place) -> tuple[str, ...]:
        base = without(schema, *UNIONS, "discriminator")
        discriminator = mapped(schema, "discriminator")
        if mapped(base, "properties") or mapped(base, "patternProperties") or mapped(base, "additionalProperties"):
            real = [one for one in alternatives if not is_null(one)]
            found = self._each([base], real, _titled(schema, place), discriminator)
            return found if len(real) == len(alternatives) else _distinct([*found, "None"])
        title = schema.get("title")
        kinds: list[tuple[str, ...]] = []
        for index, member in enumerate(alternatives):
            own = member.get("title") if is_object(member) else None
            name = own if isinstance(own, str) and own != title else f"type_{index}"
            kinds.append(self._members(member, place.below(name)))
        several = [one for kind in kinds for one in kind]
        if property_of(schema) is not None and self._are_models(kinds):
            self._tell(discriminator, alternatives, kinds)
            several.append(OPEN)
        return _distinct(several)

    def _are_models(self, several: list[tuple[str, ...]]) -> bool:
        """Whether the members of a union are objects with classes, or unions of such ones."""
        known = self._model_names()
        left = [{*kinds} - known - {"None"} for kinds in several]
        return any(known & {*kinds} for kinds in several) and all(
            not rest or (rest == {OPEN} and len(kinds) > 1) for rest, kinds in zip(left, several, strict=True)
        )

    def _constant(self, schema: Document, place: Place, own: str | None) -> tuple[str, ...]:
        if "const" in schema:
            value = schema["const"]
            if isinstance(value, str | int):
                return (f"Literal[{value!r}]",)
            return self._members({"type": _KINDS[type(value)]}, place)
        kinds = {value.__class__ for value in schema["enum"]}
        if kinds in ({str}, {int}):
            return (self._enum(schema, place, own),)
        if kinds in ({str, NoneType}, {int, NoneType}):
            rest = {**schema, "enum": [value for value in schema["enum"] if value is not None]}
            return (self._enum(rest, place, own), "None")
        found: list[str] = []
        for value in schema["enum"]:
            found += ["None"] if value is None else self._plain({"type": _KINDS[value.__class__]}, place, None)
        return _distinct(found)

    def _enum(self, schema: Document, place: Place, own: str | None) -> str:
        if own is not None:
            name = self.names.components[own]
            if own not in self._named:
                self._named.add(own)
                self.enums.append(Draft(name, schema, own))
            return name
        title = schema.get("title")
        path = Place(place.parent, title).path if isinstance(title, str) and title else place.path
        name, new = self.names.inline({"enum": schema["enum"]}, path, by_title=False)
        if new:
            self.enums.append(Draft(name, schema))
        return name

    def _plain(self, schema: Document, place: Place, own: str | None) -> tuple[str, ...]:
        kind = schema.get("type")
        if is_array(kind):
            kind = kind[0] if kind else None
        if is_object_schema(schema):
            return self._object(schema, [schema], place, own)
        if kind == "array" or (kind is None and ("items" in schema or "prefixItems" in schema)):
            return (self._array(schema, place),)
        if kind == "string" or (kind is None and schema.get("format") in _TEXTS):
            if schema.get("contentMediaType") == "application/octet-stream" and "contentEncoding" not in schema:
                return ("File",)
            return (_TEXTS.get(str(schema.get("format")), "str"),)
        return (_SIMPLE.get(str(kind), "Any"),)

    def _array(self, schema: Document, place: Place) -> str:
        first = listed(schema, "prefixItems")
        rest: Any = schema.get("items", True)
        if (
            first
            and schema.get("minItems", 0) >= len(first)
            and (rest is False or schema.get("maxItems") == len(first))
        ):
            kinds = [self.of(item, place.below(f"item_{index}")) for index, item in enumerate(first)]
            return f"tuple[{', '.join(kinds)}]"
        if rest is True or rest == {}:
            return "list[Any]"
        items = [*first, *([] if rest is False else [rest])]
        inner = items[0] if len(items) == 1 else {"anyOf": items}
        return f"list[{self.of(inner, place.below('item'))}]"

    def _object(self, schema: Document, several: list[Document], place: Place, own: str | None) -> tuple[str, ...]:
        has_fields = any(mapped(part, "properties") for part in several)
        closed = any(part.get("additionalProperties") is False for part in several)
        is_map = not has_fields and (not closed or any(mapped(part, "patternProperties") for part in several))
        if is_map and own not in self._own_class:
            name = place.path if own is None else self.names.components[own]
            return (f"dict[str, {self.entries(several, name) or 'Any'}]",)
        if own is not None:
            name = self.names.components[own]
            if own not in self._named:
                self._named.add(own)
                self.models.append(Draft(name, schema, own))
            return (name,)
        name, new = self.names.inline(schema, place.path)
        if new:
            self.models.append(Draft(name, schema))
        return (name,)

    def entries(self, several: Iterable[Document], name: str) -> str | None:
        """The annotation of the entries of an object that are no properties; None if there are none."""
        found: list[str] = []
        is_closed = is_open = False
        for part in several:
            patterns = list(mapped(part, "patternProperties").values())
            additional = part.get("additionalProperties")
            is_closed = is_closed or additional is False
            typed = [*patterns, *([additional] if is_object(additional) and additional else [])]
            is_open = is_open or bool(patterns and additional in (None, True, {}))
            for entry in typed:
                found += self._members(entry, Place(name, "AdditionalProperty"))
        if found and not is_open:
            return joined(_distinct(found))
        return None if is_closed else "Any"


def _flat(schema: Document) -> list[Document]:
    """The parts of a schema that are together one, as they are written."""
    found: list[Document] = []
    if isinstance(schema.get("$ref"), str):
        found.append({"$ref": schema["$ref"]})
    for part in listed(schema, "allOf"):
        if is_object(part) and "allOf" in part:
            found += _flat(part)
        elif is_object(part):
            found.append(part)
    rest = without(schema, "$ref", "allOf")
    shape = without(rest, "type", "format") if found else rest
    if is_shaping(shape) or "required" in shape:
        found.append(rest)
    return found


def _titled(schema: Document, place: Place) -> Place:
    """Where the parts of a schema stand for the names of their classes."""
    title = schema.get("title")
    return Place("", title) if isinstance(title, str) and title else place


def joined(found: Iterable[str]) -> str:
    """A union as it is written: null stands last."""
    distinct = _distinct(found)
    return " | ".join(sorted(distinct, key=lambda member: member == "None"))


def _distinct(found: Iterable[str]) -> tuple[str, ...]:
    distinct = tuple(dict.fromkeys(found))
    return ("Any",) if "Any" in distinct else distinct
