"""Documents from outside, put through everything: generated, imported, round trips, and with ``--types`` both checkers.

``python -m tests.generated.real_documents [--types] FILE[,PATCH]...`` prints a line a document; exit 1 if one fails.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from modelport_tools.errors import SpecError
from modelport_tools.generate import generate_one
from tests.generated.round_trips import faults

_SHOWN_FAULTS = 3


def main(arguments: list[str]) -> int:
    """Print what became of each document."""
    entries = [Path(part) for part in arguments if not part.startswith("-")]
    packages: list[str] = []
    failed = False
    with tempfile.TemporaryDirectory(prefix="modelport-real-") as name:
        folder = Path(name)
        sys.path.insert(0, str(folder))
        for entry in entries:
            document, _, patch = str(entry).partition(",")
            package = re.sub(r"\W", "_", f"of_{Path(document).stem}").lower()
            try:
                _say(_tried(Path(document), [Path(patch)] if patch else [], package, folder))
            except (SpecError, AssertionError) as error:
                failed = True
                _say(f"{document}: {error}")
            else:
                packages.append(package)
        if packages and "--types" in arguments:
            failed = _check_types(folder, packages) or failed
    return int(failed)


def _tried(document: Path, patches: list[Path], package: str, folder: Path) -> str:
    start = time.perf_counter()
    (report,) = generate_one(document, output=folder, package=package, patches=patches).packages
    seconds = time.perf_counter() - start
    modules = _imported(package)
    values = json.loads((folder / package / "openapi.json").read_text(encoding="utf-8"))
    found = list(faults(package, values))
    wrong = [fault for fault in found if fault]
    for fault in wrong[:_SHOWN_FAULTS]:
        _say(f"  {fault.where}: {fault.annotation}: {fault.said[:300]}: {json.dumps(fault.value)[:300]}")
    assert not wrong, f"{len(wrong)} of {len(found)} values did not come back"
    return (
        f"{document}: operations {report.operations_in} in, {report.operations_out} out, {report.models} models in"
        f" {seconds:.1f} s; {modules} modules imported; {len(found)} values came back"
    )


def _imported(package: str) -> int:
    """Import every module, and touch every operation and model."""
    root = importlib.import_module(package)
    names = [module.name for module in pkgutil.walk_packages(root.__path__, f"{package}.")]
    for name in names:
        importlib.import_module(name)
    for model in root.models.__all__:
        getattr(root.models, model)
    with root.Client("http://127.0.0.1") as client:
        listed = json.loads((Path(root.__path__[0]) / "operations.json").read_text(encoding="utf-8"))["operations"]
        for operation in listed:
            tag = next(one for one in (operation["tag"], f"{operation['tag']}_") if hasattr(type(client), one))
            assert callable(getattr(getattr(client, tag), operation["name"])), operation["name"]
    return len(names)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _check_types(folder: Path, packages: list[str]) -> bool:
    settings = {"typeCheckingMode": "strict", "pythonVersion": "3.11", "include": packages}
    (folder / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    commands = [
        ["pyright", "--pythonpath", sys.executable, "--project", str(folder)],
        ["mypy", "--strict", "--no-incremental", *(part for package in packages for part in ("-p", package))],
    ]
    failed = False
    for command in commands:
        finished = subprocess.run(
            [sys.executable, "-m", *command], cwd=folder, check=False, capture_output=True, text=True
        )
        _say(f"{command[0]}: {finished.stdout.strip().splitlines()[-1]}")
        failed = failed or finished.returncode != 0
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
