"""A drift report on the terminal: what drifted, the worst segments, PSI over time."""

from __future__ import annotations

import math
import shutil
import sys
import textwrap
from typing import TYPE_CHECKING, TypeVar

from modelport.drift.page._places import TOP_PSI
from modelport.drift.page._ranking import ranked, series_of, worst_segments
from modelport.drift.page._words import NOTHING, change, headline, number, percent, plural, short, span

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.text import Text

    from modelport.drift import DriftReport, FeatureDrift
    from modelport.drift._results import Reason, Verdict
    from modelport.drift.page._ranking import Series, WorstSegment

__all__ = ["print_report", "render_terminal"]

_WIDTH = 80
_ROWS = 30
_PARTS = 8
_BLOCKS = "▁▂▃▄▅▆▇█"
_PLAIN_BLOCKS = ".:-=+*#@"
_TIME = 32
_STYLES: dict[Verdict, str] = {"major": "bold red", "moderate": "yellow", "stable": "green", "too few values": "dim"}

_Cells = list[tuple[str, str]]
_T = TypeVar("_T")


def print_report(report: DriftReport) -> None:
    """Print the report on stdout: with colours on a terminal, as plain text elsewhere."""
    from rich.console import Console

    width = shutil.get_terminal_size((_WIDTH, 24)).columns if sys.stdout.isatty() else _WIDTH
    text = render_terminal(
        report, width=width, blocks=_BLOCKS if _can_write(f"{_BLOCKS}∞{NOTHING}…") else _PLAIN_BLOCKS
    )
    console = Console(width=width, highlight=False, soft_wrap=True)
    if _can_write(text.plain):
        console.print(text)
    else:
        encoding = sys.stdout.encoding or "ascii"
        console.print(text.plain.encode(encoding, "replace").decode(encoding), markup=False)


def render_terminal(report: DriftReport, *, width: int = _WIDTH, rows: int = _ROWS, blocks: str = _BLOCKS) -> Text:
    """The report as styled text whose lines fit `width` cells, 60 at least.

    Args:
        report: What to show.
        width: Cells of a line.
        rows: Columns shown, and as many segments and columns over time at most.
        blocks: Eight rising characters for the sparklines.
    """
    from rich.text import Text

    draw = _Drawing(max(width, 60), rows, blocks)
    return Text("\n").join(
        [
            *draw.head(report),
            *draw.columns(report),
            *draw.attributions(report),
            *draw.segments(report),
            *draw.time(report),
        ]
    )


class _Drawing:
    def __init__(self, width: int, rows: int, blocks: str) -> None:
        self._width = width
        self._rows = rows
        self._blocks = blocks

    def head(self, report: DriftReport) -> list[Text]:
        """The verdict, and what was compared with what."""
        from rich.text import Text

        version = "" if report.model_version is None else f" of model version {report.model_version}"
        facts = [
            *([f"endpoint {report.endpoint}"] if report.endpoint is not None else []),
            plural(report.records, "prediction"),
            f"{plural(report.baseline_rows, 'training row')}{version}",
            *([f"{report.uncounted:,} unreadable"] if report.uncounted else []),
            f"mean PSI {short(report.mean_psi)}",
        ]
        verdict = textwrap.wrap(headline(report), self._width)
        lines = [*verdict, *_wrapped(facts, self._width)]
        if when := span(report.windows):
            lines.append(f"{plural(len(report.windows), 'window')}, {when}")
        if (measured := report.performance) is not None:
            told = [f"{name} {short(value)}" for name, value in measured.metrics.items()]
            lines += _wrapped([f"{measured.kind} of {plural(measured.labelled, 'label')}", *told], self._width)
        head = [Text(self._cut(_printable(line), self._width)) for line in lines]
        for line in head[: len(verdict)]:
            line.stylize("bold")
        return head

    def columns(self, report: DriftReport) -> list[Text]:
        """A row for each column, the most drifted first."""
        order = ranked(report)[: self._rows]
        lines = [self._columns(*self._column(row)) for row in order]
        names = ("VERDICT", "PSI", "NOISE", "TRAINING", "SERVING", "MISSING", "UNSEEN", "COLUMN")
        header = self._columns(*((name, "") for name in names))
        header.stylize("dim")
        return [self._blank(), header, *lines, *self._more(len(report.features) - len(order), "column")]

    def _column(self, row: FeatureDrift) -> _Cells:
        return [
            _verdict(row.verdict),
            (short(row.psi), ""),
            (short(row.psi_threshold), "dim"),
            (self._spark(_parts(row.baseline_shares), row.baseline_shares), "dim"),
            (self._spark(_parts(row.shares), row.shares), "cyan"),
            _share(row.missing_rate, row, "missing"),
            _share(row.unseen_share, row, "unseen"),
            (_name(row), "bold" if row.verdict in {"major", "moderate"} else ""),
        ]

    def _columns(self, *cells: tuple[str, str]) -> Text:
        """A line of all cells, or without the shapes where there is no room for them."""
        if self._width >= _WIDTH:
            return self._line(cells, _COLUMN_WIDTHS)
        return self._line([*cells[:3], *cells[5:]], [*_COLUMN_WIDTHS[:3], *_COLUMN_WIDTHS[5:]])

    def attributions(self, report: DriftReport) -> list[Text]:
        """Mean |SHAP| of each feature, the largest first; nothing where it was not measured."""
        found = [row for row in report.features if row.mean_absolute is not None]
        if not found:
            return []
        found.sort(key=lambda row: (-(row.mean_absolute or 0.0), row.name))
        shown = found[: self._rows]
        header = self._header(["TRAINING", "SERVING", "CHANGE", "MEAN |SHAP| OF"], _ATTRIBUTION_WIDTHS)
        lines = [self._attribution(row) for row in shown]
        return [self._blank(), header, *lines, *self._more(len(found) - len(shown), "attribution")]

    def _attribution(self, row: FeatureDrift) -> Text:
        means = (short(row.baseline_mean_absolute), short(row.mean_absolute), change(row.mean_absolute_change))
        return self._line([*((mean, "") for mean in means), (row.name, "")], _ATTRIBUTION_WIDTHS)

    def segments(self, report: DriftReport) -> list[Text]:
        """The worst segments; nothing where there are none."""
        found = worst_segments(report)
        if not found:
            return []
        shown = found[: min(self._rows, 10)]
        header = self._header(["VERDICT", "PSI", "NOISE", "RECORDS", "SEGMENT: WORST COLUMN"], _SEGMENT_WIDTHS)
        lines = [self._segment(item) for item in shown]
        return [self._blank(), header, *lines, *self._more(len(found) - len(shown), "segment")]

    def _segment(self, found: WorstSegment) -> Text:
        part, worst = found.segment, found.worst
        verdict: Verdict = "too few values" if worst is None else worst.verdict
        where = f"{part.name}={part.value}" + ("" if worst is None else f": {_name(worst)}")
        cells = [
            _verdict(verdict),
            (short(None if worst is None else worst.psi), ""),
            (short(None if worst is None else worst.psi_threshold), "dim"),
            (f"{part.records:,}", ""),
            (where, "bold" if found.drifted else ""),
        ]
        return self._line(cells, _SEGMENT_WIDTHS)

    def time(self, report: DriftReport) -> list[Text]:
        """PSI over the windows, a block for the highest of a few, a dot for too few values; nothing without windows."""
        found = series_of(report)
        if not found:
            return []
        shown = found[: min(self._rows, 10)]
        header = self._header(["PEAK", "LAST", "PSI OVER TIME", "COLUMN"], _TIME_WIDTHS)
        lines = [self._over_time(series) for series in shown]
        return [self._blank(), header, *lines, *self._more(len(found) - len(shown), "column")]

    def _over_time(self, series: Series) -> Text:
        last = series.rows[-1]
        spark = "".join(self._peak(rows) for rows in runs(series.rows, _TIME))
        cells = [(short(series.peak), ""), (short(None if last is None else last.psi), ""), (spark, "cyan")]
        return self._line([*cells, (_suffixed(series.name, series.role), "")], _TIME_WIDTHS)

    def _peak(self, rows: Sequence[FeatureDrift | None]) -> str:
        judged = [row.psi for row in rows if row is not None and row.verdict != "too few values"]
        if judged:
            return self._block(max(judged) / TOP_PSI)
        return "·" if self._blocks == _BLOCKS and any(row is not None and row.n for row in rows) else " "

    def _spark(self, parts: Sequence[float], shares: Sequence[float]) -> str:
        if not parts or math.isnan(shares[0]):
            return ""
        highest = max(parts) or 1.0
        return "".join(self._block(part / highest) for part in parts)

    def _block(self, share: float) -> str:
        if math.isnan(share):
            return " "
        last = len(self._blocks) - 1
        return self._blocks[last if share >= 1 else max(0, math.ceil(share * len(self._blocks)) - 1)]

    def _header(self, names: Sequence[str], widths: Sequence[int]) -> Text:
        line = self._line([(name, "") for name in names], widths)
        line.stylize("dim")
        return line

    def _line(self, cells: Sequence[tuple[str, str]], widths: Sequence[int]) -> Text:
        """Cells side by side; numbers (a negative width) to the right; the last takes what is left."""
        from rich.text import Text

        line = Text()
        for (content, style), width in zip(cells, (*widths, 0), strict=True):
            room = abs(width) or self._width - line.cell_len
            cell = Text(self._cut(_printable(content), room), style=style)
            gap = " " * (room - cell.cell_len)
            line += (Text(gap) + cell if width < 0 else cell + Text(gap)) + Text("  ") if width else cell
        line.rstrip()
        return line

    def _more(self, hidden: int, noun: str) -> list[Text]:
        from rich.text import Text

        return [Text(f"and {plural(hidden, noun)} more", style="dim")] if hidden > 0 else []

    @staticmethod
    def _blank() -> Text:
        from rich.text import Text

        return Text()

    @staticmethod
    def _cut(text: str, cells: int) -> str:
        from rich.cells import cell_len, set_cell_size

        return text if cell_len(text) <= cells else set_cell_size(text, cells - 1).rstrip() + "…"


# Cells of each column but the last; negative ones hold numbers.
_COLUMN_WIDTHS = (8, -6, -6, _PARTS, _PARTS, -7, -7)
_SEGMENT_WIDTHS = (8, -6, -6, -9)
_ATTRIBUTION_WIDTHS = (-9, -9, -10)
_TIME_WIDTHS = (-6, -6, _TIME)


def runs(rows: Sequence[_T], most: int) -> list[Sequence[_T]]:
    """At most `most` runs of neighbours, all of one size but the last."""
    size = max(1, math.ceil(len(rows) / most))
    return [rows[at : at + size] for at in range(0, len(rows), size)]


def _parts(shares: Sequence[float]) -> list[float]:
    """At most eight sums of neighbouring shares."""
    return [math.fsum(map(number, run)) for run in runs(shares, _PARTS)]


def _verdict(verdict: Verdict) -> tuple[str, str]:
    return verdict.removesuffix(" values"), _STYLES[verdict]


def _share(share: float, row: FeatureDrift, reason: Reason) -> tuple[str, str]:
    """With a mark if it is why the column has drifted."""
    told = percent(share).replace(" ", "")
    return (f"{told}!", _STYLES[row.verdict]) if reason in row.reasons else (told, "")


def _name(row: FeatureDrift) -> str:
    return _suffixed(row.name, row.role)


def _suffixed(name: str, role: str) -> str:
    return name if role in {"feature", name} else f"{name} ({role})"


def _wrapped(parts: Sequence[str], width: int) -> list[str]:
    """The parts with commas between them, on as many lines as they need."""
    lines: list[str] = []
    for part in parts:
        if lines and len(lines[-1]) + len(part) + 2 <= width:
            lines[-1] += f", {part}"
        else:
            lines.append(part)
    return lines


def _printable(text: str) -> str:
    # Names come from data: they must not be able to drive the terminal or to break the table.
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _can_write(text: str) -> bool:
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True
