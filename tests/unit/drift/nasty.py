"""Data on which readers are known to differ, with what each value means, for all of them to be held against."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from modelport.drift import Baseline, CountsSnapshot, DriftReport, LiveCounts

LONG = "https://example.com/" + "a" * 100
"""Two texts that begin so share the 103 characters that their labels keep."""

NAMES = ("number", "text", "flag", "code", "many")
# Of each column the cell, and the value that it stands for.
CELLS: dict[str, list[tuple[str, object]]] = {
    "number": [
        *[(cell, float(cell)) for cell in ("1", " 2.5 ", "+3", "1_000", "٣", "-inf", "inf", "Infinity", "1e400")],
        *[(cell, None) for cell in ("", "nan", "NaN")],
        *[(cell, cell) for cell in ("forty", "0x10", "1,5", "true", "1d")],
    ],
    "text": [
        *[(cell, cell) for cell in ("yes", "no", "t", "f", "on", "NULL", "NA", "None", "nan")],
        *[(cell, cell) for cell in ("2026-01-01", "12:30", "2026-01-01 10:00:00", "'a'", 'say "x"', "new\nline")],
        *[(cell, cell) for cell in (" a", "a,b", "#1", "é", "back\\slash", "${x}", LONG + "y", LONG + "z", "new")],
        ("", None),
    ],
    "flag": [
        *[(cell, True) for cell in ("true", "True", "TRUE", " true", "1", "1.0")],
        *[(cell, False) for cell in ("false", "False", "0", "-0")],
        ("yes", "yes"),
        ("", None),
    ],
    "code": [
        *[(cell, 7) for cell in ("7", "007", "7.0", "+7", "0.7e1")],
        *[(cell, int(cell)) for cell in ("9007199254740993", "12345678901234567890", "12345678901234567891")],
        *[(cell, cell) for cell in ("x", "0x7", "7 ÷ 1")],
        ("", None),
    ],
    # More whole numbers than any sample, then a fraction, then text.
    "many": [*[(str(number), number) for number in range(30_000)], ("0.5", 0.5), ("oops", "oops")],
}


def baseline() -> Baseline:
    """With a bin for most of the values."""
    known: dict[str, list[object]] = {name: [value for _, value in cells] for name, cells in CELLS.items()}
    numbers = [value for value in known["number"] if isinstance(value, float)]
    return Baseline.from_data(
        {
            "number": numbers * 2,
            "text": [value for value in known["text"] if value != "new"],
            "flag": [True, False] * 9,
            "code": [value for value in known["code"] if isinstance(value, int)],
            "many": [float(number) for number in range(0, 30_000, 7)],
        },
        kinds={"number": "numeric", "code": "categorical", "text": "categorical", "many": "numeric"},
        aligned=False,
    )


def rows() -> list[tuple[list[str], dict[str, object]]]:
    """Each row's cells, and what they mean."""
    made: list[tuple[list[str], dict[str, object]]] = []
    for place in range(len(CELLS["many"])):
        pairs = {name: cells[place % len(cells)] for name, cells in CELLS.items()}
        made.append(([pairs[name][0] for name in NAMES], {name: pairs[name][1] for name in NAMES}))
    return made


def write_csv(folder: Path) -> Path:
    """All rows as one file, and in `folder`/parts as two whose columns differ in order and number."""
    cells = [line for line, _ in rows()]
    _write(folder / "nasty.csv", NAMES, cells)
    (folder / "parts").mkdir()
    _write(folder / "parts" / "a[1]*.csv", NAMES, cells[:9000])
    _write(folder / "parts" / "b.csv", ("extra", *reversed(NAMES)), [["z", *reversed(line)] for line in cells[9000:]])
    return folder / "nasty.csv"


def _write(path: Path, names: tuple[str, ...], lines: list[list[str]]) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        writer.writerows(lines)


def table() -> Any:
    """A table of types whose categories engines are known to lose."""
    return pa.table({
        "unsigned": pa.array([2**63, 2**64 - 1, 5, None] * 10, pa.uint64()),
        "smallest": pa.array([-(2**63), 2**63 - 1, 1, None] * 10, pa.int64()),
        "long": [LONG + "y", LONG + "z", LONG + "new", "it's " + LONG] * 10,
        "huge": [1e300, -1e300, float("nan"), 1.5] * 10,
        "typed": ["1.5", "5\0", "\N{NO-BREAK SPACE}5x", "1d"] * 10,
    })  # fmt: skip


def table_baseline() -> Baseline:
    """Of that table, but for a text that serving alone has."""
    data = {name: table()[name].to_pylist() for name in table().column_names}
    data["long"] = [text for text in data["long"] if not text.endswith("new")]
    data["typed"] = [1.0, 2.0] * 20
    kinds: Any = dict.fromkeys(data, "categorical") | {"typed": "numeric"}
    return Baseline.from_data(data, kinds=kinds, aligned=False)


def write_parquet(folder: Path) -> Path:
    """The table as a file."""
    path = folder / "nasty.parquet"
    pq.write_table(table(), path)
    return path


def live(known: Baseline, values: list[dict[str, object]]) -> list[tuple[object, ...]]:
    """What the live page counts of the values: for each column counts, missing and unseen."""
    counts = LiveCounts(known)
    counts.update(values, [None] * len(values))
    return of_snapshot(counts.snapshot())


def of_snapshot(snapshot: CountsSnapshot) -> list[tuple[object, ...]]:
    return [(column.counts, column.missing, column.unseen) for column in snapshot.columns]


def of_report(report: DriftReport) -> list[tuple[object, ...]]:
    return [
        (tuple(round(share * row.n) if row.n else 0 for share in row.shares), row.missing, row.unseen)
        for row in report.features
    ]
