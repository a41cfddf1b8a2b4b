"""Bodies on the wire: forms with encodings, several media types, patches, texts and bytes."""

from __future__ import annotations

import email
import email.policy
import json
from typing import Any
from urllib.parse import parse_qsl

import pytest

from tests.generated.letters import OK, Probe, described, ref, returning

TEXT: dict[str, Any] = {"type": "string"}
FILE: dict[str, Any] = {"type": "string", "format": "binary"}
ADDRESS = {"type": "object", "title": "Address", "properties": {"street": TEXT, "no": {"type": "integer"}}}
FIELDS = {
    "ids": {"type": "array", "items": {"type": "integer"}},
    "tags": {"type": "array", "items": TEXT},
    "by": {"type": "object", "properties": {"x": {"type": "integer"}, "y": TEXT}},
    "address": ref("Address"),
    "plain": TEXT,
    "flag": {"type": "boolean"},
    "nothing": {"type": ["string", "null"]},
    "open": TEXT,
}


def taking(name: str, content: dict[str, Any], responses: Any = OK, method: str = "post") -> dict[str, Any]:
    body = {"required": True, "content": content}
    return {f"/{name}": {method: {"operationId": name, "requestBody": body, "responses": responses}}}


DOCUMENT = described(
    {
        **taking(
            "form",
            {
                "application/x-www-form-urlencoded": {
                    "schema": {"type": "object", "title": "Form", "properties": FIELDS},
                    "encoding": {
                        "ids": {"style": "spaceDelimited", "explode": False},
                        "by": {"style": "deepObject"},
                        "open": {"allowReserved": True},
                    },
                }
            },
        ),
        **taking(
            "multi",
            {
                "multipart/form-data": {
                    "schema": {
                        "type": "object",
                        "title": "Multi",
                        "required": ["file"],
                        "properties": {
                            **FIELDS,
                            "file": FILE,
                            "more": {"type": "array", "items": FILE},
                            "image": FILE,
                            "many": FILE,
                            "places": {"type": "array", "items": ref("Address")},
                            "listed": {"type": "array", "items": TEXT},
                            "fastapi": {"type": "string", "contentMediaType": "application/octet-stream"},
                        },
                    },
                    "encoding": {
                        "image": {"contentType": "image/png"},
                        "many": {"contentType": "image/png, image/jpeg"},
                        "plain": {"contentType": "text/csv"},
                        "listed": {"contentType": "application/json"},
                    },
                }
            },
        ),
        **taking(
            "several",
            {
                "application/json": {"schema": ref("Address")},
                "application/x-www-form-urlencoded": {"schema": ref("Address")},
                "multipart/form-data": {"schema": {"type": "object", "title": "Upload", "properties": {"file": FILE}}},
                "text/plain": {"schema": TEXT},
                "application/octet-stream": {"schema": FILE},
            },
        ),
        **taking(
            "patch",
            {
                kind: {"schema": schema}
                for kind, schema in {
                    "application/merge-patch+json": ref("Patch"),
                    "application/json-patch+json": {"type": "array", "items": ref("Step")},
                }.items()
            },
            method="patch",
        ),
        **taking("merge", {"application/merge-patch+json": {"schema": ref("Patch")}}, method="patch"),
        **taking(
            "vendor",
            {"application/vnd.x.v2+json; profile=a": {"schema": ref("Address")}},
            returning(ref("Address"), "application/vnd.x.v2+json"),
        ),
        **taking("text", {"text/csv": {"schema": TEXT}}, returning(TEXT, "text/csv")),
        **taking("binary", {"image/png": {"schema": FILE}}, returning(FILE, "image/png")),
        **taking(
            "content_type_named", {"text/plain": {}, "application/json": {"schema": {"type": "array", "items": TEXT}}}
        ),
    },
    components={
        "schemas": {
            "Address": ADDRESS,
            "Patch": {
                "type": "object",
                "properties": {
                    "a": {"type": ["string", "null"]},
                    "b": {"type": ["integer", "null"]},
                    "c": {"type": "string"},
                },
            },
            "Step": {
                "type": "object",
                "required": ["op", "path"],
                "properties": {"op": {"type": "string", "enum": ["add", "remove"]}, "path": TEXT, "value": {}},
            },
        }
    },
)


def parts(probe: Probe) -> list[tuple[str, str | None, str, bytes]]:
    """Name, file name, media type and content of each part, by a parser of RFC 2046 that is not ours."""
    head = f"Content-Type: {probe.sent.header('content-type')}\r\n\r\n".encode()
    message = email.message_from_bytes(head + probe.sent.body, policy=email.policy.HTTP)
    return [
        (
            part.get_param("name", header="content-disposition"),
            part.get_filename(),
            part.get_content_type() if part["content-type"] else "",
            part.get_payload(decode=True),
        )
        for part in message.iter_parts()
    ]  # type: ignore[misc]


def test_fields_of_a_form_are_written_as_their_encoding_says(probe: Probe) -> None:
    models = probe.models
    body = models.Form(
        ids=[1, 2],
        tags=["a b", "c&d"],
        by=models.FormBy(x=1, y="z"),
        address=models.Address(street="s", no=1),
        plain="ü=",
        flag=True,
        nothing=None,
        open_="a/b",
    )
    probe.call("form", body=body)

    assert probe.sent.header("content-type") == "application/x-www-form-urlencoded"
    assert b"ids=1%202" in probe.sent.body
    assert b"open=a/b" in probe.sent.body
    assert sorted(parse_qsl(probe.sent.body.decode(), keep_blank_values=True)) == sorted(
        [
            ("ids", "1 2"),
            ("tags", "a b"),
            ("tags", "c&d"),
            ("by[x]", "1"),
            ("by[y]", "z"),
            ("address", '{"no":1,"street":"s"}'),
            ("plain", "ü="),
            ("flag", "true"),
            ("open", "a/b"),
        ]
    )


def test_parts_of_a_form_have_the_media_types_of_the_document(probe: Probe) -> None:
    models, file = probe.models, probe.package.File
    place = models.Address(street="ü", no=1)
    body = models.Multi(
        file=file(b"\x00--", name="f.bin"),
        more=[file(b"1"), file(b"2", content_type="text/x")],
        image=file(b"p"),
        many=file(b"m", content_type="image/jpeg"),
        places=[place, place],
        listed=["a", "b"],
        ids=[1, 2],
        plain="a,b",
        flag=False,
        nothing=None,
        address=place,
        fastapi=file(b"fast"),
    )
    probe.call("multi", body=body)
    found = {(name, kind, content) for name, _, kind, content in parts(probe)}
    address = '{"no":1,"street":"ü"}'.encode()

    assert found >= {
        ("image", "image/png", b"p"),
        ("many", "image/jpeg", b"m"),
        ("plain", "text/csv", b"a,b"),
        ("flag", "", b"false"),
        ("ids", "", b"1"),
        ("ids", "", b"2"),
        ("listed", "application/json", b'["a","b"]'),
        ("address", "application/json", address),
        ("places", "application/json", address),
    }
    names = [name for name, *_ in parts(probe)]
    assert (names.count("more"), names.count("places"), names.count("nothing")) == (2, 2, 0)
    assert ("file", "f.bin") in {(name, file_name) for name, file_name, *_ in parts(probe)}
    assert ("fastapi", b"fast") in {(name, content) for name, _, _, content in parts(probe)}


def test_a_boundary_is_drawn_for_each_request(probe: Probe) -> None:
    for _ in range(2):
        probe.call("multi", body=probe.models.Multi(file=probe.package.File(b"x")))
    first, second = (request.header("content-type") for request in probe.server.requests)

    assert first != second


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (lambda p: p.models.Address(street="s"), "application/json"),
        (lambda p: p.models.Upload(file=p.package.File(b"x")), "multipart/form-data"),
        (lambda p: p.package.File(b"x"), "application/octet-stream"),
        (lambda _: "text", "text/plain"),
        (lambda _: b"bytes", "text/plain"),
    ],
)
def test_the_type_of_a_body_decides_its_media_type(probe: Probe, made: Any, expected: str) -> None:
    probe.call("several", body=made(probe))

    assert str(probe.sent.header("content-type")).partition(";")[0] == expected


def test_the_caller_can_choose_the_media_type(probe: Probe) -> None:
    address = probe.models.Address(street="a b", no=1)
    probe.call("several", body=address, content_type="application/x-www-form-urlencoded")
    assert probe.sent.header("content-type") == "application/x-www-form-urlencoded"
    assert sorted(parse_qsl(probe.sent.body.decode())) == [("no", "1"), ("street", "a b")]

    probe.call("several", body=b"x", content_type="application/octet-stream")
    assert probe.sent.header("content-type") == "application/octet-stream"

    probe.call("content_type_named", body=["a"], content_type="application/json")
    assert probe.sent.body == b'["a"]'

    with pytest.raises(probe.errors.ClientConfigError, match="application/json or"):
        probe.call("several", body=address, content_type="text/html")


def test_a_patch_tells_null_from_absent(probe: Probe) -> None:
    models = probe.models
    probe.call("merge", body=models.Patch(a=None, c="x"))
    assert probe.sent.header("content-type") == "application/merge-patch+json"
    assert json.loads(probe.sent.body) == {"a": None, "c": "x"}

    steps = [models.Step(op=models.StepOp.ADD, path="/a", value=None), models.Step(op=models.StepOp("test"), path="/b")]
    probe.call("patch", body=steps)
    assert probe.sent.header("content-type") == "application/json-patch+json"
    assert json.loads(probe.sent.body) == [{"op": "add", "path": "/a", "value": None}, {"op": "test", "path": "/b"}]

    probe.call("patch", body=models.Patch(b=1))
    assert probe.sent.header("content-type") == "application/merge-patch+json"


def test_vendor_types_text_and_bytes_go_as_they_are(probe: Probe) -> None:
    address = probe.models.Address(street="s")
    probe.answered({"street": "t"}, content_type="application/vnd.x.v2+json")
    assert probe.call("vendor", body=address) == probe.models.Address(street="t")
    assert probe.sent.header("content-type") == "application/vnd.x.v2+json; profile=a"
    assert "application/vnd.x.v2+json" in str(probe.sent.header("accept"))

    probe.answered("a,ü".encode("latin-1"), content_type="text/csv; charset=latin-1")
    assert probe.call("text", body="x,ü") == "a,ü"
    assert probe.sent.body == "x,ü".encode()

    probe.answered(b"\x89PNG\x00", content_type="image/png")
    assert probe.call("binary", body=b"\x89\xff") == b"\x89PNG\x00"
    assert probe.sent.body == b"\x89\xff"
