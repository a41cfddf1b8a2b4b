"""The peers' interpreters as the benchmark sees them: start, ask, take turns, and name those that are missing."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["PEERS", "MissingPeerError", "Samples", "Team", "Worker", "fresh", "interpreter", "team", "turns"]

_ROOT = Path(__file__).resolve().parents[3]
_PROGRAM = Path(__file__).parent / "inside" / "worker.py"
_VENVS = _ROOT / ".cache" / "venvs"

PEERS = ("boxkite", "evidently", "nannyml", "opentelemetry", "whylogs")
"""Those in an environment of their own, by `tests/setup/peers.sh`."""


class MissingPeerError(RuntimeError):
    """A peer that is not installed, or that does not answer."""


def interpreter(peer: str) -> str:
    """The Python that `peer` is installed for.

    Raises:
        MissingPeerError: There is none.
    """
    if peer not in PEERS:
        return sys.executable
    python = _VENVS / peer / "bin" / "python"
    if not (python.parent.parent / ".installed").exists():
        raise MissingPeerError(f"{peer} is not installed: run `make bench-peers`")
    return str(python)


class Worker:
    """One interpreter that answers for one peer."""

    def __init__(self, peer: str) -> None:
        self.peer = peer
        environment = {**os.environ, "WHYLOGS_NO_ANALYTICS": "1", "DO_NOT_TRACK": "1", "PYTHONWARNINGS": "ignore"}
        self._process = subprocess.Popen(
            [interpreter(peer), str(_PROGRAM), f"peer_{peer}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=None if os.environ.get("BENCH_VERBOSE") else subprocess.DEVNULL,
            text=True,
            env=environment,
        )
        try:
            self._read()
        except MissingPeerError:
            self.close()
            raise

    def ask(self, case: str, n: int = 1, **options: Any) -> dict[str, Any]:
        """The figures of one run.

        Raises:
            MissingPeerError: The case failed; the text says how.
        """
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps({"case": case, "n": n, "options": options}) + "\n")
            self._process.stdin.flush()
        except OSError as error:
            raise MissingPeerError(f"{self.peer}: its interpreter has ended") from error
        return self._read()

    def close(self) -> None:
        """End the interpreter."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise MissingPeerError(f"{self.peer} ends without an answer: BENCH_VERBOSE=1 shows why")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise MissingPeerError(f"{self.peer}: {answer['error']}")
        return answer


@dataclass
class Samples:
    """One figure over the rounds."""

    values: list[float] = field(default_factory=list)

    @property
    def least(self) -> float:
        return min(self.values)

    @property
    def most(self) -> float:
        return max(self.values)

    @property
    def median(self) -> float:
        return statistics.median(self.values)


class Team:
    """Workers by peer, started when first asked; what cannot be had is named in `missing` and skipped."""

    def __init__(self) -> None:
        self._workers: dict[str, Worker] = {}
        self.missing: dict[str, str] = {}

    def worker(self, peer: str) -> Worker | None:
        """The peer's worker, or None if there is none to be had."""
        if peer not in self._workers and peer not in self.missing:
            try:
                self._workers[peer] = Worker(peer)
            except MissingPeerError as error:
                self.missing[peer] = str(error)
        return self._workers.get(peer)

    def ask(self, peer: str, case: str, n: int = 1, **options: Any) -> dict[str, Any] | None:
        """The figures of one run; None, and the reason in `missing`, if it failed."""
        worker = self.worker(peer)
        if worker is None:
            return None
        try:
            return worker.ask(case, n, **options)
        except MissingPeerError as error:
            self.missing.setdefault(f"{peer}, {case}", str(error))
            return None

    def close(self) -> None:
        """End all interpreters."""
        for worker in self._workers.values():
            worker.close()


@contextmanager
def team() -> Iterator[Team]:
    """A team that ends with the block."""
    made = Team()
    try:
        yield made
    finally:
        made.close()


@contextmanager
def fresh(known: Team) -> Iterator[Team]:
    """Interpreters of their own for the block; what they miss is told in `known`."""
    with team() as made:
        made.missing.update(known.missing)
        yield made
        known.missing.update(made.missing)


def turns(
    asks: Mapping[str, Callable[[], dict[str, Any] | None]], keys: Sequence[str] = ("ns",), *, rounds: int
) -> dict[str, dict[str, Samples]]:
    """Rounds that take all of `asks` in turn, so that what disturbs one disturbs the others.

    The first round warms up and does not count. What fails once is left out.
    """
    found: dict[str, dict[str, Samples]] = {name: {key: Samples() for key in keys} for name in asks}
    for number in range(rounds + 1):
        for name, ask in asks.items():
            answer = ask() if name in found else None
            if answer is None:
                found.pop(name, None)
            elif number:
                for key in keys:
                    found[name][key].values.append(float(answer[key]))
    return found
