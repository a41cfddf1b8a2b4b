"""What a platform hands to the sandbox, and what the sandbox hands to a platform."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from modelport.sandbox.call import Call, Reply
from modelport.sandbox.spec import Operation, Spec, SpecError

if TYPE_CHECKING:
    from starlette.routing import Route

    from modelport.sandbox._errors import ApiError
    from modelport.sandbox._settings import SandboxSettings
    from modelport.sandbox.runner import Environments, Runner
    from modelport.sandbox.store import Store


@dataclass(frozen=True, slots=True)
class Services:
    """The shared parts a platform works with."""

    settings: SandboxSettings
    store: Store
    runner: Runner
    environments: Environments


Handler = Callable[[Call], Reply]


def bind(spec: Spec, parts: Iterable[object]) -> dict[str, Handler]:
    """The handler of every operation: the method of a part that carries the operationId as its name."""
    parts = list(parts)
    handlers: dict[str, Handler] = {}
    for operation in spec.operations:
        found: list[Handler] = [getattr(part, operation.id) for part in parts if hasattr(part, operation.id)]
        if len(found) != 1:
            count = "no handler" if not found else f"{len(found)} handlers"
            raise SpecError(
                f"the sandbox has {count} for operation {operation.id!r} ({operation.method} {operation.path})"
            )
        handlers[operation.id] = found[0]
    return handlers


class Platform(Protocol):
    """One platform behind its first path segment."""

    name: str
    prefix: str
    spec: Spec
    handlers: dict[str, Handler]

    def authenticate(self, operation: Operation, call: Call) -> None:
        """Set `call.principal`, or raise UnauthorizedError."""
        ...

    def error(self, error: ApiError) -> Reply:
        """The platform's own error body."""
        ...

    def reset(self) -> None:
        """Forget what is kept in memory."""
        ...

    def routes(self) -> list[Route]:
        """Pages for people beside the API, at paths outside `prefix`."""
        ...

    def expire_tokens(self) -> int:
        """End every login token now; how many were."""
        ...
