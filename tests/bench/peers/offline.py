"""PSI of logged predictions: ours against Evidently and NannyML at a million rows, and ours at ten million.

Ours is ``python -m tests.bench.offline_scan FILE ENGINE``, each time a fresh interpreter: what counts is all that it
takes, from its start to its end, with its imports and the reading of the file. The peers are taken in the same way,
and beside it without imports and reading, since a service that lives on pays these once.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tests.bench.peers.tables import Bar, Part
from tests.bench.peers.workers import Samples, Team, fresh

_PROGRAM = "tests.bench.offline_scan"
_ROOT = Path(__file__).resolve().parents[3]
_FEATURES = 20
_CHUNK = 250_000
_MILLION = 1_000_000
_TEN_MILLION = 10_000_000
_ENGINES = ("polars", "duckdb")
_HEADER = ("what", "whole process, CPU", "without imports and reading", "peak memory", "first and last column")
_PEERS = (("evidently", "psi", "Evidently, PSI preset"), ("nannyml", "js", "NannyML, Jensen-Shannon in 10 chunks"))


@dataclass(frozen=True)
class Used:
    """What a program took, from its start to its end."""

    seconds: float
    peak_mib: float


def offline(team: Team, rounds: int = 3) -> Part:
    """A million rows against a million, in turns, each time in a fresh interpreter; peers, which take long, once."""
    ours: dict[str, list[Used]] = {engine: [] for engine in _ENGINES}
    theirs: dict[str, list[dict[str, Any]]] = {peer: [] for peer, *_ in _PEERS}
    with _files(reference=_MILLION, current=_MILLION) as (reference, current):
        for number in range(rounds):
            for engine in _ENGINES:
                ours[engine] += _scan(team, current, engine)
            for peer, case, _ in _PEERS if number == 0 else ():
                with fresh(team) as alone:
                    answer = alone.ask(peer, case, _MILLION, reference=str(reference), current=str(current))
                theirs[peer] += [] if answer is None else [answer]
    rows = [_ours_row(engine, runs) for engine, runs in ours.items() if runs]
    rows += [_peer_row(what, theirs[peer]) for peer, _, what in _PEERS if theirs[peer]]
    bars = []
    if ours["polars"] and theirs["evidently"]:
        against = Samples([run["whole"] for run in theirs["evidently"]]).least
        taken = Samples([run.seconds for run in ours["polars"]]).least
        bars.append(
            Bar("offline, 1M rows: Evidently / ours on Polars, whole processes", against / taken, 100, least=True)
        )
    return Part("Drift of 20 features, 1,000,000 rows against 1,000,000", _HEADER, rows, bars, _NOTE)


_NOTE = "Ours counts the current rows alone: those of training were counted once, when the baseline was made."


def large(team: Team, rounds: int = 3) -> Part:
    """Ten million rows of logged predictions."""
    runs: dict[str, list[Used]] = {engine: [] for engine in _ENGINES}
    with _files(current=_TEN_MILLION) as (_, current):
        size = current.stat().st_size / 2**20
        for _ in range(rounds):
            for engine in _ENGINES:
                runs[engine] += _scan(team, current, engine)
    rows = [_ours_row(engine, used) for engine, used in runs.items() if used]
    bars = [
        Bar("offline, 10M rows on Polars: CPU", Samples([run.seconds for run in used]).least, 3, "s")
        for engine, used in runs.items()
        if engine == "polars" and used
    ]
    return Part("Drift of 20 features, 10,000,000 rows", _HEADER, rows, bars, f"The file has {size:,.0f} MiB.")


def _scan(team: Team, file: Path, engine: str) -> list[Used]:
    if find_spec(_PROGRAM) is None:
        team.missing["modelport, offline"] = f"there is no {_PROGRAM}"
        return []
    process = subprocess.Popen(
        [sys.executable, "-m", _PROGRAM, str(file), engine], cwd=_ROOT, stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        team.missing[f"modelport, offline, {engine}"] = f"{_PROGRAM} ended with {process.returncode}"
        return []
    return [Used(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)]


def _ours_row(engine: str, runs: list[Used]) -> tuple[str, ...]:
    peak = max(run.peak_mib for run in runs)
    return f"modelport, {engine}", _seconds([run.seconds for run in runs]), "", f"{peak:,.0f} MiB", ""


def _peer_row(what: str, runs: list[dict[str, Any]]) -> tuple[str, ...]:
    whole, alone = _seconds([run["whole"] for run in runs]), _seconds([run["seconds"] for run in runs])
    peak, values = max(run["peak"] for run in runs), f"{runs[0]['first']:.4f}, {runs[0]['last']:.4f}"
    return what, whole, alone, f"{peak:,.0f} MiB", values


def _seconds(values: list[float]) -> str:
    samples = Samples(values)
    return f"{samples.least:.2f} s" if len(values) == 1 else f"{samples.least:.2f} to {samples.most:.2f} s"


@contextmanager
def _files(*, current: int, reference: int = 0) -> Iterator[tuple[Path, Path]]:
    with tempfile.TemporaryDirectory(prefix="modelport-bench-", dir=_ROOT / ".cache") as folder:
        paths = Path(folder) / "reference.parquet", Path(folder) / "current.parquet"
        if reference:
            _write(paths[0], reference, shift=0.0)
        _write(paths[1], current, shift=0.025)
        yield paths


def _write(path: Path, rows: int, *, shift: float) -> None:
    """Normal columns ``f0`` to ``f19``, the i-th moved by ``shift * i``, as a log of predictions would be written."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    draw = np.random.default_rng([rows, int(shift * 1000)])
    schema = pa.schema([(f"f{index}", pa.float64()) for index in range(_FEATURES)])
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for start in range(0, rows, _CHUNK):
            count = min(_CHUNK, rows - start)
            columns = {f"f{i}": draw.normal(shift * i, 1, count) for i in range(_FEATURES)}
            writer.write_table(pa.table(columns, schema=schema))
