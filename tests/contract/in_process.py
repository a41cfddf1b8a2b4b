"""A small client that calls an ASGI application in this process, for tests of the sandbox."""

from __future__ import annotations

import time
from typing import Any

import anyio
import anyio.from_thread
import httpx
from starlette.applications import Starlette

WAIT_SECONDS = 30.0
UNFINISHED = frozenset({"Ready", "Building", "Recovering", "Requested", "Running", "Unvalidated", "Validating"})


class InProcess:
    """Synchronous calls on the Codex API of a sandbox; an answer that is no success is an AssertionError."""

    def __init__(self, app: Starlette) -> None:
        self._app = app
        self.succeeded: set[str] = set()

    def request(self, method: str, path: str, headers: dict[str, str] | None = None, **body: Any) -> httpx.Response:
        """Any call, whatever its answer."""

        async def call() -> httpx.Response:
            transport = httpx.ASGITransport(app=self._app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
                return await client.request(method, path, headers=headers, timeout=WAIT_SECONDS, **body)

        return anyio.run(call)

    def api(self, method: str, path: str, headers: dict[str, str] | None = None, **body: Any) -> httpx.Response:
        """Any call on the Codex API."""
        return self.request(method, f"/codex/api{path}", headers, **body)

    def good(self, method: str, path: str, headers: dict[str, str] | None, **body: Any) -> dict[str, Any]:
        """A call on the Codex API that must succeed; its JSON."""
        response = self.api(method, path, headers, **body)
        operation, _ = self._app.state.platforms[0].spec.match(method, path.partition("?")[0])
        self.succeeded.add(f"{operation.method} {operation.path}")
        assert response.is_success, f"{method} {path}: {response.status_code} {response.text}"
        return dict(response.json())

    def get(self, path: str, headers: dict[str, str] | None = None) -> dict[str, Any]:
        """GET that must succeed."""
        return self.good("GET", path, headers)

    def post(self, path: str, headers: dict[str, str] | None = None, **body: Any) -> dict[str, Any]:
        """POST that must succeed."""
        return self.good("POST", path, headers, **body)

    def patch(self, path: str, headers: dict[str, str] | None = None, **body: Any) -> dict[str, Any]:
        """PATCH that must succeed."""
        return self.good("PATCH", path, headers, **body)

    def login(self) -> dict[str, str]:
        """The header of the demo user."""
        token = self.post("/login", data={"user": "demo", "password": "demo", "tenant": "demo"})["Token"]
        return {"authorization": f"Bearer {token}"}

    def wait(self, path: str, headers: dict[str, str]) -> dict[str, Any]:
        """Poll a status until it is final."""
        deadline = time.monotonic() + WAIT_SECONDS
        while (status := self.get(path, headers))["Status"] in UNFINISHED:
            assert time.monotonic() < deadline, f"{path} is still {status}"
            time.sleep(0.05)
        return status
