"""The demo on a real sandbox: what it leaves, a second run, and how it ends when it is interrupted."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from modelport import predict_code
from modelport.demo import DemoResult, run
from modelport.drift import Baseline, drift_report
from modelport.errors import InvalidInputError, MissingExtraError
from modelport.predictions import read_predictions
from tests.live.demo_runs import finished_demo

pytestmark = pytest.mark.timeout(180)

PROGRAM = "import sys; from modelport.demo import run; print(run(sys.argv[1]))"
PREDICTIONS = 458


@pytest.fixture(scope="module")
def result() -> DemoResult:
    return finished_demo()


def test_the_figures_tell_a_model_that_works_and_a_drift_that_is_seen(result: DemoResult) -> None:
    figures = result.figures

    assert figures["roc_auc"] > 0.97
    assert figures["predictions_logged"] == PREDICTIONS
    assert figures["predictions_dropped"] == 0
    assert figures["features"] == 30
    assert figures["features_drifted_usual"] <= 1
    assert figures["features_drifted_shifted"] >= 5
    assert figures["programs_failed"] == 0
    assert figures["programs"] == 2 * len(predict_code.languages())
    assert json.loads((result.output / "figures.json").read_text()) == figures


def test_every_program_that_this_machine_can_run_ran(result: DemoResult) -> None:
    possible = 2 * len(predict_code.languages())
    possible -= 0 if shutil.which("node") else 2
    possible -= 0 if shutil.which("curl") and shutil.which("jq") else 2

    assert result.figures["programs_ran"] == possible
    assert len(list(result.output.glob("programs/*/*/predict.*"))) == 2 * len(predict_code.languages())


def test_the_logged_predictions_give_the_drift_that_the_report_shows(result: DemoResult) -> None:
    predictions = list(read_predictions(result.output / "predictions"))
    changed = [entry for entry in predictions if (entry.segments or {})["week"] == "scanner changed"]
    report = drift_report(Baseline.load(result.output / "baseline.json"), changed)

    assert len(predictions) == PREDICTIONS
    assert report.by_psi[0].psi == pytest.approx(result.figures["highest_psi"])
    assert sum(row.role == "feature" for row in report.drifted) == result.figures["features_drifted_shifted"]


def test_progress_is_plain_lines_where_there_is_no_terminal(result: DemoResult) -> None:
    lines = (result.output.parent / "console.txt").read_text().splitlines()

    assert re.fullmatch(r"- Train on the platform \(\d+\.\d s\) ROC AUC 0\.\d+ .*", lines[3])
    assert lines[-1] == f"Report: {result.report}"
    assert not re.search(r"[\x00-\x09\x0b-\x1f]", "".join(lines))


def test_the_report_is_whole_and_holds_no_token(result: DemoResult) -> None:
    page = result.report.read_text()

    assert page.startswith("<!doctype html>")
    assert page.rstrip().endswith("</html>")
    assert str(result) == os.fspath(result) == str(result.report)
    written = [page, *(path.read_text() for path in result.output.glob("programs/*/*/predict.*"))]
    for text in written:
        assert not re.search(r"Bearer\s+[0-9a-f]{32}|(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])", text)
    assert not list(result.output.glob(".report*"))


def test_a_second_run_reuses_the_folder(result: DemoResult, tmp_path: Path) -> None:
    folder = tmp_path / "output"
    shutil.copytree(result.output, folder)
    (folder / "report.html").write_text("old")

    finished = subprocess.run(
        [sys.executable, "-c", PROGRAM, folder], capture_output=True, text=True, timeout=170, check=False
    )

    assert finished.returncode == 0, finished.stderr
    assert finished.stdout == f"{folder / 'report.html'}\n"
    assert (folder / "report.html").read_text() != "old"
    assert len(list(read_predictions(folder / "predictions"))) == PREDICTIONS
    names = {path.relative_to(result.output) for path in result.output.iterdir()}
    assert {path.relative_to(folder) for path in folder.iterdir()} == names


def test_a_folder_with_other_things_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "mine.csv").write_text("x")

    with pytest.raises(InvalidInputError, match="holds files of something else"):
        run(tmp_path)
    with pytest.raises(InvalidInputError, match="is a file"):
        run(tmp_path / "data" / "mine.csv")

    assert (tmp_path / "data" / "mine.csv").read_text() == "x"
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_without_scikit_learn_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn", None)

    with pytest.raises(MissingExtraError, match=r"modelport\[demo\]"):
        run(tmp_path / "output")

    assert not (tmp_path / "output").exists()


def _descendants(pid: int) -> set[int]:
    parents: dict[int, int] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(entry.parent.name)] = int(fields[1])
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def _alive(pids: set[int]) -> set[int]:
    running = set[int]()
    for pid in pids:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        running |= {pid} if state != "Z" else set()
    return running


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")
@pytest.mark.parametrize(
    ("number", "after"),
    [
        (signal.SIGINT, "Log in and create a group"),
        (signal.SIGTERM, "Log in and create a group"),
        (signal.SIGINT, "Fetch the platform"),
    ],
)
def test_an_interrupted_demo_leaves_no_process_and_no_half_report(
    tmp_path: Path, number: signal.Signals, after: str
) -> None:
    folder = tmp_path / "output"
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, folder], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    with process.stderr as lines:
        for line in lines:
            if after in line:
                break
        time.sleep(0.7)
        seen = _descendants(process.pid)
        process.send_signal(number)
        process.wait(30)

    deadline = time.monotonic() + 15
    while (left := _alive(seen)) and time.monotonic() < deadline:
        time.sleep(0.1)

    assert len(seen) > 1
    assert left == set()
    assert process.returncode != 0
    assert not list(folder.glob("*report.html*"))
