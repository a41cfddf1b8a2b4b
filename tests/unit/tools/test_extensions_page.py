"""The page of the extensions tells every key that there is, and its example does what it says."""

from __future__ import annotations

import re
from pathlib import Path

from modelport_tools.load import load
from modelport_tools.planning import make_plan
from modelport_tools.planning.pagination import KEYS
from modelport_tools.planning.polling import POLLING_KEYS
from tests.unit.tools.specs import write

JOB = {"type": "object", "properties": {"id": {"type": "string"}, "status": {"type": "string"}, "error": {}}}
PETS = {
    "type": "object",
    "properties": {
        "pets": {"type": "array", "items": {"type": "string"}},
        "more": {"type": "array", "items": {"type": "string"}},
        "meta": {"type": "object", "properties": {"next_page_token": {"type": "string"}}},
    },
}


def answer(schema: object) -> dict[str, object]:
    return {"description": "ok", "content": {"application/json": {"schema": schema}}}


DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "Pets", "version": "1"},
    "paths": {
        "/pets": {
            "get": {
                "operationId": "list_pets",
                "parameters": [{"name": name, "in": "query", "schema": {}} for name in ("limit", "page_token")],
                "responses": {"200": answer(PETS)},
            }
        },
        "/jobs": {"post": {"operationId": "create_job", "responses": {"202": answer(JOB)}}},
        "/jobs/{id}": {
            "get": {"operationId": "get_job", "responses": {"200": answer(JOB)}},
            "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
        },
    },
}


def page(root: Path) -> str:
    return (root / "docs/spec-extensions.md").read_text(encoding="utf-8")


def test_every_key_is_told(root: Path) -> None:
    rows = set(re.findall(r"^\| `(x-modelport-[a-z-]+)`", page(root), re.MULTILINE))
    files = [*(root / "tools/modelport_tools").rglob("*.py"), *(root / "openapi").rglob("*.yaml")]
    used = {key for file in files for key in re.findall(r"x-modelport-[a-z-]+\b", file.read_text(encoding="utf-8"))}

    assert used == rows


def test_every_key_of_an_extension_is_told(root: Path) -> None:
    told = set(re.findall(r"^\| `([a-z]+)` \|", page(root), re.MULTILINE))

    assert set(KEYS) | set(POLLING_KEYS) <= told


def test_the_example_gives_what_it_says(root: Path, tmp_path: Path) -> None:
    overlay = re.search(r"```yaml\n(.*?)```", page(root), re.DOTALL)
    assert overlay is not None
    patch = write(tmp_path, overlay[1], "pages.yaml")
    plan = make_plan(load(write(tmp_path, DOCUMENT), [patch]))

    for method in {name for operation in plan.operations for name in operation.method_names}:
        if method not in {"list_pets", "get_job", "create_job"}:
            assert f".{method}(" in page(root)
    assert {len(operation.method_names) for operation in plan.operations} == {2}
