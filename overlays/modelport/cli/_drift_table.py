"""A comparison on the terminal."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from modelport.cli._output import note, print_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelport.drift import DriftReport, FeatureDrift

__all__ = ["print_drift"]

_COLUMNS = ("name", "role", "n", "psi", "js", "ks", "missing_rate", "unseen_share", "verdict")
_STYLES = {"major": "bold red", "moderate": "yellow", "stable": "green", "too few values": "dim"}
_BLOCKS = " ▁▂▃▄▅▆▇█"
# Columns that the terminal needs to show the shapes beside the numbers.
_WIDE = 110


def print_drift(report: DriftReport) -> None:
    """The most drifted rows first: in colour and with their shapes on a terminal, as aligned text elsewhere."""
    if sys.stdout.isatty():
        _print_rich(report)
    else:
        print_table([{name: getattr(row, name) for name in _COLUMNS} for row in report.by_psi], _COLUMNS)
    note(_summary(report))


def bars(shares: Sequence[float], highest: float) -> str:
    """The shares as a row of blocks; a share that is not zero is never shown as nothing."""
    steps = len(_BLOCKS) - 1
    return "".join(_BLOCKS[0] if not share > 0 else _BLOCKS[max(1, round(share / highest * steps))] for share in shares)


def _summary(report: DriftReport) -> str:
    drifted = f"{len(report.drifted)} of {len(report.features)} drifted"
    return f"{drifted}; {report.records} rows against {report.baseline_rows}, rule {report.rule}"


def _print_rich(report: DriftReport) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    wide = console.width >= _WIDE
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("FEATURE", overflow="fold")
    for heading in ("TRAINED", "SERVED") if wide else ():
        table.add_column(heading, no_wrap=True)
    for heading in ("VALUES", "PSI", "NOISE", "JS", "KS", "MISSING", "UNSEEN"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("VERDICT", no_wrap=True)
    for row in report.by_psi:
        cells = [_name(row), *(_shapes(row) if wide else ()), *_numbers(row)]
        table.add_row(*map(Text, cells), Text(row.verdict, style=_STYLES[row.verdict]))
    console.print(table)


def _name(row: FeatureDrift) -> str:
    name = row.name if row.role in {"feature", row.name} else f"{row.name} ({row.role})"
    return "".join(letter if letter.isprintable() else " " for letter in name)


def _shapes(row: FeatureDrift) -> list[str]:
    highest = max([share for share in (*row.baseline_shares, *row.shares) if share > 0], default=1.0)
    return [bars(row.baseline_shares, highest), bars(row.shares, highest)]


def _numbers(row: FeatureDrift) -> list[str]:
    return [
        f"{row.n:,}",
        *(f"{value:.4f}" for value in (row.psi, row.psi_threshold, row.js)),
        "" if row.ks is None else f"{row.ks:.4f}",
        *(f"{100 * value:.2f} %" for value in (row.missing_rate, row.unseen_share)),
    ]
