"""What a client of a document would hold, in numbers, and how long it takes to know."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .document import operations
from .errors import SpecError
from .load import load, placed
from .planning import make_plan

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from .bundle import Origins


@dataclass(frozen=True)
class Survey:
    """A document in numbers.

    Attributes:
        spec: The document.
        size_bytes: Of the file itself, without those that it refers to.
        operations_in: Operations of the document.
        operations_out: Methods that a client has; equal to `operations_in`.
        models: Classes of the client, enums included.
        untyped_results: Methods whose success value is ``Any``.
        fields: Fields of the classes.
        untyped_fields: Fields that are ``Any``.
        seconds: From the file to all this.
    """

    spec: Path
    size_bytes: int
    operations_in: int
    operations_out: int
    models: int
    untyped_results: int
    fields: int
    untyped_fields: int
    seconds: float


def survey(spec: Path, patches: Iterable[Path] = ()) -> Survey:
    """Do everything for a document but write its client.

    Args:
        spec: The document.
        patches: OpenAPI Overlay documents to apply first, in order.

    Raises:
        SpecError: If no client can be made from it, or one without some of its operations.
    """
    start = time.perf_counter()
    origins: Origins = {}
    document = load(spec, patches, origins=origins)
    with placed(spec, origins):
        plan = make_plan(document)
    counted = sum(1 for _ in operations(document))
    methods = sum(len(tag.operations) for tag in plan.tags)
    if counted != methods:
        raise SpecError(f"has {counted} operations, of which {methods} would be generated", source=spec)
    annotations = [field.annotation for model in plan.models for field in model.fields]
    return Survey(
        spec=spec,
        size_bytes=spec.stat().st_size,
        operations_in=counted,
        operations_out=methods,
        models=len(plan.models) + len(plan.enums),
        untyped_results=sum(operation.returns == "Any" for operation in plan.operations),
        fields=len(annotations),
        untyped_fields=annotations.count("Any"),
        seconds=time.perf_counter() - start,
    )
