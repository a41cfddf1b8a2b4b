"""The command line: ``modelport``. Its packages (click, rich) come with the extra ``cli``."""

from __future__ import annotations

import sys

# As typing has it, without the time that importing typing takes.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]

_BAD_USAGE = 2
_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 failed, 2 bad usage or input, 130 interrupted."""
    from importlib.util import find_spec

    if not all(find_spec(package) for package in ("click", "rich")):
        sys.stderr.write('modelport: error: the command line needs click and rich: pip install "modelport[cli]"\n')
        return _BAD_USAGE
    try:
        from modelport.cli._run import run

        return run(arguments)
    except KeyboardInterrupt:  # while modules were still being imported
        return _INTERRUPTED
