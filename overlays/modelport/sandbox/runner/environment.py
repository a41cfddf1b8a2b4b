"""Interpreters for user code, their requirements, and the variables user code may see."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

# What user code inherits of the server's environment; all else stays with the server.
INHERITED = (
    "PATH",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TZ",
    "LD_LIBRARY_PATH",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "SYSTEMROOT",
)
THREADS = "2"
INSTALL_SECONDS = 600.0

_QUOTED = re.compile(r"(['\"])(.*)\1")
_ENV_LINE = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*?)\s*\Z")


class EnvironmentBuildError(Exception):
    """The environment for a script could not be made."""


@dataclass(frozen=True, slots=True)
class Environment:
    """An interpreter, and what of the requirements it does not meet."""

    python: Path
    unmet: tuple[str, ...] = ()
    isolated: bool = False
    notes: tuple[str, ...] = field(default=())

    def variables(self, home: Path, extra: Mapping[str, str]) -> dict[str, str]:
        """The environment of a process: a clean base, and `extra`."""
        scratch = home / ".tmp"
        scratch.mkdir(exist_ok=True, mode=0o700)
        base = {name: os.environ[name] for name in INHERITED if name in os.environ}
        base |= {name: str(scratch) for name in ("HOME", "TMPDIR", "MPLCONFIGDIR", "XDG_CACHE_HOME")}
        base |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), THREADS)
        base |= {"MPLBACKEND": "Agg", "PYTHONIOENCODING": "utf-8"}
        return {**base, **extra}


def read_env_file(path: Path | None) -> dict[str, str]:
    """Variables of a `.env` file: NAME=value lines, quotes and comments as usual."""
    if path is None or not path.is_file():
        return {}
    found: dict[str, str] = {}
    for line in path.read_text("utf-8", "replace").splitlines():
        match = _ENV_LINE.match(line)
        if match is None or "\0" in line:
            continue
        name, value = match.groups()
        quoted = _QUOTED.fullmatch(value)
        value = value.partition(" #")[0].rstrip() if quoted is None else quoted[2]
        found[name] = value
    return found


def read_requirements(path: Path | None) -> list[Requirement]:
    """The requirements of a file; raises EnvironmentBuildError naming a line that is none."""
    if path is None or not path.is_file():
        return []
    found: list[Requirement] = []
    for number, raw in enumerate(path.read_text("utf-8", "replace").splitlines(), 1):
        line = raw.partition(" #")[0].strip()
        if not line or line.startswith(("#", "-")):
            continue
        try:
            found.append(Requirement(line))
        except InvalidRequirement as error:
            raise EnvironmentBuildError(f"requirements line {number} {line!r} is not a requirement: {error}") from None
    return found


def unmet_requirements(path: Path | None) -> list[str]:
    """Requirements that the sandbox's own interpreter does not meet, each with what is there instead."""
    found: list[str] = []
    for requirement in read_requirements(path):
        if requirement.marker is not None and not requirement.marker.evaluate():
            continue
        try:
            present = version(requirement.name)
        except PackageNotFoundError:
            found.append(f"{requirement} (not installed)")
            continue
        if requirement.specifier and not requirement.specifier.contains(present, prereleases=True):
            found.append(f"{requirement} (installed: {present})")
    return found


class Environments:
    """Gives an environment for a requirements file: the own interpreter, or one made by uv and kept."""

    def __init__(self, cache: Path, *, isolate: bool) -> None:
        self._cache = cache
        self._isolate = isolate
        self._lock = threading.Lock()

    def for_requirements(self, path: Path | None, python_version: str | None = None) -> Environment:
        """The environment; raises EnvironmentBuildError in the user's terms when it cannot be made."""
        notes = _version_note(python_version)
        if not self._isolate:
            return Environment(Path(sys.executable), tuple(unmet_requirements(path)), notes=notes)
        read_requirements(path)
        text = path.read_text("utf-8") if path is not None and path.is_file() else ""
        return Environment(self._made(text), isolated=True, notes=notes)

    def _made(self, requirements: str) -> Path:
        name = hashlib.sha256(f"{sys.version}\0{requirements}".encode()).hexdigest()[:24]
        home = self._cache / name
        python = home / "bin" / "python"
        with self._lock:
            if not (home / ".ready").is_file():
                self._build(home, python, requirements)
        return python

    def _build(self, home: Path, python: Path, requirements: str) -> None:
        uv = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
        if uv is None:
            raise EnvironmentBuildError("uv is not installed: install it, or start the sandbox without --isolate")
        shutil.rmtree(home, ignore_errors=True)
        self._cache.mkdir(parents=True, exist_ok=True, mode=0o700)
        _call([uv, "venv", "--quiet", "--python", sys.executable, str(home)])
        if requirements.strip():
            listed = home / "requirements.txt"
            listed.write_text(requirements, "utf-8")
            _call([uv, "pip", "install", "--quiet", "--python", str(python), "--requirement", str(listed)])
        (home / ".ready").touch()


def _version_note(python_version: str | None) -> tuple[str, ...]:
    own = f"Python{sys.version_info.major}{sys.version_info.minor}"
    if python_version is None or python_version == own:
        return ()
    return (f"{python_version} was asked for; the sandbox runs it with {own}",)


def _call(command: list[str]) -> None:
    environment = {**os.environ, "UV_PYTHON_DOWNLOADS": "never"}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=INSTALL_SECONDS, env=environment, check=False
        )
    except subprocess.TimeoutExpired:
        raise EnvironmentBuildError(
            f"installing the requirements took longer than {INSTALL_SECONDS:g} seconds"
        ) from None
    if done.returncode != 0:
        raise EnvironmentBuildError(f"the requirements could not be installed: {done.stderr.strip()[-1500:]}")
