"""From a file to the canonical document: read, bundled, patched, converted, checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import patch
from .bundle import bundle
from .document import Document, read
from .errors import SpecError
from .normalise import check_references, normalise
from .swagger2 import convert, is_swagger, without_files
from .validation import validate

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def load(spec: Path, patches: Iterable[Path] = (), *, strict: bool = True) -> Document:
    """The canonical document behind a file, which may refer to others beside it, or be Swagger 2.0.

    Args:
        spec: The file.
        patches: OpenAPI Overlay documents to apply first, in order.
        strict: Check the document against the specification too, not only what is needed to work with it.

    Raises:
        SpecError: If the document or a patch cannot be used; names the file and the place.
    """
    document = bundle(read(spec), spec)
    for path in patches:
        document = patch.apply(document, path)
    try:
        if is_swagger(document):
            check_references(document)
            validate(without_files(document))
            document = convert(document)
        canonical = normalise(document)
        if strict:
            validate(canonical)
    except SpecError as error:
        raise located(error, spec) from error
    return canonical


def located(error: SpecError, spec: Path) -> SpecError:
    """The same error, naming the file if it names none."""
    if error.source:
        return error
    return SpecError(error.reason, source=spec, pointer=error.pointer, line=error.line)
