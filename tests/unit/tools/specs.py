"""Small documents for the tests of the generator."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

OK = {"200": {"description": "ok"}}


def document(paths: dict[str, Any] | None = None, **rest: Any) -> dict[str, Any]:
    default = {"/things": {"get": {"operationId": "listThings", "responses": OK}}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Things", "version": "1"},
        "paths": default if paths is None else paths,
        **rest,
    }


def operation(operation_id: str = "doIt", **rest: Any) -> dict[str, Any]:
    return {"operationId": operation_id, "responses": OK, **rest}


def schemas(**named: Any) -> dict[str, Any]:
    """A document whose only operation answers with the first of the schemas."""
    first = next(iter(named))
    answer = {
        "description": "ok",
        "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{first}"}}},
    }
    return document({"/x": {"get": operation("getIt", responses={"200": answer})}}, components={"schemas": named})


def write(folder: Path, values: Any, name: str = "spec.json") -> Path:
    path = folder / name
    path.write_text(values if isinstance(values, str) else json.dumps(values), encoding="utf-8")
    return path
