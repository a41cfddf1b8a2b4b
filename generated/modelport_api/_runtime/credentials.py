"""Which credentials an operation needs and where each goes. Secrets never show in a repr."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from .errors import ClientConfigError, MissingCredentialsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .operation import Operation


class Credentials:
    """Credentials by the name of their security scheme; each is a text or a token source."""

    __slots__ = ("_by_scheme",)

    def __init__(self, by_scheme: Mapping[str, Any] | None = None) -> None:
        self._by_scheme = {name: value for name, value in (by_scheme or {}).items() if value is not None}

    def __repr__(self) -> str:
        return f"Credentials({', '.join(sorted(self._by_scheme)) or 'none'})"

    def merged(self, other: Mapping[str, Any]) -> Credentials:
        """The same with some replaced."""
        return Credentials({**self._by_scheme, **other})

    def choose(self, operation: Operation[Any]) -> tuple[tuple[str, Any], ...]:
        """The credentials of the first alternative of the operation's that is given whole.

        Raises:
            MissingCredentialsError: If none is; the message names what to give.
        """
        if not operation.security:
            return ()
        for alternative in operation.security:
            if all(scheme in self._by_scheme for scheme in alternative):
                return tuple((scheme, self._by_scheme[scheme]) for scheme in alternative)
        wanted = " or ".join(" and ".join(alternative) for alternative in operation.security)
        raise MissingCredentialsError(
            f"{operation.name} needs the credential {wanted}: give it to the client as credentials={{{wanted!r}: ...}}"
        )


class Placed(NamedTuple):
    """Credentials put where their schemes say."""

    headers: dict[str, str]
    query: list[str]


def place(operation: Operation[Any], secrets: Mapping[str, str]) -> Placed:
    """Put secrets, by scheme, into headers and query.

    Raises:
        ClientConfigError: If a secret cannot stand in a header; the message does not show it.
    """
    placed = Placed({}, [])
    for scheme, secret in secrets.items():
        kind, where, name = operation.schemes[scheme]
        if any(character in secret for character in "\r\n\0") or not secret.isascii():
            raise ClientConfigError(f"the credential {scheme} holds characters that no header can carry")
        if kind == "http" and where == "basic":
            placed.headers["Authorization"] = f"Basic {secret}"
        elif kind == "apiKey" and where == "header":
            placed.headers[name] = secret
        elif kind == "apiKey" and where == "query":
            placed.query.append(f"{quote(name, safe='')}={quote(secret, safe='')}")
        elif kind == "apiKey" and where == "cookie":
            placed.headers["Cookie"] = f"{name}={secret}"
        else:
            placed.headers["Authorization"] = f"Bearer {secret}"
    return placed
