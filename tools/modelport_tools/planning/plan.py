"""What a generated package holds, as data: the templates see this and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

Responses = tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
"""The media types of each status, with the type of each."""


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
    reserved: bool = False


@dataclass(frozen=True)
class EncodingPlan:
    """How a field of a form is written."""

    content_type: str | None
    style: str | None
    explode: bool
    reserved: bool


@dataclass(frozen=True)
class StreamPlan:
    """An answer that comes item by item."""

    item: str
    """The annotation of an item."""
    mode: str
    """What an item of server-sent events is; see ``Operation.stream`` of the runtime."""
    is_alone: bool
    """Whether the operation answers in no other way."""
    responses: Responses
    name: str = ""
    """The method's name."""


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
    """That of every media type."""
    body_kinds: tuple[tuple[str, ...], ...]
    """The names of the types that each media type takes."""
    encoding: tuple[tuple[str, tuple[tuple[str, EncodingPlan], ...]], ...]
    """How fields of a form are written, by media type and field."""
    body_required: bool
    responses: Responses
    returns: str
    security: tuple[tuple[str, ...], ...]
    idempotent: bool
    deprecated: bool
    evidence: str
    imports: tuple[tuple[str, str], ...]
    idempotency_key: str = ""
    """The header in which each call sends a key of its own; empty if the server takes none."""
    server: str = ""
    """Its own server, if it has one."""
    stream: StreamPlan | None = None

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
    def method_names(self) -> tuple[str, ...]:
        """The names of its own method and of those beside it."""
        extras = (self.pagination, self.polling, self.follow)
        return (self.name, *(extra.method for extra in extras if extra is not None))

    @property
    def methods(self) -> tuple[OperationPlan, ...]:
        """The operation as the methods that call it: a second one where it answers with a stream too."""
        stream = self.stream
        if stream is None:
            return (self,)
        streaming = replace(
            self, name=stream.name, responses=stream.responses, returns=stream.item,
            pagination=None, polling=None, follow=None,
        )  # fmt: skip
        return (streaming,) if stream.is_alone else (replace(self, stream=None), streaming)

    @property
    def annotations(self) -> list[str]:
        """Every annotation in the signatures of its methods."""
        items = [extra.item for extra in (self.stream, self.pagination) if extra]
        followed = [self.follow.operation.returns] if self.follow else []
        taken = [*(parameter.annotation for parameter in self.parameters), self.body_annotation]
        return [*taken, self.returns, *items, *followed]

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
    def methods(self) -> tuple[OperationPlan, ...]:
        """The operations as methods."""
        return tuple(method for operation in self.operations for method in operation.methods)

    @property
    def imports(self) -> tuple[tuple[str, str], ...]:
        """The generated classes that the operations name."""
        return tuple(sorted({entry for operation in self.operations for entry in operation.imports}))


@dataclass(frozen=True)
class WebhookPlan:
    """A request that a server sends."""

    name: str
    wire: str
    method: str
    annotation: str
    description: str


@dataclass(frozen=True)
class ServerPlan:
    """A server: its URL, and the default and choice of each variable in it."""

    url: str
    variables: tuple[tuple[str, tuple[str, tuple[str, ...]]], ...]


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
    servers: tuple[ServerPlan, ...] = ()
    webhooks: tuple[WebhookPlan, ...] = ()
    webhook_imports: tuple[tuple[str, str], ...] = ()
