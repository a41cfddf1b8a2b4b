"""What a generated package holds, as data: the templates see this and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True)
class FieldPlan:
    """A field of a model."""

    name: str
    wire: str
    annotation: str
    required: bool
    description: str
    secret: bool = False
    access: str = ""
    """Which way it goes, if it does not go both: ``readOnly`` or ``writeOnly``."""


@dataclass(frozen=True)
class ModelPlan:
    """A class of a generated package."""

    name: str
    module: str
    description: str
    fields: tuple[FieldPlan, ...]
    extra: str | None
    """The annotation of unknown fields; None if the document closes the object."""
    imports: tuple[tuple[str, str], ...]
    tags: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """The texts that stand for the class in unions, by the property that holds them."""
    discriminator: str = ""
    """The property that tells those apart that extend the class, if the document names one."""


@dataclass(frozen=True)
class EnumPlan:
    """An enum of a generated package."""

    name: str
    module: str
    description: str
    base: str
    members: tuple[tuple[str, str | int], ...]


@dataclass(frozen=True)
class ParameterPlan:
    """A parameter of an operation."""

    name: str
    wire: str
    location: str
    style: str
    explode: bool
    annotation: str
    required: bool
    description: str


@dataclass(frozen=True)
class PaginationPlan:
    """The method that gives the items of a list which comes in pages; see `runtime.pagination.Pagination`."""

    style: str
    items: str
    item: str
    """The annotation of an item."""
    next: str
    parameter: str
    body: str
    first: int
    size: str
    """The argument that says how many items a page has, as text for people."""
    more: str
    total: str
    pages: str
    method: str = ""


@dataclass(frozen=True)
class PollingPlan:
    """The method that waits for work on the server; see `runtime.polling.PollingRules`."""

    state: str
    success: tuple[str, ...]
    failure: tuple[str, ...]
    pending: tuple[str, ...]
    error: str
    message: str
    interval: float
    method: str = ""


@dataclass(frozen=True)
class FollowPlan:
    """The method that starts work on the server and waits for it by another operation."""

    operation: OperationPlan
    arguments: tuple[tuple[str, Any], ...]
    method: str = ""


@dataclass(frozen=True)
class OperationPlan:
    """A method of a generated client."""

    operation_id: str
    name: str
    tag: str
    method: str
    path: str
    summary: str
    description: str
    parameters: tuple[ParameterPlan, ...]
    body: tuple[str, ...]
    body_annotation: str
    body_required: bool
    responses: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    returns: str
    security: tuple[tuple[str, ...], ...]
    idempotent: bool
    deprecated: bool
    evidence: str
    imports: tuple[tuple[str, str], ...]
    pagination: PaginationPlan | None = None
    polling: PollingPlan | None = None
    follow: FollowPlan | None = None

    @property
    def paged(self) -> OperationPlan:
        """The same, as the method that gives its items takes it: a page number need not be said."""
        pages = self.pagination
        if pages is None or pages.style not in {"page", "offset"}:
            return self
        changed = tuple(
            replace(one, required=False) if one.name == pages.parameter and one.location != "path" else one
            for one in self.parameters
        )
        return replace(self, parameters=changed)

    @property
    def methods(self) -> tuple[str, ...]:
        """The names of its own method and of those beside it."""
        extras = (self.pagination, self.polling, self.follow)
        return (self.name, *(extra.method for extra in extras if extra is not None))

    @property
    def annotations(self) -> tuple[str, ...]:
        """Those of what its methods take as a body and give back."""
        item = (self.pagination.item,) if self.pagination else ()
        followed = (self.follow.operation.returns,) if self.follow else ()
        return (self.returns, self.body_annotation, *item, *followed)

    @property
    def path_parameters(self) -> tuple[ParameterPlan, ...]:
        """Those that are arguments by position."""
        return tuple(parameter for parameter in self.parameters if parameter.location == "path")

    @property
    def keyword_parameters(self) -> tuple[ParameterPlan, ...]:
        """Those that are arguments by name, required ones first."""
        rest = [parameter for parameter in self.parameters if parameter.location != "path"]
        return tuple(sorted(rest, key=lambda parameter: not parameter.required))


@dataclass(frozen=True)
class TagPlan:
    """An attribute of a generated client."""

    name: str
    class_name: str
    description: str
    operations: tuple[OperationPlan, ...]
    schemes: tuple[tuple[str, tuple[str, str, str]], ...]

    @property
    def imports(self) -> tuple[tuple[str, str], ...]:
        """The generated classes that the operations name."""
        return tuple(sorted({entry for operation in self.operations for entry in operation.imports}))


@dataclass(frozen=True)
class ClientPlan:
    """A generated package."""

    title: str
    version: str
    base_url: str | None
    tags: tuple[TagPlan, ...]
    models: tuple[ModelPlan, ...]
    enums: tuple[EnumPlan, ...]
    operations: tuple[OperationPlan, ...] = field(default=())
