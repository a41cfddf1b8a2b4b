# Derived from tools/modelport_tools/runtime/_async/pool.py by modelport_tools.unasync; do not edit.
"""The HTTP client behind a client and all that are derived from it."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from ..errors import ClientConfigError
from ._shim import make_http_client

if TYPE_CHECKING:
    from ssl import SSLContext

    from ..types import HTTPClient


class Pool:
    """Holds the HTTP client: one that was brought, or one of its own, which is made for the first request.

    Making it then and not before keeps a client that is only constructed cheap.
    """

    __slots__ = ("_closed", "_lock", "_owned", "_tls", "client")

    def __init__(self, client: HTTPClient | None, tls: SSLContext | None = None) -> None:
        self.client: HTTPClient | None = client
        self._tls = tls
        self._owned = client is None
        self._closed = False
        self._lock = Lock()

    def open(self) -> HTTPClient:
        """The HTTP client, made if there is none yet.

        Raises:
            ClientConfigError: If the client was closed.
        """
        with self._lock:
            if self._closed:
                raise ClientConfigError("the client is closed: make a new one")
            if self.client is None:
                self.client = make_http_client(self._tls)
            return self.client

    def close(self) -> None:
        """Close the HTTP client, unless it was brought from outside."""
        if not self._owned:
            return
        with self._lock:
            self._closed = True
            client, self.client = self.client, None
        if client is not None:
            client.close()
