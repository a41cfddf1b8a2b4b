"""Which operations answer with a stream, and of what."""

from __future__ import annotations

from typing import Any

import pytest

from modelport_tools.generate import generate_one
from modelport_tools.planning import OperationPlan
from tests.unit.tools.specs import document, operation
from tests.unit.tools.test_plan import INTEGER, STRING, planned

LINES, EVENTS = "application/x-ndjson", "text/event-stream"
THING = {"type": "object", "properties": {"a": INTEGER}}
REFERENCE = {"$ref": "#/components/schemas/Thing"}
COMPONENTS = {
    "schemas": {
        "Thing": THING,
        "Things": {"type": "array", "items": REFERENCE},
        "Event": {"type": "object", "properties": {"data": REFERENCE, "event": STRING}},
        "Said": {"type": "object", "properties": {"data": STRING, "id": STRING}},
        "Plain": {"type": "object", "properties": {"data": STRING, "more": STRING}},
        "Packed": {
            "type": "object",
            "properties": {
                "data": {"type": "string", "contentMediaType": "application/json", "contentSchema": REFERENCE},
                "retry": INTEGER,
            },
        },
        "Either": {"anyOf": [{"$ref": "#/components/schemas/Event"}, {"$ref": "#/components/schemas/Said"}]},
    }
}


def plan(responses: dict[str, dict[str, Any] | None], method: str = "get", **rest: Any) -> Any:
    """The plan for an operation with media types, and the entry of each, by status."""
    answers = {
        status: {"description": "An answer.", **({"content": content} if content else {})}
        for status, content in responses.items()
    }
    return planned(document({"/x": {method: operation("follow", responses=answers, **rest)}}, components=COMPONENTS))


def only(media: str, entry: dict[str, Any]) -> OperationPlan:
    (found,) = plan({"200": {media: entry}}).operations
    assert isinstance(found, OperationPlan)
    return found


def component(name: str) -> dict[str, Any]:
    return {"schema": {"$ref": f"#/components/schemas/{name}"}}


@pytest.mark.parametrize(
    ("media", "entry", "item", "mode"),
    [
        (LINES, component("Thing"), "Thing", "json"),
        (LINES, component("Things"), "Thing", "json"),
        (LINES, {"schema": {"type": "array", "items": INTEGER}}, "int", "json"),
        (LINES, {"schema": INTEGER}, "int", "json"),
        (LINES, {"schema": THING}, "FollowItem", "json"),
        (LINES, {"schema": {"type": "object", "additionalProperties": INTEGER}}, "dict[str, int]", "json"),
        # A text there says no more than that the body is one.
        (LINES, {"schema": STRING}, "Any", "json"),
        (LINES, {"schema": {"type": "string", "format": "binary"}}, "Any", "json"),
        (LINES, {}, "Any", "json"),
        # OpenAPI 3.2, and what FastAPI writes into documents of 3.1.
        (LINES, {"itemSchema": {"$ref": "#/components/schemas/Thing"}}, "Thing", "json"),
        (LINES, {"itemSchema": {"type": "array", "items": INTEGER}}, "list[int]", "json"),
        (EVENTS, {"itemSchema": {"$ref": "#/components/schemas/Packed"}}, "Packed", "event"),
        ("application/jsonl; charset=utf-8", component("Thing"), "Thing", "json"),
        ("application/json-seq", component("Thing"), "Thing", "json"),
        (EVENTS, component("Thing"), "Thing", "json"),
        (EVENTS, component("Plain"), "Plain", "json"),
        (EVENTS, component("Event"), "Event", "event"),
        (EVENTS, component("Said"), "Said", "event-text"),
        (EVENTS, component("Packed"), "Packed", "event"),
        (EVENTS, component("Either"), "Event | Said", "event"),
        (EVENTS, {"schema": STRING}, "str", "text"),
        (EVENTS, {"schema": {"type": "string", "format": "binary"}}, "str", "text"),
        (EVENTS, {"schema": {}}, "ServerSentEvent", "raw"),
        (EVENTS, {}, "ServerSentEvent", "raw"),
    ],
)
def test_the_item_of_a_stream(media: str, entry: dict[str, Any], item: str, mode: str) -> None:
    stream = only(media, entry).stream

    assert stream is not None
    assert (stream.item, stream.mode, stream.is_alone, stream.name) == (item, mode, True, "follow")
    assert stream.responses == (("200", ((media.partition(";")[0], item),)),)


def test_data_that_holds_json_is_typed_by_its_content_schema() -> None:
    models = {model.name: model for model in plan({"200": {EVENTS: component("Packed")}}).models}

    assert [field.annotation for field in models["Packed"].fields] == ["Thing", "int"]


def names(found: Any) -> list[tuple[str, str, Any]]:
    (tag,) = found.tags
    return [(method.name, method.returns, dict(dict(method.responses)["200"])) for method in tag.methods]


def test_json_beside_a_stream_gives_two_methods() -> None:
    found = plan({"200": {"application/json": component("Thing"), EVENTS: {"schema": INTEGER}}, "204": None})

    assert names(found) == [
        ("follow", "Thing | None", {"application/json": "Thing"}),
        ("stream_follow", "int", {EVENTS: "int"}),
    ]
    assert [len(tag.operations) for tag in found.tags] == [1]


def test_json_of_another_status_is_for_the_plain_method_only() -> None:
    found = plan({"200": {LINES: component("Thing")}, "202": {"application/json": {"schema": INTEGER}}})

    (tag,) = found.tags
    assert [(method.name, method.responses) for method in tag.methods] == [
        ("follow", (("200", ()), ("202", (("application/json", "int"),)))),
        ("stream_follow", (("200", ((LINES, "Thing"),)), ("202", ()))),
    ]


def test_several_streams_give_one_method() -> None:
    found = plan({"200": {LINES: component("Thing"), EVENTS: {"schema": STRING}}})

    assert names(found) == [("follow", "Thing | str", {LINES: "Thing", EVENTS: "str"})]


def test_errors_stay_with_both_methods() -> None:
    found = plan({"200": {"application/json": {}, LINES: {}}, "4XX": {"application/json": component("Thing")}})

    (tag,) = found.tags
    assert [dict(method.responses)["4XX"] for method in tag.methods] == [(("application/json", "Thing"),)] * 2


def test_the_name_of_a_second_method_is_free() -> None:
    both = {"200": {"description": "ok", "content": {"application/json": {}, LINES: {}}}}
    paths = {
        "/a": {"get": operation("follow", responses=both), "put": operation("stream_follow")},
        "/b": {"get": operation("with_raw_response")},
    }
    (tag,) = planned(document(paths)).tags

    assert sorted(method.name for method in tag.methods) == [
        "follow", "stream_follow", "stream_follow_", "with_raw_response_",
    ]  # fmt: skip


def test_the_answer_to_head_has_no_content_whatever_the_document_says() -> None:
    (found,) = plan({"200": {LINES: component("Thing")}, "404": {"application/json": {}}}, method="head").operations

    assert (found.stream, found.returns, found.responses) == (None, "None", (("200", ()), ("404", ())))


@pytest.mark.parametrize(("media", "kind"), [(EVENTS, "str"), (LINES, "bytes")])
def test_an_error_that_is_a_stream_is_no_stream(media: str, kind: str) -> None:
    error = {media: {"schema": STRING}, "application/json": component("Thing")}
    (found,) = plan({"200": {"application/json": {"schema": INTEGER}}, "500": error}).operations

    assert found.stream is None
    assert dict(found.responses)["500"] == (("application/json", "Thing"), (media, kind))


def test_a_referenced_answer_is_a_stream_too(tmp_path: Any) -> None:
    values = document(
        {"/x": {"get": operation("follow", responses={"200": {"$ref": "#/components/responses/Lines"}})}},
        components={**COMPONENTS, "responses": {"Lines": {"description": "L", "content": {LINES: component("Thing")}}}},
    )
    (tmp_path / "spec.json").write_text(__import__("json").dumps(values))
    report = generate_one(tmp_path / "spec.json", output=tmp_path, package="lines")

    assert "-> AsyncStream[Thing]:" in (tmp_path / "lines/operations/default.py").read_text()
    assert (report.packages[0].operations_in, report.packages[0].operations_out) == (1, 1)


def test_default_is_the_success_where_there_is_no_other() -> None:
    (alone,) = plan({"default": {"application/json": {"schema": INTEGER}}}).operations
    (beside,) = plan({"204": None, "default": {"application/json": {"schema": INTEGER}}}).operations

    assert (alone.returns, beside.returns) == ("int", "None")
