"""JSON values that a schema of a document allows, drawn at random: what a server could send, by the document alone."""

from __future__ import annotations

import random
from typing import Any

from modelport_tools.document import Document, is_array, is_object, resolve

_DEPTH = 4
"""Below this many objects and arrays, what may be left out is, and lists are empty."""
_MOST_DEPTH = 30
_TEXTS: dict[str, tuple[str, ...]] = {
    "date-time": ("2024-02-29T12:34:56Z", "2024-02-29T12:34:56.789012+05:30", "1999-12-31T23:59:59Z"),
    "date": ("2024-02-29",),
    "uuid": ("5a8591dd-4039-49df-9202-96385ba3eff8",),
    "byte": ("aGk=",),
    "uri": ("http://127.0.0.1/a?b=c#d",),
    "email": ("a@b.example",),
}
_PLAIN = ("", "a", "größe", "5", "true", "null", "with space", '"\\/', "2024-02-29")
_ANYTHING: tuple[Any, ...] = (None, True, 0, -3, 2.5, "x", [], {}, {"a": [1, None, {"b": "c"}]})
_ASSERTIONS = frozenset({"$ref", "allOf", "anyOf", "oneOf", "const", "enum", "type", "properties", "items"})


class Endless(ValueError):  # noqa: N818 - a find, not a fault
    """A schema that no finite value fits."""


class Values:
    """Draws values.

    Args:
        document: The canonical document.
        seed: The same seed gives the same values.
    """

    def __init__(self, document: Document, seed: int) -> None:
        self._document = document
        self._random = random.Random(seed)  # noqa: S311 - test data

    def of(self, schema: Any, depth: int = 0, must: frozenset[str] = frozenset()) -> Any:
        """A value that the schema allows; an object has the properties that it must have by other schemas too."""
        if depth > _MOST_DEPTH:
            raise Endless
        if not is_object(schema):
            return self._pick(_ANYTHING)
        reference = schema.get("$ref")
        if isinstance(reference, str):
            beside = {key: item for key, item in schema.items() if key != "$ref"}
            target = resolve(self._document, {"$ref": reference})
            if not beside.keys() & _ASSERTIONS:
                return self._named(reference, self.of(target, depth, must))
            return self.of({"allOf": [{"$ref": reference}, beside]}, depth, must)
        if schema.get("nullable") and self._rarely():
            return None
        return self._told_apart(schema, depth, must)

    def _told_apart(self, schema: Document, depth: int, must: frozenset[str]) -> Any:
        if "const" in schema:
            return schema["const"]
        if is_array(schema.get("enum")):
            return self._pick(schema["enum"])
        for word in ("oneOf", "anyOf"):
            if is_array(schema.get(word)) and schema[word]:
                return self._union(schema, word, depth, must)
        if is_array(schema.get("allOf")):
            own = {key: item for key, item in schema.items() if key not in {"allOf", "nullable"}}
            return self._together(
                [*schema["allOf"], *([own] if own.keys() & _ASSERTIONS else [])],
                depth,
                must | _required(self._document, schema),
            )
        return self._plain(schema, depth, must)

    def _named(self, reference: str, value: Any) -> Any:
        """The value, telling its own name where what it extends tells its kind by a property."""
        name = reference.rpartition("/")[2]
        for parent in self._parents(resolve(self._document, {"$ref": reference})):
            if is_object(value):
                value = {**value, **self._told(parent.get("discriminator"), reference, name, value)}
        return value

    def _parents(self, schema: Any) -> list[Document]:
        parts = schema.get("allOf", ()) if is_object(schema) else ()
        found: list[Document] = []
        for part in parts:
            target = resolve(self._document, part)
            found += [*([target] if is_object(target) and "discriminator" in target else []), *self._parents(target)]
        return [*found, *([schema] if is_object(schema) and "discriminator" in schema and not found else [])]

    def _told(self, discriminator: Any, reference: str, name: str, value: Document) -> Document:
        if not is_object(discriminator) or not reference:
            return {}
        known = value.get(str(discriminator["propertyName"]))
        mapping: Document = discriminator.get("mapping") or {}
        texts = [text for text, target in mapping.items() if target in {reference, name}]
        if known in texts:
            return {}
        return {str(discriminator["propertyName"]): texts[0] if texts else name}

    def _union(self, schema: Document, word: str, depth: int, must: frozenset[str]) -> Any:
        members: list[Any] = list(schema[word])
        self._random.shuffle(members)
        if depth >= _DEPTH:  # the simplest ends the soonest
            members.sort(key=lambda member: len(str(member)) + 1000 * ("$ref" in str(member)))
        beside = {key: item for key, item in schema.items() if key not in {word, "discriminator", "nullable"}}
        for index, member in enumerate(members):
            parts = [*([beside] if beside.keys() & _ASSERTIONS else []), member]
            try:
                must |= frozenset(schema.get("required") or ())
                value = self._together(parts, depth, must) if len(parts) > 1 else self.of(member, depth + 1, must)
            except Endless:
                if index == len(members) - 1:
                    raise
                continue
            reference = member.get("$ref", "") if is_object(member) else ""
            if is_object(value) and is_object(schema.get("discriminator")):
                name = reference.rpartition("/")[2]
                tag = str(schema["discriminator"]["propertyName"])
                fixed = _is_fixed(self._document, member, tag)
                told = self._told(schema["discriminator"], reference, name, value)
                if not fixed or told.get(tag) != name:
                    value = {**value, **told}
            return value
        raise Endless

    def _together(self, parts: list[Any], depth: int, must: frozenset[str]) -> Any:
        meaning = [part for part in parts if is_object(part) and part.keys() & _ASSERTIONS]
        merged = _merged(self._document, meaning)
        if merged is not None:
            return self._object(merged, depth, must)
        drawn = [self.of(part, depth, must) for part in meaning]
        if drawn and all(is_object(one) for one in drawn):
            return {key: item for one in drawn for key, item in one.items()}
        # What all of them allow: the one that is said with the fewest words is the widest.
        ranked = sorted(zip(meaning, drawn, strict=True), key=lambda pair: _narrowness(*pair))
        return ranked[-1][1] if ranked else self._pick(_ANYTHING)

    def _plain(self, schema: Document, depth: int, must: frozenset[str]) -> Any:  # noqa: PLR0911 - one return a type
        kind = schema.get("type")
        if is_array(kind):
            return self.of({**schema, "type": self._pick(kind)}, depth, must)
        if kind is None:
            kind = "object" if schema.keys() & {"properties", "additionalProperties"} else None
            kind = "array" if "items" in schema else kind
        if kind == "object":
            return self._object(schema, depth, must)
        if kind == "array":
            return self._array(schema, depth)
        if kind == "string":
            return self._pick(_TEXTS.get(str(schema.get("format")), _PLAIN))
        if kind == "integer":
            return self._pick((0, 1, -7, 2**53 + 1))
        if kind == "number":
            return self._pick((0, 0.5, -7, 1e300))
        if kind == "boolean":
            return self._random.random() < 0.5
        return None if kind == "null" else self._pick(_ANYTHING)

    def _object(self, schema: Document, depth: int, must: frozenset[str]) -> Document:
        properties: Document = schema.get("properties") or {}
        required = must | frozenset(schema.get("required") or ())
        value: Document = {}
        for name, part in properties.items():
            if name in required or (depth < _DEPTH and not self._rarely()):
                try:
                    value[name] = self.of(part, depth + 1)
                except Endless:
                    if name in required:
                        raise
        extra = schema.get("additionalProperties", True)
        if extra is not False and depth < _DEPTH and (self._rarely() or not properties):
            value["x extra"] = self.of(extra, depth + 1)
        return value

    def _array(self, schema: Document, depth: int) -> list[Any]:
        first: list[Any] = [self.of(part, depth + 1) for part in schema.get("prefixItems") or ()]
        if schema.get("items") is False:
            return first
        least = int(schema.get("minItems") or 0) - len(first)
        count = max(least, self._random.randint(0, 2) if depth < _DEPTH else 0)
        drawn = [*first, *(self.of(schema.get("items", {}), depth + 1) for _ in range(min(count, 20)))]
        return drawn[: schema.get("maxItems")]

    def _rarely(self) -> bool:
        return self._random.random() < 0.25

    def _pick(self, values: Any) -> Any:
        return values[self._random.randrange(len(values))]


def _required(document: Document, schema: Any) -> frozenset[str]:
    """The names that any part of a schema requires."""
    schema = resolve(document, schema)
    if not is_object(schema):
        return frozenset()
    names = frozenset[str](schema.get("required") or ())
    return names.union(*(_required(document, part) for part in schema.get("allOf") or ()))


def _merged(document: Document, parts: list[Any]) -> Document | None:
    """Objects without alternatives as one schema; None if they are more than that."""
    flat: list[Document] = []
    waiting = list(parts)
    while waiting:
        part = resolve(document, waiting.pop(0))
        if not is_object(part) or part.keys() & {"oneOf", "anyOf", "const", "enum", "nullable"}:
            return None
        waiting = [*(part.get("allOf") or ()), *waiting]
        if part.keys() & {"type", "properties", "additionalProperties"}:
            flat.append(part)
    if not flat or any(part.get("type", "object") != "object" for part in flat):
        return None
    properties: dict[str, list[Any]] = {}
    for part in flat:
        for name, schema in (part.get("properties") or {}).items():
            properties.setdefault(name, []).append(schema)
    extras = [part["additionalProperties"] for part in flat if "additionalProperties" in part]
    return {
        "properties": {name: {"allOf": found} if len(found) > 1 else found[0] for name, found in properties.items()},
        "required": sorted(_required(document, {"allOf": parts})),
        "additionalProperties": False if False in extras else extras[0] if extras else True,
    }


def _narrowness(schema: Document, value: Any) -> tuple[bool, bool, bool]:
    return (
        bool(schema.keys() & {"const", "enum"}),
        value is not None,
        bool(schema.keys() - {"type"} or "format" in schema),
    )


def _is_fixed(document: Document, schema: Any, name: str) -> bool:
    """Whether a member says itself which text its property has."""
    schema = resolve(document, schema)
    if not is_object(schema):
        return False
    prop = resolve(document, (schema.get("properties") or {}).get(name))
    if is_object(prop) and ("const" in prop or "enum" in prop):
        return True
    return any(_is_fixed(document, part, name) for part in schema.get("allOf") or ())
