"""The servers of a document, of its paths and of its operations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelport_tools.document import Document, is_array, is_object, operations

from .plan import ServerPlan
from .schemas import listed, mapped

if TYPE_CHECKING:
    from collections.abc import Iterator


def make_servers(document: Document) -> tuple[ServerPlan, ...]:
    """The servers of the document, in its order; those of an operation, if only operations have any."""
    own = [_server(entry) for entry in listed(document, "servers") if is_object(entry)]
    if not own:
        own = [_server(entry) for _, _, item, operation in operations(document) for entry in _below(item, operation)][
            :1
        ]
    return tuple(own)


def base_url(servers: tuple[ServerPlan, ...]) -> str | None:
    """The URL of the first server, its variables at their defaults; None if it is relative."""
    url = filled(servers[0]) if servers else ""
    return url if url.lower().startswith(("http://", "https://")) else None


def server_of(item: Document, operation: Document) -> str:
    """The URL of the server of an operation, or of its path; empty if it is the document's."""
    own = next(_below(item, operation), None)
    return filled(_server(own)) if own is not None else ""


def filled(server: ServerPlan) -> str:
    """The URL of a server, its variables at their defaults."""
    url = server.url
    for name, (default, _) in server.variables:
        url = url.replace(f"{{{name}}}", default)
    return url


def _below(item: Document, operation: Document) -> Iterator[Document]:
    for place in (operation, item):
        if is_array(place.get("servers")) and place["servers"]:
            yield from (entry for entry in place["servers"] if is_object(entry))
            return


def _server(entry: Document) -> ServerPlan:
    variables: list[tuple[str, tuple[str, tuple[str, ...]]]] = []
    for name, variable in mapped(entry, "variables").items():
        values: Any = variable if is_object(variable) else {}
        choice = tuple(str(value) for value in listed(values, "enum"))
        variables.append((name, (str(values.get("default", choice[0] if choice else "")), choice)))
    return ServerPlan(str(entry.get("url", "")), tuple(variables))
