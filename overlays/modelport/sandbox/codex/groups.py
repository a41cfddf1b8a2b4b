"""Groups and their tokens."""

from __future__ import annotations

import time

from modelport.sandbox._errors import BadRequestError, ConflictError
from modelport.sandbox.call import Call, Reply
from modelport.sandbox.codex.auth import issue_group_token
from modelport.sandbox.codex.context import GROUP, Context


class Groups:
    """List, create, renew the token."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def list_groups(self, _: Call) -> Reply:
        """Every group, without tokens."""
        groups = self._context.store.all(GROUP)
        return Reply(
            {"Results": [{name: group[name] for name in ("Name", "Description", "CreatedAt")} for group in groups]}
        )

    def create_group(self, call: Call) -> Reply:
        """A new group with its token, which is shown this once."""
        name = call.need_text("name")
        body = {"Name": name, "Description": call.text("description") or "", "CreatedAt": self._context.now()}
        if not self._context.store.add(GROUP, name, body):
            raise ConflictError(f"group {name!r} exists already; nothing was changed")
        return Reply({"Token": issue_group_token(self._context, name)}, 201)

    def refresh_group_token(self, call: Call) -> Reply:
        """A new token; while the old one is valid only with `force=true`."""
        name = str(call.values["name"])
        group = self._context.group(name)
        if not call.values.get("force") and group.get("TokenExpires", 0.0) > time.time():
            raise BadRequestError(
                f"the token of group {name!r} is still valid: force=true replaces it and stops the old one"
            )
        return Reply({"Token": issue_group_token(self._context, name)}, 201)
