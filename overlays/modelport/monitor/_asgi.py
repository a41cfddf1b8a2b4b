"""`MonitorMiddleware`: an ASGI application's predictions, logged as they go by."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, cast
from urllib.parse import parse_qs

from modelport.monitor._id_source import current
from modelport.monitor._watcher import Watch, Watcher

if TYPE_CHECKING:
    from typing import Unpack

    from modelport.monitor._model_monitor import ModelMonitor
    from modelport.monitor._watcher import WatchOptions

__all__ = ["MonitorMiddleware"]

_T = TypeVar("_T")
_Message: TypeAlias = MutableMapping[str, Any]
_Scope: TypeAlias = MutableMapping[str, Any]
_Receive: TypeAlias = Callable[[], Awaitable[_Message]]
_Send: TypeAlias = Callable[[_Message], Awaitable[None]]
_ASGIApp: TypeAlias = Callable[[_Scope, _Receive, _Send], Awaitable[None]]

# Answers whose bytes the server takes from a file: nothing of them goes by here.
_UNSEEN_BODIES = frozenset({"http.response.pathsend", "http.response.zerocopysend"})
_ENDED = frozenset({"lifespan.shutdown.complete", "lifespan.shutdown.failed"})


class MonitorMiddleware:
    """Log the predictions of an ASGI application (FastAPI, Starlette, Litestar, ...) from its JSON bodies.

    Example::

        app.add_middleware(MonitorMiddleware, monitor=monitor, path="/predict")

    Requests and answers pass unchanged and unbuffered, but for the header with the prediction id; what is logged is a
    bounded copy, read after the last byte of the answer has been handed to the server. Errors, WebSockets and other
    paths pass untouched. The server's shutdown closes the monitor.
    """

    def __init__(
        self, app: _ASGIApp, monitor: ModelMonitor, *, close_monitor: bool = True, **options: Unpack[WatchOptions]
    ) -> None:
        """Put the middleware around `app`.

        Args:
            app: The application.
            monitor: Where predictions go.
            close_monitor: Close the monitor when the server shuts the application down (by the lifespan protocol);
                otherwise it is flushed then.
            **options: See `WatchOptions`.

        Raises:
            MissingExtraError: `metrics_path` is given and prometheus-client is not installed.
            TypeError: An option of another kind, such as one number as `statuses`.
            ValueError: An option that no request could meet, such as a path without a slash before it.
        """
        self.app = app
        self._watcher = Watcher(monitor, **options)
        self._close_monitor = close_monitor

    async def __call__(self, scope: _Scope, receive: _Receive, send: _Send) -> None:
        """Serve one connection, as ASGI has it."""
        if scope["type"] == "http":
            path = _path(scope)
            if self._watcher.wants(scope["method"], path):
                await self._watched(path, scope, receive, send)
                return
            if path == self._watcher.metrics_path and scope["method"] in {"GET", "HEAD"}:
                await self._metrics(scope, send)
                return
        elif scope["type"] == "lifespan":
            await self._lifespan(scope, receive, send)
            return
        await self.app(scope, receive, send)

    async def _watched(self, path: str, scope: _Scope, receive: _Receive, send: _Send) -> None:
        watcher = self._watcher
        query = scope.get("query_string", b"").decode("latin-1")
        watch = watcher.begin(scope["method"], path, query, _headers(scope["headers"]))

        async def receive_and_copy() -> _Message:
            message = await receive()
            if message["type"] == "http.request":
                watch.request.add(message.get("body", b""))
                watch.request.complete = not message.get("more_body", False)
            return message

        async def send_and_copy(message: _Message) -> None:
            if message["type"] == "http.response.start":
                message = self._with_id(watch, message)
            await send(message)
            if message["type"] == "http.response.body":
                watch.response.add(message.get("body", b""))
                if not message.get("more_body", False):
                    watcher.finish(watch)
            elif message["type"] in _UNSEEN_BODIES:
                watch.response.wanted = False

        token = current.set(watch.prediction_id)
        try:
            await self.app(scope, receive_and_copy, send_and_copy)
        finally:
            current.reset(token)
            watcher.abandon(watch)

    def _with_id(self, watch: Watch, message: _Message) -> _Message:
        headers: list[tuple[bytes, bytes]] = list(message.get("headers", ()))
        prediction_id = self._watcher.answered(watch, message["status"], _headers(headers))
        if prediction_id is None:
            return message
        name = self._watcher.id_header.encode("latin-1")
        return {**message, "headers": [*headers, (name, prediction_id.encode("latin-1"))]}

    async def _metrics(self, scope: _Scope, send: _Send) -> None:
        params = parse_qs(scope.get("query_string", b"").decode("latin-1"))
        export = partial(self._watcher.monitor.export_http, headers=_headers(scope["headers"]), params=params)
        # In a thread: a scrape takes milliseconds, which the event loop has better use for.
        body, content_type = await _in_thread(export)
        headers = [
            (b"content-type", content_type.encode("latin-1")),
            (b"content-length", str(len(body)).encode("latin-1")),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    async def _lifespan(self, scope: _Scope, receive: _Receive, send: _Send) -> None:
        told = False

        async def send_when_closed(message: _Message) -> None:
            nonlocal told
            told = True
            if message["type"] in _ENDED:
                await self._shut_down()
            await send(message)

        started = False

        async def receive_noted() -> _Message:
            nonlocal started
            message = await receive()
            started = True
            return message

        try:
            await self.app(scope, receive_noted, send_when_closed)
        except Exception:
            if told or started:
                # It has been told to start: whether the server goes on without it, the server decides.
                raise
            # The application does not know the protocol. The server would take no notice of its end then.
            await self._lifespan_alone(receive, send)

    async def _lifespan_alone(self, receive: _Receive, send: _Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._shut_down()
        await send({"type": "lifespan.shutdown.complete"})

    async def _shut_down(self) -> None:
        monitor = self._watcher.monitor
        await _in_thread(monitor.close if self._close_monitor else monitor.flush)


def _path(scope: _Scope) -> str:
    """The path below the mount point: servers and mounts differ in whether ``path`` holds ``root_path`` too."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    if root and path.startswith(f"{root}/"):
        return path[len(root) :]
    return path


def _headers(pairs: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in pairs}


async def _in_thread(call: Callable[[], _T]) -> _T:
    """What `call` returns, the event loop going on meanwhile: asyncio's, else trio's."""
    # Here, so that importing this package costs nothing more; whoever gets here has it loaded.
    import asyncio

    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        # Here, because only an application that runs on trio has it.
        import trio  # type: ignore[import-not-found, unused-ignore]  # pyright: ignore[reportMissingImports]

        return cast("_T", await trio.to_thread.run_sync(call))  # pyright: ignore[reportUnknownMemberType]
    return await loop.run_in_executor(None, call)
