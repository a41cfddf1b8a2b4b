"""The drift report on the terminal."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable

import msgspec
import pytest
from rich.cells import cell_len

from modelport.cli._drift_view import print_report, render_terminal, runs
from modelport.drift import DriftReport, drift_report
from tests.unit.drift.reports import baseline, frame, hostile_report, large_report, rich_report


@pytest.mark.parametrize("width", [60, 80, 133])
@pytest.mark.parametrize("report", [rich_report, hostile_report, large_report])
def test_no_line_is_wider_than_the_terminal(report: Callable[[], DriftReport], width: int) -> None:
    text = render_terminal(report(), width=width).plain

    assert max(map(cell_len, text.split("\n"))) <= width
    assert not [line for line in text.split("\n") if line != line.rstrip()]


def test_hostile_names_cannot_drive_the_terminal() -> None:
    text = render_terminal(hostile_report()).plain

    assert all(letter.isprintable() or letter == "\n" for letter in text)
    assert "\u202e" not in text


def test_the_most_drifted_come_first_with_their_numbers() -> None:
    report = rich_report()
    lines = render_terminal(report, width=120).plain.split("\n")

    start = next(number for number, line in enumerate(lines) if line.startswith("VERDICT"))
    shown = [line.split() for line in lines[start + 1 : start + 1 + len(report.features)]]
    assert [float(cells[1].lstrip("<")) for cells in shown] == pytest.approx(
        [max(row.psi, 0.001) for row in report.by_psi], abs=0.0006
    )
    assert [cells[0] for cells in shown] == [row.verdict for row in report.by_psi]


def test_a_column_that_stays_away_comes_with_the_drifted_and_a_mark() -> None:
    data = frame(2000, seed=4)
    data["age"] = None
    data["plan"] = "a new one"
    report = drift_report(baseline(), data)

    for width in (60, 120):
        lines = render_terminal(report, width=width).plain.split("\n")
        start = next(number for number, line in enumerate(lines) if line.startswith("VERDICT"))
        plan, age = (lines[start + place].split() for place in (1, 2))
        assert (plan[0], plan[-2], plan[-1]) == ("major", "100.0%!", "plan")
        assert (age[0], age[-3], age[-1]) == ("major", "100.0%!", "age")


def test_small_segments_come_last_and_say_so() -> None:
    lines = render_terminal(rich_report()).plain.split("\n")
    segments = [line for line in lines if "country=" in line or "tier=" in line]

    assert len(segments) == len(rich_report().segments)
    assert segments[-1].startswith("too few ")
    assert "country=TV" in segments[-1]


def test_windows_without_values_are_gaps_and_small_ones_dots() -> None:
    lines = render_terminal(rich_report()).plain.split("\n")
    spark = next(line for line in lines[::-1] if line.endswith("utilisation"))[16 : 16 + 30]

    assert [number for number, letter in enumerate(spark) if letter == " "] == [5, 6]
    assert spark[9] == "·"
    assert spark[-1] == "█"


def test_nothing_served_is_said_in_words() -> None:
    text = render_terminal(drift_report(baseline(), iter(()))).plain

    assert text.startswith("Nothing has been served yet")
    assert "nan" not in text.lower()


def test_infinite_psi_is_spelled_for_people() -> None:
    report = rich_report()
    infinite = msgspec.structs.replace(report.features[0], psi=float("inf"))
    report = msgspec.structs.replace(report, features=(infinite, *report.features[1:]))

    assert "∞" in render_terminal(report).plain
    assert " inf" not in render_terminal(report).plain


def test_a_pipe_gets_plain_text(capsys: pytest.CaptureFixture[str]) -> None:
    print_report(rich_report())
    text = capsys.readouterr().out

    assert "\x1b" not in text
    assert "utilisation" in text


def test_an_encoding_without_blocks_gets_plain_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii", write_through=True))

    print_report(hostile_report())

    assert b"major" in raw.getvalue()
    assert b"@" in raw.getvalue()


@pytest.mark.parametrize(("count", "most"), [(0, 3), (1, 3), (3, 3), (4, 3), (100, 7)])
def test_runs_hold_everything_once_in_order(count: int, most: int) -> None:
    found = runs(range(count), most)

    assert [item for run in found for item in run] == list(range(count))
    assert len(found) <= most
