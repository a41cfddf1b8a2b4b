"""Nothing is lost on the way from the document to the client, or the document is refused."""

from __future__ import annotations

from typing import Any

import pytest

from modelport_tools.errors import SpecError
from modelport_tools.normalise import normalise
from modelport_tools.planning import ClientPlan, OperationPlan, make_plan
from modelport_tools.swagger2 import convert
from modelport_tools.validation import validate
from tests.unit.tools.specs import OK, document, operation, schemas


def planned(values: dict[str, Any]) -> ClientPlan:
    canonical = normalise(values)
    validate(canonical)
    return make_plan(canonical)


def only(values: dict[str, Any]) -> OperationPlan:
    (found,) = planned(values).operations
    return found


def query(name: str, **rest: Any) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": {"type": "string"}, **rest}


def content(**media: Any) -> dict[str, Any]:
    return {"content": {kind.replace("_", "/"): {"schema": schema} for kind, schema in media.items()}}


STRING, INTEGER = {"type": "string"}, {"type": "integer"}
THINGS: dict[str, Any] = {"schema": {"type": "array", "items": INTEGER}}
TEXT: dict[str, Any] = {"schema": STRING}
BOTH = ["application/json", "text/plain"]


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (document({"/{a}": {"get": operation("x", parameters=[{**query("a"), "in": "path", "required": True}])},
                   "/{b}": {"get": operation("y", parameters=[{**query("b"), "in": "path", "required": True}])}}),
         "is the same path as GET /{a}"),
        (document({"/a": {"get": operation(parameters=[query("x", **{"x-modelport-argument": "1; import os"})])}}),
         "is no name for an argument"),
        (document({"/a": {"get": operation(parameters=[query("x", **{"x-modelport-argument": "class"})])}}),
         "is no name for an argument"),
        (document({"/a": {"get": operation(parameters=[query("x", **{"x-modelport-argument": "y"}), query("y")])}}),
         "two parameters would be y"),
        (document({"/a": {"post": operation(**{"x-modelport-idempotency-key": "No Header"})}}), "name of a header"),
        (document({"/a": {"post": operation()}}, **{"x-modelport-idempotency-key": 7}), "name of a header"),
    ],
)  # fmt: skip
def test_what_would_be_lost_is_refused(values: dict[str, Any], says: str) -> None:
    with pytest.raises(SpecError) as caught:
        planned(values)

    assert says in str(caught.value)
    assert "0x" not in str(caught.value)


def test_methods_of_one_name_are_told_by_method_and_path() -> None:
    paths = {"/a/b": {"get": operation("getThing"), "put": operation("get_thing")}, "/c": {"get": operation("c")}}
    found = planned(document(paths)).operations

    assert [(one.operation_id, one.name) for one in found] == [
        ("getThing", "get_a_b"), ("get_thing", "put_a_b"), ("c", "c")
    ]  # fmt: skip


def test_parameters_whose_names_fall_together_stay_apart() -> None:
    parameters = [query(name) for name in ("fooBar", "foo_bar", "a-b", "aB")]
    found = only(document({"/a": {"get": operation(parameters=parameters)}}))

    assert {parameter.wire for parameter in found.parameters} == {"fooBar", "foo_bar", "a-b", "aB"}
    assert len({parameter.name for parameter in found.parameters}) == 4


def test_enum_values_that_differ_in_case_only_are_all_kept() -> None:
    (enum,) = planned(schemas(A={"type": "string", "enum": ["a", "A", "a b", "a-b", "a_b", "", "é", "1"]})).enums
    values = [value for _, value in enum.members]

    assert values == ["a", "A", "a b", "a-b", "a_b", "", "é", "1"]
    assert len({name for name, _ in enum.members}) == len(values)
    assert all(name.isidentifier() for name, _ in enum.members)


def test_the_names_that_a_document_gives_to_enum_values_are_used() -> None:
    (enum,) = planned(schemas(A={"type": "integer", "enum": [1, -2], "x-enum-varnames": ["Low", "veryLow"]})).enums

    assert enum.members == (("LOW", 1), ("VERY_LOW", -2))


def test_a_wrong_default_costs_nothing() -> None:
    """A generated method sends what it is given: a default is the server's affair."""
    (parameter,) = only(
        document({"/a": {"get": operation(parameters=[query("n", schema={**INTEGER, "default": "ten"})])}})
    ).parameters

    assert (parameter.annotation, parameter.required) == ("int", False)


def test_a_parameter_described_by_a_media_type_goes_as_json() -> None:
    parameter = {"name": "filterBy", "in": "query", "required": True, "content": {"application/json": {"schema": {}}}}
    found = only(document({"/a": {"get": operation(parameters=[parameter])}}))

    assert [(one.name, one.style, one.annotation, one.required) for one in found.parameters] == [
        ("filter_by", "json", "Any", True)
    ]


@pytest.mark.parametrize(
    ("schema", "annotation"),
    [
        ({"type": "array", "items": STRING}, "list[str]"),
        ({"type": "object", "additionalProperties": INTEGER}, "dict[str, int]"),
        ({"type": "string", "format": "date"}, "date"),
        ({"anyOf": [STRING, INTEGER]}, "str | int"),
        ({}, "Any"),
        (STRING, "str"),
    ],
)
def test_a_header_may_hold_more_than_a_text(schema: dict[str, Any], annotation: str) -> None:
    parameters = [query("y"), {"name": "X-It", "in": "header", "schema": schema}]
    found = only(document({"/a": {"get": operation(parameters=parameters)}}))

    assert [(one.wire, one.location, one.style, one.annotation) for one in found.parameters] == [
        ("y", "query", "form", "str"), ("X-It", "header", "simple", annotation)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("schema", "annotation"),
    [
        ({"type": ["string", "null"]}, "str"),
        ({"anyOf": [INTEGER, {"type": "null"}], "title": "It"}, "int"),
        ({"oneOf": [INTEGER, STRING, {"type": "null"}]}, "int | str"),
        ({"$ref": "#/components/schemas/Maybe"}, "str"),
    ],
)
def test_a_path_never_holds_null(schema: dict[str, Any], annotation: str) -> None:
    parameter = {"name": "it", "in": "path", "required": True, "schema": schema}
    components = {"schemas": {"Maybe": {"type": ["string", "null"]}}}
    found = only(document({"/{it}": {"get": operation(parameters=[parameter])}}, components=components))

    assert [one.annotation for one in found.parameters] == [annotation]


REFERENCE = {"$ref": "#/components/schemas/A"}


@pytest.mark.parametrize(
    ("named", "returns"),
    [
        ({"A": {"type": "array", "items": REFERENCE}}, "list[Any]"),
        ({"A": {"type": "array", "items": {"anyOf": [REFERENCE, INTEGER]}}}, "list[Any]"),
        ({"A": {"anyOf": [STRING, {"$ref": "#/components/schemas/B"}]}, "B": {"type": "array", "items": REFERENCE}},
         "str | list[Any]"),
        ({"A": {"type": "array", "items": {"$ref": "#/components/schemas/B"}}, "B": {"anyOf": [STRING, REFERENCE]}},
         "list[Any]"),
        ({"A": {"type": "array", "items": {"$ref": "#/components/schemas/B"}},
          "B": {"type": "object", "properties": {"x": REFERENCE}}}, "list[B]"),
    ],
)  # fmt: skip
def test_an_array_that_holds_itself_is_a_list_of_anything(named: dict[str, Any], returns: str) -> None:
    assert only(schemas(**named)).returns == returns


def test_names_that_a_client_uses_itself_give_way() -> None:
    parameters = [query(name) for name in ("self", "body", "options", "timeout", "max_retries", "headers")]
    plan = planned(document({"/a": {"get": operation("with_raw_response", tags=["close"], parameters=parameters)}}))

    assert [parameter.name for parameter in plan.operations[0].parameters] == [
        "self_", "body_", "options_", "timeout_", "max_retries_", "headers_"
    ]  # fmt: skip
    assert [(tag.name, [one.name for one in tag.operations]) for tag in plan.tags] == [
        ("close_", ["with_raw_response_"])
    ]


@pytest.mark.parametrize("name", ["File", "Any", "Resource", "Operation", "Parameter", "Unset", "Literal", "UUID"])
def test_a_schema_with_the_name_of_a_helper_gives_way(name: str) -> None:
    values = schemas(**{name: {"type": "object", "properties": {"x": STRING}}})

    assert only(values).returns.endswith("Model")


@pytest.mark.parametrize(
    ("body", "media_types", "annotation"),
    [
        ({"content": {"multipart/form-data": {"schema": {"type": "object", "title": "Form"}},
                      "application/json": {"schema": INTEGER}}},
         ("application/json", "multipart/form-data"), "int | dict[str, Any]"),
        ({"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}},
         ("application/octet-stream",), "File"),
        ({"content": {"application/merge-patch+json": {"schema": {"type": "array", "items": INTEGER}}}},
         ("application/merge-patch+json",), "list[int]"),
        (content(text_plain=STRING), ("text/plain",), "str | bytes | File"),
        ({"content": {"*/*": {}}}, ("*/*",), "str | bytes | File"),
        ({"content": {"application/x-yaml": {}, "text/csv": {}}}, ("application/x-yaml", "text/csv"),
         "str | bytes | File"),
        ({"content": {"text/plain": {}, "application/json": {}}}, ("application/json", "text/plain"), "Any"),
        ({"content": {"application/xml": {}, "application/json; charset=utf-8": {"schema": INTEGER}}},
         ("application/json; charset=utf-8", "application/xml"),
         "int | str | bytes | File"),
    ],
)  # fmt: skip
def test_the_type_of_a_body_is_that_of_its_media_types(
    body: dict[str, Any], media_types: tuple[str, ...], annotation: str
) -> None:
    found = only(document({"/a": {"post": operation(requestBody=body)}}))

    assert (found.body, found.body_annotation) == (media_types, annotation)


@pytest.mark.parametrize(
    ("media", "expected", "returns"),
    [
        ({"application/json": STRING, "application/problem+json": STRING},
         {"application/json": "str", "application/problem+json": "str"}, "str"),
        ({"application/json": INTEGER, "application/problem+json": STRING},
         {"application/json": "int", "application/problem+json": "str"}, "int | str"),
        ({"application/json; charset=utf-8": INTEGER}, {"application/json": "int"}, "int"),
        ({"text/csv": STRING, "application/json": INTEGER},
         {"application/json": "int", "text/csv": "str"}, "int | str"),
        ({"application/octet-stream": {"type": "string", "format": "binary"}, "application/x+json": INTEGER},
         {"application/octet-stream": "bytes", "application/x+json": "int"}, "bytes | int"),
    ],
)  # fmt: skip
def test_each_media_type_of_an_answer_has_its_type(
    media: dict[str, Any], expected: dict[str, str], returns: str
) -> None:
    answer = {"description": "x", "content": {kind: {"schema": schema} for kind, schema in media.items()}}
    found = only(document({"/a": {"get": operation(responses={"200": answer})}}))

    assert {status: dict(kinds) for status, kinds in found.responses} == {"200": expected}
    assert found.returns == returns


SCHEMES = {
    "securitySchemes": {"a": {"type": "http", "scheme": "bearer"}, "b": {"type": "apiKey", "in": "query", "name": "k"}}
}


@pytest.mark.parametrize(
    ("security", "expected"),
    [
        ([{"a": []}], (("a",),)), ([], ()), ([{}], ()), ([{"a": [], "b": []}], (("a", "b"),)),
        ([{"a": []}, {"b": []}], (("a",), ("b",))), ([{}, {"b": []}, {"a": []}], (("b",), ("a",), ())),
    ],
)  # fmt: skip
@pytest.mark.parametrize("level", ["operation", "document"])
def test_the_security_of_an_operation_is_its_own_else_the_document_s(
    level: str, security: list[Any], expected: tuple[tuple[str, ...], ...]
) -> None:
    own: dict[str, Any] = {"security": security} if level == "operation" else {}
    rest = {"security": security} if level == "document" else {"security": [{"a": []}]}
    found = only(document({"/a": {"get": operation(**own)}}, components=SCHEMES, **rest))

    assert found.security == expected


def test_the_tags_come_in_the_order_of_the_document() -> None:
    paths = {f"/{tag}": {"get": operation(f"get_{tag}", tags=[tag])} for tag in ("a", "b", "c", "d")}
    plan = planned(document(paths, tags=[{"name": "c"}, {"name": "a"}]))

    assert [tag.name for tag in plan.tags] == ["c", "a", "b", "d"]


@pytest.mark.parametrize(
    ("method", "extra", "expected"),
    [("get", {}, True), ("put", {}, True), ("delete", {}, True), ("post", {}, False), ("patch", {}, False),
     ("get", {"x-modelport-mutates": True}, False)],
)  # fmt: skip
def test_a_repeat_is_safe_for_what_changes_nothing_twice(method: str, extra: dict[str, Any], expected: bool) -> None:
    assert only(document({"/a": {method: {"responses": OK, **extra}}})).idempotent is expected


def test_an_unnamed_object_does_not_take_the_name_of_a_component() -> None:
    inline = {"type": "object", "properties": {"x": STRING}}
    plan = planned(
        schemas(A={"type": "object", "properties": {"settings": inline}}, ASettings={**inline, "description": "own"})
    )

    assert [(model.name, model.description) for model in plan.models] == [
        ("A", ""), ("ASettings", "own"), ("ASettingsInline", "")
    ]  # fmt: skip


KEY = "x-modelport-idempotency-key"


def key_header(name: str = "Idempotency-Key", **rest: Any) -> dict[str, Any]:
    return {"name": name, "in": "header", "schema": {"type": "string"}, **rest}


@pytest.mark.parametrize(
    ("method", "of_operation", "of_document", "expected"),
    [
        ("post", {}, {}, ""),
        ("post", {"parameters": [key_header()]}, {}, "Idempotency-Key"),
        ("post", {"parameters": [key_header("idempotency-KEY")]}, {}, "idempotency-KEY"),
        ("post", {"parameters": [{**key_header(), "in": "query"}]}, {}, ""),
        ("get", {"parameters": [key_header()]}, {}, "Idempotency-Key"),
        ("post", {KEY: "X-Key"}, {}, "X-Key"),
        ("post", {KEY: "X-Key", "parameters": [key_header()]}, {}, "X-Key"),
        ("post", {KEY: False, "parameters": [key_header()]}, {}, ""),
        ("post", {}, {KEY: "X-Key"}, "X-Key"),
        ("patch", {}, {KEY: "X-Key"}, "X-Key"),
        ("post", {KEY: False}, {KEY: "X-Key"}, ""),
        ("post", {"parameters": [key_header()]}, {KEY: "X-Key"}, "Idempotency-Key"),
        ("get", {}, {KEY: "X-Key"}, ""),
        ("get", {"x-modelport-mutates": True}, {KEY: "X-Key"}, "X-Key"),
    ],
)
def test_an_operation_takes_the_key_that_it_declares_or_is_said_to_take(
    method: str, of_operation: dict[str, Any], of_document: dict[str, Any], expected: str
) -> None:
    plan = only(document({"/a": {method: operation(**of_operation)}}, **of_document))

    assert expected == plan.idempotency_key
    assert plan.idempotent == (bool(expected) or (method == "get" and "x-modelport-mutates" not in of_operation))


@pytest.mark.parametrize("extra", [{}, {KEY: "Idempotency-Key"}])
def test_a_key_may_be_left_out_where_the_document_requires_it(extra: dict[str, Any]) -> None:
    plan = only(document({"/a": {"post": operation(parameters=[key_header(required=True)], **extra)}}))

    assert [("idempotency_key", False)] == [(parameter.name, parameter.required) for parameter in plan.parameters]


def test_a_converted_document_keeps_what_it_says_of_keys() -> None:
    swagger = {
        "swagger": "2.0",
        "info": {"title": "Old", "version": "1"},
        KEY: "X-Key",
        "paths": {"/a": {"post": {"operationId": "make", "responses": {"200": {"description": "Made."}}}}},
    }

    assert "X-Key" == only(convert(swagger)).idempotency_key


def test_a_client_certificate_is_a_scheme_without_a_place() -> None:
    plan = planned(
        document(
            {"/a": {"get": operation(security=[{"m": [], "b": []}])}},
            components={"securitySchemes": {"m": {"type": "mutualTLS"}, "b": {"type": "http", "scheme": "bearer"}}},
        )
    )

    assert {"m": ("mutualTLS", "", ""), "b": ("http", "bearer", "")} == dict(plan.tags[0].schemes)
    assert [{"m", "b"}] == [set(choice) for choice in plan.operations[0].security]


@pytest.mark.parametrize(
    ("content", "kinds", "returns"),
    [
        (
            {"application/json": THINGS, "application/yaml": THINGS, "application/cbor-seq": THINGS},
            ["application/json"],
            "list[int]",
        ),
        ({"application/json": THINGS, "text/plain": TEXT}, BOTH, "list[int] | str"),
        ({"application/json": TEXT, "text/plain": TEXT}, BOTH, "str"),
        ({"application/yaml": THINGS}, ["application/yaml"], "bytes"),
    ],
)
def test_of_one_value_in_several_formats_json_is_asked_for(
    content: dict[str, Any], kinds: list[str], returns: str
) -> None:
    found = only(document({"/a": {"get": operation(responses={"200": {"description": "ok", "content": content}})}}))

    assert [kind for kind, _ in dict(found.responses)["200"]] == kinds
    assert found.returns == returns


@pytest.mark.parametrize(
    ("parts", "annotation"),
    [
        ([{"type": "integer", "nullable": True}, {"type": "integer", "nullable": True}], "int | None"),
        ([{"type": "integer", "nullable": True}, {"type": "integer"}], "int"),
        ([{"anyOf": [{"type": "integer"}, {"type": "null"}]}, {"type": ["integer", "null"]}], "int | None"),
        ([{"type": "integer", "nullable": True}, {"maximum": 3}], "int | None"),
    ],
)
def test_null_must_fit_every_part_of_what_holds_together(parts: list[dict[str, Any]], annotation: str) -> None:
    (model,) = planned(schemas(A={"type": "object", "properties": {"a": {"allOf": parts}}})).models

    assert [field.annotation for field in model.fields] == [annotation]
