"""What commands print of what they get."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from pathlib import Path

import pytest

from modelport.cli import _output
from modelport_api.codex.v1 import models


@dataclasses.dataclass(frozen=True)
class Point:
    x: int
    where: Path


def summary(**more: object) -> models.ModelSummary:
    model = models.ModelSummary(model_hash="M1", name="churn", group="risk", operation=models.OperationType("Sync"))
    model.additional_properties.update(more)
    return model


def test_a_record_shows_python_names_and_nothing_that_is_unset() -> None:
    shown = _output.printable(summary())

    assert shown == {"model_hash": "M1", "name": "churn", "group": "risk", "operation": "Sync"}


def test_a_field_that_the_document_does_not_know_is_shown_too() -> None:
    assert _output.printable(summary(Colour="blue"))["Colour"] == "blue"


def test_paths_dates_and_records_inside_lists_become_json() -> None:
    shown = _output.printable([Point(1, Path("a") / "b"), {"day": dt.date(2026, 1, 2)}])

    assert shown == [{"x": 1, "where": "a/b"}, {"day": "2026-01-02"}]


def test_a_number_that_is_none_is_null_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    _output.print_json({"psi": float("nan")})

    assert json.loads(capsys.readouterr().out) == {"psi": None}


def test_columns_are_aligned_and_empty_cells_leave_no_trailing_space(capsys: pytest.CaptureFixture[str]) -> None:
    _output.print_table([{"a": 1, "b": "x"}, {"a": "long", "b": None}], ["a", "b"])

    assert capsys.readouterr().out == "A     B\n1     x\nlong\n"


def test_an_empty_table_leaves_stdout_empty(capsys: pytest.CaptureFixture[str]) -> None:
    _output.print_table([], ["a"])
    printed = capsys.readouterr()

    assert printed.out == ""
    assert printed.err == "nothing found\n"


def test_a_server_cannot_drive_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    _output.print_table([{"name": "\x1b[2Jgone\nnew line"}], ["name"])
    printed = capsys.readouterr().out

    assert "\x1b" not in printed
    assert printed.count("\n") == 2
