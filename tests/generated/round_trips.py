"""Values that a document allows, through the generated classes and back: nothing may be refused, lost or changed."""

from __future__ import annotations

import importlib
import json
import zlib
from typing import TYPE_CHECKING, Any, NamedTuple

from modelport_tools.document import Document, is_array, is_object, operations, resolve, step_text
from modelport_tools.planning.streams import with_json_in_events
from modelport_tools.planning.types import Types
from tests.generated.values import Endless, Values

if TYPE_CHECKING:
    from collections.abc import Iterator


class Fault(NamedTuple):
    """A value that did not come back as it was."""

    where: str
    annotation: str
    said: str
    value: Any


def faults(
    package: str, document: Document, *, runtime: str = "", draws: int = 10, seed: int = 0
) -> Iterator[Fault | None]:
    """One for each value that was drawn; None for one that came back.

    Args:
        package: The import name of a package that was generated from the document.
        document: The canonical document.
        runtime: The package of the runtime, if it is not below the first.
        draws: Values for each schema.
        seed: The same seed gives the same values.
    """
    runtime = runtime or f"{package}._runtime"
    decode: Any = importlib.import_module(f"{runtime}.decode")
    compiled: Any = importlib.import_module(f"{runtime}.compiled")
    wire: Any = importlib.import_module(f"{runtime}.wire")
    names: Any = importlib.import_module(f"{package}.models").__getattr__
    document = with_json_in_events(document)
    for where, annotation, schema in typed(package, document):
        if "File" in annotation:
            continue
        plain = decode.decoder_for(annotation, names)
        fast = compiled.fast_decoder(annotation, names)
        values = Values(document, seed ^ zlib.crc32(where.encode()))
        for _ in range(draws):
            try:
                value = values.of(schema)
            except Endless:
                break
            yield _fault(where, annotation, value, plain, fast, wire.to_builtins)


def _fault(where: str, annotation: str, value: Any, plain: Any, fast: Any, encode: Any) -> Fault | None:
    text = json.dumps(value)
    try:
        decoded = plain(json.loads(text))
        back = encode(decoded)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the find
        return Fault(where, annotation, f"{type(error).__name__}: {error}", value)
    if not equal(back, value):
        return Fault(where, annotation, f"came back as {json.dumps(back, default=repr)}", value)
    try:
        hasty = fast(text.encode())
    except (ValueError, TypeError, RecursionError):
        return None  # left to the plain way
    if hasty != decoded:
        return Fault(where, annotation, f"the fast way gives {hasty!r}, the plain one {decoded!r}", value)
    return None


def equal(left: Any, right: Any) -> bool:
    """Whether two JSON values are the same: ``true`` is not 1, but 1 is 1.0."""
    if is_object(left) and is_object(right):
        return left.keys() == right.keys() and all(equal(item, right[key]) for key, item in left.items())
    if is_array(left) and is_array(right):
        return len(left) == len(right) and all(equal(one, other) for one, other in zip(left, right, strict=True))
    return isinstance(left, bool) == isinstance(right, bool) and left == right


def typed(package: str, document: Document) -> Iterator[tuple[str, str, Any]]:
    """Where a type stands, its annotation, and the schema that it stands for: components, then answers as JSON."""
    types = Types(document)
    schemas: Document = document.get("components", {}).get("schemas", {})
    for name in types.names.components:
        types.of_component(name)
    for name in schemas:
        yield (
            name,
            types.of_component(name),
            {"$ref": f"#/components/schemas/{step_text(name)}"},
        )
    planned = {(one["method"], one["path"]): one for one in _operations(package)}
    for path, method, _, operation in operations(document):
        plan = planned[method.upper(), path]
        for status, answer in (operation.get("responses") or {}).items():
            for kind, media in (resolve(document, answer).get("content") or {}).items():
                annotation = plan["responses"].get(status, {}).get(kind)
                if annotation and kind == "application/json" and "schema" in (media or {}):
                    yield f"{plan['name']} {status}", annotation, media["schema"]


def _operations(package: str) -> list[Any]:
    from importlib.resources import files

    found: list[Any] = json.loads((files(package) / "operations.json").read_text(encoding="utf-8"))["operations"]
    return found
