"""What the benchmarks share: CPU time of fresh interpreters, taken in turns, and a row of the printed table."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass

ROUNDS = 11


@dataclass(frozen=True)
class Row:
    """One ratio beside the bar that it must not pass."""

    what: str
    measured: float
    against: float
    bar: float
    unit: str = "ms"

    @property
    def ratio(self) -> float:
        return self.measured / self.against

    @property
    def met(self) -> bool:
        return self.ratio <= self.bar

    def cells(self) -> tuple[str, ...]:
        return (
            self.what,
            f"{self.measured:.2f} {self.unit}",
            f"{self.against:.2f} {self.unit}",
            f"{self.ratio:.3f}",
            f"{self.bar:.2f}",
            "met" if self.met else "MISSED",
        )


def cpu_milliseconds(program: str) -> float:
    """User and system time of a fresh interpreter that runs the program, with byte code as after any first run."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.DEVNULL, env=environment)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"the program failed: {program}")
    return (usage.ru_utime + usage.ru_stime) * 1000


def minima(measures: Mapping[str, Callable[[], float]], *, rounds: int = ROUNDS) -> dict[str, float]:
    """The least of each, over rounds that take all of them in turn: what disturbs one disturbs the others."""
    best = dict.fromkeys(measures, float("inf"))
    for _ in range(rounds):
        for name, measure in measures.items():
            best[name] = min(best[name], measure())
    return best


def programs(texts: Mapping[str, str], *, rounds: int = ROUNDS) -> dict[str, float]:
    """``minima`` of the CPU time of programs."""
    for text in texts.values():  # byte code is written once, and not on anybody's account
        cpu_milliseconds(text)
    return minima({name: lambda text=text: cpu_milliseconds(text) for name, text in texts.items()}, rounds=rounds)
