"""Uploaded files into folders, under names that scripts can rely on."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from modelport.sandbox._errors import BadRequestError
from modelport.sandbox.call import Call, Upload, safe_name

SOURCE_SUFFIXES = (".py", ".ipynb")
TABLE_SUFFIXES = (".csv", ".parquet", ".json")
REQUIREMENTS = "requirements.txt"
ENV_FILE = ".env"


def save_source(upload: Upload, folder: Path, field: str) -> str:
    """Keep a script under its own name; only Python files and notebooks are scripts."""
    if Path(upload.name).suffix.lower() not in SOURCE_SUFFIXES:
        raise BadRequestError(f"form field {field!r}: {upload.name!r} is not a .py or .ipynb file")
    if upload.name.endswith(".py") and b"\0" in (data := upload.read()):
        raise BadRequestError(
            f"form field {field!r}: {upload.name!r} holds a zero byte at {data.index(0)}; it is no Python source"
        )
    upload.save(folder / upload.name)
    return upload.name


def save_table(
    upload: Upload, folder: Path, field: str, suffixes: Iterable[str] = TABLE_SUFFIXES, *, name: str | None = None
) -> str:
    """Keep a data file under its own name, or under a fixed one."""
    if Path(upload.name).suffix.lower() not in suffixes:
        raise BadRequestError(f"form field {field!r}: {upload.name!r} is not one of {', '.join(suffixes)}")
    if upload.size == 0:
        raise BadRequestError(f"form field {field!r}: {upload.name!r} is empty")
    kept = name or upload.name
    upload.save(folder / kept)
    return kept


def save_extras(call: Call, folder: Path, taken: set[str], field: str = "extra") -> list[str]:
    """Keep the extra files; a name that is taken is refused."""
    names: list[str] = []
    for upload in call.files.get(field, []):
        if upload.name in taken:
            raise BadRequestError(f"form field {field!r}: the name {upload.name!r} is taken by another uploaded file")
        upload.save(folder / upload.name)
        taken.add(upload.name)
        names.append(upload.name)
    return names


def save_optional(call: Call, field: str, folder: Path, name: str) -> str | None:
    """Keep an optional file under a fixed name."""
    upload = call.file(field)
    if upload is None:
        return None
    upload.save(folder / name)
    return name


def read_json(upload: Upload, field: str) -> Any:
    """The JSON in an uploaded file."""
    try:
        return json.loads(upload.read().decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise BadRequestError(f"form field {field!r}: {upload.name!r} is not JSON: {error}") from None


def bare(name: str, fallback: str) -> str:
    """A name given in a form field as a file name."""
    return safe_name(name, fallback)
