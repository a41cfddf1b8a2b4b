"""From a document as it was written to the canonical one that everything is generated from."""

from __future__ import annotations

import json
import re
from collections import Counter

from .document import Document, dump, is_array, operations
from .errors import SpecError
from .following import check_references
from .idioms import express
from .shape import walk

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
    _complete_streams(canonical)
    check_references(canonical)
    express(canonical)
    _name_operations(canonical)
    return canonical


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


def _complete_streams(document: Document) -> None:
    """Write ``itemSchema`` of OpenAPI 3.2, which FastAPI puts into documents of 3.1, in the words of 3.1.

    There ``schema`` is that of the whole content: an array of such items.
    """
    for _, media, kind in list(walk(document)):
        if kind == "mediaType" and "itemSchema" in media:
            media["schema"] = {"type": "array", "items": media.pop("itemSchema")}
