"""Whether a document keeps to its own specification, as far as a client is concerned.

What a client makes no use of, such as defaults, limits and examples, is not looked at: a fault there is nobody's loss.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NoReturn, cast

from .document import Document, is_array, is_object, operations, resolve
from .errors import SpecError
from .pointers import step_text
from .shape import kind_below, walk

if TYPE_CHECKING:
    from collections.abc import Iterator

_SHOWN_CHARACTERS = 400
_UNUSED = frozenset(
    {"$comment", "$recursiveAnchor", "default", "example", "examples", "externalDocs", "exclusiveMaximum",
     "exclusiveMinimum", "maxItems", "maxLength", "maxProperties", "maximum", "minItems", "minLength", "minProperties",
     "minimum", "multipleOf", "pattern", "uniqueItems", "xml"}
)  # fmt: skip
_NEWER = frozenset(
    {"$defs", "const", "contains", "contentEncoding", "contentMediaType", "contentSchema", "dependentRequired",
     "dependentSchemas", "else", "if", "maxContains", "minContains", "patternProperties", "prefixItems",
     "propertyNames", "then", "unevaluatedItems", "unevaluatedProperties"}
)  # fmt: skip
"""Words of schemas in OpenAPI 3.1 that documents of 3.0 use too, in the same sense."""
_TYPES = frozenset({"array", "boolean", "integer", "null", "number", "object", "string"})
_SCHEMA_OR_BOOLEAN = (dict, bool)
_WORDS: dict[str, type | tuple[type, ...]] = {
    "$ref": str, "title": str, "description": str, "format": str, "required": list, "enum": list,
    "allOf": list, "anyOf": list, "oneOf": list, "prefixItems": list,
    "properties": dict, "patternProperties": dict, "$defs": dict, "discriminator": (dict, str),
    "items": (dict, bool, list), "additionalProperties": _SCHEMA_OR_BOOLEAN, "not": _SCHEMA_OR_BOOLEAN,
    "nullable": bool, "readOnly": bool, "writeOnly": bool, "deprecated": bool,
}  # fmt: skip
_NAMES: dict[type, str] = {str: "a text", list: "a list", dict: "an object", bool: "true or false"}
_BRACES = re.compile(r"\{([^{}]*)\}")


def validate(document: Document) -> None:
    """Check a document against the specification itself.

    Args:
        document: OpenAPI 3.0 or 3.1, or Swagger 2.0.

    Raises:
        SpecError: With the first fault and its place.
    """
    for pointer, value, kind in walk(document):
        if kind == "schema":
            _check_schema(value, pointer)
    version = str(document.get("openapi", "2.0"))[:3]
    errors = _errors(_pruned(document, "document", version), version)
    if errors:
        _refuse(errors)
    if version != "2.0":
        _check_security(document)
        for path, method, item, operation in operations(document):
            _check_parameters(document, path, method, item, operation)


def _check_schema(schema: Document, pointer: str) -> None:
    """What the specification of 3.1 leaves to JSON Schema, and what would be told badly for 3.0."""
    for word, kinds in _WORDS.items():
        if word in schema and not isinstance(schema[word], kinds):
            wanted = " or ".join(_NAMES[kind] for kind in (kinds if isinstance(kinds, tuple) else (kinds,)))
            raise SpecError(f"must be {wanted}", pointer=f"{pointer}/{step_text(word)}")
    kinds = schema.get("type", [])
    for kind in kinds if is_array(kinds) else [kinds]:
        if not isinstance(kind, str) or kind not in _TYPES:
            raise SpecError(f"{kind!r} is no type of JSON Schema", pointer=f"{pointer}/type")
    if not all(isinstance(name, str) for name in schema.get("required", ())):
        raise SpecError("must be a list of names", pointer=f"{pointer}/required")
    for step, part in _parts(schema):
        if not isinstance(part, _SCHEMA_OR_BOOLEAN):
            raise SpecError("must be a schema", pointer=f"{pointer}/{step}")


def _parts(schema: Document) -> Iterator[tuple[str, Any]]:
    """The schemas in lists and maps of a schema, with the way to each."""
    for word in ("allOf", "anyOf", "oneOf", "prefixItems"):
        for index, part in enumerate(schema.get(word, ())):
            yield f"{word}/{index}", part
    for word in ("properties", "patternProperties", "$defs"):
        for name, part in cast("Document", schema.get(word, {})).items():
            yield f"{word}/{step_text(name)}", part


def _pruned(value: Any, kind: str, version: str) -> Any:
    """The document without what is not looked at."""
    if is_array(value):
        inner = kind[1:-1] if kind.startswith("[") else kind
        return [_pruned(item, inner, version) for item in value]
    if not is_object(value):
        return value
    schema = kind == "schema"
    unused = _UNUSED if schema or (version == "2.0" and kind in {"parameter", "header"}) else frozenset[str]()
    if schema and version == "3.0":
        unused |= _NEWER
    kept: Document = {}
    for key, item in value.items():
        if key in unused:
            continue
        below = kind_below(kind, key)
        kept[key] = item if below is None else _pruned(item, below, version)
    if schema and version == "3.0" and is_array(kept.get("type")):
        del kept["type"]
    if schema and is_array(kept.get("required")):
        kept["required"] = list(dict.fromkeys(kept["required"])) or kept.pop("required")
    return kept


def _errors(document: Document, version: str) -> list[Any]:
    """Faults against the schema that the specification publishes; a quick answer if there is none."""
    from jsonschema.validators import validator_for
    from openapi_spec_validator import schemas

    published: Any = schemas
    name = {"2.0": "v2", "3.0": "v30"}.get(version, "v31")
    quick: Any = getattr(published, f"openapi_{name}_schema_validator")
    if next(iter(quick.iter_errors(document)), None) is None:
        return []
    # The quick validator, where it is the one in Rust, does not say which of several forms a value nearly has.
    plain: Any = dict(getattr(published, f"schema_{name}"))
    thorough: Any = validator_for(plain)
    return list(thorough(plain).iter_errors(document))


def _refuse(errors: list[Any]) -> NoReturn:
    found: Any = min(errors, key=lambda error: [str(step) for step in error.absolute_path])
    while found.context:  # of several forms the one that the value comes nearest to; hardly ever is it a reference
        found = max(found.context, key=lambda error: (len(error.path), "'$ref' is a required" not in error.message))
    pointer = "".join(f"/{step_text(str(step))}" for step in found.absolute_path)
    message = str(found.message).partition("\n\n")[0]
    if found.validator == "additionalProperties" and is_object(found.instance):
        known = found.schema.get("properties", {})
        extra = next((key for key in found.instance if key not in known and not key.startswith("x-")), "")
        message = f"{extra!r} does not belong here"
    if len(message) > _SHOWN_CHARACTERS:
        message = f"{message[:_SHOWN_CHARACTERS]}..."
    raise SpecError(message, pointer=pointer)


def _check_security(document: Document) -> None:
    """Each name of an alternative needs its scheme; the document's own alternatives, only where they are used."""
    components: Document = document.get("components") or {}
    schemes: Document = components.get("securitySchemes") or {}
    holders = {f"/paths/{step_text(path)}/{method}": entry for path, method, _, entry in operations(document)}
    if not all("security" in entry for entry in holders.values()):
        holders[""] = document
    for place, holder in holders.items():
        for index, alternative in enumerate(holder.get("security") or ()):
            for name in cast("Document", alternative):
                if name not in schemes:
                    raise SpecError(
                        f"the security scheme {name!r} is not declared", pointer=f"{place}/security/{index}"
                    )


def _check_parameters(document: Document, path: str, method: str, item: Document, operation: Document) -> None:
    """Each name in the braces of a path needs its parameter, and the other way round."""
    base = f"/paths/{step_text(path)}"
    declared: dict[tuple[str, str], str] = {}
    for holder, place in ((item, base), (operation, f"{base}/{method}")):
        own: dict[tuple[str, str], str] = {}
        for key, pointer in _keys(document, holder, place):
            if key in own:
                raise SpecError(f"the {key[0]} parameter {key[1]!r} stands twice", pointer=pointer)
            own[key] = pointer
        declared |= own
    wanted = set(_BRACES.findall(path))
    for (location, name), pointer in declared.items():
        if location == "path" and name not in wanted:
            raise SpecError(f"the path has no {{{name}}} for this parameter", pointer=pointer)
    missing = sorted(wanted - {name for location, name in declared if location == "path"})
    if missing:
        raise SpecError(f"no parameter is declared for {{{missing[0]}}} of the path", pointer=f"{base}/{method}")


def _keys(document: Document, holder: Document, place: str) -> Iterator[tuple[tuple[str, str], str]]:
    for index, entry in enumerate(holder.get("parameters") or ()):
        pointer = f"{place}/parameters/{index}"
        parameter = resolve(document, entry)
        if not is_object(parameter) or not {"in", "name"} <= parameter.keys():
            raise SpecError("the reference does not lead to a parameter", pointer=pointer)
        yield (str(parameter["in"]), str(parameter["name"])), pointer
