"""What can be set about a sandbox, as frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

MIB = 1024 * 1024
MAX_PORT = 65535

DEMO_USERS: Mapping[str, str] = MappingProxyType({"demo": "demo"})
LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on what user code and uploads may take.

    `predict_seconds` bounds one sync prediction, `run_seconds` everything that runs in the background (training, async
    predictions, preprocessing, monitoring), `build_seconds` the import and smoke test of a model.
    """

    predict_seconds: float = 30.0
    run_seconds: float = 600.0
    build_seconds: float = 120.0
    memory_bytes: int = 2048 * MIB
    output_bytes: int = 256 * 1024
    upload_bytes: int = 512 * MIB
    processes: int = 64


@dataclass(frozen=True, slots=True)
class SandboxSettings:
    """How a sandbox listens, whom it knows and what it allows.

    `state` is a folder that survives restarts and may be shared by several sandboxes; without it everything lives in
    a temporary folder and goes with the process. `isolate` runs user code in an environment that uv makes from the
    uploaded requirements; otherwise in the sandbox's own interpreter. `open_bind` allows a host other than loopback.
    """

    host: str = "127.0.0.1"
    port: int = 0
    state: Path | None = None
    users: Mapping[str, str] = field(default_factory=lambda: DEMO_USERS, repr=False)
    tenant: str = "demo"
    token_seconds: float = 3 * 3600.0
    isolate: bool = False
    limits: Limits = field(default_factory=Limits)
    json: bool = False
    open_bind: bool = False
    allowed_hosts: frozenset[str] = frozenset()
    import_root: Path | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.port <= MAX_PORT:
            raise ValueError(f"port {self.port} is not between 0 and 65535")
        if not self.users:
            raise ValueError("users is empty: a sandbox that knows nobody refuses every login")
        if self.host not in LOOPBACK_HOSTS and not self.open_bind:
            raise ValueError(
                f"host {self.host!r} is not loopback: the sandbox runs uploaded code, so it listens on 127.0.0.1 "
                "unless open_bind=True says that the network around it is trusted"
            )

    @property
    def accepted_hosts(self) -> frozenset[str]:
        """Host header names that are answered; any other is refused, which ends DNS rebinding."""
        return LOOPBACK_HOSTS | {self.host} | self.allowed_hosts
