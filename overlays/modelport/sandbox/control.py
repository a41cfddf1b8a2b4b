"""The control path `/_sandbox`: info, reset, faults, recorded requests, expiry of logins. Loopback callers only."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from modelport.sandbox._settings import LOOPBACK_HOSTS
from modelport.sandbox._shapes import as_list
from modelport.sandbox.faults import Fault, Faults

if TYPE_CHECKING:
    from modelport.sandbox.platform import Platform, Services
    from modelport.sandbox.recorder import Recorder

PREFIX = "/_sandbox"
# The address that in-process test transports give themselves.
IN_PROCESS_CLIENTS = frozenset({"testclient"})

Endpoint = Callable[[Request], Awaitable[Response]]


class Control:
    """The handlers behind the control path."""

    def __init__(self, services: Services, platforms: Sequence[Platform], faults: Faults, recorder: Recorder) -> None:
        self._services = services
        self._platforms = platforms
        self._faults = faults
        self._recorder = recorder

    def routes(self) -> list[Route]:
        """The routes to put before the platforms."""
        table: list[tuple[str, str, Endpoint]] = [
            ("", "GET", self._info),
            ("/reset", "POST", self._reset),
            ("/faults", "GET", self._list_faults),
            ("/faults", "POST", self._add_fault),
            ("/faults", "DELETE", self._clear_faults),
            ("/requests", "GET", self._list_requests),
            ("/requests", "DELETE", self._clear_requests),
            ("/tokens", "DELETE", self._expire_tokens),
        ]
        return [Route(PREFIX + path, loopback_only(endpoint), methods=[method]) for path, method, endpoint in table]

    async def _info(self, request: Request) -> Response:
        settings = self._services.settings
        return JSONResponse(
            {
                "name": "modelport sandbox",
                "pid": os.getpid(),
                "platforms": {
                    platform.name: {
                        "base": str(request.base_url).rstrip("/") + platform.prefix,
                        "operations": len(platform.spec.operations),
                    }
                    for platform in self._platforms
                },
                "users": sorted(settings.users),
                "tenant": settings.tenant,
                "isolate": settings.isolate,
                "persistent": settings.state is not None,
                "faults": len(self._faults.list()),
            }
        )

    async def _reset(self, _: Request) -> Response:
        await anyio.to_thread.run_sync(self._wipe)
        return JSONResponse({"reset": True})

    def _wipe(self) -> None:
        self._services.runner.reset()
        for platform in self._platforms:
            platform.reset()
        self._services.store.reset()
        self._faults.clear()
        self._recorder.clear()

    async def _list_faults(self, _: Request) -> Response:
        return JSONResponse({"faults": self._faults.list()})

    async def _add_fault(self, request: Request) -> Response:
        try:
            body: Any = await request.json()
            given = as_list(body) or [body]
            rules = [Fault.parse(rule) for rule in given]
        except ValueError as error:
            return JSONResponse({"error": f"no fault rule: {error}"}, 400)
        except RecursionError:
            return JSONResponse({"error": "no fault rule: nested too deeply"}, 400)
        for rule in rules:
            self._faults.add(rule)
        return JSONResponse({"faults": self._faults.list()}, 201)

    async def _clear_faults(self, _: Request) -> Response:
        self._faults.clear()
        return JSONResponse({"faults": []})

    async def _list_requests(self, _: Request) -> Response:
        return JSONResponse({"requests": self._recorder.list()})

    async def _clear_requests(self, _: Request) -> Response:
        self._recorder.clear()
        return JSONResponse({"requests": []})

    async def _expire_tokens(self, _: Request) -> Response:
        return JSONResponse({"expired": sum(platform.expire_tokens() for platform in self._platforms)})


def loopback_only(endpoint: Endpoint) -> Endpoint:
    """The endpoint, for callers on this machine; others get 403."""

    async def guarded(request: Request) -> Response:
        client = request.client.host if request.client is not None else "testclient"
        if client not in LOOPBACK_HOSTS | IN_PROCESS_CLIENTS and not client.startswith("127."):
            return JSONResponse({"error": "the control path answers callers on this machine only"}, 403)
        return await endpoint(request)

    return guarded
