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
    """Credentials by the name of their security scheme; each is a text or a token source.

    Args:
        by_scheme: The credentials.
        has_certificate: Whether the HTTP client was given a certificate, or was brought and may have one.
    """

    __slots__ = ("_by_scheme", "_chosen", "_has_certificate")

    def __init__(self, by_scheme: Mapping[str, Any] | None = None, *, has_certificate: bool = False) -> None:
        self._has_certificate = has_certificate
        self._chosen: dict[Operation[Any], tuple[tuple[str, Any], ...]] = {}
        self._by_scheme = {name: value for name, value in (by_scheme or {}).items() if value is not None}

    def __repr__(self) -> str:
        return f"Credentials({', '.join(sorted(self._by_scheme)) or 'none'})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("credentials are not pickled: give them to the client where it is made")

    def merged(self, other: Mapping[str, Any]) -> Credentials:
        """The same with some replaced."""
        return Credentials({**self._by_scheme, **other}, has_certificate=self._has_certificate)

    def choose(self, operation: Operation[Any]) -> tuple[tuple[str, Any], ...]:
        """The credentials of the first alternative of the operation's that is given whole.

        Raises:
            MissingCredentialsError: If none is; the message names what to give.
        """
        if not operation.security:
            return ()
        chosen = self._chosen.get(operation)
        if chosen is None:
            chosen = self._chosen[operation] = self._choose(operation)
        return chosen

    def _choose(self, operation: Operation[Any]) -> tuple[tuple[str, Any], ...]:
        for alternative in operation.security:
            if all(self._is_given(scheme, operation) for scheme in alternative):
                placed = (scheme for scheme in alternative if not _is_certificate(scheme, operation))
                return tuple((scheme, self._by_scheme[scheme]) for scheme in placed)
        wanted = " or ".join(" and ".join(alternative) for alternative in operation.security)
        hints: list[str] = []
        if any(not _is_certificate(scheme, operation) for alternative in operation.security for scheme in alternative):
            hints.append(f"credentials={{{wanted!r}: ...}}")
        if any(_is_certificate(scheme, operation) for alternative in operation.security for scheme in alternative):
            hints.append("cert=('certificate.pem', 'key.pem'), or an http_client of your own that has a certificate")
        raise MissingCredentialsError(
            f"{operation.name} needs the credential {wanted}: give it to the client as {', and '.join(hints)}"
        )

    def _is_given(self, scheme: str, operation: Operation[Any]) -> bool:
        return self._has_certificate if _is_certificate(scheme, operation) else scheme in self._by_scheme


def _is_certificate(scheme: str, operation: Operation[Any]) -> bool:
    return operation.schemes[scheme][0] == "mutualTLS"


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
    if not (secret.isascii() and secret.isprintable()) or (forbidden and not set(forbidden).isdisjoint(secret)):
        raise ClientConfigError(f"the credential {scheme} holds characters that no header can carry")
    return secret
