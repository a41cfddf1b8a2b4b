"""Run the sandbox: in this process (`serve`), or in a process of its own (`Sandbox`)."""

from __future__ import annotations

import contextlib
import ipaddress
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from modelport.errors import ModelportError
from modelport.sandbox._settings import Limits, SandboxSettings

if TYPE_CHECKING:
    from types import FrameType, TracebackType

START_SECONDS = 30.0
STOP_SECONDS = 10.0
BACKLOG = 256
IPV6 = 6


class SandboxError(ModelportError):
    """The sandbox could not be started."""


def serve(settings: SandboxSettings, *, on_ready: Callable[[str], None] | None = None) -> None:
    """Listen until SIGINT or SIGTERM. Prints one line (JSON with `settings.json`) once it listens.

    Raises SandboxError when the address is taken. `on_ready` is called with the URL after the line is printed.
    """
    import uvicorn  # only a server needs it

    from modelport.sandbox.app import create_app

    listener = _listen(settings.host, settings.port)
    port = int(listener.getsockname()[1])
    url = f"http://{_bracketed(settings.host)}:{port}"
    app = create_app(replace(settings, port=port))

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            sys.stdout.write(announcement(settings, url) + "\n")
            sys.stdout.flush()
            if on_ready is not None:
                on_ready(url)

        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            # Requests that wait for a script must not hold the end up.
            app.state.services.runner.interrupt()
            super().handle_exit(sig, frame)

    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="on",
        timeout_graceful_shutdown=2,
        timeout_keep_alive=30,
        server_header=False,
        ws="none",
    )
    server = Server(config)
    try:
        with listener, _terminated(app.state.services.runner.interrupt):
            server.run(sockets=[listener])
    except KeyboardInterrupt:
        pass
    finally:
        app.state.close()


def announcement(settings: SandboxSettings, url: str) -> str:
    """The one line that says where the sandbox is and whom it knows."""
    demo = {name: password for name, password in settings.users.items() if (name, password) == ("demo", "demo")}
    if settings.json:
        return json.dumps(
            {
                "url": url,
                "codex_url": f"{url}/codex",
                "control_url": f"{url}/_sandbox",
                "pid": os.getpid(),
                "users": sorted(settings.users),
                "demo_credentials": demo,
                "tenant": settings.tenant,
                "state": None if settings.state is None else str(settings.state),
            }
        )
    # A password that the user chose is not repeated on a terminal.
    people = ", ".join("demo (password demo)" if name in demo else name for name in sorted(settings.users))
    return f"modelport sandbox on {url}/codex - users: {people}; tenant: {settings.tenant} (Ctrl-C ends it)"


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio switches Nagle's delay off only where the protocol is named: without it each answer waits some 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        reason = error.strerror or str(error)
        raise SandboxError(
            f"cannot listen on {host} port {port}: {reason}. Choose another port, or 0 for a free one"
        ) from error
    return listener


def _bracketed(host: str) -> str:
    with contextlib.suppress(ValueError):
        if ipaddress.ip_address(host).version == IPV6:
            return f"[{host}]"
    return host


@contextlib.contextmanager
def _terminated(interrupt: Callable[[], None]) -> Any:
    """Uvicorn replays the signals it caught once it has stopped; here they then do nothing worse than `interrupt`."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def ended(_number: int, _frame: object) -> None:
        interrupt()

    kept = {number: signal.signal(number, ended) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)


class Sandbox:
    """A sandbox in a process of its own, for tests and demos.

        with Sandbox() as box:
            box.codex_url  # http://127.0.0.1:PORT/codex

    It ends with the block, with everything it started; if this process dies first it ends as well.
    """

    def __init__(
        self, state: str | Path | None = None, port: int = 0, *, settings: SandboxSettings | None = None
    ) -> None:
        base = settings or SandboxSettings()
        self.settings = replace(
            base, state=Path(state) if state is not None else base.state, port=port or base.port, json=True
        )
        self._process: subprocess.Popen[str] | None = None
        self._said: dict[str, Any] = {}

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start and wait until it listens; raises SandboxError with what the process said."""
        if self._process is not None:
            return
        process = self._process = subprocess.Popen(
            [sys.executable, "-m", "modelport.sandbox.child_server"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        line = _first_line(process, settings_to_json(self.settings))
        try:
            self._said = json.loads(line)
        except ValueError:
            self.stop()
            raise SandboxError(f"the sandbox did not start: {line.strip() or 'it ended without a word'}") from None
        if "error" in self._said:
            self.stop()
            raise SandboxError(str(self._said["error"]))

    def stop(self) -> None:
        """End the process and wait for it."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()

    @property
    def url(self) -> str:
        """Where it listens, without a path."""
        return str(self._said["url"])

    @property
    def codex_url(self) -> str:
        """The base URL of Codex; its API is under `/api` of it."""
        return str(self._said["codex_url"])

    @property
    def control_url(self) -> str:
        """The base URL of the control path."""
        return str(self._said["control_url"])

    @property
    def pid(self) -> int:
        """The process id of the server."""
        return int(self._said["pid"])

    def __repr__(self) -> str:
        return f"Sandbox({self._said.get('url', 'not started')})"


def _first_line(process: subprocess.Popen[str], settings: dict[str, Any]) -> str:
    if process.stdin is None or process.stdout is None:
        return ""
    process.stdin.write(json.dumps(settings) + "\n")
    process.stdin.flush()
    timer = threading.Timer(START_SECONDS, process.kill)
    timer.daemon = True
    timer.start()
    try:
        return process.stdout.readline()
    finally:
        timer.cancel()


def settings_to_json(settings: SandboxSettings) -> dict[str, Any]:
    """Settings as JSON, for the pipe to the child: passwords do not show in a process list."""
    return {
        "host": settings.host,
        "port": settings.port,
        "state": None if settings.state is None else str(settings.state),
        "users": dict(settings.users),
        "tenant": settings.tenant,
        "token_seconds": settings.token_seconds,
        "isolate": settings.isolate,
        "limits": asdict(settings.limits),
        "json": settings.json,
        "open_bind": settings.open_bind,
        "allowed_hosts": sorted(settings.allowed_hosts),
        "import_root": None if settings.import_root is None else str(settings.import_root),
    }


def settings_from_json(value: dict[str, Any]) -> SandboxSettings:
    """The reverse of `settings_to_json`."""
    paths: dict[str, Any] = {name: value[name] and Path(value[name]) for name in ("state", "import_root")}
    limits, hosts = Limits(**value["limits"]), frozenset(value["allowed_hosts"])
    given: dict[str, Any] = {**value, **paths, "limits": limits, "allowed_hosts": hosts}
    return SandboxSettings(**given)


def configure_logging() -> None:
    """Warnings of the server to standard error; no request bodies, no tokens."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
