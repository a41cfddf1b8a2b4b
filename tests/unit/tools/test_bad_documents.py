"""Whatever a document holds, there is a client or one `SpecError`: nothing else is raised, and nothing hangs."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modelport_tools.document import read
from modelport_tools.errors import SpecError
from modelport_tools.load import load, placed
from modelport_tools.planning import make_plan
from modelport_tools.render import render_client
from tests.unit.tools.specs import document, operation, schemas, write

SPEC = Path(__file__).parents[2] / "generated/golden/spec.yaml"
SEED: dict[str, Any] = read(SPEC)

THING = {"$ref": "#/definitions/Thing"}
SWAGGER: dict[str, Any] = {
    "swagger": "2.0",
    "info": {"title": "T", "version": "1"},
    "host": "example.org",
    "basePath": "/v1",
    "schemes": ["https"],
    "consumes": ["application/json"],
    "produces": ["application/json"],
    "securityDefinitions": {
        "key": {"type": "apiKey", "in": "header", "name": "X-Key"},
        "basic": {"type": "basic"},
        "oauth": {"type": "oauth2", "flow": "implicit", "authorizationUrl": "https://example.org", "scopes": {"a": ""}},
    },
    "security": [{"key": []}, {"basic": []}],
    "parameters": {"limit": {"in": "query", "name": "limit", "type": "integer", "default": 10, "maximum": 100}},
    "responses": {"gone": {"description": "gone", "schema": {"$ref": "#/definitions/Fault"}}},
    "paths": {
        "/things/{id}": {
            "parameters": [{"in": "path", "name": "id", "required": True, "type": "string"}],
            "get": {
                "tags": ["things"],
                "parameters": [
                    {"$ref": "#/parameters/limit"},
                    {
                        "in": "query",
                        "name": "q",
                        "type": "array",
                        "items": {"type": "string"},
                        "collectionFormat": "ssv",
                    },
                ],
                "responses": {"200": {"description": "ok", "schema": THING}, "410": {"$ref": "#/responses/gone"}},
            },
            "post": {
                "operationId": "send",
                "consumes": ["multipart/form-data"],
                "parameters": [
                    {"in": "formData", "name": "file", "type": "file", "required": True},
                    {"in": "formData", "name": "note", "type": "string"},
                ],
                "responses": {"default": {"description": "ok"}},
            },
            "put": {
                "parameters": [{"in": "body", "name": "body", "schema": THING}],
                "responses": {"204": {"description": "ok"}},
            },
        }
    },
    "definitions": {
        "Fault": {"type": "object", "required": ["code"], "properties": {"code": {"type": "integer"}}},
        "Thing": {
            "type": "object",
            "discriminator": "kind",
            "required": ["kind"],
            "properties": {"kind": {"type": "string", "enum": ["a", "b"]}, "parent": THING},
            "additionalProperties": {"type": "string"},
        },
        "More": {"allOf": [THING, {"properties": {"at": {"type": "string", "format": "date"}}}]},
    },
}


def outcome(spec: Path) -> SpecError | None:
    """None if a client would be made; everything but the formatting of its files."""
    try:
        canonical = load(spec)
        with placed(spec):
            render_client(make_plan(canonical), canonical, depth=0)
    except SpecError as error:
        return error
    return None


def assert_told(error: SpecError | None, spec: Path) -> None:
    if error is not None:
        assert error.source == str(spec)
        assert error.reason
        assert not error.pointer or error.pointer.startswith("/"), error
        assert len(str(error)) < 2000


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, item in entries for place in places(item, (*path, key)))]


REFERENCES = [
    "#", "#/", "#/info", "#/paths", "#/components/schemas", "#/nowhere", "x.yaml", "../x.yaml", "http://x/y", "", "#a",
    *(f"#/components/schemas/{name}" for name in list(SEED["components"]["schemas"])[:12]),
    "#/definitions/Thing", "#/components/parameters/x", "#/paths/~1things/get", "a" * 300 + ".yaml",
]  # fmt: skip
WORDS = [
    "$ref", "allOf", "anyOf", "oneOf", "not", "type", "items", "properties", "additionalProperties", "enum", "const",
    "default", "discriminator", "nullable", "format", "required", "name", "in", "schema", "content", "style", "explode",
    "parameters", "requestBody", "responses", "security", "servers", "tags", "operationId", "prefixItems", "readOnly",
    "patternProperties", "$defs", "deprecated", "title", "description", "example", "links", "callbacks", "headers",
]  # fmt: skip
ODD: list[Any] = [
    None, True, False, 0, -1, 1.5, 10**30, 1e300, "", "x", "\0", "..", "/", "{", "}", "{x}", "string", "object",
    "array", "null", "integer", "query", "path", "class", "self", "\u202e", "😀", "a" * 300, [], {}, [[]], [{}], [None],
    ["x", "x"], {"": {}}, {"x": None}, {"x": []}, {"type": "array"}, {"type": ["string", "null"]}, {"type": []},
    {"enum": []}, {"enum": [None]}, {"allOf": []}, {"anyOf": [{}]}, {"$ref": 7}, {"$ref": {}}, {"items": True},
    *({word: value} for word in WORDS for value in (None, 7, "x", [], {}, [{}])),
]  # fmt: skip
VALUES = st.sampled_from(ODD) | st.sampled_from(REFERENCES).map(lambda reference: {"$ref": reference})
NAMES = [*WORDS, "200", "2XX", "", "..", "\0", "/", "x-y", "x"]
ORDERS = st.tuples(
    st.sampled_from(["drop", "replace", "rename", "copy", "wrap", "list", "add"]), VALUES, st.sampled_from(NAMES)
)


def found(document: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        document = document[step]
    return document


def mutated(document: dict[str, Any], data: st.DataObject, times: int) -> dict[str, Any]:
    result = copy.deepcopy(document)
    for _ in range(times):
        path = data.draw(st.sampled_from(places(result)[1:] or [()]))
        if path:
            order, value, word = data.draw(ORDERS)
            if order == "copy":
                value = found(result, data.draw(st.sampled_from(places(result))))
            change(found(result, path[:-1]), path[-1], order, copy.deepcopy(value), word)
    return result


def change(parent: Any, key: Any, order: str, value: Any, word: str) -> None:
    if order == "drop":
        del parent[key]
    elif order == "rename" and isinstance(parent, dict):
        parent[word] = parent.pop(key)
    elif order == "wrap":
        parent[key] = {word: parent[key]}
    elif order == "list":
        parent[key] = [parent[key]]
    elif order == "add" and isinstance(parent[key], dict):
        parent[key][word] = value
    else:
        parent[key] = value


@pytest.mark.parametrize("seed", [SEED, SWAGGER], ids=["openapi", "swagger"])
def test_the_seeds_are_good(tmp_path: Path, seed: dict[str, Any]) -> None:
    spec = tmp_path / "spec.json"
    spec.write_text(json.dumps(seed), encoding="utf-8")

    assert outcome(spec) is None


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data(), times=st.integers(1, 3), version=st.sampled_from(["3.0.3", "3.1.0", None]))
def test_a_document_with_a_fault_anywhere_is_taken_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, times: int, version: str | None
) -> None:
    seed = SWAGGER if version is None else {**SEED, "openapi": version}
    spec = tmp_path_factory.getbasetemp() / "mutated.json"
    spec.write_text(json.dumps(mutated(seed, data, times)), encoding="utf-8")

    assert_told(outcome(spec), spec)


RAW = [SPEC.read_bytes(), json.dumps(SWAGGER).encode(), json.dumps(SEED, indent=1).encode()]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(
    raw=st.sampled_from(RAW),
    start=st.floats(0, 1),
    length=st.integers(0, 200) | st.just(10**9),
    middle=st.binary(max_size=4)
    | st.sampled_from([b"- ", b"*a ", b"&a ", b"{", b"[", b"\0", b"\xff", b"<<: ", b"!!x "]),
)
def test_a_file_with_bytes_cut_out_or_put_in_is_taken_or_refused(
    tmp_path_factory: pytest.TempPathFactory, raw: bytes, start: float, length: int, middle: bytes
) -> None:
    at = int(start * len(raw))
    spec = tmp_path_factory.getbasetemp() / "cut.yaml"
    spec.write_bytes(raw[:at] + middle + raw[at + length :])

    assert_told(outcome(spec), spec)


def answers(schema: Any) -> dict[str, Any]:
    return {"200": {"description": "ok", "content": {"application/json": {"schema": schema}}}}


def chain(length: int, *, last: Any = None, **link: Any) -> dict[str, Any]:
    """Schemas A0, A1, ... of which each is a link to the next; NEXT stands for the reference."""
    named = {
        f"A{n}": json.loads(json.dumps(link).replace("NEXT", f"#/components/schemas/A{n + 1}")) for n in range(length)
    }
    return schemas(**named, **{f"A{length}": last or {"type": "object", "properties": {"x": {"type": "string"}}}})


NEXT = {"$ref": "NEXT"}
EVIL = "^(a+)+$"
SLOW = {"type": "string", "pattern": EVIL}


@pytest.mark.parametrize(
    ("values", "pointer", "says"),
    [
        (chain(40, allOf=[NEXT, NEXT]), "/components/schemas/A", "parts"),
        (chain(40, anyOf=[NEXT, {"type": "array", "items": NEXT}]), "/components/schemas/A", "parts"),
        (chain(40, oneOf=[NEXT, {"type": "object", "additionalProperties": NEXT}]), "/components/schemas/A", "parts"),
        (chain(40, type="array", prefixItems=[NEXT, NEXT]), "/components/schemas/A", "parts"),
        (chain(3000, allOf=[NEXT]), "", "too many"),
        (document({f"/p{n}": {"get": operation(f"o{n}")} for n in range(25_000)}), "/paths", "25000 operations"),
    ],
    ids=["allOf", "anyOf", "oneOf", "prefixItems", "long", "many operations"],
)
def test_what_would_grow_without_bound_is_refused(
    tmp_path: Path, values: dict[str, Any], pointer: str, says: str
) -> None:
    error = outcome(write(tmp_path, values))

    assert error is not None
    assert says in error.reason
    assert error.pointer.startswith(pointer)


@pytest.mark.parametrize(
    "values",
    [
        schemas(
            A={"type": "object", "properties": {"s": {"type": "string", "pattern": EVIL, "default": "a" * 50 + "!"}}}
        ),
        schemas(
            A={"type": "object", "properties": {"s": {"type": "string", "pattern": EVIL, "example": "a" * 50 + "!"}}}
        ),
        schemas(
            A={"type": "object", "patternProperties": {EVIL: {"type": "string"}}, "default": {"a" * 50 + "!": "x"}}
        ),
        schemas(A={"allOf": [{"$ref": "#/components/schemas/A"}]}),
        schemas(A={"type": "array", "items": {"$ref": "#/components/schemas/A"}}),
        chain(200, type="object", properties={"next": NEXT}),
        chain(30, allOf=[NEXT]),
    ],
    ids=["default", "example", "patternProperties", "allOf itself", "items itself", "properties", "allOf"],
)
def test_what_only_looks_endless_ends(tmp_path: Path, values: dict[str, Any]) -> None:
    spec = write(tmp_path, values)

    assert_told(outcome(spec), spec)
