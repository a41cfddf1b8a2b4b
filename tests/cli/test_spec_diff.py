from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Modelport
from tests.unit.tools.specs import document, operation, write


@pytest.fixture
def pair(tmp_path: Path) -> dict[str, Path]:
    both = {"/a": {"get": operation("a")}, "/b": {"get": operation("b")}}
    return {
        "old": write(tmp_path, document(both), "old.json"),
        "breaking": write(tmp_path, document({"/a": both["/a"]}), "breaking.json"),
        "source": write(tmp_path, document({**both, "/b": {"get": operation("c")}}), "source.json"),
        "info": write(tmp_path, document({**both, "/b": {"get": operation("b", summary="x")}}), "info.json"),
        "bad": write(tmp_path, "{", "bad.json"),
        "swagger": write(tmp_path, {"swagger": "2.0"}, "swagger.json"),
    }


@pytest.mark.parametrize(
    ("new", "options", "code"),
    [
        ("old", [], 0),
        ("breaking", [], 1),
        ("breaking", ["--fail-on", "source"], 1),
        ("breaking", ["--fail-on", "none"], 0),
        ("source", [], 0),
        ("source", ["--fail-on", "source"], 1),
        ("info", ["--fail-on", "source"], 0),
        ("bad", [], 2),
        ("swagger", ["--fail-on", "none"], 2),
    ],
)
def test_the_exit_code_says_whether_there_is_such_a_change(
    modelport: Modelport, pair: dict[str, Path], new: str, options: list[str], code: int
) -> None:
    answer = modelport("spec", "diff", pair["old"], pair[new], *options)

    assert answer.returncode == code, answer
    if code == 2:
        assert answer.stdout == ""
        assert answer.stderr.count("\n") == 1
        assert str(pair[new]) in answer.stderr


def test_people_read_changes_grouped_by_label(modelport: Modelport, pair: dict[str, Path]) -> None:
    broken, text = (
        modelport("spec", "diff", pair["old"], pair["breaking"]),
        modelport("spec", "diff", pair["old"], pair["info"]),
    )
    shown = modelport("spec", "diff", pair["old"], pair["info"], "--all")

    assert broken.stdout == "breaking (1)\n  GET /b (b)  the operation is gone\n"
    assert (text.stdout, "--all" in text.stderr) == ("", True)
    assert shown.stdout == "info (1)\n  GET /b (b)  the summary changed\n"


def test_programs_read_json(modelport: Modelport, pair: dict[str, Path]) -> None:
    told = json.loads(modelport("spec", "diff", pair["old"], pair["source"], "--json").stdout)

    assert told == {
        "counts": {"breaking": 0, "source": 1, "additive": 0, "info": 0},
        "changes": [
            {
                "kind": "operation-renamed",
                "label": "source",
                "direction": None,
                "operation": "GET /b",
                "operation_id": "b",
                "place": "",
                "message": "the operationId b is now c",
                "old": "b",
                "new": "c",
                "also": [],
            }
        ],
    }
