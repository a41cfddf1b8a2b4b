"""Reading an OpenAPI document into plain JSON values, and the way around in them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeGuard, cast
from urllib.parse import unquote

import yaml

from .errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAX_SIZE_BYTES = 32 * 1024 * 1024
MAX_VALUES = 2_000_000
"""A document with more values than this, once its aliases are written out, is taken for an alias bomb."""
MAX_DEPTH = 200

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
    loader.add_constructor("tag:yaml.org,2002:float", lambda _, node: _finite(str(node.value)))


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
        with path.open("rb") as file:
            raw = file.read(MAX_SIZE_BYTES + 1)
        if len(raw) > MAX_SIZE_BYTES:
            raise SpecError(f"larger than {MAX_SIZE_BYTES // 2**20} MiB", source=path)
        content = raw.decode("utf-8-sig")
    except OSError as error:
        raise SpecError(f"cannot be read: {error.strerror or error}", source=path) from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise SpecError("is not UTF-8", source=path, line=line) from error
    values = _parse(content, path)
    if not is_object(values):
        raise SpecError("is empty or no object", source=path)
    try:
        _measure(values, "", 0, {})
    except SpecError as error:
        raise SpecError(error.reason, source=path, pointer=error.pointer) from None
    return values


def _measure(value: Any, pointer: str, depth: int, known: dict[int, tuple[int, int]]) -> tuple[int, int]:
    """How many values there are, and how deep they are nested, with aliases written out.

    Raises:
        SpecError: If that is too much, or a text is not Unicode.
    """
    if isinstance(value, str):
        _check_text(value, pointer)
    if not is_object(value) and not is_array(value):
        return 1, 0
    count, height = known.get(id(value), (0, 0))
    if count < 0:
        raise SpecError("refers to itself", pointer=pointer)
    if depth + height > MAX_DEPTH:
        raise SpecError(f"is nested more than {MAX_DEPTH} levels deep", pointer=pointer)
    if not count:
        known[id(value)] = -1, 0
        count = 1
        entries = value.items() if is_object(value) else enumerate(value)
        for key, item in entries:
            _check_text(str(key), pointer)
            more, below = _measure(item, f"{pointer}/{step_text(str(key))}", depth + 1, known)
            count, height = count + more, max(height, below + 1)
        known[id(value)] = count, height
    if count > MAX_VALUES:
        raise SpecError(f"has more than {MAX_VALUES} values once its aliases are written out", pointer=pointer)
    return count, height


def _check_text(text: str, pointer: str) -> None:
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise SpecError("a text holds half of a surrogate pair", pointer=pointer)


def step_text(step: str) -> str:
    """A key as a step of a JSON pointer."""
    return step.replace("~", "~0").replace("/", "~1")


def _finite(text: str) -> float:
    value = float(text)
    if value in {float("inf"), float("-inf")}:
        raise SpecError(f"the number {text[:40]} is out of range")
    return value


def _no_number(text: str) -> float:
    raise SpecError(f"{text} is no number of JSON")


def _unique(pairs: list[tuple[str, Any]]) -> Document:
    values = dict(pairs)
    if len(values) < len(pairs):
        keys = [key for key, _ in pairs]
        raise _TwiceError(next(key for key in keys if keys.count(key) > 1))
    return values


class _TwiceError(SpecError):
    """A key of JSON that stands twice; its reader does not know the line."""

    def __init__(self, key: str) -> None:
        self.key = key
        super().__init__(f"the key {key!r} stands twice")


def _parse(content: str, path: Path) -> object:
    try:
        if content.lstrip().startswith("{"):
            return json.loads(content, object_pairs_hook=_unique, parse_float=_finite, parse_constant=_no_number)
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
    except _TwiceError as error:
        raise SpecError(error.reason, source=path, line=_line_of_second(content, error.key)) from None
    except SpecError as error:
        raise SpecError(error.reason, source=path, line=error.line) from None
    except ValueError as error:  # a number too long for Python, or a tag that does not fit its value
        raise SpecError(f"holds a value that cannot be read: {error}", source=path) from None
    except RecursionError:
        raise SpecError("is nested too deeply, or refers to itself", source=path) from None


def _line_of_second(content: str, key: str) -> int | None:
    """The line on which a key of JSON stands again in one object; None if its text cannot be followed."""
    try:
        loader = _Loader(content)
        try:
            loader.get_single_data()
        finally:
            loader.dispose()
    except SpecError as error:
        return error.line if repr(key) in error.reason else None
    except (yaml.YAMLError, ValueError, RecursionError):
        return None
    return None


def line_of(path: Path, pointer: str) -> int | None:
    """The line on which the value at a pointer stands in a file that could be read; None if it cannot be told."""
    try:
        loader = _Loader(path.read_text(encoding="utf-8-sig"))
        try:
            node: Any = loader.get_single_node()
        finally:
            loader.dispose()
    except (OSError, ValueError, RecursionError, yaml.YAMLError):
        return None
    for step in pointer.split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        node = _below(node, key)
    return int(node.start_mark.line) + 1 if node is not None else None


def _below(node: Any, key: str) -> Any:
    entries: Any = getattr(node, "value", None)
    if getattr(node, "id", "") == "mapping":
        return next((value for name, value in entries if name.value == key), None)
    if getattr(node, "id", "") == "sequence" and key.isdigit() and int(key) < len(entries):
        return entries[int(key)]
    return None


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
        key = unquote(step).replace("~1", "/").replace("~0", "~")
        if is_array(value) and key.isascii() and key.isdigit() and int(key) < len(value):
            value = value[int(key)]
        elif is_object(value) and key in value:
            value = value[key]
        else:
            raise SpecError("the reference leads nowhere", pointer=reference)
    return value


def operations(document: Document) -> Iterator[tuple[str, str, Document, Document]]:
    """Every operation: path, method, the path item, the operation."""
    paths = document.get("paths")
    for path, item in paths.items() if is_object(paths) else ():
        entry = resolve(document, item)
        for method in METHODS if is_object(entry) else ():
            operation = entry.get(method)
            if is_object(operation):
                yield path, method, entry, operation
