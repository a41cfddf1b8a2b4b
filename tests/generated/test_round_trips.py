"""Every value that a document allows goes through the generated client and comes back as it was.

For documents from outside: ``python -m tests.generated.real_documents FILE...``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from modelport_tools.generate import generate_one
from tests.generated.round_trips import equal, faults
from tests.unit.tools.specs import schemas, write

CODEX = Path(__file__).parents[2] / "openapi" / "codex" / "v1"


@contextmanager
def importable(folder: Path) -> Iterator[None]:
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))


def test_values_of_the_golden_document_come_back(awkward: Path) -> None:
    document = json.loads((awkward / "awkward" / "openapi.json").read_text(encoding="utf-8"))
    with importable(awkward):
        found = list(faults("awkward", document, draws=30))

    assert len(found) > 500
    assert [fault for fault in found if fault] == []


def test_values_of_the_documents_of_this_project_come_back() -> None:
    from importlib.resources import files

    document = json.loads((files("modelport_api.codex.v1") / "openapi.json").read_text(encoding="utf-8"))
    found = list(faults("modelport_api.codex.v1", document, runtime="modelport_api._runtime", draws=10))

    assert len(found) > 1000
    assert [fault for fault in found if fault] == []


def test_a_value_that_is_changed_would_be_found(tmp_path: Path) -> None:
    """The document that the values are drawn from is not the one that the classes were made from."""
    one = schemas(A={"type": "object", "properties": {"a": {"type": "integer"}}})
    two = schemas(A={"type": "object", "properties": {"a": {"type": "string"}}})
    generate_one(write(tmp_path, one), output=tmp_path, package="misfit")
    with importable(tmp_path):
        found = [fault for fault in faults("misfit", two, draws=20) if fault]

    assert found
    assert "expected an integer, got a text" in found[0].said


@pytest.mark.parametrize(("left", "right"), [(1, True), ({"a": 1}, {}), ([1], [1, 2]), ("1", 1), (None, 0)])
def test_what_differs_is_not_equal(left: object, right: object) -> None:
    assert not equal(left, right)
    assert equal(right, right)
