"""PSI of logged predictions: ours against Evidently and NannyML at a million rows, and ours at ten million."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tests.bench.peers.tables import Bar, Part
from tests.bench.peers.workers import Samples, Team, Worker

_PROGRAM = "tests.bench.offline_scan"
_MILLION = 1_000_000
_TEN_MILLION = 10_000_000
_ENGINES = ("polars", "duckdb")


@dataclass(frozen=True)
class Used:
    """What a program took, from its start to its end."""

    seconds: float
    peak_mib: float
    said: str


def offline(team: Team, rounds: int = 3) -> Part:
    """A million rows against a million; each time in a fresh interpreter, in turns."""
    with tempfile.TemporaryDirectory(prefix="modelport-bench-") as folder:
        return Part("", (), ())


def large(team: Team) -> Part:
    return Part("", (), ())
