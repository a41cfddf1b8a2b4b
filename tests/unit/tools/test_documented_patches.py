"""The patches of the documents cure what they say: on small documents with the same faults."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from modelport_tools.errors import SpecError
from modelport_tools.survey import survey
from tests.unit.tools.specs import OK, document, operation, schemas, write

PAGE = Path(__file__).parents[3] / "docs" / "real-documents.md"
PATCHES: dict[str, str] = {
    yaml.safe_load(text)["info"]["title"]: text
    for text in re.findall(r"```yaml\n(overlay: .*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
}
MISPLACED = {"description": "x", "content": {"application/json": {"schema": {"content": {"application/json": {}}}}}}
CHAT = "/api/llm/openai/chat/completions"
DATATYPE = {"$ref": "#/components/enums/Datatype"}
FAULTY: dict[str, tuple[dict[str, Any], str]] = {
    "Schemes that are declared nowhere": (document(security=[{"Basic": []}]), "'Basic' is not declared"),
    "Required is a list of an object's names": (
        schemas(
            A={"type": "object", "required": "spark_version"},
            B={"properties": {"a": {"type": "string", "required": True}, "b": {"required": False}}},
        ),
        "must be a list",
    ),
    "Answers whose content stands within their schema": (
        document({CHAT: {"post": operation(responses={"200": MISPLACED, "400": MISPLACED, "500": OK["200"]})}}),
        "'content' does not belong here",
    ),
    "What OpenAPI does not know": (
        document(
            components={
                "enums": {"Datatype": {"type": "string", "enum": ["BOOL"]}},
                "schemas": {
                    "Tensor": {"type": "object", "properties": {"datatype": DATATYPE, "name": {"type": "string"}}},
                    "TensorData": {"oneOf": [{"type": "array"}, {"type": "bytes"}]},
                },
            }
        ),
        "'bytes' is no type",
    ),
}


def test_each_documented_patch_is_tried() -> None:
    assert PATCHES.keys() == FAULTY.keys()


@pytest.mark.parametrize("title", FAULTY)
def test_a_documented_patch_cures_its_fault(title: str, tmp_path: Path) -> None:
    values, says = FAULTY[title]
    spec = write(tmp_path, {**values, "openapi": "3.0.3"})
    with pytest.raises(SpecError, match=re.escape(says)):
        survey(spec)
    found = survey(spec, [write(tmp_path, PATCHES[title], "cure.yaml")])

    assert found.operations_in == found.operations_out == 1
