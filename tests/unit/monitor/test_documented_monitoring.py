"""Every example of the README and of the pages about monitoring that have no test of their own runs."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
import numpy as np
import pandas as pd
import pytest

import modelport.predictions
from modelport.cli._root import cli
from modelport.monitor import ModelMonitor
from modelport.predictions import CallableSink, FileSink, Prediction, read_predictions

EXAMPLE = re.compile(r"```python\n(.*?)```", re.DOTALL)
COMMAND = re.compile(r"^(?:\$ )?(modelport drift .*?)(?: +#.*)?$", re.MULTILINE)
PAGES = ("drift", "offline-drift", "monitoring", "prometheus")


@pytest.fixture
def names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the examples take for granted; whoever ships over the network ships to nobody."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(modelport.predictions, "FluentSink", lambda *_: CallableSink(lambda _records: None))
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"age": random.normal(40, 10, 300), "plan": random.choice(["basic", "pro"], 300)})
    request = SimpleNamespace(headers={}, args=SimpleNamespace(getlist=lambda _name: []))
    return {"training_frame": frame, "scores": random.random(300), "request": request}


def run(text: str, names: dict[str, Any]) -> None:
    for number, program in enumerate(EXAMPLE.findall(text)):
        exec(compile(program, f"example {number}", "exec"), names)  # noqa: S102 - our own page


def test_the_way_in_runs_from_training_to_ground_truth(root: Path, names: dict[str, Any]) -> None:
    run((root / "docs" / "monitoring.md").read_text(encoding="utf-8"), names)

    monitor: ModelMonitor = names["monitor"]
    assert monitor.close()
    assert b"modelport_feature_psi" in names["body"]
    assert [prediction.label for prediction in read_predictions("log")] == [True]


def test_what_the_readme_says_of_monitoring_runs(root: Path, names: dict[str, Any]) -> None:
    text = (root / "README.md").read_text(encoding="utf-8")
    _, _, after = text.partition("Watch a model that you serve yourself")
    run(after.partition("or in two lines")[0], names)

    assert names["monitor"].close()
    assert [prediction.label for prediction in read_predictions("log")] == [True]


def test_the_page_about_predictions_reads_what_it_writes(root: Path, names: dict[str, Any]) -> None:
    text = (root / "docs" / "predictions.md").read_text(encoding="utf-8")
    wanted = [program for program in EXAMPLE.findall(text) if "s3://" not in program]
    assert len(wanted) >= 3
    sink = FileSink("log")
    sink.write([Prediction(prediction_id="1", timestamp_ns=1, endpoint="churn", features=[40.0], output=0.4)])
    sink.close()
    names |= {"ModelMonitor": ModelMonitor, "table": SimpleNamespace(insert=list), "start": None, "end": None}
    names |= {name: getattr(modelport.predictions, name) for name in ("CallableSink", "ParquetSink")}

    run("".join(f"```python\n{program}```\n" for program in wanted), names)


@pytest.mark.parametrize("page", PAGES)
def test_every_command_on_the_page_is_one(root: Path, page: str) -> None:
    text = (root / "docs" / f"{page}.md").read_text(encoding="utf-8")
    found = COMMAND.findall(text)

    assert found
    for line in found:
        words = [word for word in shlex.split(line)[1:] if "..." not in word]
        with click.Context(cli) as top:
            group = cli.get_command(top, words[0])
            assert isinstance(group, click.Group)
            command = group.get_command(top, words[1])
            assert command is not None, line
            # Options and their values; whether the files are there is another matter.
            parser = command.make_parser(top)
            parser.parse_args(words[2:])
