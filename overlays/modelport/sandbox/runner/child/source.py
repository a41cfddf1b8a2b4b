"""Load the user's script: a Python file, or the code cells of a notebook."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from .problems import ContractError

if TYPE_CHECKING:
    import types


def load_function(path: str, reference: str, base_path: str) -> Callable[..., Any]:
    """Import a script with its folder on the path and give the function of that name."""
    if base_path not in sys.path:
        sys.path.insert(0, base_path)
    module: types.ModuleType = _load_module(Path(path))
    function = getattr(module, reference, None)
    if function is None:
        names = [n for n, v in vars(module).items() if callable(v) and getattr(v, "__module__", "") == module.__name__]
        found = f"; it defines {', '.join(sorted(names)[:10])}" if names else "; it defines no function"
        raise ContractError(f"{Path(path).name} has no function named {reference!r}{found}", "reference")
    if not callable(function):
        raise ContractError(
            f"{reference!r} in {Path(path).name} is a {type(function).__name__}, not a function", "reference"
        )
    return cast("Callable[..., Any]", function)


def _load_module(path: Path) -> types.ModuleType:
    text = notebook_script(path) if path.suffix == ".ipynb" else path.read_text("utf-8-sig")
    # The module goes by the file's name, so that pickles that refer to its classes open again.
    name = path.stem
    spec = importlib.util.spec_from_loader(name, loader=None, origin=str(path))
    if spec is None:
        raise ContractError(f"{path.name} cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    module.__file__ = str(path)
    sys.modules[name] = module
    exec(compile(text, str(path), "exec"), module.__dict__)  # noqa: S102 - running the user's code is the task
    return module


def notebook_script(path: Path) -> str:
    """The code cells of a notebook as one script; lines for IPython only are left out."""
    try:
        cells = json.loads(path.read_text("utf-8"))["cells"]
    except (ValueError, KeyError, TypeError) as error:
        raise ContractError(f"{path.name} is not a notebook: {error}") from None
    parts: list[str] = []
    for cell in cells:
        if cell.get("cell_type") != "code":
            continue
        source = cell.get("source", "")
        text = source if isinstance(source, str) else "".join(source)
        if text.lstrip().startswith("%%"):
            continue
        parts.append("\n".join(_plain(line) for line in text.splitlines()))
    return "\n\n".join(parts) + "\n"


def _plain(line: str) -> str:
    bare = line.lstrip()
    return line[: len(line) - len(bare)] + "pass" if bare.startswith(("%", "!")) else line
