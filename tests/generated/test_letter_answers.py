"""What an answer means: its status, its media type, its headers, its emptiness."""

from __future__ import annotations

import typing
from datetime import date
from typing import Any

import pytest

from tests.generated.letters import Probe, described, ref, returning
from tests.unit.runtime.server import answer

TEXT: dict[str, Any] = {"type": "string"}
INTEGER = {"type": "integer"}


def get(name: str, responses: Any) -> dict[str, Any]:
    return {f"/{name}": {"get": {"operationId": name, "responses": responses}}}


def empty(status: str) -> dict[str, Any]:
    return {status: {"description": "nothing"}}


PROBLEM = {
    "type": "object",
    "title": "Problem",
    "properties": {"type": {**TEXT, "format": "uri"}, "title": TEXT, "status": INTEGER, "detail": TEXT},
}
DOCUMENT = described(
    {
        **get(
            "several",
            {
                **returning(ref("A")),
                **returning(ref("B"), status="201"),
                **empty("204"),
                **returning(ref("Problem"), "application/problem+json", "4XX"),
                **returning(ref("Gone"), status="410"),
                **returning(TEXT, status="default"),
            },
        ),
        **get(
            "ranged",
            {**returning(ref("A"), status="2XX"), **returning(ref("Problem"), "application/problem+json", "5XX")},
        ),
        **get("range_and_one", {**returning(ref("A"), status="2XX"), **returning(ref("B"), status="202")}),
        **get("only_default", returning(ref("A"), status="default")),
        **get("nothing", empty("200")),
        **get("no_content", empty("204")),
        **get("maybe", {**returning(ref("A")), **empty("204")}),
        **get(
            "media",
            {
                "200": {
                    "description": "ok",
                    "headers": {"X-Total": {"schema": INTEGER}},
                    "content": {
                        "application/json": {"schema": ref("A")},
                        "application/vnd.b+json": {"schema": ref("B")},
                        "text/plain": {"schema": TEXT},
                        "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
                    },
                }
            },
        ),
        **get(
            "text_first",
            {
                "200": {
                    "description": "ok",
                    "content": {
                        "text/plain": {"schema": TEXT},
                        "application/json": {"schema": {"type": "array", "items": INTEGER}},
                    },
                }
            },
        ),
        **get("unknown_schema", {"200": {"description": "ok", "content": {"application/json": {}}}}),
        **get("anything", {"200": {"description": "ok", "content": {"*/*": {"schema": ref("A")}}}}),
        **get(
            "any_image",
            {"200": {"description": "ok", "content": {"image/*": {"schema": {"type": "string", "format": "binary"}}}}},
        ),
        **get("any_text", {"200": {"description": "ok", "content": {"text/*": {}}}}),
        **get("charset", returning(ref("A"), "application/json; charset=utf-8")),
        **get("nullable", returning({"type": ["object", "null"], "title": "N", "properties": {}})),
        **get(
            "referenced",
            {"200": {"$ref": "#/components/responses/Fine"}, "404": {"$ref": "#/components/responses/Missing"}},
        ),
    },
    components={
        "schemas": {
            "A": {"type": "object", "required": ["a"], "properties": {"a": INTEGER}},
            "B": {"type": "object", "required": ["b"], "properties": {"b": TEXT}},
            "Gone": {"type": "object", "properties": {"since": {"type": "string", "format": "date"}}},
            "Problem": PROBLEM,
        },
        "responses": {
            "Fine": returning(ref("A"))["200"],
            "Missing": returning(ref("Problem"), "application/problem+json")["200"],
        },
    },
)


@pytest.mark.parametrize(
    ("name", "status", "content_type", "body", "expected"),
    [
        ("several", 200, "application/json", {"a": 1}, lambda m: m.A(a=1)),
        ("several", 201, "application/json", {"b": "x"}, lambda m: m.B(b="x")),
        ("several", 204, None, b"", lambda _: None),
        ("ranged", 207, "application/json", {"a": 1}, lambda m: m.A(a=1)),
        ("range_and_one", 202, "application/json", {"b": "x"}, lambda m: m.B(b="x")),
        ("range_and_one", 200, "application/json", {"a": 1}, lambda m: m.A(a=1)),
        ("only_default", 200, "application/json", {"a": 1}, lambda m: m.A(a=1)),
        ("only_default", 203, "application/json", {"a": 1}, lambda m: m.A(a=1)),
        ("nothing", 200, None, b"", lambda _: None),
        ("nothing", 200, "text/html", b"<p>", lambda _: None),
        ("no_content", 204, None, b"", lambda _: None),
        ("maybe", 204, None, b"", lambda _: None),
        ("media", 200, "application/vnd.b+json", {"b": "x"}, lambda m: m.B(b="x")),
        ("media", 200, "Application/JSON ; charset=UTF-8", {"a": 1}, lambda m: m.A(a=1)),
        ("media", 200, "text/plain", b"t", lambda _: "t"),
        ("media", 200, "application/octet-stream", b"\x00", lambda _: b"\x00"),
        ("text_first", 200, "application/json", [1], lambda _: [1]),
        ("text_first", 200, "text/plain", b"[1]", lambda _: "[1]"),
        ("unknown_schema", 200, "application/json", {"x": [1.5]}, lambda _: {"x": [1.5]}),
        ("anything", 200, "application/json", {"a": 1}, lambda m: m.A(a=1)),
        ("any_image", 200, "image/png", b"\x89", lambda _: b"\x89"),
        ("any_text", 200, "text/csv", b"a,b", lambda _: "a,b"),
        ("charset", 200, "application/json", {"a": 1}, lambda m: m.A(a=1)),
        ("nullable", 200, "application/json", None, lambda _: None),
        ("referenced", 200, "application/json", {"a": 1}, lambda m: m.A(a=1)),
    ],
)
def test_the_status_and_the_media_type_say_what_comes(
    probe: Probe, name: str, status: int, content_type: str | None, body: Any, expected: Any
) -> None:
    probe.answered(body, status, content_type)
    value = expected(probe.models)
    found = probe.call(name)

    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("name", "status", "content_type", "body", "kind", "expected"),
    [
        ("several", 404, "application/problem+json", {"title": "t"}, "NotFoundError", lambda m: m.Problem(title="t")),
        (
            "several",
            410,
            "application/json",
            {"since": "2026-01-02"},
            "GoneError",
            lambda m: m.Gone(since=date(2026, 1, 2)),
        ),
        ("several", 500, "application/json", "down", "ServerError", lambda _: "down"),
        ("ranged", 503, "application/problem+json", {"detail": "d"}, "ServerError", lambda m: m.Problem(detail="d")),
        ("ranged", 404, "application/json", {"x": 1}, "NotFoundError", lambda _: {"x": 1}),
        ("ranged", 502, "text/html", b"<html>", "ServerError", lambda _: "<html>"),
        ("only_default", 400, "application/json", {"a": 2}, "BadRequestError", lambda m: m.A(a=2)),
        (
            "referenced",
            404,
            "application/problem+json",
            {"status": 404},
            "NotFoundError",
            lambda m: m.Problem(status=404),
        ),
        ("nothing", 418, None, b"", "APIStatusError", lambda _: None),
    ],
)
def test_an_error_holds_the_model_of_its_status(
    probe: Probe, name: str, status: int, content_type: str | None, body: Any, kind: str, expected: Any
) -> None:
    probe.answered(body, status, content_type)
    with pytest.raises(getattr(probe.errors, kind)) as caught:
        probe.call(name)

    assert (caught.value.status, caught.value.body) == (status, expected(probe.models))


def test_the_type_of_a_method_is_that_of_all_its_successes(probe: Probe) -> None:
    methods = type(probe.client.default)
    returns = {
        name: typing.cast("Any", getattr(methods, name)).__annotations__["return"]
        for name in ("several", "media", "maybe")
    }

    assert returns == {"several": "A | B | None", "media": "A | bytes | B | str", "maybe": "A | None"}


def test_headers_of_an_answer_are_there(probe: Probe) -> None:
    probe.step(answer(200, {"a": 1}, {"X-Total": "42", "Link": "<u>"}))
    method = probe.client.default.with_raw_response.media
    raw = probe.world.run(method())

    assert (raw.status, raw.headers["x-total"], raw.headers["link"], raw.parsed.a) == (200, "42", "<u>", 1)


def test_what_is_promised_and_does_not_come_is_an_error(probe: Probe) -> None:
    for name, content_type, body in (
        ("several", None, b""),
        ("ranged", "text/html", b"<p>"),
        ("media", "image/png", b"x"),
    ):
        probe.answered(body, 200, content_type)
        with pytest.raises(probe.errors.DecodeError) as caught:
            probe.call(name)
        assert caught.value.status == 200
