"""From a file to the canonical document: read, bundled, patched, converted, checked."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import unquote

from . import patch
from .bundle import Origins, bundle
from .document import Document, line_of, read
from .errors import SpecError
from .following import check_growth, check_kinds, check_references
from .normalise import normalise
from .pointers import step_text
from .swagger2 import convert, is_swagger, original_place, without_files
from .validation import validate

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable
    from pathlib import Path


def load(spec: Path, patches: Iterable[Path] = (), *, strict: bool = True, origins: Origins | None = None) -> Document:
    """The canonical document behind a file, which may refer to others beside it, or be Swagger 2.0.

    Args:
        spec: The file.
        patches: OpenAPI Overlay documents to apply first, in order.
        strict: Check the document against the specification too, not only what is needed to work with it.
        origins: Takes up what came from which other file, for `located`.

    Raises:
        SpecError: If the document or a patch cannot be used; names the file and the place.
    """
    origins = {} if origins is None else origins
    document = bundle(read(spec), spec, origins)
    for path in patches:
        document = patch.apply(document, path)
    with placed(spec, origins):
        if is_swagger(document):
            check_references(document)
            validate(without_files(document))
            document = convert(document)
        canonical = normalise(document)
        check_kinds(canonical)
        check_growth(canonical)
        if strict:
            validate(canonical)
    return canonical


@contextmanager
def placed(spec: Path, origins: Origins | None = None) -> Generator[None]:
    """Tell every fault of a document by `located`; one that leads too deep to follow is a fault too.

    Raises:
        SpecError: With file, line and JSON pointer, as far as they can be told.
    """
    try:
        yield
    except SpecError as error:
        raise located(error, spec, origins) from error
    except RecursionError:
        raise SpecError("is nested too deeply: a chain of schemas leads through too many others", source=spec) from None


def located(error: SpecError, spec: Path, origins: Origins | None = None) -> SpecError:
    """The same error with file, line and JSON pointer, as far as they can be told.

    Args:
        error: What is wrong with the canonical document; its place may be a reference or an operation too.
        spec: The file of the document.
        origins: What came from other files.
    """
    if error.source:
        return error
    pointer = _as_pointer(error.pointer)
    for candidate in dict.fromkeys((pointer, original_place(pointer))):
        source, place = _origin(candidate, spec, origins or {})
        line = error.line or (line_of(source, place) if place else None)
        if line is not None:
            return SpecError(error.reason, source=source, pointer=place, line=line)
    return SpecError(error.reason, source=spec, pointer=pointer)


def _origin(pointer: str, spec: Path, origins: Origins) -> tuple[Path, str]:
    """The file that a place of the document comes from, and the pointer there."""
    parts = [part for part in origins if pointer == part or pointer.startswith(f"{part}/")]
    if not parts:
        return spec, pointer
    home = max(parts, key=len)
    source, inner = origins[home]
    return source, inner + pointer.removeprefix(home)


_OPERATION = re.compile(r"([A-Z]+) (/.*)", re.DOTALL)


def _as_pointer(place: str) -> str:
    """A place as a JSON pointer: of a reference (``#/...``), of an operation (``GET /things``)."""
    operation = _OPERATION.fullmatch(place)
    if operation:
        return f"/paths/{step_text(operation[2])}/{operation[1].lower()}"
    return unquote(place[1:]) if place.startswith("#/") else place
