"""Fields that go one way only: required that way, optional the other.

OpenAPI: a required ``readOnly`` property is required of responses only, a ``writeOnly`` one of requests only. A class
that goes both ways therefore has them optional; one that goes one way has what is required that way.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from .names import words

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .plan import FieldPlan, ModelPlan, OperationPlan


def with_directions(models: Sequence[ModelPlan], operations: Iterable[OperationPlan]) -> list[ModelPlan]:
    """The same classes, with what is required where they go."""
    planned = list(operations)
    sent = [one.annotation for operation in planned for one in operation.parameters]
    sent += [operation.body_annotation for operation in planned]
    received = [text for operation in planned for _, media in operation.responses for _, text in media]
    optional = {"readOnly": _reached(models, sent), "writeOnly": _reached(models, received)}

    def directed(model: ModelPlan, field: FieldPlan) -> FieldPlan:
        return replace(field, required=False) if model.name in optional.get(field.access, ()) else field

    return [replace(model, fields=tuple(directed(model, field) for field in model.fields)) for model in models]


def _reached(models: Sequence[ModelPlan], annotations: Iterable[str]) -> set[str]:
    """The classes that values of the annotations may hold."""
    inner = {model.name: words([*(field.annotation for field in model.fields), model.extra or ""]) for model in models}
    found: set[str] = set()
    waiting = list(words(annotations))
    while waiting:
        name = waiting.pop()
        if name in inner and name not in found:
            found.add(name)
            waiting += inner[name]
    return found
