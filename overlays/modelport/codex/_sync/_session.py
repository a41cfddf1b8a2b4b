# Derived from overlays/modelport/codex/_async/_session.py by modelport_tools.unasync; do not edit.
"""What the handles of one client share: the generated client, tokens of groups, and how waits go."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

from modelport._io._sync._shim import sleep
from modelport.codex._inputs import check_group, check_group_token
from modelport.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelport._waiting import Clock, Polling
    from modelport_api.codex.v1 import Client

__all__ = ["Session"]


class Session:
    """Shared by a client and every handle it gave."""

    def __init__(self, client: Client, *, group_token: str | None, polling: Polling | None) -> None:
        self.client = client
        self._polling = polling
        self._default_token = None if group_token is None else check_group_token(group_token)
        self._tokens: dict[str, str] = {}
        self._for_token: tuple[str, Client] | None = None
        # Replaced by tests, which do not wait.
        self.clock: Clock = time.monotonic
        self.chance: Clock = random.random
        self.sleep: Callable[[float], None] = sleep

    @property
    def api_url(self) -> str:
        """The base of the API, without a trailing slash."""
        return self.client.base_url

    @property
    def polling(self) -> Polling:
        """How waits look after work on the server."""
        if self._polling is None:
            from modelport._waiting import Polling  # only those who wait pay for it

            self._polling = Polling()
        return self._polling

    def remember_group_token(self, group: str, token: str | None) -> None:
        """Use a token for every later call to a group's models; None forgets it."""
        if token is None:
            self._tokens.pop(group, None)
        else:
            self._tokens[group] = check_group_token(token)

    def group_token(self, group: str) -> str | None:
        """The token that is known for a group."""
        return self._tokens.get(group) or self._default_token

    def for_group(self, group: str, token: str | None = None) -> Client:
        """A client that carries a group's token; it shares the connections.

        Raises:
            ConfigError: No token is known for the group.
        """
        chosen = check_group_token(token) if token is not None else self.group_token(check_group(group))
        if chosen is None:
            raise ConfigError(
                f"no token for the group {group!r}: pass group_token=, call set_token(), or set "
                "MODELPORT_CODEX_GROUP_TOKEN (or MLOPS_GROUP_TOKEN)"
            )
        kept = self._for_token  # read once: another thread may replace it
        if kept is None or kept[0] != chosen:
            # Most programs use one token all the time; a derived client shares the pool and costs nothing to drop.
            kept = self._for_token = chosen, self.client.with_options(credentials={"groupToken": chosen})
        return kept[1]
