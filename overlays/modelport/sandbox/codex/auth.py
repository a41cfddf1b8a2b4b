"""Health, login, and who a token belongs to."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from typing import TYPE_CHECKING

from modelport.sandbox._errors import BadRequestError, UnauthorizedError
from modelport.sandbox.call import Call, Reply
from modelport.sandbox.codex.context import GROUP, GROUP_TOKEN, USER_TOKEN, Context

if TYPE_CHECKING:
    from modelport.sandbox.spec import Operation

VERSION = "1.0"
GROUP_TOKEN_SECONDS = 365 * 86400.0


class Auth:
    """Login with user, password and tenant; user tokens and group tokens are kept as hashes only."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def get_health(self, _: Call) -> Reply:
        """Answers without credentials."""
        return Reply({"Version": VERSION})

    def login(self, call: Call) -> Reply:
        """A user token; clients up to 2.x send no tenant."""
        settings = self._context.settings
        user, password, tenant = call.text("user"), call.text("password"), call.text("tenant")
        if not user or not password:
            raise BadRequestError("form fields 'user' and 'password' must not be empty")
        known = settings.users.get(user)
        # The same work for an unknown user as for a known one.
        right = _same(password, known if known is not None else secrets.token_hex(16)) and known is not None
        if not right or (tenant and not _same(tenant, settings.tenant)):
            raise UnauthorizedError("user, password or tenant is wrong")
        token = secrets.token_urlsafe(32)
        body = {"User": user, "Expires": time.time() + settings.token_seconds}
        self._context.store.put(USER_TOKEN, digest(token), body)
        return Reply({"Token": token})

    def expire(self) -> int:
        """End every user token."""
        return self._context.store.remove_all(USER_TOKEN)

    def authenticate(self, operation: Operation, call: Call) -> None:
        """Check the token of an operation; the principal is a user name or a group name."""
        schemes = {name for entry in operation.security for name in entry}
        if not schemes:
            return
        token = self._bearer(call)
        if "userToken" in schemes and (user := self._user(token)) is not None:
            call.principal = user
            return
        if "groupToken" in schemes and (group := self._group(token)) is not None:
            self._same_group(operation, call, group)
            call.principal = group
            return
        wanted = (
            "user token (POST /login)" if "userToken" in schemes else "group token (shown once when the group was made)"
        )
        raise UnauthorizedError(f"the token is not valid here or has expired: this operation needs a {wanted}")

    @staticmethod
    def _bearer(call: Call) -> str:
        scheme, _, token = call.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise UnauthorizedError("the Authorization header must be 'Bearer <token>'")
        return token.strip()

    def _user(self, token: str) -> str | None:
        found = self._context.store.get(USER_TOKEN, digest(token))
        return str(found["User"]) if found is not None and found["Expires"] > time.time() else None

    def _group(self, token: str) -> str | None:
        found = self._context.store.get(GROUP_TOKEN, digest(token))
        return str(found["Group"]) if found is not None and found["Expires"] > time.time() else None

    @staticmethod
    def _same_group(operation: Operation, call: Call, group: str) -> None:
        names = [part[1:-1] for part in operation.path.strip("/").split("/") if part.startswith("{")]
        asked = dict(zip(names, call.path, strict=True)).get("group")
        if asked is not None and asked != group:
            raise UnauthorizedError(f"the group token is not that of group {asked!r}")


def issue_group_token(context: Context, group: str) -> str:
    """A new token for a group; the old one ends."""
    token, store = secrets.token_hex(16), context.store
    with store.transaction():
        body = store.get(GROUP, group) or {}
        if (old := body.get("TokenDigest")) is not None:
            store.remove(GROUP_TOKEN, str(old))
        expires = time.time() + GROUP_TOKEN_SECONDS
        store.put(GROUP_TOKEN, digest(token), {"Group": group, "Expires": expires})
        store.patch(GROUP, group, TokenDigest=digest(token), TokenExpires=expires)
    return token


def digest(token: str) -> str:
    """What is kept of a token; tokens are long and random, so a plain hash is enough."""
    return hashlib.sha256(token.encode()).hexdigest()


def _same(given: str, known: str) -> bool:
    return hmac.compare_digest(given.encode(), known.encode())
