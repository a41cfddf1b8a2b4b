"""`WSGIMonitorMiddleware`: a WSGI application's predictions, logged as they go by."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sized
from typing import TYPE_CHECKING, Any, TypeAlias, cast
from urllib.parse import parse_qs

from modelport.monitor._id_source import current
from modelport.monitor._watcher import Watch, Watcher

if TYPE_CHECKING:
    from typing import Unpack

    from modelport.monitor._bodies import BodyCopy
    from modelport.monitor._model_monitor import ModelMonitor
    from modelport.monitor._watcher import WatchOptions

__all__ = ["WSGIMonitorMiddleware"]

_Environ: TypeAlias = dict[str, Any]
_Write: TypeAlias = Callable[[bytes], object]
_StartResponse: TypeAlias = Callable[..., _Write]
_WSGIApp: TypeAlias = Callable[[_Environ, _StartResponse], Iterable[bytes]]


class WSGIMonitorMiddleware:
    """Log the predictions of a WSGI application (Flask, Django, ...) from its JSON bodies.

    Example::

        app.wsgi_app = WSGIMonitorMiddleware(app.wsgi_app, monitor, path="/predict")

    As `MonitorMiddleware`: nothing is altered but for the header with the prediction id, nothing is buffered, and
    what is logged is a bounded copy. WSGI has no shutdown: the monitor closes itself when the process ends.
    """

    def __init__(self, app: _WSGIApp, monitor: ModelMonitor, **options: Unpack[WatchOptions]) -> None:
        """Put the middleware around `app`.

        Args:
            app: The application.
            monitor: Where predictions go.
            **options: See `WatchOptions`.

        Raises:
            MissingExtraError: `metrics_path` is given and prometheus-client is not installed.
            TypeError: An option of another kind, such as one number as `statuses`.
            ValueError: An option that no request could meet, such as a path without a slash before it.
        """
        self.app = app
        self._watcher = Watcher(monitor, **options)

    def __call__(self, environ: _Environ, start_response: _StartResponse) -> Iterable[bytes]:
        """Serve one request, as WSGI has it."""
        watcher, method, path = self._watcher, environ["REQUEST_METHOD"], _path(environ)
        if watcher.wants(method, path):
            return self._watched(path, environ, start_response)
        if path == watcher.metrics_path and method in {"GET", "HEAD"}:
            return self._metrics(environ, start_response)
        return self.app(environ, start_response)

    def _watched(self, path: str, environ: _Environ, start_response: _StartResponse) -> Iterable[bytes]:
        watcher = self._watcher
        watch = watcher.begin(environ["REQUEST_METHOD"], path, environ.get("QUERY_STRING", ""), _headers(environ))
        environ["wsgi.input"] = _Input(environ["wsgi.input"], watch.request, environ.get("CONTENT_LENGTH"))

        def start(status: str, headers: list[tuple[str, str]], *rest: object) -> _Write:
            given = {name.lower(): value for name, value in headers}
            prediction_id = watcher.answered(watch, int(status[:3]), given)
            if prediction_id is not None:
                headers = [*headers, (watcher.id_header.title(), prediction_id)]
            return _copying(start_response(status, headers, *rest), watch)

        token = current.set(watch.prediction_id)
        try:
            body = self.app(environ, start)
        except BaseException:
            watcher.abandon(watch)
            raise
        finally:
            current.reset(token)
        if watch.status and not watch.response.wanted:
            # Not to be looked at: as it is, so that a server may still send a file in its own way.
            watcher.finish(watch)
            return body
        return (_SizedBody if isinstance(body, Sized) else _Body)(body, watcher, watch)

    def _metrics(self, environ: _Environ, start_response: _StartResponse) -> list[bytes]:
        params = parse_qs(environ.get("QUERY_STRING", ""))
        body, content_type = self._watcher.monitor.export_http(headers=_headers(environ), params=params)
        start_response("200 OK", [("Content-Type", content_type), ("Content-Length", str(len(body)))])
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]


class _Body:
    """The application's answer, with a copy taken of what the server takes."""

    def __init__(self, body: Iterable[bytes], watcher: Watcher, watch: Watch) -> None:
        self._body = body
        self._watcher = watcher
        self._watch = watch

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._body:
            self._watch.response.add(chunk)
            yield chunk
        self._watcher.finish(self._watch)

    def close(self) -> None:
        """Called by the server at the end, or where the client has gone."""
        self._watcher.abandon(self._watch)
        close = getattr(self._body, "close", None)
        if close is not None:
            close()


class _SizedBody(_Body):
    """Servers work out a Content-Length from an answer of one part."""

    def __len__(self) -> int:
        return len(cast("Sized", self._body))


class _Input:
    """The request's body, with a copy taken of what the application reads."""

    def __init__(self, stream: Any, copy: BodyCopy, content_length: str | None) -> None:
        self._stream = stream
        self._copy = copy
        self._expected = int(content_length) if content_length and content_length.isdecimal() else None
        copy.complete = self._expected == 0

    def read(self, size: int | None = -1) -> bytes:
        """As a file's."""
        if size is None or size < 0:
            # With no argument, which not every server's stream takes in another form.
            return self._note(self._stream.read(), ended=True)
        chunk: bytes = self._stream.read(size)
        return self._note(chunk, ended=not chunk and size > 0)

    def read1(self, size: int = -1) -> bytes:
        """As a buffered file's."""
        read: Callable[[int], bytes] | None = getattr(self._stream, "read1", None)
        if read is None:
            return self.read(size)
        chunk = read(size)
        return self._note(chunk, ended=not chunk and size != 0)

    def readinto(self, buffer: Any) -> int:
        """As a file's."""
        view = memoryview(buffer).cast("B")
        chunk = self.read(len(view))
        view[: len(chunk)] = chunk
        return len(chunk)

    def readline(self, *size: int) -> bytes:
        """As a file's."""
        chunk: bytes = self._stream.readline(*size)
        return self._note(chunk, ended=not chunk and (not size or size[0] != 0))

    def readlines(self, *hint: int) -> list[bytes]:
        """As a file's."""
        lines: list[bytes] = self._stream.readlines(*hint)
        for line in lines:
            self._note(line, ended=False)
        self._note(b"", ended=not hint)
        return lines

    def __iter__(self) -> Iterator[bytes]:
        while line := self.readline():
            yield line

    def __getattr__(self, name: str) -> Any:
        # Whatever else a server's stream can do, such as to say that it is readable.
        return getattr(self._stream, name)

    def _note(self, chunk: bytes, *, ended: bool) -> bytes:
        if self._copy.complete:
            # Read again, from the beginning: streams that can seek are handed on as such.
            return chunk
        self._copy.add(chunk)
        if ended or (self._expected is not None and self._copy.size >= self._expected):
            self._copy.complete = True
        return chunk


def _copying(write: _Write, watch: Watch) -> _Write:
    def write_and_copy(chunk: bytes) -> object:
        watch.response.add(chunk)
        return write(chunk)

    return write_and_copy


def _path(environ: _Environ) -> str:
    # The gateway interface hands over bytes in the guise of Latin-1.
    return str(environ.get("PATH_INFO", "")).encode("latin-1", "replace").decode("utf-8", "replace")


def _headers(environ: _Environ) -> dict[str, str]:
    headers = {
        name[5:].replace("_", "-").lower(): str(value) for name, value in environ.items() if name.startswith("HTTP_")
    }
    for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(name):
            headers[name.replace("_", "-").lower()] = str(environ[name])
    return headers
