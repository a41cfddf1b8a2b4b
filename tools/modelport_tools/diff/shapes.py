"""What a schema means, whichever dialect says it: references followed, allOf merged, null told apart."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any, cast

from modelport_tools.document import Document, is_array, is_object, lookup

ALL_TYPES = frozenset({"array", "boolean", "number", "object", "string"})
UNION_KEYS = ("oneOf", "anyOf")
_NULL = "null"
_LOWER = ("minLength", "minItems", "minProperties", "minContains", "minimum")
_UPPER = ("maxLength", "maxItems", "maxProperties", "maxContains", "maximum")
_SHAPED = frozenset(
    {"$ref", "additionalProperties", "allOf", "anyOf", "const", "discriminator", "enum", "items", "nullable", "oneOf",
     "patternProperties", "prefixItems", "properties", "required", "type"}
)  # fmt: skip
_BARE = frozenset({"type", "nullable", "title", "description"})


@dataclass(frozen=True, eq=False)
class Shape:
    """A schema with its dialect taken out.

    Attributes:
        types: The types but null; ``integer`` only where ``number`` is not allowed anyway.
        nullable: Whether null is allowed.
        properties: The schema of each property.
        required: The properties that must be there.
        additional: The schema of other properties; True where they are free, False where there are none.
        patterns: The schemas of properties by pattern.
        items: The schema of the items.
        prefix: The schemas of the first items.
        enum: The values that are allowed, by their text; None where any is.
        union: ``oneOf``, ``anyOf`` or nothing.
        members: The members of the union.
        discriminator: How members are told apart.
        rest: Every other keyword.
    """

    types: frozenset[str] = ALL_TYPES
    nullable: bool = True
    properties: dict[str, Any] = field(default_factory=dict[str, Any])
    required: frozenset[str] = frozenset()
    additional: Any = True
    patterns: dict[str, Any] = field(default_factory=dict[str, Any])
    items: Any = True
    prefix: tuple[Any, ...] = ()
    enum: dict[str, Any] | None = None
    union: str = ""
    members: tuple[Any, ...] = ()
    discriminator: Document | None = None
    rest: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def is_free(self) -> bool:
        """Whether the schema says nothing but its union."""
        return self.types == ALL_TYPES and self.enum is None and not self.properties

    @property
    def makes_class(self) -> bool:
        """Whether the generated client has a class for it."""
        return not self.union and (
            self.types == frozenset({"object"}) or (self.enum is not None and len(self.enum) > 1)
        )


def text_of(value: Any) -> str:
    """The canonical text of a value."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


class Shapes:
    """The shapes of one document, each worked out once."""

    def __init__(self, document: Document) -> None:
        """Read the schemas of this document."""
        self.document = document
        self._known: dict[int, tuple[Any, Shape]] = {}
        self._synthetic: dict[int, Any] = {}

    def of(self, schema: Any) -> Shape:
        """The shape of a schema."""
        return self._of(schema, frozenset())

    def key(self, schema: Any) -> str:
        """What names a schema that may lead back to itself; empty for one written out in its place."""
        if is_object(schema) and isinstance(schema.get("$ref"), str):
            return str(schema["$ref"])
        return text_of(schema) if id(schema) in self._synthetic else ""

    def is_null(self, schema: Any) -> bool:
        """Whether a schema allows null alone."""
        return is_object(schema) and (
            schema.get("type") in (_NULL, [_NULL]) or schema.get("enum") == [None] or ("const", None) in schema.items()
        )

    def _of(self, schema: Any, seen: frozenset[str]) -> Shape:
        if not is_object(schema):
            return Shape(types=frozenset(), nullable=False) if schema is False else Shape()
        known = self._known.get(id(schema))
        if known is not None:
            return known[1]
        made = self._made(schema, seen)
        if not seen:  # within a chain of references a loop has been cut, so the shape holds for that chain only
            self._known[id(schema)] = (schema, made)
        return made

    def _made(self, schema: Document, seen: frozenset[str]) -> Shape:
        members, null_member = self._members(schema)
        shape = self._own(schema, members)
        parts: list[Shape] = []
        reference = schema.get("$ref")
        if isinstance(reference, str) and reference not in seen:
            parts.append(self._of(lookup(self.document, reference), seen | {reference}))
        all_of = schema.get("allOf")
        parts.extend(self._of(part, seen) for part in (all_of if is_array(all_of) else ()))
        if len(members) == 1:
            parts.append(self._of(members[0], seen))
        for part in parts:
            shape = self._merged(shape, part)
        # The wrapper's own word counts: `nullable` beside `allOf` is how 3.0 says it, a null member how 3.1 does.
        return replace(shape, nullable=True) if schema.get("nullable") is True or null_member else shape

    def _members(self, schema: Document) -> tuple[tuple[Any, ...], bool]:
        """The members of the union without null, and whether null was one."""
        key = next((key for key in UNION_KEYS if is_array(schema.get(key))), "")
        members = cast("list[Any]", schema[key]) if key else []
        others = tuple(member for member in members if not self.is_null(member))
        return others, len(others) < len(members)

    def _own(self, schema: Document, members: tuple[Any, ...]) -> Shape:
        """What the keywords of the schema itself say."""
        types, nullable = _types(schema)
        union = next((key for key in UNION_KEYS if is_array(schema.get(key))), "") if len(members) > 1 else ""
        if union and all(is_object(member) and member.keys() <= _BARE and "type" in member for member in members):
            folded = [_types(member) for member in members]
            types = _common(types, frozenset[str]().union(*(kinds for kinds, _ in folded)))
            nullable = any(nullable for _, nullable in folded)
            union = ""
        enum = _enum(schema)
        additional = schema.get("additionalProperties", True)
        prefix = schema.get("prefixItems")
        discriminator = schema.get("discriminator")
        return Shape(
            types=_plain_types(types),
            nullable=nullable,
            properties=dict(_table(schema, "properties")),
            required=frozenset(str(name) for name in _array(schema, "required")),
            additional=True if additional == {} else additional,
            patterns=dict(_table(schema, "patternProperties")),
            items=schema.get("items", True),
            prefix=tuple(prefix) if is_array(prefix) else (),
            enum=None if enum is None else {text_of(value): value for value in enum if value is not None},
            union=union,
            members=members if union else (),
            discriminator=discriminator if is_object(discriminator) else None,
            rest=_rest(schema),
        )

    def _merged(self, one: Shape, other: Shape) -> Shape:
        """What keeps to both."""
        properties = dict(one.properties)
        for name, schema in other.properties.items():
            properties[name] = self._both(properties[name], schema) if name in properties else schema
        enum = one.enum
        if enum is None or other.enum is None:
            enum = other.enum if enum is None else enum
        else:
            enum = {text: value for text, value in enum.items() if text in other.enum}
        union = one if one.union else other
        return Shape(
            types=_common(one.types, other.types),
            nullable=one.nullable and other.nullable,
            properties=properties,
            required=one.required | other.required,
            additional=_tighter(one.additional, other.additional),
            patterns={**other.patterns, **one.patterns},
            items=self._both(one.items, other.items),
            prefix=one.prefix or other.prefix,
            enum=enum,
            union=union.union,
            members=union.members,
            discriminator=one.discriminator or other.discriminator,
            rest=_merged_rest(one.rest, other.rest),
        )

    def _both(self, one: Any, other: Any) -> Any:
        """A schema that keeps to both; the same parts are always the same schema."""
        if one is True or one == other:
            return other
        if other is True:
            return one
        parts = {text_of(part): part for schema in (one, other) for part in self._parts(schema)}
        made = {"allOf": [parts[text] for text in sorted(parts)]}
        self._synthetic[id(made)] = made
        return made

    def _parts(self, schema: Any) -> list[Any]:
        return list(schema["allOf"]) if id(schema) in self._synthetic else [schema]


def _table(schema: Document, key: str) -> Document:
    value = schema.get(key)
    return value if is_object(value) else {}


def _array(schema: Document, key: str) -> list[Any]:
    value = schema.get(key)
    return value if is_array(value) else []


def _enum(schema: Document) -> list[Any] | None:
    if "const" in schema:
        return [schema["const"]]
    values = schema.get("enum")
    return list(values) if is_array(values) else None


def _types(schema: Document) -> tuple[frozenset[str], bool]:
    """The types without null, and whether null is allowed."""
    said = schema.get("type")
    if said is None:
        enum = _enum(schema)
        if enum is not None:
            return frozenset(_type_of(value) for value in enum if value is not None), None in enum
        # What describes properties or items is meant as an object or an array, though it allows anything else.
        if schema.keys() & {"properties", "additionalProperties", "required", "patternProperties"}:
            return frozenset({"object"}), bool(schema.keys() & {"$ref", "allOf", *UNION_KEYS})
        return (frozenset({"array"}), False) if schema.keys() & {"items", "prefixItems"} else (ALL_TYPES, True)
    names = frozenset(str(name) for name in (said if is_array(said) else [said]))
    return names - {_NULL}, _NULL in names or schema.get("nullable") is True


def _type_of(value: Any) -> str:
    match value:
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "number"
        case str():
            return "string"
        case _:
            return "array" if is_array(value) else "object"


def _plain_types(types: frozenset[str]) -> frozenset[str]:
    return types - {"integer"} if "number" in types else types


def _common(one: frozenset[str], other: frozenset[str]) -> frozenset[str]:
    common = one & other
    if ("integer" in one and "number" in other) or ("integer" in other and "number" in one):
        common |= {"integer"}
    return _plain_types(common)


def _tighter(one: Any, other: Any) -> Any:
    if one is False or other is False:
        return False
    return other if one is True else one


def _rest(schema: Document) -> dict[str, Any]:
    """The other keywords, with the limits that 3.0 marks as exclusive told as 3.1 does."""
    rest = {key: value for key, value in schema.items() if key not in _SHAPED}
    for limit, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if rest.get(exclusive) is False:
            del rest[exclusive]
        elif rest.get(exclusive) is True:
            del rest[exclusive]
            if limit in rest:
                rest[exclusive] = rest.pop(limit)
    if rest.get("uniqueItems") is False:
        del rest["uniqueItems"]
    return rest


def _merged_rest(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    merged = {**other, **one}
    for key in one.keys() & other.keys():
        if key in {*_LOWER, "exclusiveMinimum"}:
            merged[key] = max(one[key], other[key])
        elif key in {*_UPPER, "exclusiveMaximum"}:
            merged[key] = min(one[key], other[key])
    return merged
