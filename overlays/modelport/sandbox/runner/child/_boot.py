"""First file of a worker process: load this folder as a package by path and enter its loop."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path


def boot() -> None:
    """Load the sibling package under a private name and run it."""
    home = Path(__file__).resolve().parent
    # Python put this folder first on the path; its module names must not shadow the user's.
    sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != home]
    name = "_modelport_worker"
    spec = importlib.util.spec_from_file_location(name, home / "__init__.py", submodule_search_locations=[str(home)])
    if spec is None or spec.loader is None:
        raise SystemExit("the worker package cannot be loaded")
    package = importlib.util.module_from_spec(spec)
    sys.modules[name] = package
    spec.loader.exec_module(package)
    importlib.import_module(f"{name}.loop").main(sys.argv[1:])


if __name__ == "__main__":
    boot()
