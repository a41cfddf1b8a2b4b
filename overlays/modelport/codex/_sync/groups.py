# Derived from overlays/modelport/codex/_async/groups.py by modelport_tools.unasync; do not edit.
"""Groups, which own everything else, and their tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from modelport.codex._inputs import check_group, check_new_group
from modelport.codex._records import GroupToken
from modelport_api.codex.v1 import models

if TYPE_CHECKING:
    from modelport.codex._sync._session import Session

__all__ = ["Groups"]

# The class has a method `list`, which hides the builtin from its annotations.
GroupList: TypeAlias = "list[models.Group]"


class Groups:
    """``codex.groups``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def list(self) -> GroupList:
        """The groups that the user can see."""
        return self._session.client.groups.list_groups().results

    def create(self, name: str, *, description: str = "") -> GroupToken:
        """The token of a new group, shown this once; this client uses it for the group's models from now on.

        Args:
            name: 1 to 32 letters, digits and underscores.
            description: What the group is for.

        Raises:
            InvalidInputError: The name cannot be one.
            ConflictError: There is such a group already.
        """
        body = models.CreateGroupBody(name=check_new_group(name), description=description)
        return self._keep(name, self._session.client.groups.create_group(body=body).token)

    def refresh_token(self, name: str, *, force: bool = False) -> GroupToken:
        """A group's token; this client uses it from now on.

        Args:
            name: The group.
            force: Replace a token that is still valid; programs that use the old one then stop working.
        """
        answer = self._session.client.groups.refresh_group_token(check_group(name), force=force)
        return self._keep(name, answer.token)

    def set_token(self, name: str, token: str | None) -> None:
        """Use a token for a group's models from now on; None goes back to the client's own."""
        self._session.remember_group_token(name, token)

    def _keep(self, name: str, token: str) -> GroupToken:
        self._session.remember_group_token(name, token)
        return GroupToken(name, token)
