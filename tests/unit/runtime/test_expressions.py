"""JSON pointers by RFC 6901, and the runtime expressions of OpenAPI by their grammar."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelport_api._runtime.expressions import (
    Exchange,
    Expression,
    evaluate,
    json_text,
    parse_expression,
    pointer_steps,
    value_at,
    with_value_at,
)
from modelport_api._runtime.types import UNSET
from modelport_api.codex.v1 import models

# Section 5 of RFC 6901.
DOCUMENT = {
    "foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "e^f": 3, "g|h": 4, "i\\j": 5, 'k"l': 6, " ": 7, "m~n": 8,
}  # fmt: skip


@pytest.mark.parametrize(
    ("pointer", "expected"),
    [
        ("", DOCUMENT), ("/foo", ["bar", "baz"]), ("/foo/0", "bar"), ("/", 0), ("/a~1b", 1), ("/c%d", 2), ("/e^f", 3),
        ("/g|h", 4), ("/i\\j", 5), ('/k"l', 6), ("/ ", 7), ("/m~0n", 8),
    ],
)  # fmt: skip
def test_a_pointer_leads_where_the_rfc_says(pointer: str, expected: object) -> None:
    assert value_at(DOCUMENT, pointer_steps(pointer)) == expected


@pytest.mark.parametrize("pointer", ["/foo/2", "/foo/-", "/foo/01", "/foo/x", "/none", "/foo/0/x", "/a~1b/c"])
def test_a_pointer_may_lead_nowhere(pointer: str) -> None:
    assert value_at(DOCUMENT, pointer_steps(pointer)) is UNSET


@pytest.mark.parametrize("text", ["foo", "#/foo", "/~", "/~2", "/a~"])
def test_what_is_no_pointer_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no JSON pointer"):
        pointer_steps(text)


STEPS = st.lists(st.text(), min_size=1, max_size=4)


@given(STEPS, st.none() | st.integers() | st.text())
def test_what_is_put_at_a_place_is_found_there(steps: list[str], value: Any) -> None:
    pointer = "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in steps)
    before = {"other": {"kept": 1}}
    after = with_value_at(before, pointer_steps(pointer), value)

    assert value_at(after, pointer_steps(pointer)) == value
    assert before == {"other": {"kept": 1}}
    if steps[0] != "other":
        assert after["other"] == {"kept": 1}


def test_a_model_is_seen_by_its_names_on_the_wire() -> None:
    group = models.Group(name="n", description="d", additional_properties={"more": [1]})

    assert value_at(group, ("Name",)) == "n"
    assert value_at(group, ("more", "0")) == 1
    assert value_at(group, ("name",)) is UNSET


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$url", Expression("", "url")),
        ("$method", Expression("", "method")),
        ("$statusCode", Expression("", "statusCode")),
        ("$request.path.id", Expression("request", "path", "id")),
        ("$request.query.filter[name].x", Expression("request", "query", "filter[name].x")),
        ("$request.header.Content-Type", Expression("request", "header", "Content-Type")),
        ("$request.body", Expression("request", "body")),
        ("$response.body#", Expression("response", "body")),
        ("$response.body#/user/uu~1id", Expression("response", "body", "/user/uu~1id")),
        ("$response.header.Server", Expression("response", "header", "Server")),
    ],
)
def test_an_expression_is_read_by_the_grammar(text: str, expected: Expression) -> None:
    assert parse_expression(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", "url", "$", "$URL", "$request", "$request.cookie.x", "$request.header.", "$request.header.a b",
     "$request.path.", "$response.body.id", "$response.body#id", "$response.body#/~2", "$response.header",
     "$statusCodes", "$url "],
)  # fmt: skip
def test_what_is_no_expression_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no runtime expression"):
        parse_expression(text)


EXCHANGE = Exchange(
    "POST",
    "http://host/x?y=1",
    {("path", "id"): 7, ("query", "q"): "a", ("header", "x-own"): "h"},
    {"name": "n"},
    201,
    {"x-next": "t"},
    {"id": 12, "tags": ["a"], "null": None},
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("$url", "http://host/x?y=1"),
        ("$method", "POST"),
        ("$statusCode", 201),
        ("$request.path.id", 7),
        ("$request.query.q", "a"),
        ("$request.header.X-Own", "h"),
        ("$request.body#/name", "n"),
        ("$response.body#/id", 12),
        ("$response.body#/null", None),
        ("$response.body#/none", UNSET),
        ("$response.body#/tags/0", "a"),
        ("$response.header.X-NEXT", "t"),
        ("$response.header.x-none", UNSET),
        ("$request.query.none", UNSET),
        ("a constant", "a constant"),
        (True, True),
        (["$url"], ["$url"]),
        ("no {brace}", "no {brace}"),
        ("job-{$response.body#/id}-{$request.body#/name}", "job-12-n"),
        ("job-{$response.body#/none}", UNSET),
        ("job-{$response.body#/tags}", UNSET),
    ],
)
def test_an_expression_is_what_the_exchange_says(value: object, expected: object) -> None:
    assert evaluate(value, EXCHANGE) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [("a", "a"), (True, "true"), (False, "false"), (None, "null"), (0, "0"), (1, "1"), (1.5, "1.5")],
)
def test_a_simple_value_has_a_text(value: object, expected: str) -> None:
    assert json_text(value) == expected
