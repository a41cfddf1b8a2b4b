"""Run the benchmarks and print their bars in one table: ``python -m tests.bench.run [NAME...] [FILE...]``.

``import`` is bench_import.py; a FILE is a document for those that take one (``generate``). Each has a ``main()`` that
returns rows. A ratio compares two things measured in turns on the same machine, so it holds on a busy one too, if
softly; seconds are printed for orientation only. Exit code 1 when a ratio misses its bar.
"""

from __future__ import annotations

import importlib
import os
import platform
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tests.bench.measure import Row

_HERE = Path(__file__).parent
_PREFIX = "bench_"
_HEADER = ("what", "measured", "against", "ratio", "bar", "")
_WITH_FILES = {"generate"}


def names() -> list[str]:
    return [file.stem.removeprefix(_PREFIX) for file in sorted(_HERE.glob(f"{_PREFIX}*.py"))]


def measure(name: str, files: Sequence[str]) -> list[Row]:
    arguments = (files,) if name in _WITH_FILES else ()
    rows: list[Row] = importlib.import_module(f"tests.bench.{_PREFIX}{name}").main(*arguments)
    return rows


def table(rows: Sequence[Row]) -> str:
    cells = [_HEADER, *(row.cells() for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells
    )


def main(arguments: Sequence[str]) -> int:
    wanted = [name for name in arguments if name in names()]
    files = [name for name in arguments if name not in names()]
    unknown = [file for file in files if not Path(file).is_file()]
    if unknown or (files and not _WITH_FILES & set(wanted)):
        print(f"no benchmark {', '.join(unknown or files)}: there is {', '.join(names())}", file=sys.stderr)
        print(f"files go with {', '.join(sorted(_WITH_FILES))}", file=sys.stderr)
        return 2
    before, start = _load(), time.monotonic()
    rows: list[Row] = []
    for name in wanted or names():
        print(f"measuring: {name}", file=sys.stderr)
        rows += measure(name, files)
    print(table(rows))
    missed = sum(not row.met for row in rows)
    print(f"\n{len(rows) - missed} of {len(rows)} bars met, in {time.monotonic() - start:.0f} s")
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, load {before} before and {_load()} after")
    return 1 if missed else 0


def _load() -> str:
    return f"{os.getloadavg()[0]:.1f}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
