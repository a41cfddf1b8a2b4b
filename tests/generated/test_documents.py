"""Clients of documents in several files and of Swagger 2.0, and of what Python has no plain type for, on the wire."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from modelport_tools.generate import generate_one
from tests.generated.test_stand_alone import clean_environment
from tests.unit.runtime.server import ScriptedServer, answer
from tests.unit.tools.specs import write

TEXTS: dict[str, Any] = {"type": "array", "items": {"type": "string"}}
SWAGGER: dict[str, Any] = {
    "swagger": "2.0",
    "info": {"title": "Old", "version": "1"},
    "securityDefinitions": {"basic": {"type": "basic"}},
    "security": [{"basic": []}],
    "paths": {"/things": {"$ref": "parts/paths.json#/things"}},
    "definitions": {"Kind": {"type": "string", "enum": ["a", "b"]}},
}
PATHS = {
    "things": {
        "get": {
            "operationId": "find",
            "parameters": [
                {"name": "ids", "in": "query", "type": "array", "items": {"type": "integer"}},
                {
                    "name": "many",
                    "in": "query",
                    "type": "array",
                    "collectionFormat": "multi",
                    "items": {"type": "string"},
                },
                {"name": "X-Tags", "in": "header", "type": "array", "items": {"type": "string"}},
            ],
            "responses": {"200": {"description": "ok", "schema": {"type": "array", "items": {"$ref": "#/Thing"}}}},
        },
        "post": {
            "operationId": "upload",
            "parameters": [
                {"name": "file", "in": "formData", "type": "file", "required": True},
                {"name": "note", "in": "formData", "type": "string"},
            ],
            "responses": {"200": {"description": "ok", "schema": {"type": "file"}}},
        },
        "put": {
            "operationId": "keep",
            "parameters": [{"name": "thing", "in": "body", "required": True, "schema": {"$ref": "#/Thing"}}],
            "responses": {"204": {"description": "kept"}},
        },
    },
    "Thing": {
        "type": "object",
        "required": ["kind"],
        "properties": {
            "kind": {"$ref": "../old.json#/definitions/Kind"},
            "next": {"$ref": "#/Thing", "x-nullable": True},
            "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        },
    },
}
USE_SWAGGER = """
import sys
from old import Client, File, models

with Client(sys.argv[1], credentials={"basic": "u:p"}) as client:
    [thing] = client.default.find(ids=[1, 2], many=["x", "y"], x_tags=["s", "t"])
    inner = models.Thing(kind=models.Kind.B, next_=None)
    assert thing == models.Thing(kind=models.Kind.A, next_=inner, labels={"k": "v"})
    assert client.default.upload(body=models.UploadBody(file=File(b"content"), note="n")) == b"\\x00\\xff"
    assert client.default.keep(body=thing) is None
print("done")
"""
THING = {"kind": "a", "next": {"kind": "b", "next": None}, "labels": {"k": "v"}}

USE_RAW = """
import sys
from awkward import Client, File, errors

with Client(sys.argv[1], credentials={"bearer": "t"}) as client:
    send = client.cached_property_
    assert send.send_text("x", body="größe", x_ids=[1, 2]) == [[1, [2.5]], []]
    assert send.send_text("x", body=b"\\xff") == []
    send.send_anything("x", body=File(b"{}", content_type="application/x-own"))
    send.send_anything("x", body="text")
    send.send_anything("x", body=b"bytes")
    send.send_anything("x")
    for wrong, what in (("", "x"), (None, "x"), ("x", 1)):
        try:
            send.send_text(wrong, body=what)
        except errors.EncodeError:
            continue
        raise AssertionError(wrong)
    try:
        send.send_text("x", body="x")
    except errors.DecodeError as error:
        assert "an array" in str(error), error
print("done")
"""


def run(program: str, folder: Path, tmp_path: Path, server: ScriptedServer) -> None:
    path = tmp_path / "use.py"
    path.write_text(program, encoding="utf-8")
    try:
        finished = subprocess.run(
            [sys.executable, "-W", "error", path, server.url],
            env=clean_environment(folder), capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
    finally:
        server.close()
    assert finished.stdout == "done\n", finished.stderr


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """The folder that holds the package ``old``."""
    (tmp_path / "parts").mkdir()
    write(tmp_path / "parts", PATHS, "paths.json")
    report = generate_one(write(tmp_path, SWAGGER, "old.json"), output=tmp_path / "out", package="old")
    assert (report.packages[0].operations_in, report.packages[0].operations_out) == (3, 3)
    return tmp_path / "out"


def test_a_client_of_swagger_2_in_several_files_works(old: Path, tmp_path: Path) -> None:
    server = ScriptedServer()
    server.script += [answer(200, [THING]), answer(200, b"\x00\xff", content_type="image/png"), answer(204, b"")]
    run(USE_SWAGGER, old, tmp_path, server)
    find, upload, keep = server.requests

    assert (find.method, find.target) == ("GET", "/things?ids=1,2&many=x&many=y")
    assert find.header("x-tags") == "s,t"
    assert find.header("authorization") == "Basic dTpw"
    assert str(upload.header("content-type")).startswith("multipart/form-data; boundary=")
    assert b"content" in upload.body
    assert b'name="note"' in upload.body
    assert json.loads(keep.body) == THING


def test_raw_bodies_listed_headers_and_arrays_of_themselves_work(awkward: Path, tmp_path: Path) -> None:
    server = ScriptedServer()
    server.script += [
        answer(200, [[1, [2.5]], []]), answer(200, []), *[answer(204, b"") for _ in range(4)], answer(200, {})
    ]  # fmt: skip
    run(USE_RAW, awkward, tmp_path, server)
    sent = [(one.method, one.header("content-type"), one.body) for one in server.requests]

    assert server.requests[0].header("x-ids") == "1,2"
    assert sent == [
        ("POST", "text/plain", "größe".encode()),
        ("POST", "text/plain", b"\xff"),
        ("PUT", "application/x-own", b"{}"),
        ("PUT", "text/plain; charset=utf-8", b"text"),
        ("PUT", "application/octet-stream", b"bytes"),
        ("PUT", None, b""),
        ("POST", "text/plain", b"x"),
    ]
