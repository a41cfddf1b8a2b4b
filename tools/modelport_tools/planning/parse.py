"""openapi-python-client as a parser: it finds the classes, gives every Python name and the type of every field."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any, cast

from openapi_python_client.config import ClassOverride, Config, ConfigFile, MetaType
from openapi_python_client.parser.errors import GeneratorError
from openapi_python_client.parser.openapi import GeneratorData

from modelport_tools.document import Document, operations
from modelport_tools.errors import SpecError

from .adapt import adapted
from .enums import prepared
from .names import text
from .unions import opened

_CLASS_NAMES = (
    "Any", "AsyncRawMethod", "AsyncResource", "AsyncStreamMethod", "File", "Literal", "OpenIntEnum", "OpenStrEnum",
    "Operation", "Parameter", "RawMethod", "RequestOptions", "Resource", "StreamMethod", "UNSET", "UUID", "Unpack",
    "Unset", "Uuid",
)  # fmt: skip
"""Names that generated modules use themselves: a component of such a name gets the suffix ``Model``."""


def parse(document: Document) -> tuple[GeneratorData, list[Any]]:
    """The classes of a canonical document, and the endpoint of each operation, in the order of `operations`.

    Raises:
        SpecError: If any operation would be lost, or left without a type; names it.
    """
    data = _parsed(document)
    endpoints = {
        (text(endpoint.path), endpoint.method.lower()): endpoint
        for collection in data.endpoint_collections_by_tag.values()
        for endpoint in collection.endpoints
    }
    return data, _in_order(document, endpoints)


@cache
def config() -> Config:
    """How openapi-python-client is to name classes."""
    return Config.from_sources(
        ConfigFile(
            post_hooks=[],
            use_path_prefixes_for_title_model_names=False,
            class_overrides={name: ClassOverride(class_name=cast("Any", f"{name}Model")) for name in _CLASS_NAMES},
        ),
        MetaType.NONE,
        document_source=Path(),
        file_encoding="utf-8",
        overwrite=False,
        output_path=None,
    )


def _parsed(document: Document) -> GeneratorData:
    try:
        data = GeneratorData.from_dict(prepared(adapted(opened(document))), config=config())
    except RecursionError:
        raise SpecError("openapi-python-client cannot follow the document: it is nested too deeply") from None
    except Exception as error:  # it raises what its parts raise, such as on enum values that differ in case only
        raise SpecError(f"openapi-python-client cannot parse the document: {error}") from error
    if isinstance(data, GeneratorError):
        raise SpecError(f"openapi-python-client refuses the document: {data.header} {data.detail or ''}".strip())
    problems = [_problem(error) for error in data.errors]
    for collection in data.endpoint_collections_by_tag.values():
        problems.extend(_problem(error) for error in collection.parse_errors)
    if problems:
        raise SpecError("would be generated with losses: " + "; ".join(problems))
    return data


def _problem(error: Any) -> str:
    return _ADDRESS.sub(">", " ".join(str(part) for part in (error.header, error.detail) if part))


_ADDRESS = re.compile(r" at 0x[0-9a-f]+>")


def _in_order(document: Document, endpoints: dict[tuple[str, str], Any]) -> list[Any]:
    """The parsed endpoint of each operation: it may bear other names in the braces of its path."""
    bare = {(_bare(path), method): endpoint for (path, method), endpoint in endpoints.items()}
    seen: dict[tuple[str, str], str] = {}
    for path, method in _expected(document):
        where = f"{method.upper()} {path}"
        first = seen.setdefault((_bare(path), method), where)
        if first is not where:
            raise SpecError(f"is the same path as {first} with other names in its braces", pointer=where)
    found = [bare.get((_bare(path), method)) for path, method in _expected(document)]
    lost = [
        f"{method.upper()} {path}" for (path, method), one in zip(_expected(document), found, strict=True) if not one
    ]
    if lost:
        raise SpecError(f"would lose the operations {', '.join(lost)}")
    return found


def _expected(document: Document) -> list[tuple[str, str]]:
    return [(path, method) for path, method, _, _ in operations(document)]


def _bare(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", path)
