"""Pages and waits: what a document may declare, what becomes of it, and that nothing is promised in vain."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from modelport_tools.errors import SpecError
from modelport_tools.planning import ClientPlan, OperationPlan
from tests.generated.lists import LISTS
from tests.unit.tools.test_plan import planned

PAGES, POLLING = "x-modelport-pagination", "x-modelport-polling"
TEXT, NUMBER = {"type": "string"}, {"type": "number"}
ITEMS = {"type": "array", "items": TEXT}


def changed(path: str, method: str, change: dict[str, Any]) -> dict[str, Any]:
    """The document of lists with one operation changed."""
    values = copy.deepcopy(LISTS)
    values["paths"][path][method].update(change)
    return values


def found(plan: ClientPlan, operation_id: str) -> OperationPlan:
    return next(one for one in plan.operations if one.operation_id == operation_id)


def methods(plan: ClientPlan) -> set[str]:
    return {
        extra.method
        for one in plan.operations
        for extra in (one.pagination, one.polling, one.follow)
        if extra is not None
    }


def listing(operation_id: str, schema: Any, pages: Any = None, **rest: Any) -> dict[str, Any]:
    answer = {"description": "ok", "content": {"application/json": {"schema": schema}}}
    token = {"name": "t", "in": "query", "schema": {"type": "string"}}
    extension = {} if pages is None else {PAGES: pages}
    return {"operationId": operation_id, "parameters": [token], "responses": {"200": answer}, **extension, **rest}


def document(*listings: dict[str, Any], **schemas: Any) -> dict[str, Any]:
    return {
        "openapi": "3.1.0",
        "info": {"title": "Lists", "version": "1"},
        "paths": {f"/{index}": {"get": one} for index, one in enumerate(listings)},
        "components": {"schemas": schemas},
    }


def test_every_method_has_the_name_that_one_would_guess() -> None:
    assert methods(planned(LISTS)) == {
        "iter_pets", "iter_search_pets", "iter_linked", "iter_events", "iter_paged", "iter_plain", "iter_names",
        "iter_web", "iter_urls", "wait_for_job", "wait_for_strict", "wait_for_by_status", "wait_for_operation",
        "create_job_and_wait", "start_job_and_wait",
    }  # fmt: skip


TOKEN = {"style": "token", "parameter": "limit"}


@pytest.mark.parametrize(
    ("path", "extension", "pointer", "says"),
    [
        ("/pets", "token", "", "must be an object"),
        ("/pets", {}, "/style", "style must be one of token, cursor, page, offset, link"),
        ("/pets", {"style": "pages"}, "/style", "style must be one of"),
        ("/pets", {"style": "token", "parameter": "page_token"}, "", "needs next"),
        ("/pets", {"style": "token", "next": "/meta/next"}, "", "needs parameter"),
        ("/pets", {"style": "page", "parameter": "limit", "next": "has_more"}, "/next", "has no next"),
        ("/pets", {"style": "page", "parameter": "limit", "nxt": 1}, "/nxt", "there are first, items, more"),
        ("/pets", {"style": "page", "parameter": "limt"}, "/parameter", "list_pets has no parameter 'limt'"),
        ("/pets", {"style": "page", "parameter": 1}, "/parameter", "no parameter 1"),
        ("/pets", {"style": "page", "parameter": "header.limit"}, "/parameter", "no parameter 'header.limit'"),
        ("/pets", {"style": "page", "parameter": "$request.body#/x"}, "/parameter", "takes no body"),
        ("/pets", {"style": "page", "parameter": "limit", "first": True}, "/first", "whole number"),
        ("/pets", {"style": "page", "parameter": "limit", "size": "siz"}, "/size", "no parameter 'siz'"),
        ("/pets", {**TOKEN, "next": "/meta/nxt"}, "/next", "the answer has no '/meta/nxt'"),
        ("/pets", {**TOKEN, "next": "$response.body#meta"}, "/next", "no runtime expression"),
        ("/pets", {**TOKEN, "next": "$request.query.limit"}, "/next", "no place in the answer"),
        ("/pets", {**TOKEN, "next": 3}, "/next", "must be a runtime expression"),
        ("/pets", {"style": "page", "parameter": "limit", "items": "/meta"}, "/items", "is no list"),
        ("/pets", {"style": "page", "parameter": "limit", "items": "dogs"}, "/items", "has no '/dogs'"),
        ("/pets", {"style": "page", "parameter": "limit", "items": "/~x"}, "/items", "no JSON pointer"),
        ("/pets", {"style": "cursor", "parameter": "limit", "next": "name"}, "/next", "an item has no 'name'"),
        ("/pets", {"style": "page", "parameter": "limit", "total": "pets/total"}, "/total", "the answer has no"),
        ("/status/{id}", {"style": "link"}, "", "say with items where the list is"),
    ],
)  # fmt: skip
def test_what_is_not_there_cannot_be_declared(path: str, extension: Any, pointer: str, says: str) -> None:
    with pytest.raises(SpecError) as caught:
        planned(changed(path, "get", {PAGES: extension}))

    where = path.replace("/", "~1")
    assert says in caught.value.reason
    assert caught.value.pointer == f"/paths/{where}/get/{PAGES}{pointer}"


@pytest.mark.parametrize(
    ("extension", "pointer", "says"),
    [
        ({"parameter": "$request.body#/page/none"}, "/parameter", "the request body has no"),
        ({"parameter": "$request.body"}, "/parameter", "not the whole of it"),
        ({"size": "$request.body#none"}, "/size", "no runtime expression"),
    ],
)
def test_a_place_in_a_body_must_be_there(extension: Any, pointer: str, says: str) -> None:
    declared = {**LISTS["paths"]["/search"]["post"][PAGES], **extension}
    with pytest.raises(SpecError, match=says) as caught:
        planned(changed("/search", "post", {PAGES: declared}))

    assert caught.value.pointer == f"/paths/~1search/post/{PAGES}{pointer}"


@pytest.mark.parametrize(
    ("schema", "items", "item"),
    [
        ({"$ref": "#/components/schemas/List"}, None, "Pet"),
        ({"type": "object", "properties": {"a": {"$ref": "#/components/schemas/List"}, "n": NUMBER}}, None, "Pet"),
        ({"properties": {"a": {"oneOf": [{"$ref": "#/components/schemas/List"}, {"type": "null"}]}}}, None, "Pet"),
        ({"properties": {"a": {"allOf": [{"$ref": "#/components/schemas/List"}], "description": "d"}}}, "a", "Pet"),
        ({"properties": {"a": {"type": "object", "properties": {"b": ITEMS}}, "c": ITEMS}}, "/a/b", "str"),
        ({"allOf": [{"$ref": "#/components/schemas/Base"}, {"properties": {"a": ITEMS}}]}, None, "str"),
        ({"properties": {"a": {"type": "array", "items": {"oneOf": [TEXT, NUMBER]}}}}, "a", "float | str"),
        ({"type": "array", "items": {"type": ["string", "null"], "format": "date"}}, None, "date | None"),
        ({"type": "array", "items": {"type": "object", "additionalProperties": NUMBER}}, None, "dict[str, float]"),
        ({"properties": {"a": {"type": "array", "items": {}}}}, None, "Any"),
        ({"type": "object", "additionalProperties": ITEMS}, "whatever", "str"),
        ({}, "/some/where", "Any"),
    ],
)  # fmt: skip
def test_an_item_has_its_exact_type(schema: Any, items: str | None, item: str) -> None:
    pages = {"style": "link"} if items is None else {"style": "link", "items": items}
    pet = {"type": "object", "properties": {"id": {"type": "integer"}}}
    base = {"type": "object", "properties": {"n": {"type": "integer"}}}
    several = {"type": "array", "items": {"$ref": "#/components/schemas/Pet"}}
    plan = planned(document(listing("list_it", schema, pages), Pet=pet, List=several, Base=base))
    (operation,) = plan.operations

    assert operation.pagination is not None
    assert set(operation.pagination.item.split(" | ")) == set(item.split(" | "))
    if "Pet" in item:
        assert ("Pet", "pet") in operation.imports


def test_a_further_method_never_hides_an_operation() -> None:
    link = {"style": "link"}
    plan = planned(
        document(
            listing("list_pets", ITEMS, link),
            listing("get_pets", ITEMS, link),
            listing("list_dogs", ITEMS, link),
            listing("iter_dogs", ITEMS),
            listing("list_cats", ITEMS, link),
            listing("iter_cats", ITEMS),
            listing("iter_list_cats", ITEMS),
        )
    )
    names = {one.operation_id: one.pagination.method for one in plan.operations if one.pagination}

    assert names == {
        "list_pets": "iter_list_pets",
        "get_pets": "iter_get_pets",
        "list_dogs": "iter_list_dogs",
        "list_cats": "iter_list_cats_",
    }


def linked(link: Any, schema: Any = ITEMS, **rest: Any) -> dict[str, Any]:
    operation = listing("list_pets", schema, **rest)
    operation["responses"]["200"]["links"] = link
    return operation


NEXT = {"operationId": "list_pets", "parameters": {"t": "$response.body#/next"}}
NEXT_LIST = {"type": "object", "properties": {"pets": ITEMS, "next": {"type": "string"}}}
SIZE = {"name": "n", "in": "query", "schema": {"type": "integer"}}


@pytest.mark.parametrize(
    "link",
    [
        {"next": NEXT},
        {"more": {**NEXT, "parameters": {"query.t": "$response.body#/next"}}},
        {"next": NEXT, "previous": NEXT, "other": {**NEXT, "parameters": {"t": "$response.body#/pets/0"}}},
        {"next": {"operationRef": "#/paths/~10/get", "parameters": NEXT["parameters"]}},
        {"next": {**NEXT, "parameters": {"t": "$response.body#/next", "n": "$request.query.n"}}},
    ],
)
def test_a_link_to_itself_is_a_token(link: Any) -> None:
    operation = linked(link, NEXT_LIST)
    operation["parameters"].append(SIZE)
    (plan,) = planned(document(operation)).operations

    assert plan.pagination is not None
    assert (plan.pagination.style, plan.pagination.items) == ("token", "/pets")
    assert (plan.pagination.parameter, plan.pagination.next) == ("t", "$response.body#/next")


@pytest.mark.parametrize(
    ("link", "rest"),
    [
        ({"prev": NEXT}, {}),
        ({"next": {**NEXT, "parameters": {"t": "$request.query.t"}}}, {}),
        ({"next": {**NEXT, "parameters": {"t": "a constant"}}}, {}),
        ({"next": {**NEXT, "parameters": {"t": "$response.body#/next", "n": 3}}}, {}),
        ({"next": {**NEXT, "parameters": {"t": "$response.body#/next", "n": "$response.body#/pets/0"}}}, {}),
        ({"next": {**NEXT, "server": {"url": "https://other.example"}}}, {}),
        ({"next": {"operationRef": "https://other.example/#/paths/~10/get", "parameters": NEXT["parameters"]}}, {}),
        ({"next": {"operationRef": "other.yaml#/paths/~10/get"}}, {}),
        ({"next": {**NEXT, "operationId": "list_dogs"}}, {}),
        ({"next": {"operationRef": "#/paths/~1none/get", "parameters": NEXT["parameters"]}}, {}),
        ({"next": {"operationRef": "#/components/schemas/X", "parameters": NEXT["parameters"]}}, {}),
        ({"a": NEXT, "b": {**NEXT, "parameters": {"t": "$response.body#/pets/0"}}}, {}),
        ({"next": NEXT}, {PAGES: False}),
    ],
)
def test_a_link_that_tells_of_no_pages_promises_none(link: Any, rest: Any) -> None:
    operation = linked(link, NEXT_LIST, **rest)
    operation["parameters"].append(SIZE)

    assert methods(planned({**document(operation), "openapi": "3.0.3"})) == set()


def test_a_link_promises_no_pages_where_the_list_is_not_plain() -> None:
    schema = {"type": "object", "properties": {"pets": ITEMS, "dogs": ITEMS, "next": {"type": "string"}}}

    assert methods(planned(document(linked({"next": NEXT}, schema)))) == set()


@pytest.mark.parametrize(
    ("link", "pointer", "says"),
    [
        ({**NEXT, "parameters": {"u": 1}}, "/parameters/u", "list_pets has no parameter 'u'"),
        ({**NEXT, "parameters": {"path.t": 1}}, "/parameters/path.t", "no parameter 'path.t'"),
        ({**NEXT, "parameters": {"t": "$response.next"}}, "/parameters/t", "no runtime expression"),
        ({**NEXT, "parameters": {"t": "x{$response.next}"}}, "/parameters/t", "no runtime expression"),
        ({**NEXT, "parameters": {"t": "$response.body#/nxt"}}, "/parameters/t", "the answer has no"),
    ],
)
def test_a_link_that_is_followed_must_name_what_is_there(link: Any, pointer: str, says: str) -> None:
    with pytest.raises(SpecError, match=says.replace("'", ".")) as caught:
        planned({**document(linked({"a/b": link}, NEXT_LIST)), "openapi": "3.0.3"})

    assert caught.value.pointer == f"/paths/~10/get/responses/200/links/a~1b{pointer}"


@pytest.mark.parametrize(
    ("extension", "pointer", "says"),
    [
        ({"state": "status"}, "", "needs success"),
        ({"success": ["done"]}, "", "needs state"),
        ({"state": "status", "success": []}, "/success", "must hold a state"),
        ({"state": "status", "success": "done"}, "/success", "must be a list"),
        ({"state": "status", "success": [None]}, "/success", "must be a list"),
        ({"state": "stat", "success": ["done"]}, "/state", "the answer has no 'stat'"),
        ({"state": "kind", "success": ["done"]}, "/success/0", "'done' is no state that the document knows"),
        ({"state": "status", "success": ["a"], "failure": ["b", "a"]}, "/failure", "'a' is in success too"),
        ({"state": "status", "success": ["a"], "pending": ["a"]}, "/pending", "'a' is in success too"),
        ({"state": "status", "success": ["a"], "interval": 0}, "/interval", "seconds above 0"),
        ({"state": "status", "success": ["a"], "message": "none"}, "/message", "the answer has no"),
        ({"state": "status", "success": ["a"], "error": "none"}, "/error", "the answer has no"),
        ({"state": "status", "success": ["a"], "timeout": 3}, "/timeout", "has no 'timeout'"),
    ],
)
def test_work_must_be_told_of_by_what_is_there(extension: Any, pointer: str, says: str) -> None:
    values = changed("/jobs/{id}", "get", {POLLING: extension})
    values["components"]["schemas"]["Job"]["properties"]["kind"] = {"enum": ["ready", "broken"]}
    with pytest.raises(SpecError) as caught:
        planned(values)

    assert says in caught.value.reason
    assert caught.value.pointer == f"/paths/~1jobs~1{{id}}/get/{POLLING}{pointer}"


def test_a_parameter_must_not_bear_the_name_of_what_a_wait_takes() -> None:
    parameter = {"name": "wait_timeout", "in": "query", "schema": {"type": "string"}}
    with pytest.raises(SpecError, match="name it with x-modelport-argument"):
        planned(changed("/strict/{id}", "get", {"parameters": [parameter]}))


@pytest.mark.parametrize(
    "change",
    [
        {"parameters": {}},
        {"parameters": {"id": "$response.body#/id"}, "requestBody": "$response.body"},
        {"operationId": "list_pets", "parameters": {}},
        {"parameters": {"id": "$response.body#/id"}, POLLING: False},
    ],
)
def test_a_link_that_cannot_be_followed_promises_no_wait(change: Any) -> None:
    values = copy.deepcopy(LISTS)
    links = values["paths"]["/jobs"]["post"]["responses"]["202"]["links"]
    links["job"] = {"operationId": "get_job", **change}

    assert found(planned(values), "create_job").follow is None


@pytest.mark.parametrize("mutates", [False, True])
def test_a_question_starts_no_work(mutates: bool) -> None:
    values = copy.deepcopy(LISTS)
    operation = values["paths"]["/jobs"].pop("post")
    del operation["requestBody"], operation["responses"]["202"]["links"]["job"]["parameters"]["view"]
    values["paths"]["/jobs"]["get"] = {**operation, "x-modelport-mutates": mutates}

    assert (found(planned(values), "create_job").follow is not None) is mutates


def test_two_ways_to_wait_promise_none() -> None:
    values = copy.deepcopy(LISTS)
    links = values["paths"]["/jobs"]["post"]["responses"]["202"]["links"]
    links["strict"] = {"operationId": "get_strict", "parameters": {"id": "$response.body#/id"}}

    assert found(planned(values), "create_job").follow is None


def test_the_same_link_in_two_answers_is_one() -> None:
    values = copy.deepcopy(LISTS)
    responses = values["paths"]["/jobs"]["post"]["responses"]
    responses["201"] = responses["202"]

    assert found(planned(values), "create_job").follow is not None


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("$response.body#/none", "the answer has no"),
        ("$request.query.none", "create_job has no parameter"),
        ("$request.body#/none", "the request body has no"),
        ("$response.query.id", "is no place in an answer"),
    ],
)
def test_a_link_to_work_names_what_is_there(value: str, says: str) -> None:
    values = copy.deepcopy(LISTS)
    link = values["paths"]["/jobs"]["post"]["responses"]["202"]["links"]["job"]
    link["parameters"]["id"] = value
    with pytest.raises(SpecError, match=says) as caught:
        planned(values)

    assert caught.value.pointer == "/paths/~1jobs/post/responses/202/links/job/parameters/id"
