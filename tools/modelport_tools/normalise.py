"""From a document as it was written to the canonical one that everything is generated from."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from .document import Document, dump, is_array, is_object, operations, resolve
from .errors import SpecError
from .pointers import step_text
from .shape import walk

if TYPE_CHECKING:
    from collections.abc import Iterator

_SHOWN_CHARACTERS = 400
_VERSION = re.compile(r"3\.[01]\.\d+")


def normalise(document: Document) -> Document:
    """A canonical copy: keys in order, every operation named and tagged, references checked, nothing left to guess.

    Raises:
        SpecError: If the document is not OpenAPI 3.0 or 3.1, or contradicts itself.
    """
    version = document.get("openapi")
    if not isinstance(version, str) or not _VERSION.fullmatch(version):
        found = (
            f"OpenAPI {version}" if version else f"Swagger {document['swagger']}" if "swagger" in document else "none"
        )
        raise SpecError(f"needs OpenAPI 3.0 or 3.1 or Swagger 2.0, found {found}", pointer="/openapi")
    canonical: Document = json.loads(dump(document))
    _check_references(canonical)
    _name_operations(canonical)
    return canonical


def validate(document: Document) -> None:
    """Check a document against the specification itself.

    Raises:
        SpecError: With the first fault and its place.
    """
    from openapi_spec_validator import OpenAPIV2SpecValidator, OpenAPIV30SpecValidator, OpenAPIV31SpecValidator

    version = str(document.get("openapi", "2.0"))
    validator: Any = {"2.0": OpenAPIV2SpecValidator, "3.0": OpenAPIV30SpecValidator}.get(
        version[:3], OpenAPIV31SpecValidator
    )
    errors: list[Any] = []
    try:
        errors.extend(validator(_without_patterns(document)).iter_errors())
    except Exception as error:  # having told a fault, the validator may stumble over it
        if not errors:
            raise SpecError(f"cannot be validated: {error}") from error
    if errors:
        first = min(errors, key=lambda error: [str(step) for step in getattr(error, "absolute_path", ())])
        pointer = _place(document, list(getattr(first, "absolute_path", ())), getattr(first, "instance", None))
        message = str(getattr(first, "message", first)).partition("\n\n")[0]
        raise SpecError(
            message if len(message) < _SHOWN_CHARACTERS else f"{message[:_SHOWN_CHARACTERS]}...", pointer=pointer
        )


def _without_patterns(document: Document) -> Document:
    """A copy without regular expressions: to match a default against one could take for ever."""
    copied: Document = json.loads(json.dumps(document))
    for _, schema, kind in walk(copied):
        if kind == "schema":
            schema.pop("pattern", None)
            schema.pop("patternProperties", None)
    return copied


def _place(document: Document, path: list[Any], faulty: Any) -> str:
    """The pointer to a faulty value; the validator tells that of a schema of OpenAPI 3.1 from the schema's own top."""
    below = "".join(f"/{step_text(str(step))}" for step in path)
    if not path or _found(document, path) is not _NOTHING:
        return below
    tops = (pointer for pointer, schema, kind in walk(document) if kind == "schema" and _found(schema, path) == faulty)
    return next(tops, "") + below


_NOTHING = object()


def _found(value: Any, path: list[Any]) -> Any:
    try:
        for step in path:
            value = value[step]
    except (KeyError, IndexError, TypeError):
        return _NOTHING
    return value


def _walk(value: Any, pointer: str) -> Iterator[tuple[str, Document]]:
    if is_object(value):
        yield pointer, value
        for key, item in value.items():
            if key not in {"example", "examples"}:
                yield from _walk(item, f"{pointer}/{step_text(key)}")
    elif is_array(value):
        for index, item in enumerate(value):
            yield from _walk(item, f"{pointer}/{index}")


def _check_references(document: Document) -> None:
    for pointer, value in _walk(document, ""):
        reference = value.get("$ref")
        if isinstance(reference, str):
            try:
                resolve(document, value)
            except SpecError as error:
                raise SpecError(f"{reference}: {error.reason}", pointer=pointer) from error


def _name_operations(document: Document) -> None:
    given = Counter(str(operation.get("operationId")) for _, _, _, operation in operations(document))
    taken: set[str] = set()
    for path, method, _, operation in operations(document):
        where = f"{method.upper()} {path}"
        name = operation.setdefault("operationId", f"{method}_{path}")
        if not isinstance(name, str):
            raise SpecError("the operationId must be a text", pointer=where)
        if given[name] > 1:  # it names neither of them
            name = f"{method}_{path}"
        while name in taken:
            name += "_"
        operation["operationId"] = name
        taken.add(name)
        tags = operation.setdefault("tags", [])
        if not is_array(tags) or not all(isinstance(tag, str) for tag in tags):
            raise SpecError("the tags must be texts", pointer=where)
        if not tags:
            tags.append("default")
