"""What a part of the benchmark hands over: a table of figures, and its bars; printed as text or as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

__all__ = ["Bar", "Part", "bars_of", "bars_table", "micro", "render"]


@dataclass(frozen=True)
class Bar:
    """One demand: a figure and what it may not pass. `least` turns it around: what it may not fall below.

    `best` is the figure of the best run where there were several; `value` that of the worst, which decides.
    """

    what: str
    value: float
    limit: float
    unit: str = "x"
    least: bool = False
    best: float | None = None

    @property
    def met(self) -> bool:
        return self.value >= self.limit if self.least else self.value <= self.limit

    def cells(self) -> tuple[str, ...]:
        limit = f"{'at least' if self.least else 'at most'} {self.limit:g} {self.unit}"
        measured = _short(self.value)
        if self.best is not None and _short(self.best) != measured:
            measured = " to ".join(map(_short, sorted((self.best, self.value))))
        return self.what, f"{measured} {self.unit}".strip(), limit.strip(), "met" if self.met else "MISSED"


@dataclass(frozen=True)
class Part:
    """One table."""

    title: str
    header: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    bars: Sequence[Bar] = field(default_factory=tuple)
    note: str = ""


def micro(nanoseconds: float) -> str:
    """Microseconds with three digits that count."""
    return f"{_short(nanoseconds / 1000)} µs"


def _short(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def render(part: Part, *, markdown: bool = False) -> str:
    """The table under its title."""
    title = f"### {part.title}" if markdown else part.title.upper()
    body = (_markdown if markdown else _text)([part.header, *part.rows])
    return "\n".join([title, "", body, *(["", part.note] if part.note else []), ""])


def bars_of(runs: Sequence[Sequence[Part]]) -> list[Bar]:
    """All bars, each with its best and its worst run."""
    found: dict[str, list[Bar]] = {}
    for bar in (bar for parts in runs for part in parts for bar in part.bars):
        found.setdefault(bar.what, []).append(bar)
    return [_ranged(bars) for bars in found.values()]


def _ranged(bars: Sequence[Bar]) -> Bar:
    ordered = sorted(bars, key=lambda bar: bar.value, reverse=bars[0].least)
    return replace(ordered[-1], best=ordered[0].value)


def bars_table(bars: Sequence[Bar], *, markdown: bool = False) -> str:
    """All bars in one table."""
    rows = [bar.cells() for bar in bars]
    return render(Part("Bars", ("what", "measured", "bar", ""), rows), markdown=markdown)


def _text(lines: Sequence[tuple[str, ...]]) -> str:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def _markdown(lines: Sequence[tuple[str, ...]]) -> str:
    header, *rows = lines
    made = [header, tuple("---" for _ in header), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in made)
