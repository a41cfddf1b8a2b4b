"""The ASGI application: host check, control routes, and the platforms behind their first path segment."""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import AsyncGenerator, Mapping
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, Response

from modelport.sandbox._errors import ApiError
from modelport.sandbox._settings import SandboxSettings
from modelport.sandbox.call import Call, Reply, check_length, read_body
from modelport.sandbox.codex import Codex
from modelport.sandbox.control import Control
from modelport.sandbox.faults import Faults, answer, cut_connection, spoil
from modelport.sandbox.platform import Platform, Services
from modelport.sandbox.recorder import KEPT_BODY_BYTES, Recorder
from modelport.sandbox.runner import Environments, Runner
from modelport.sandbox.spec import Operation, Spec, load_spec
from modelport.sandbox.store import Store

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

logger = logging.getLogger("modelport.sandbox")

HANDLER_THREADS = 64
MISDIRECTED = 421
FORBIDDEN = 403


def create_app(
    settings: SandboxSettings | None = None, *, documents: dict[str, dict[str, Any]] | None = None
) -> Starlette:
    """The sandbox as a Starlette application; its lifespan ends the workers, or call `app.state.close()`.

    `documents` replaces the packaged specifications by name (`"codex"`), which tests use.
    """
    settings = settings or SandboxSettings()
    given = documents or {}
    spec = Spec(given.get("codex") or load_spec("codex", "v1"))
    store = Store(settings.state)
    runner = Runner(settings.limits)
    environments = Environments(store.root / "environments", isolate=settings.isolate)
    services = Services(settings, store, runner, environments)
    platforms: list[Platform] = [Codex(spec, services)]
    faults, recorder = Faults(), Recorder()
    control = Control(services, platforms, faults, recorder)

    def close() -> None:
        runner.close()
        store.close()

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncGenerator[None]:
        try:
            yield
        finally:
            await anyio.to_thread.run_sync(close)

    doors = {platform.prefix: _Door(platform, services, faults, recorder) for platform in platforms}
    routes = [*control.routes(), *(route for platform in platforms for route in platform.routes())]
    app = _Front(doors, settings.accepted_hosts, routes=routes, lifespan=lifespan)
    app.state.close = close
    app.state.services = services
    app.state.platforms = platforms
    return app


class _Front(Starlette):
    """The first to see a request: refuses foreign pages, leads platform paths to their door, the rest to the control.

    A Host header that is not ours is refused so that a web page that rebinds its name to loopback gets nothing, an
    Origin header that is not ours so that no page elsewhere can reset the sandbox or set faults.
    Platforms are not mounted as routes because those patterns do not match a line break in a path, and because a door
    needs the server's own `send` to cut a connection.
    """

    def __init__(self, doors: Mapping[str, ASGIApp], accepted: frozenset[str], **options: Any) -> None:
        super().__init__(**options)
        self._doors = doors
        self._accepted = accepted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        if refusal := self._refusal(scope):
            await refusal(scope, receive, send)
            return
        path = str(scope["path"])
        door = next((door for prefix, door in self._doors.items() if path.startswith(f"{prefix}/")), None)
        await (super().__call__ if door is None else door)(scope, receive, send)

    def _refusal(self, scope: Scope) -> Response | None:
        known = ", ".join(sorted(self._accepted))
        host = _host_of(_header(scope, b"host"))
        if host not in self._accepted:
            text = f"the Host header {host[:100]!r} is not accepted: use one of {known}\n"
            return Response(text, MISDIRECTED, media_type="text/plain")
        origin = _header(scope, b"origin")
        if origin and _host_of(origin.partition("://")[2]) not in self._accepted:
            text = f"requests of the page {origin[:100]!r} are not accepted: only those of {known}\n"
            return Response(text, FORBIDDEN, media_type="text/plain")
        return None


def _header(scope: Scope, name: bytes) -> str:
    return next((value for key, value in scope["headers"] if key == name), b"").decode("latin-1")


def _host_of(raw: str) -> str:
    host = raw.rpartition("]")[0].lstrip("[") if raw.startswith("[") else raw.partition(":")[0]
    return str(host.lower())


class _Door:
    """The entry of one platform: route, record, fault, authenticate, check, handle, answer."""

    def __init__(self, platform: Platform, services: Services, faults: Faults, recorder: Recorder) -> None:
        self._platform = platform
        self._limits = services.settings.limits
        self._faults = faults
        self._recorder = recorder
        self._threads = anyio.CapacityLimiter(HANDLER_THREADS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        path = self._path(scope)
        try:
            routed = self._platform.spec.match(scope["method"], path)
            refusal: ApiError | None = None
        except ApiError as error:
            routed, refusal = None, error
        operation_id = None if routed is None else routed[0].id
        head = _Head(receive)
        request = Request(scope, head)
        entry = self._recorder.add(
            method=scope["method"],
            path=scope["path"],
            query=scope["query_string"].decode("latin-1"),
            headers=dict(request.headers),
            body=await head.first(),
            operation_id=operation_id,
        )
        fault = self._faults.take(operation_id, scope["method"], scope["path"])
        if fault is not None:
            await anyio.sleep(fault.delay_seconds)
            if fault.cut == "before":
                entry["status"] = 0
                cut_connection(send)
                return
            if (made := answer(fault)) is not None:
                entry["status"] = made[0]
                await self._discard(request)
                await Response(made[2], made[0], made[1])(scope, receive, spoil(fault, send))
                return
            send = spoil(fault, send)
        reply = await self._reply(routed, refusal, request)
        entry["status"] = reply.status
        await self._discard(request)
        await _response(reply)(scope, receive, send)

    def _path(self, scope: Scope) -> str:
        raw = scope.get("raw_path") or scope["path"].encode()
        text: str = raw.decode("latin-1").partition("?")[0]
        return text.removeprefix(self._platform.prefix)

    async def _reply(
        self, routed: tuple[Operation, tuple[str, ...]] | None, refusal: ApiError | None, request: Request
    ) -> Reply:
        if routed is None:
            return self._platform.error(refusal or ApiError("no route"))
        try:
            operation, path = routed
            spec = self._platform.spec
            base = str(request.base_url).rstrip("/") + self._platform.prefix
            call = Call(operation, path, {}, request.headers, base)
            self._platform.authenticate(operation, call)
            call.values = spec.check_parameters(operation, _given(operation.path, path, request))
            async with contextlib.AsyncExitStack() as stack:
                stack.push_async_callback(request.close)
                await read_body(spec, operation, request, call, self._limits.upload_bytes)
                handler = self._platform.handlers[operation.id]
                return await anyio.to_thread.run_sync(handler, call, limiter=self._threads)
        except ApiError as error:
            return self._platform.error(error)
        except Exception as error:
            logger.exception("handler failed: %s", type(error).__name__)
            return self._platform.error(ApiError("the sandbox failed on this request; its log has the reason"))

    async def _discard(self, request: Request) -> None:
        """Read what is left of the body, so that a refusal reaches a client that is still sending."""
        # Already read, cut or too long: in each case there is nothing to discard.
        with contextlib.suppress(ApiError, ClientDisconnect, RuntimeError):
            check_length(request, self._limits.upload_bytes)
            async for _ in request.stream():
                continue


class _Head:
    """A `receive` that keeps the first bytes of the body for the record."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._pending: list[Message] = []

    async def first(self) -> bytes:
        """The body when it is small, else nothing; the server hands it over in pieces."""
        body = b""
        while len(body) <= KEPT_BODY_BYTES:
            message = await self._receive()
            self._pending.append(message)
            body += bytes(message.get("body", b""))
            if not message.get("more_body"):
                return body
        return b""

    async def __call__(self) -> Message:
        return self._pending.pop(0) if self._pending else await self._receive()


def _given(template: str, path: tuple[str, ...], request: Request) -> dict[str, dict[str, list[str]]]:
    names = [part[1:-1] for part in template.strip("/").split("/") if part.startswith("{")]
    query: dict[str, list[str]] = {}
    for name, value in request.query_params.multi_items():
        query.setdefault(name, []).append(value)
    return {
        "path": {name: [value] for name, value in zip(names, path, strict=True)},
        "query": query,
        "header": {name.lower(): [value] for name, value in request.headers.items()},
    }


def _response(reply: Reply) -> Response:
    headers = dict(reply.headers)
    if reply.file is not None:
        return FileResponse(
            reply.file, reply.status, headers, media_type=reply.media_type, stat_result=reply.file.stat()
        )
    content = json.dumps(reply.body).encode() if reply.content is None else reply.content
    return Response(content, reply.status, headers, media_type=reply.media_type)
