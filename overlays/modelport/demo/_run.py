"""`run`: the sandbox, the play, the report."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from modelport._extras import require
from modelport.demo._story import Story
from modelport.demo._terminal import Teller
from modelport.errors import InvalidInputError

if TYPE_CHECKING:
    from rich.console import Console

_MARK = ".modelport-demo"
_REPORT = "report.html"
_MADE_ANEW = ("async-answer", "data", "predictions", "programs", "training")


@attrs.frozen(kw_only=True)
class DemoResult:
    """Where the demo left things, and the figures of the report. As text it is the path of the report."""

    report: Path
    output: Path
    seconds: float
    figures: dict[str, float]

    def __str__(self) -> str:
        return str(self.report)

    def __fspath__(self) -> str:
        return str(self.report)


def run(output: Path | str = "demo-output", *, console: Console | None = None, keep: bool = False) -> DemoResult:
    """Train, deploy, call and watch a real model on a sandbox of its own, and write a report that works offline.

    A second run reuses the folder. Nothing is left running, however it ends, and an older report stays until the new
    one is whole.

    Args:
        output: The folder for the report, the programs and the logged predictions: new, empty, or of an earlier run.
        console: Where progress is told; by default stderr.
        keep: Leave the sandbox running at the end, until Ctrl-C.

    Raises:
        InvalidInputError: The folder holds something else.
        MissingExtraError: A package of the extra ``demo`` is not installed.
        ModelportError: A step failed.
    """
    for module in ("sklearn", "pandas", "starlette", "rich", "jinja2", "prometheus_client"):
        require(module, "demo")
    from modelport.demo._figures import figures_of
    from modelport.demo._play import Play, opened_codex
    from modelport.demo._report import render_report
    from modelport.sandbox import Sandbox

    folder = _prepared(Path(output))
    story = Story()
    teller = Teller(console, story)
    box = Sandbox()
    try:
        with teller.step("Start the sandbox") as note:
            box.start()
            note(box.codex_url)
        with opened_codex(box.codex_url) as codex:
            Play(codex=codex, output=folder, teller=teller, story=story).run()
        figures = figures_of(story)
        report = _write(folder / _REPORT, render_report(story))
        _write(folder / "figures.json", json.dumps(figures, indent=1) + "\n")
        teller.say(f"Report: {report}")
        if keep:
            _stay(teller, box.codex_url)
    finally:
        box.stop()
    return DemoResult(report=report, output=folder, seconds=story.total_seconds, figures=figures)


def _prepared(folder: Path) -> Path:
    """The folder, without what an earlier run left in it except its report."""
    if folder.exists() and not folder.is_dir():
        raise InvalidInputError(f"{folder} is a file: choose a folder for the demo")
    folder.mkdir(parents=True, exist_ok=True)
    mark = folder / _MARK
    if not mark.exists() and any(folder.iterdir()):
        raise InvalidInputError(f"{folder} holds files of something else: choose a new or an empty folder for the demo")
    mark.touch()
    for name in _MADE_ANEW:
        shutil.rmtree(folder / name, ignore_errors=True)
    return folder


def _write(path: Path, text: str) -> Path:
    """Write a file whole or not at all."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return path


def _stay(teller: Teller, url: str) -> None:
    teller.say(f"The sandbox stays at {url} (user demo, password demo, tenant demo). Ctrl-C ends it.")
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        teller.say("The sandbox is ended.")
