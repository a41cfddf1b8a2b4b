"""What generating costs beside a stock openapi-python-client, as it comes and without its hooks that format: CPU.

``python -m tests.bench.run generate FILE...`` measures documents of your own; without FILE it is the made one of 200
operations and 1,200 models. A document that the stock generator does not take has no row.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.bench.large import document
from tests.bench.measure import Row, minima

ROUNDS = 3
BAR = 1.5

OWN = "from modelport.cli import main; main(['generate', {spec!r}, '--output', {folder!r}, '--package', 'own'])"
STOCK = (
    "from openapi_python_client.cli import app;"
    "app(['generate', '--path', {spec!r}, '--meta', 'none', '--output-path', {folder!r} + '/stock', *{more!r}])"
)


def main(files: Sequence[str] = ()) -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="modelport-bench-") as folder:
        specs = [Path(file) for file in files]
        if not specs:
            specs = [Path(folder, "large.json")]
            specs[0].write_text(json.dumps(document()))
        config = Path(folder, "config.yaml")
        config.write_text("post_hooks: []\n")
        return [row for spec in specs for row in _rows(str(spec.resolve()), Path(folder, "out"), str(config))]


def _rows(spec: str, folder: Path, bare_config: str) -> list[Row]:
    programs = {
        "own": OWN.format(spec=spec, folder=str(folder)),
        "stock": STOCK.format(spec=spec, folder=str(folder), more=[]),
        "bare": STOCK.format(spec=spec, folder=str(folder), more=["--config", bare_config]),
    }
    name = Path(spec).name
    try:
        best = minima({name: _generation(text, folder) for name, text in programs.items()}, rounds=ROUNDS)
    except subprocess.CalledProcessError as error:
        output = (error.stderr or error.stdout).decode().strip().splitlines()
        print(f"{name}: not generated: {output[-1] if output else error}", file=sys.stderr)
        return []
    return [
        Row(f"generate {name} / stock", best["own"], best["stock"], BAR),
        Row(f"generate {name} / stock that does not format", best["own"], best["bare"], BAR),
    ]


def _generation(program: str, folder: Path) -> Callable[[], float]:
    """CPU of a process and its children, in milliseconds, into an empty folder."""

    def measure() -> float:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"}
        subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, timeout=900, env=environment)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1000

    return measure
