"""Files to upload, from what callers have: a path, a mapping, a DataFrame. All checked before anything is sent."""

from __future__ import annotations

import ast
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias, cast

from modelport.codex._tables import FilePath, TableSource, check_path, table_file
from modelport.errors import InvalidInputError
from modelport_api.codex.v1 import File

__all__ = [
    "FilePath",
    "JsonSource",
    "Requirements",
    "TableSource",
    "check_path",
    "env_file",
    "extra_files",
    "json_file",
    "json_object",
    "plain_file",
    "read_json",
    "requirements_file",
    "sample_file",
    "source_file",
    "table_file",
]

JsonSource: TypeAlias = "FilePath | Mapping[str, Any]"
Requirements: TypeAlias = "FilePath | Sequence[str]"
_SAMPLE_SUFFIXES = (".csv", ".parquet", ".json")
_SOURCE_SUFFIXES = (".py", ".ipynb")


def plain_file(path: FilePath, what: str, name: str | None = None) -> File:
    """Any file, under its own name by default.

    Raises:
        InvalidInputError: It is missing or unreadable.
    """
    place = check_path(path, what)
    return File(place, name=name or place.name, content_type="application/octet-stream")


def source_file(path: FilePath, function: str, what: str = "source", name: str | None = None) -> File:
    """A script, in which the function to call must be.

    Raises:
        InvalidInputError: It is no .py or .ipynb file, does not parse, or lacks the function.
    """
    place = check_path(path, what, _SOURCE_SUFFIXES)
    text = _text(place, what)
    if place.suffix.lower() == ".py":
        _check_script(text, function, what, str(path))
    else:
        _parsed_json(text, what, str(path))
    return File(place, name=name or place.name, content_type="text/plain")


def _check_script(text: str, function: str, what: str, path: str) -> None:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        raise InvalidInputError(f"{what}: {path!r} is not Python{f', line {line}' if line else ''}: {error}") from error
    names = _top_level_names(tree)
    if function not in names and "*" not in names:
        functions = sorted(name for name in names if not name.startswith("_"))
        raise InvalidInputError(f"{what}: {path!r} has no function {function!r}; it defines: {', '.join(functions)}")


def _top_level_names(tree: ast.Module) -> set[str]:
    """What a script binds outside of functions and classes, conditional branches included."""
    names: set[str] = set()
    pending: list[ast.AST] = list(tree.body)
    while pending:
        node = pending.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
            continue
        if isinstance(node, ast.Import | ast.ImportFrom):
            names.update((alias.asname or alias.name).partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        pending.extend(ast.iter_child_nodes(node))
    return names


def requirements_file(requirements: Requirements, what: str = "requirements") -> File:
    """A requirements.txt, from a file or from its lines.

    Raises:
        InvalidInputError: The file is missing or is not text.
    """
    if isinstance(requirements, str) or not isinstance(requirements, Sequence):
        place = check_path(requirements, what)
        _text(place, what)
        return File(place, name="requirements.txt", content_type="text/plain")
    lines = [line.strip() for line in requirements]
    return File(("\n".join(lines) + "\n").encode(), name="requirements.txt", content_type="text/plain")


def env_file(env: JsonSource, what: str = "env") -> File:
    """A file of variables for the script, from a file whose name ends in .env or from a mapping.

    Raises:
        InvalidInputError: The file is missing or has another name, or a value has a line end.
    """
    if isinstance(env, Mapping):
        return File(_env_lines(env, what), name=".env", content_type="text/plain")
    if not Path(env).name.endswith(".env"):
        raise InvalidInputError(f"{what}: the name of the file must end in .env, not {str(env)!r}")
    return File(check_path(env, what), name=".env", content_type="text/plain")


def _env_lines(env: Mapping[str, Any], what: str) -> bytes:
    for name, value in env.items():
        if not name.isidentifier() or any(end in str(value) for end in "\r\n\0"):
            # The value may be a secret, so only the name is told.
            raise InvalidInputError(f"{what}: {name!r} is not a variable, or its value has a line end")
    return "".join(f"{name}={value}\n" for name, value in env.items()).encode()


def extra_files(paths: Sequence[FilePath], taken: Sequence[str] = (), what: str = "extra") -> list[File]:
    """Further files, which the platform puts into one folder with the others.

    Raises:
        InvalidInputError: One is missing, or two of them (or one in `taken`) have the same name.
    """
    if isinstance(paths, str | os.PathLike):
        raise InvalidInputError(f"{what} must be a list of files, not one: write [{os.fspath(paths)!r}]")
    files: list[File] = []
    seen = set(taken)
    for path in paths:
        place = check_path(path, what)
        if place.name in seen:
            raise InvalidInputError(f"{what}: two files are named {place.name!r}; the platform keeps one folder")
        seen.add(place.name)
        files.append(File(place, name=place.name, content_type="application/octet-stream"))
    return files


def json_file(source: JsonSource, what: str, name: str) -> File:
    """A JSON object as a file, from a .json file or from a mapping.

    Raises:
        InvalidInputError: The file is missing, is not JSON, or is no object; or the mapping holds what JSON has not.
    """
    return File(json_bytes(json_object(source, what), what), name=name, content_type="application/json")


def json_object(source: JsonSource, what: str) -> dict[str, Any]:
    """The JSON object in a .json file, or the mapping itself.

    Raises:
        InvalidInputError: The file is missing, is not JSON, or is no object.
    """
    if isinstance(source, Mapping):
        return dict(source)
    value = read_json(source, what)
    if not isinstance(value, dict):
        raise InvalidInputError(f"{what}: {str(source)!r} must hold a JSON object, not a {type(value).__name__}")
    return cast("dict[str, Any]", value)


def read_json(path: FilePath, what: str) -> Any:
    """The value in a .json file.

    Raises:
        InvalidInputError: The file is missing or is not JSON; the message names the place.
    """
    return _parsed_json(_text(check_path(path, what, (".json",)), what), what, str(path))


def json_bytes(value: Any, what: str) -> bytes:
    """A value as JSON; numpy and pandas scalars become numbers.

    Raises:
        InvalidInputError: It holds what JSON has not: a NaN, an object.
    """
    from modelport._plain import plain

    try:
        return json.dumps(plain(value), ensure_ascii=False, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidInputError(f"{what} cannot be written as JSON: {error}") from error


def sample_file(schema: TableSource, operation: str, what: str = "schema") -> File:
    """A sample of a model's input: one JSON object for Sync; a table or JSON for Async.

    Raises:
        InvalidInputError: The file is missing, has another suffix, or is not JSON where it should be.
    """
    if operation == "Sync" or isinstance(schema, Mapping):
        return json_file(cast("JsonSource", schema), what, "schema.json")
    if not isinstance(schema, str | os.PathLike):
        return table_file(schema, what, "schema")
    place = check_path(cast("FilePath", schema), what, _SAMPLE_SUFFIXES)
    if place.suffix.lower() == ".json":
        read_json(place, what)
    return File(place, name=f"schema{place.suffix.lower()}", content_type="application/octet-stream")


def _text(place: Path, what: str) -> str:
    try:
        return place.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInputError(f"{what}: {str(place)!r} is not a text file in UTF-8") from error
    except OSError as error:
        raise InvalidInputError(f"{what}: {str(place)!r} cannot be read: {error}") from error


def _parsed_json(text: str, what: str, path: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidInputError(f"{what}: {path!r} is not JSON: {error}") from error
