"""One finished run of the demo, shared by the tests that look at what it left behind."""

from __future__ import annotations

import atexit
import functools
import shutil
import tempfile
from pathlib import Path

from rich.console import Console

from modelport.demo import DemoResult, run


@functools.cache
def finished_demo() -> DemoResult:
    """Run the demo once in this process; its folder goes with the process."""
    folder = Path(tempfile.mkdtemp(prefix="modelport-demo-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    with (folder / "console.txt").open("w", encoding="utf-8") as file:
        return run(folder / "output", console=Console(file=file, width=200))
