"""A fault is told with file, line and JSON pointer, wherever in the document's files it stands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from modelport_tools.errors import SpecError
from modelport_tools.generate import generate_one
from modelport_tools.load import load
from tests.unit.tools.specs import write

TOP = "openapi: 3.1.0\ninfo: {title: T, version: '1'}\n"
OK = "responses: {'200': {description: ok}}"


def refused(spec: Path, **options: Any) -> str:
    with pytest.raises(SpecError) as caught:
        load(spec, **options)
    return str(caught.value).replace(f"{spec.parent}/", "")


def test_a_fault_of_an_operation(tmp_path: Path) -> None:
    spec = write(
        tmp_path, f"{TOP}paths:\n  /a:\n    get: {{{OK}}}\n    put:\n      operationId: 7\n      {OK}\n", "s.yaml"
    )

    assert refused(spec).startswith("s.yaml:6: /paths/~1a/put: the operationId must be a text")


def test_a_fault_of_the_standard(tmp_path: Path) -> None:
    spec = write(tmp_path, f"{TOP}paths:\n  /a:\n    get:\n      responses:\n        '200': {{}}\n", "s.yaml")

    assert refused(spec).startswith("s.yaml:7: /paths/~1a/get/responses/200: ")


def test_a_fault_in_another_file_is_told_where_it_stands(tmp_path: Path) -> None:
    write(tmp_path, "Thing:\n  type: object\n  properties:\n    a:\n      type: 7\n", "t.yaml")
    content = "content: {application/json: {schema: {$ref: 't.yaml#/Thing'}}}"
    spec = write(
        tmp_path, f"{TOP}paths: {{/a: {{get: {{responses: {{'200': {{description: ok, {content}}}}}}}}}}}", "s.yaml"
    )

    assert refused(spec).startswith("t.yaml:5: /Thing/properties/a/type: ")


def test_a_fault_in_a_path_item_of_another_file_is_told_where_it_stands(tmp_path: Path) -> None:
    write(tmp_path, f"get:\n  tags: 7\n  {OK}\n", "a.yaml")
    spec = write(tmp_path, f"{TOP}paths: {{/a: {{$ref: a.yaml}}}}", "s.yaml")

    assert refused(spec).startswith("a.yaml:1: /get: ")


def test_a_fault_in_swagger_is_told_where_it_stands_there(tmp_path: Path) -> None:
    top = "swagger: '2.0'\ninfo: {title: T, version: '1'}\n"
    content = f"{{get: {{tags: [x], parameters: [{{in: query, name: q, type: string, collectionFormat: 7}}], {OK}}}}}"
    spec = write(tmp_path, f"{top}paths:\n  /a: {content}\n", "s.yaml")

    assert refused(spec).startswith("s.yaml:4: /paths/~1a/get")


def test_a_fault_of_planning_has_its_place(tmp_path: Path) -> None:
    spec = write(
        tmp_path,
        f"{TOP}paths:\n"
        f"  /a/{{b}}:\n    parameters: [{{in: path, name: b, required: true, schema: {{}}}}]\n    get: {{{OK}}}\n"
        f"  /a/{{c}}:\n    parameters: [{{in: path, name: c, required: true, schema: {{}}}}]\n    get: {{{OK}}}\n",
        "s.yaml",
    )
    with pytest.raises(SpecError) as caught:
        generate_one(spec, output=tmp_path, package="made")

    assert str(caught.value).startswith(f"{spec}:9: /paths/~1a~1{{c}}/get: is the same path as GET /a/{{b}}")


def test_what_a_patch_brought_is_told_by_the_nearest_place(tmp_path: Path) -> None:
    spec = write(tmp_path, f"{TOP}paths:\n  /a:\n    get: {{{OK}}}\n", "s.yaml")
    patch = write(
        tmp_path, {"overlay": "1.0.0", "actions": [{"target": "$.paths['/a'].get", "update": {"tags": 7}}]}, "p.json"
    )

    assert refused(spec, patches=[patch]).startswith("s.yaml:5: /paths/~1a/get: the tags must be texts")
