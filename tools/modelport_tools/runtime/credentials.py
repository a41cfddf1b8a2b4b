"""Which credentials an operation needs and where each goes. Secrets never show in a repr."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn
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

    def __reduce__(self) -> NoReturn:
        raise TypeError("credentials are not pickled: give them to the client where it is made")

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
    cookies: list[str]


def place(operation: Operation[Any], secrets: Mapping[str, str]) -> Placed:
    """Put secrets, by scheme, into headers, query and cookies.

    Raises:
        ClientConfigError: If a secret cannot stand there; the message does not show it.
    """
    placed = Placed({}, [], [])
    for scheme, secret in secrets.items():
        kind, where, name = operation.schemes[scheme]
        if kind == "http" and where == "basic":
            # No base64 text holds a colon: with one, it is a user name and a password.
            encoded = ":" in secret and secret.isprintable()
            plain = b64encode(secret.encode()).decode() if encoded else secret
            placed.headers["Authorization"] = f"Basic {_checked(plain, scheme)}"
        elif kind == "apiKey" and where == "header":
            placed.headers[name] = _checked(secret, scheme)
        elif kind == "apiKey" and where == "query":
            placed.query.append(f"{quote(name, safe='')}={quote(_checked(secret, scheme), safe='')}")
        elif kind == "apiKey" and where == "cookie":
            placed.cookies.append(f"{name}={_checked(secret, scheme, forbidden=';, ')}")
        else:
            prefix = "Bearer" if where == "bearer" else where  # RFC 9110, 11.4: the name of the scheme, then its value
            placed.headers["Authorization"] = f"{prefix} {_checked(secret, scheme)}"
    return placed


def cookies_of(headers: Mapping[str, str]) -> list[str]:
    """The cookies among headers: at most one entry, to which others are added."""
    return [value for name, value in headers.items() if name.lower() == "cookie"]


def _checked(secret: object, scheme: str, forbidden: str = "") -> str:
    if not isinstance(secret, str):
        raise ClientConfigError(f"the credential {scheme} is a {type(secret).__name__}, not a text")
    if not secret or secret != secret.strip():
        raise ClientConfigError(f"the credential {scheme} is empty, or begins or ends with white space")
    if not (secret.isascii() and secret.isprintable()) or any(character in secret for character in forbidden):
        raise ClientConfigError(f"the credential {scheme} holds characters that no header can carry")
    return secret
