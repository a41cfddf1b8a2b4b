"""Logging in: once, however many calls wait for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelport._io._async._shim import Lock
from modelport.errors import APIStatusError, AuthenticationError, ConfigError, ModelportError

if TYPE_CHECKING:
    from modelport.codex._account import Account
    from modelport_api.codex.v1 import AsyncClient

__all__ = ["AsyncLogin"]

_CLIENT_ERRORS = range(400, 429)


class AsyncLogin:
    """A token source that logs in on first need, and anew when the server refuses the token."""

    def __init__(self, client: AsyncClient, account: Account) -> None:
        self._client = client
        self._account = account
        self._lock = Lock()
        self._token: str | None = None
        self._ended = 0
        self._failure: ModelportError | None = None

    async def token(self, rejected: str | None = None) -> str:
        """The current token, or a fresh one if that was `rejected`.

        Raises:
            ConfigError: There is nobody to log in as.
            AuthenticationError: The server refuses user, password or tenant.
        """
        token = self._token
        if token is not None and token != rejected:
            return token
        ended = self._ended
        async with self._lock:
            if self._token is not None and self._token != rejected:
                return self._token
            if self._ended != ended and self._failure is not None:
                # Whoever waited for an attempt that failed shares its failure: a wrong password sent once
                # by each of a hundred threads locks the account.
                raise self._failure
            try:
                self._token = await self._log_in()
                self._failure = None
            except ModelportError as error:
                self._failure = error
                raise
            finally:
                self._ended += 1
            return self._token

    async def _log_in(self) -> str:
        from modelport_api.codex.v1 import UNSET, models

        user, password, tenant = self._account.user, self._account.password, self._account.tenant
        if not user or not password:
            missing = " and ".join(name for name, value in (("user", user), ("password", password)) if not value)
            raise ConfigError(
                f"no {missing} to log in with: pass them to Codex(...), set MODELPORT_CODEX_USER and "
                "MODELPORT_CODEX_PASSWORD (or MLOPS_USER and MLOPS_PASSWORD), or write a profile"
            )
        body = models.LoginBody(user=user, password=password, tenant=UNSET if tenant is None else tenant)
        try:
            answer = await self._client.auth.login(body=body)
        except APIStatusError as error:
            if error.status not in _CLIENT_ERRORS:
                raise
            raise _refusal(error, password) from None
        return answer.token


def _refusal(error: APIStatusError, password: str) -> AuthenticationError:
    """The error for a login that was refused: whatever its status, and without the password if that was echoed."""
    echoed = password in error.message or password.encode() in error.raw_body
    return AuthenticationError(
        "login failed" if echoed else f"login failed: {error.message}",
        status=error.status,
        method=error.method,
        url=error.url,
        body=None if echoed else error.body,
        raw_body=b"" if echoed else error.raw_body,
        headers=error.headers,
        attempts=error.attempts,
    )
