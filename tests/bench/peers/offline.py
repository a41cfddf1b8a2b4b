"""PSI of logged predictions: ours against Evidently and NannyML at a million rows, and ours at ten million.

Each run has a fresh interpreter, and what counts is all that it takes, from its start to its end, with its imports and
the reading of the files; beside it the time without imports, and for the peers without reading.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

from modelport.predictions.columns._parquet import storage_of
from tests.bench.peers.tables import Bar, Part
from tests.bench.peers.workers import Samples, Team, fresh

_CACHE = Path(__file__).resolve().parents[3] / ".cache"
_NAMES = [f"f{index}" for index in range(20)]
_CHUNK = 250_000
_TRAINING_ROWS = 100_000
_MILLION = 1_000_000
_TEN_MILLION = 10_000_000
_SHIFT = 0.025
_ENGINES = ("polars", "duckdb")
# What a file of ten million rows is stored like, and whether the bar is for it.
_SINK, _SNAPPY, _ZSTD = "as our Parquet sink", "snappy, as pandas", "zstd"
_STORAGE = {_SINK: True, _SNAPPY: True, _ZSTD: False}
_HEADER = ("what", "whole process, CPU", "the comparison alone", "peak memory", "first and last column")
_PEERS = (("evidently", "psi", "Evidently, PSI preset"), ("nannyml", "js", "NannyML, Jensen-Shannon in 10 chunks"))
_NOTE = (
    "Ours reads the file within the comparison and has the training rows counted already, in the baseline; the peers "
    "are given both tables in memory and count both."
)

_Run: TypeAlias = dict[str, Any]


def offline(team: Team, rounds: int = 3) -> Part:
    """A million rows against a million; the peers, which take long, in the first round only."""
    ours: dict[str, list[_Run]] = {engine: [] for engine in _ENGINES}
    theirs: dict[str, list[_Run]] = {peer: [] for peer, *_ in _PEERS}
    with _folder() as folder:
        reference, current = folder / "reference.parquet", folder / "current.parquet"
        _write(reference, _MILLION, shift=0.0)
        _write(current, _MILLION, shift=_SHIFT)
        baseline = _baseline(reference)
        for number in range(rounds):
            for engine in _ENGINES:
                ours[engine] += _ours(team, _MILLION, baseline, current, engine)
            for peer, case, _ in _PEERS if number == 0 else ():
                with fresh(team) as alone:
                    answer = alone.ask(peer, case, _MILLION, reference=str(reference), current=str(current))
                theirs[peer] += [] if answer is None else [answer]
    rows = [_row(f"modelport on {engine}", runs) for engine, runs in ours.items() if runs]
    rows += [_row(what, theirs[peer]) for peer, _, what in _PEERS if theirs[peer]]
    return Part(
        "Drift of 20 features, 1,000,000 rows", _HEADER, rows, _bars(ours["polars"], theirs["evidently"]), _NOTE
    )


def _bars(ours: Sequence[_Run], evidently: Sequence[_Run]) -> list[Bar]:
    if not ours or not evidently:
        return []
    what = {"whole": "whole processes", "seconds": "the comparison alone"}
    return [
        Bar(
            f"offline, 1M rows: Evidently / ours on Polars, {text}",
            _least(evidently, key) / _least(ours, key),
            100,
            least=True,
        )
        for key, text in what.items()
    ]


def large(team: Team, rounds: int = 3) -> Part:
    """Ten million rows of logged predictions, stored in several ways; beside it what reading them takes anyway."""
    runs: dict[str, list[_Run]] = {}
    bars: list[Bar] = []
    sizes: list[str] = []
    for storage, judged in _STORAGE.items():
        with _folder() as folder:
            reference, current = folder / "reference.parquet", folder / "current.parquet"
            _write(reference, _TRAINING_ROWS, shift=0.0)
            _write(current, _TEN_MILLION, shift=_SHIFT, storage=storage)
            baseline, size = _baseline(reference), current.stat().st_size / 2**20
            for number in range(rounds):
                for engine in _ENGINES if number == 0 else _ENGINES[:1]:
                    asked = _ours(team, _TEN_MILLION, baseline, current, engine)
                    runs.setdefault(f"modelport on {engine}; {storage}", []).extend(asked)
                with fresh(team) as alone:
                    read = alone.ask("offline", "read", current=str(current))
                runs.setdefault(f"Polars, reading alone; {storage}", []).extend([read] if read else [])
        sizes.append(f"{storage}: {size:,.0f} MiB")
        if judged and (polars := runs[f"modelport on polars; {storage}"]):
            bars.append(Bar(f"offline, 10M rows on Polars; {storage}: CPU", _least(polars, "whole"), 3, "s"))
    rows = [_row(what, used) for what, used in runs.items() if used]
    return Part("Drift of 20 features, 10,000,000 rows", _HEADER, rows, bars, f"The file, {'; '.join(sizes)}.")


def _ours(team: Team, rows: int, baseline: Path, current: Path, engine: str) -> list[_Run]:
    with fresh(team) as alone:
        answer = alone.ask("offline", "psi", rows, baseline=str(baseline), current=str(current), engine=engine)
    return [] if answer is None else [answer]


def _least(runs: Sequence[_Run], key: str) -> float:
    return Samples([run[key] for run in runs]).least


def _row(what: str, runs: Sequence[_Run]) -> tuple[str, ...]:
    peak = max(run["peak"] for run in runs)
    values = f"{runs[0]['first']:.4f}, {runs[0]['last']:.4f}" if "first" in runs[0] else ""
    return what, _seconds(runs, "whole"), _seconds(runs, "seconds"), f"{peak:,.0f} MiB", values


def _seconds(runs: Sequence[_Run], key: str) -> str:
    samples = Samples([run[key] for run in runs])
    return f"{samples.least:.2f} s" if len(runs) == 1 else f"{samples.least:.2f} to {samples.most:.2f} s"


@contextmanager
def _folder() -> Iterator[Path]:
    with TemporaryDirectory(prefix="modelport-bench-", dir=_CACHE) as folder:
        yield Path(folder)


def _baseline(reference: Path) -> Path:
    import pyarrow.parquet as pq

    from modelport.drift import Baseline

    table = pq.read_table(reference)
    columns = {name: table[name].to_numpy() for name in _NAMES}
    return Baseline.from_data(columns).save(reference.with_name("baseline.json"))


def _write(path: Path, rows: int, *, shift: float, storage: str = _SNAPPY) -> None:
    """Normal columns, the i-th moved by ``shift * i``, as a log of predictions would be written."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    draw = np.random.default_rng([rows, int(shift * 1000)])
    schema = pa.schema([(name, pa.float64()) for name in _NAMES])

    def tables() -> Iterator[pa.Table]:
        for start in range(0, rows, _CHUNK):
            count = min(_CHUNK, rows - start)
            columns = {name: draw.normal(shift * place, 1, count) for place, name in enumerate(_NAMES)}
            yield pa.table(columns, schema=schema)

    written = tables()
    first = next(written)
    options = {_SINK: storage_of(first), _SNAPPY: {"compression": "snappy"}, _ZSTD: {"compression": "zstd"}}[storage]
    group = options.pop("row_group_size", None)
    with pq.ParquetWriter(path, schema, **options) as writer:
        for table in chain([first], written):
            writer.write_table(table, row_group_size=group)
