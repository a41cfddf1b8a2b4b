"""The golden document holds every awkward feature that the generator supports; its output is checked in beside it.

After a wanted change: ``python -m tests.generated.test_golden --update``, then read the diff.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from modelport_tools.generate import generate_one

GOLDEN = Path(__file__).parent / "golden"


def files(folder: Path) -> dict[str, str]:
    """What is generated from the document; the runtime is a copy, compared elsewhere."""
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not {"_runtime", "__pycache__"} & set(path.relative_to(folder).parts)
    }


def test_the_golden_document_gives_the_golden_output(awkward: Path) -> None:
    expected = files(GOLDEN / "awkward")
    actual = files(awkward / "awkward")

    assert actual.keys() == expected.keys()
    for name, text in expected.items():
        assert actual[name] == text, name


def update() -> None:
    with tempfile.TemporaryDirectory() as output:
        generate_one(GOLDEN / "spec.yaml", output=Path(output), package="awkward")
        shutil.rmtree(GOLDEN / "awkward", ignore_errors=True)
        ignored = shutil.ignore_patterns("_runtime", "__pycache__")
        shutil.copytree(Path(output, "awkward"), GOLDEN / "awkward", ignore=ignored)


if __name__ == "__main__" and "--update" in sys.argv:
    update()
