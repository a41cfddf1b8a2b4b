"""Who logs in, and where to."""

from __future__ import annotations

__all__ = ["DEFAULT_URL", "Account"]

DEFAULT_URL = "https://neomaril.datarisk.net"
"""The vendor's own server, where its client goes when it is told nothing."""


class Account:
    """Who logs in; the password is in no repr."""

    __slots__ = ("password", "tenant", "user")

    def __init__(self, user: str | None, password: str | None, tenant: str | None) -> None:
        self.user = user
        self.password = password
        self.tenant = tenant

    def __repr__(self) -> str:
        return f"Account(user={self.user!r}, tenant={self.tenant!r})"
