"""Run the benchmarks and print their tables: ``python -m tests.bench.run [NAME...]`` (``import`` is bench_import.py).

Each bench_*.py has a ``main()`` that returns rows. A ratio compares two things measured in turns on the same machine,
so it holds on a busy one too; seconds are printed for orientation only. Exit code 1 when a ratio misses its bar.
"""

from __future__ import annotations

import importlib
import os
import platform
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.bench.measure import Row

_HERE = Path(__file__).parent
_PREFIX = "bench_"
_HEADER = ("what", "measured", "against", "ratio", "bar", "")


def names() -> list[str]:
    return [file.stem.removeprefix(_PREFIX) for file in sorted(_HERE.glob(f"{_PREFIX}*.py"))]


def measure(name: str) -> list[Row]:
    rows: list[Row] = importlib.import_module(f"tests.bench.{_PREFIX}{name}").main()
    return rows


def table(rows: Sequence[Row]) -> str:
    cells = [_HEADER, *(row.cells() for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells
    )


def main(wanted: Sequence[str]) -> int:
    if unknown := set(wanted) - set(names()):
        print(f"no benchmark {', '.join(sorted(unknown))}: there is {', '.join(names())}", file=sys.stderr)
        return 2
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, load {load}")
    missed = 0
    for name in wanted or names():
        print(f"\n{name}")
        rows = measure(name)
        print(table(rows))
        missed += sum(not row.met for row in rows)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
