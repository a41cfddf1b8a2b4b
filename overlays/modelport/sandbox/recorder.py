"""The last requests, with everything secret left out."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

KEPT_REQUESTS = 1000
KEPT_BODY_BYTES = 4096
REDACTED = "REDACTED"

# An allow-list: what is not named here is shown as REDACTED.
SHOWN_HEADERS = frozenset(
    {
        "accept",
        "accept-encoding",
        "connection",
        "content-length",
        "content-type",
        "host",
        "idempotency-key",
        "mlops-method",
        "mlops-origin",
        "neomaril-method",
        "neomaril-origin",
        "transfer-encoding",
        "user-agent",
        "x-request-id",
    }
)
HIDDEN_FIELDS = frozenset({"password", "token", "credentials", "env", "secret"})


class Recorder:
    """A bounded list of requests, newest last."""

    def __init__(self) -> None:
        self._entries: deque[dict[str, Any]] = deque(maxlen=KEPT_REQUESTS)
        self._lock = threading.Lock()

    def add(
        self, *, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes, operation_id: str | None
    ) -> dict[str, Any]:
        """Record a request; the entry is returned so that its status can be filled in."""
        entry: dict[str, Any] = {
            "at": time.time(),
            "method": method,
            "path": path,
            "query": [[k, REDACTED if _hidden(k) else v] for k, v in parse_qsl(query, keep_blank_values=True)],
            "headers": {
                name: value if name in SHOWN_HEADERS else _scheme(name, value) for name, value in headers.items()
            },
            "body": _shown(headers.get("content-type", ""), body),
            "operationId": operation_id,
            "status": None,
        }
        with self._lock:
            self._entries.append(entry)
        return entry

    def list(self) -> list[dict[str, Any]]:
        """The recorded requests, oldest first."""
        with self._lock:
            return list(self._entries)

    def clear(self) -> None:
        """Forget them."""
        with self._lock:
            self._entries.clear()


def _hidden(name: str) -> bool:
    return any(word in name.lower() for word in HIDDEN_FIELDS)


def _scheme(name: str, value: str) -> str:
    # `Bearer None` is a known fault of a vendor client, worth seeing; a real token is not shown.
    if name == "authorization":
        scheme, _, token = value.partition(" ")
        return f"{scheme} {token if token in {'', 'None'} else REDACTED}"
    return REDACTED


def _shown(content_type: str, body: bytes) -> str | None:
    if not body:
        return None
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/x-www-form-urlencoded":
        pairs = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
        return "&".join(f"{name}={REDACTED if _hidden(name) else value}" for name, value in pairs)
    if kind == "multipart/form-data":
        return f"<multipart, first {len(body)} bytes not shown>"
    return body.decode("utf-8", "replace")
