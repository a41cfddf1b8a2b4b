"""Reading an OpenAPI document into plain JSON values, and the way around in them."""

from __future__ import annotations

import codecs
import errno
import json
import os
import stat
from typing import TYPE_CHECKING, Any, TypeGuard, cast
from urllib.parse import unquote

from . import json_text, yaml_text
from .errors import SpecError
from .pointers import MAX_DEPTH, MAX_SIZE_BYTES, MAX_VALUES, step_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")

Document = dict[str, Any]


def is_object(value: object) -> TypeGuard[Document]:
    """Whether a value of a document is an object."""
    return isinstance(value, dict)


def is_array(value: object) -> TypeGuard[list[Any]]:
    """Whether a value of a document is an array."""
    return isinstance(value, list)


def read(path: Path) -> Document:
    """Read a JSON or YAML document.

    Raises:
        SpecError: If it cannot be read, is too large, or is not a document; names line and place where it can.
    """
    content = _content(path)
    try:
        values = _parsed(content, path)
        _measure(values, "", 0, {})
    except SpecError as error:
        line = error.line or (_line_in(content, error.pointer) if error.pointer else None)
        raise SpecError(error.reason, source=path, pointer=error.pointer, line=line) from error.__cause__
    if not is_object(values):
        raise SpecError(f"is empty or no object: it holds {_KINDS.get(type(values), 'a number')}", source=path)
    return values


_KINDS: dict[type, str] = {type(None): "nothing", str: "a text", list: "a list", bool: "true or false"}


def _content(path: Path) -> str:
    """The text of a file.

    Raises:
        SpecError: If it is no file, cannot be read, is too large or not UTF-8.
    """
    try:
        raw = _raw(path)
        return raw.decode("utf-8-sig")
    except (OSError, ValueError) as error:
        if isinstance(error, SpecError):
            raise
        if isinstance(error, UnicodeDecodeError):
            line = error.object[: error.start].count(b"\n") + 1
            raise SpecError(f"is not UTF-8{_seems(error.object)}", source=path, line=line) from error
        # A path with a NUL in it is a ValueError.
        raise SpecError(f"cannot be read: {getattr(error, 'strerror', None) or error}", source=path) from error


def _raw(path: Path) -> bytes:
    # Opening a pipe would wait for its other end.
    file = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    try:
        about = os.fstat(file)
        if stat.S_ISDIR(about.st_mode):
            raise IsADirectoryError(errno.EISDIR, "Is a directory")
        if not stat.S_ISREG(about.st_mode):
            raise SpecError("is no regular file: save the document to one", source=path)
        if about.st_size > MAX_SIZE_BYTES:
            size = about.st_size / 2**20
            raise SpecError(f"is larger than {MAX_SIZE_BYTES // 2**20} MiB: it has {size:.1f}", source=path)
        with os.fdopen(file, "rb", closefd=False) as stream:
            return stream.read(MAX_SIZE_BYTES)
    finally:
        os.close(file)


def _seems(raw: bytes) -> str:
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return ", it seems to be UTF-16: save it as UTF-8"
    return ": save it as UTF-8"


def _parsed(content: str, path: Path) -> object:
    if not content.lstrip().startswith("{"):
        return yaml_text.parse(content)
    try:
        return json_text.parse(content)
    except SpecError as error:
        # YAML may begin with a brace too.
        if path.suffix.lower() not in _YAML_SUFFIXES or not isinstance(error.__cause__, json.JSONDecodeError):
            raise
        try:
            return yaml_text.parse(content)
        except SpecError:
            raise error from None


_YAML_SUFFIXES = {".yaml", ".yml"}


def line_of(path: Path, pointer: str) -> int | None:
    """The line on which the value at a pointer stands, or what is nearest above it; None if it cannot be told."""
    try:
        return _line_in(_content(path), pointer)
    except SpecError:
        return None


def _line_in(content: str, pointer: str) -> int | None:
    if content.lstrip().startswith("{"):
        line = json_text.line_of(content, pointer)
        if line is not None:
            return line
    return yaml_text.line_of(content, pointer)


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
    if depth + height > MAX_DEPTH:
        raise SpecError(f"is nested more than {MAX_DEPTH} levels deep", pointer=pointer)
    if not count:
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
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise SpecError("a text holds half of a surrogate pair", pointer=pointer) from None


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
