"""Parameters on the wire: the table of style values of OpenAPI 3.0.4 and 3.1.1, RFC 6570, and names of every kind."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from tests.generated.letters import OK, Probe, described, ref

TEXT: dict[str, Any] = {"type": "string"}
COLOUR = {
    "string": TEXT,
    "array": {"type": "array", "items": TEXT},
    "object": {"type": "object", "additionalProperties": {"type": "integer"}},
}
VALUES: dict[str, Any] = {
    "string": "blue",
    "empty": "",
    "array": ["blue", "black", "brown"],
    "object": {"R": 100, "G": 200, "B": 150},
}
STYLES: dict[tuple[str, bool, str], dict[str, str]] = {
    # style, explode, where: what the table says
    ("matrix", False, "path"): {
        "empty": ";color",
        "string": ";color=blue",
        "array": ";color=blue,black,brown",
        "object": ";color=R,100,G,200,B,150",
    },
    ("matrix", True, "path"): {
        "empty": ";color",
        "string": ";color=blue",
        "array": ";color=blue;color=black;color=brown",
        "object": ";R=100;G=200;B=150",
    },
    ("label", False, "path"): {"string": ".blue", "array": ".blue,black,brown", "object": ".R,100,G,200,B,150"},
    ("label", True, "path"): {"string": ".blue", "array": ".blue.black.brown", "object": ".R=100.G=200.B=150"},
    ("simple", False, "path"): {"string": "blue", "array": "blue,black,brown", "object": "R,100,G,200,B,150"},
    ("simple", True, "path"): {"string": "blue", "array": "blue,black,brown", "object": "R=100,G=200,B=150"},
    ("simple", False, "header"): {
        "empty": "",
        "string": "blue",
        "array": "blue,black,brown",
        "object": "R,100,G,200,B,150",
    },
    ("simple", True, "header"): {"string": "blue", "array": "blue,black,brown", "object": "R=100,G=200,B=150"},
    ("form", False, "query"): {
        "empty": "color=",
        "string": "color=blue",
        "array": "color=blue,black,brown",
        "object": "color=R,100,G,200,B,150",
    },
    ("form", True, "query"): {
        "empty": "color=",
        "string": "color=blue",
        "array": "color=blue&color=black&color=brown",
        "object": "R=100&G=200&B=150",
    },
    ("spaceDelimited", False, "query"): {
        "array": "color=blue%20black%20brown",
        "object": "color=R%20100%20G%20200%20B%20150",
    },
    ("pipeDelimited", False, "query"): {
        "array": "color=blue%7Cblack%7Cbrown",
        "object": "color=R%7C100%7CG%7C200%7CB%7C150",
    },
    ("deepObject", True, "query"): {"object": "color%5BR%5D=100&color%5BG%5D=200&color%5BB%5D=150"},
    ("form", False, "cookie"): {
        "empty": "color=",
        "string": "color=blue",
        "array": "color=blue,black,brown",
        "object": "color=R,100,G,200,B,150",
    },
    # Of form and explode the text says that the name is repeated; cookies are parted by "; " (RFC 6265).
    ("form", True, "cookie"): {
        "string": "color=blue",
        "array": "color=blue; color=black; color=brown",
        "object": "R=100; G=200; B=150",
    },
}


def name_of(style: str, explode: bool, location: str, kind: str) -> str:
    return f"{location}_{style}_{'exploded' if explode else 'joined'}_{kind}".lower()


def _style_paths() -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for (style, explode, location), kinds in STYLES.items():
        for kind in {*kinds} - {"empty"}:
            name = name_of(style, explode, location, kind)
            parameter = {
                "name": "color",
                "in": location,
                "required": True,
                "style": style,
                "explode": explode,
                "schema": COLOUR[kind],
            }
            path = f"/{name}/{{color}}/end" if location == "path" else f"/{name}"
            paths[path] = {"get": {"operationId": name, "parameters": [parameter], "responses": OK}}
    return paths


def query(name: str, schema: Any = TEXT, **rest: Any) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": schema, **rest}


JSON_FILTER = {
    "application/json": {
        "schema": {
            "type": "object",
            "title": "Filter",
            "required": ["field"],
            "properties": {"field": TEXT, "isA": {"type": "boolean"}},
        }
    }
}
OTHERS: dict[str, list[dict[str, Any]]] = {
    "reserved": [
        query("plain"),
        query("open", allowReserved=True),
        query("many", {"type": "array", "items": TEXT}, allowReserved=True, explode=False),
    ],
    "names": [
        query("filter[name]"),
        query("$top", {"type": "integer"}),
        query("a.b"),
        query("größe"),
        query("fooBar"),
        query("foo_bar"),
        query("id"),
        query("class"),
        query("from"),
        query("datetime", {"type": "string", "format": "date-time"}),
        query("list", {"type": "array", "items": TEXT}),
        query("str"),
        query("1st"),
        query("@"),
        query("_x"),
        query("UNSET"),
        query("options"),
        query("type", {"type": "string", "format": "date"}),
        {"name": "id", "in": "header", "schema": TEXT},
    ],
    "content": [
        {"name": "filter", "in": "query", "required": True, "content": JSON_FILTER},
        {"name": "X-Filter", "in": "header", "content": JSON_FILTER},
        {"name": "plain", "in": "query", "content": {"text/plain": {"schema": TEXT}}},
    ],
    "ignored": [
        {"name": name, "in": "header", "required": True, "schema": TEXT}
        for name in ("Accept", "content-type", "AUTHORIZATION", "X-Real")
    ],
    "empty": [query("flag", {"type": "boolean"}, allowEmptyValue=True), query("text", allowEmptyValue=True)],
    "enums": [
        query("one", ref("Sort")),
        query("many", {"type": "array", "items": ref("Sort")}),
        {"name": "X-Sort", "in": "header", "schema": ref("Sort")},
        query("inline", {"enum": [1, 2]}),
        query("either", {"anyOf": [ref("Sort"), {"type": "null"}]}),
        query("day", {"type": "string", "format": "date"}),
    ],
    "model": [
        query(
            "by",
            {
                "type": "object",
                "title": "By",
                "properties": {"minAge": {"type": "integer"}, "maxAge": {"type": "integer"}},
            },
        ),
        query("deep", ref("Deep"), style="deepObject"),
        query("d", TEXT),
        query("self", TEXT),
    ],
}
DOCUMENT = described(
    {
        **_style_paths(),
        **{
            f"/{name}": {"get": {"operationId": name, "parameters": parameters, "responses": OK}}
            for name, parameters in OTHERS.items()
        },
        "/path/{a.b}/{c-d}{e}/{kind}": {
            "parameters": [
                {"name": name, "in": "path", "required": True, "schema": schema}
                for name, schema in (
                    ("e", {"type": "integer"}),
                    ("c-d", {"type": "boolean"}),
                    ("a.b", TEXT),
                    ("kind", ref("Sort")),
                )
            ],
            "get": {"operationId": "path", "parameters": [query("e")], "responses": OK},
        },
    },
    components={
        "schemas": {
            "Sort": {"type": "string", "enum": ["up", "down & out"]},
            "Deep": {"type": "object", "properties": {"a b": TEXT, "n": {"type": "integer"}}},
        }
    },
)


@pytest.mark.parametrize(
    ("style", "explode", "location", "kind"), [(*row, kind) for row, kinds in STYLES.items() for kind in kinds]
)
def test_a_value_is_written_as_the_table_says(
    probe: Probe, style: str, explode: bool, location: str, kind: str
) -> None:
    name = name_of(style, explode, location, "string" if kind == "empty" else kind)
    expected = STYLES[style, explode, location][kind]
    if location == "path":
        probe.call(name, VALUES[kind])
        assert probe.sent.target == f"/{name}/{expected}/end"
        return
    probe.call(name, color=VALUES[kind])
    sent = {"query": probe.query, "header": probe.sent.header("color"), "cookie": probe.sent.header("cookie")}
    assert sent[location] == expected


def test_reserved_characters_stay_where_the_document_allows_them(probe: Probe) -> None:
    text = "a/b:c?d@e!f$g'h(i)j*k,l;m=n é%"
    probe.call("reserved", plain=text, open_=text, many=["x/y", "z&q#[]+"])

    plain, opened, many = probe.query.split("&")
    assert plain == "plain=a%2Fb%3Ac%3Fd%40e%21f%24g%27h%28i%29j%2Ak%2Cl%3Bm%3Dn%20%C3%A9%25"
    assert opened == "open=a/b:c?d@e!f$g'h(i)j*k,l;m=n%20%C3%A9%25"
    # What ends a value or the query itself stays encoded: RFC 3986, 3.4, and the form's own & and +.
    assert many == "many=x/y,z%26q%23%5B%5D%2B"


def test_names_of_every_kind_reach_the_wire_as_they_are(probe: Probe) -> None:
    probe.call(
        "names",
        filtername="1",
        top=2,
        a_b="3",
        größe="4",
        fooBar="5",
        foo_bar="6",
        id_query="7",
        class_="8",
        from_="9",
        list_=["10"],
        str_="11",
        field_1st="12",
        field_="13",
        field_x="14",
        unset="15",
        options_="16",
        type_=date(2026, 1, 2),
        id_header="17",
    )

    assert probe.query == (
        "filter%5Bname%5D=1&%24top=2&a.b=3&gr%C3%B6%C3%9Fe=4&fooBar=5&foo_bar=6&id=7&class=8&from=9&list=10&str=11"
        "&1st=12&%40=13&_x=14&UNSET=15&options=16&type=2026-01-02"
    )
    assert [value for name, value in probe.sent.headers if name.lower() == "id"] == ["17"]


def test_what_a_media_type_describes_goes_in_it(probe: Probe) -> None:
    models = probe.models
    probe.call("content", filter_=models.Filter(field_="ü", is_a=True), x_filter={"field": "x"}, plain='a"b')

    assert probe.query == "filter=%7B%22field%22%3A%22%C3%BC%22%2C%22isA%22%3Atrue%7D&plain=a%22b"
    assert probe.sent.header("x-filter") == '{"field":"x"}'


def test_headers_that_the_operation_itself_says_are_no_parameters(probe: Probe) -> None:
    probe.call("ignored", x_real="x")

    assert probe.sent.header("x-real") == "x"
    assert probe.sent.header("accept") == "*/*"
    assert probe.sent.header("authorization") is None
    with pytest.raises(TypeError):
        probe.call("ignored", x_real="x", accept="text/html")


def test_an_empty_value_can_be_sent(probe: Probe) -> None:
    probe.call("empty", flag=False, text="")

    assert probe.query == "flag=false&text="


def test_enums_go_as_their_values(probe: Probe) -> None:
    sort = probe.models.Sort
    probe.call(
        "enums",
        one=sort.UP,
        many=[sort("down & out"), "new"],
        x_sort=sort("later"),
        inline=1,
        either=None,
        day=date(2026, 1, 2),
    )

    assert probe.query == "one=up&many=down%20%26%20out&many=new&inline=1&day=2026-01-02"
    assert probe.sent.header("x-sort") == "later"


def test_objects_are_parameters_too(probe: Probe) -> None:
    models = probe.models
    probe.call("model", by=models.By(min_age=1), deep=models.Deep(a_b="x&y", n=2), d="d", self_="s")

    assert probe.query == "minAge=1&deep%5Ba%20b%5D=x%26y&deep%5Bn%5D=2&d=d&self=s"


def test_a_path_is_filled_in_its_own_order(probe: Probe) -> None:
    probe.call("path", "x/y", c_d=True, e_path=7, kind=probe.models.Sort("down & out"), e_query="q")

    assert probe.sent.target == "/path/x%2Fy/true7/down%20%26%20out?e=q"
