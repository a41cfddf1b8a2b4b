"""Reading an OpenAPI document into plain JSON values, and the way around in them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeGuard, cast

import yaml

from .errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAX_SIZE_BYTES = 32 * 1024 * 1024
MAX_ALIASES = 10_000
"""A YAML document with more aliases than this is taken for an alias bomb."""

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")

Document = dict[str, Any]


def is_object(value: object) -> TypeGuard[Document]:
    """Whether a value of a document is an object."""
    return isinstance(value, dict)


def is_array(value: object) -> TypeGuard[list[Any]]:
    """Whether a value of a document is an array."""
    return isinstance(value, list)


class _Loader(yaml.SafeLoader):
    """YAML as JSON has it: no dates, no ``on`` for true, every key a text."""

    aliases = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            self.aliases += 1
            if self.aliases > MAX_ALIASES:
                raise SpecError(f"more than {MAX_ALIASES} aliases")
        return super().compose_node(parent, index)


_JSON_SCALARS = {
    "tag:yaml.org,2002:bool": r"^(?:true|false|True|False|TRUE|FALSE)$",
    "tag:yaml.org,2002:int": r"^-?(?:0|[1-9][0-9]*)$",
    "tag:yaml.org,2002:float": r"^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?$",
    "tag:yaml.org,2002:null": r"^(?:null|Null|NULL|~|)$",
}


def _teach(loader: type[_Loader]) -> None:
    import re

    loader.yaml_implicit_resolvers = {}
    for tag, pattern in _JSON_SCALARS.items():
        cast("Any", loader).add_implicit_resolver(tag, re.compile(pattern), None)
    loader.add_constructor("tag:yaml.org,2002:map", _mapping)
    loader.add_constructor("tag:yaml.org,2002:float", lambda _, node: float(str(node.value)))


def _mapping(loader: _Loader, node: yaml.MappingNode) -> Iterator[dict[str, Any]]:
    """A mapping whose keys are the text that stands in the file: ``200`` is ``"200"``, ``on`` is ``"on"``."""
    result: dict[str, Any] = {}
    yield result
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise SpecError("a key must be a text", line=key.start_mark.line + 1)
        if key.value in result:
            raise SpecError(f"the key {key.value!r} stands twice", line=key.start_mark.line + 1)
        result[str(key.value)] = cast("Any", loader).construct_object(value, deep=True)


_teach(_Loader)


def read(path: Path) -> Document:
    """Read a JSON or YAML document.

    Raises:
        SpecError: If it cannot be read, is too large, or is not a document; names the line where it can.
    """
    try:
        if path.stat().st_size > MAX_SIZE_BYTES:
            raise SpecError(f"larger than {MAX_SIZE_BYTES // 2**20} MiB", source=path)
        content = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise SpecError(f"cannot be read: {error.strerror or error}", source=path) from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise SpecError("is not UTF-8", source=path, line=line) from error
    values = _parse(content, path)
    if not is_object(values):
        raise SpecError("is empty or no object", source=path)
    return values


def _parse(content: str, path: Path) -> object:
    try:
        if content.lstrip().startswith("{"):
            return json.loads(content)
        loader = _Loader(content)
        try:
            return loader.get_single_data()
        finally:
            loader.dispose()
    except json.JSONDecodeError as error:
        raise SpecError(f"is not JSON: {error.msg}", source=path, line=error.lineno) from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise SpecError(f"is not YAML: {error.problem}", source=path, line=line) from error
    except yaml.YAMLError as error:
        raise SpecError(f"is not YAML: {error}", source=path) from error
    except SpecError as error:
        raise SpecError(error.reason, source=path, line=error.line) from error
    except RecursionError:
        raise SpecError("is nested too deeply, or refers to itself", source=path) from None


def dump(document: Document) -> str:
    """The canonical text of a document: JSON, keys sorted, so that equal documents are equal bytes."""
    return json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


def resolve(document: Document, value: Any) -> Any:
    """Follow a local reference; anything else is returned as it is.

    Raises:
        SpecError: If the reference leads nowhere.
    """
    seen: set[str] = set()
    while is_object(value) and isinstance(value.get("$ref"), str):
        reference = cast("str", value["$ref"])
        if reference in seen:
            raise SpecError("the reference leads to itself", pointer=reference)
        seen.add(reference)
        value = lookup(document, reference)
    return value


def lookup(document: Document, reference: str) -> Any:
    """What a local reference such as ``#/components/schemas/Model`` points at.

    Raises:
        SpecError: If it leads nowhere, or out of the document.
    """
    if not reference.startswith("#/"):
        raise SpecError("only references within the document are supported", pointer=reference)
    value: Any = document
    for step in reference[2:].split("/"):
        key = step.replace("~1", "/").replace("~0", "~")
        if is_array(value) and key.isdigit() and int(key) < len(value):
            value = value[int(key)]
        elif is_object(value) and key in value:
            value = value[key]
        else:
            raise SpecError("the reference leads nowhere", pointer=reference)
    return value


def operations(document: Document) -> Iterator[tuple[str, str, Document, Document]]:
    """Every operation: path, method, the path item, the operation."""
    for path, item in document.get("paths", {}).items():
        entry = resolve(document, item)
        for method in METHODS:
            operation = entry.get(method)
            if is_object(operation):
                yield path, method, entry, operation
