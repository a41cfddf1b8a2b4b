"""The servers that a document names, and the URL of one with its variables filled in."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .errors import ClientConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping


class Server(NamedTuple):
    """A server of the document: its URL with variables in braces, and of each variable the default and the choice."""

    url: str
    variables: Mapping[str, tuple[str, tuple[str, ...]]]


def filled(servers: tuple[Server, ...], index: int, variables: Mapping[str, str]) -> str:
    """The URL of a server.

    Raises:
        ClientConfigError: If there is no such server or variable, or the variable has no such value.
    """
    if not 0 <= index < len(servers):
        raise ClientConfigError(f"the document names {len(servers)} servers, none of them is number {index}")
    url, known = servers[index]
    for name in variables:
        if name not in known:
            raise ClientConfigError(f"the server {url} has no variable {name}; it has {', '.join(known) or 'none'}")
    for name, (default, choice) in known.items():
        value = variables.get(name, default)
        if choice and value not in choice:
            raise ClientConfigError(f"the variable {name} of the server {url} must be one of {', '.join(choice)}")
        url = url.replace(f"{{{name}}}", value)
    return url
