"""References to other files become components, and never lead out of the folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from modelport_tools.bundle import bundle
from modelport_tools.document import read
from modelport_tools.errors import SpecError
from modelport_tools.generate import generate_one
from modelport_tools.normalise import normalise
from tests.unit.tools.specs import OK, document, operation, write

STRING = {"type": "string"}
QUERY = {"name": "q", "in": "query", "schema": STRING}


def answers(schema: Any) -> dict[str, Any]:
    return {"200": {"description": "ok", "content": {"application/json": {"schema": schema}}}}


def refers(reference: str, **rest: Any) -> dict[str, Any]:
    return document({"/a": {"get": operation(responses=answers({"$ref": reference}))}}, **rest)


def bundled(main: Path) -> dict[str, Any]:
    return normalise(bundle(read(main), main))


def answer_of(values: dict[str, Any]) -> str:
    return values["paths"]["/a"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]["$ref"]


def test_what_a_reference_points_at_becomes_a_component(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    thing = {"properties": {"next": {"$ref": "#/Thing"}, "kind": {"$ref": "parts/kind.json"}}}
    write(tmp_path, {"Thing": thing}, "t.json")
    write(tmp_path / "parts", {**STRING, "description": "whole file"}, "kind.json")
    found = bundled(write(tmp_path, refers("./t.json#/Thing")))

    assert answer_of(found) == "#/components/schemas/Thing"
    assert found["components"]["schemas"] == {
        "Thing": {
            "properties": {
                "kind": {"$ref": "#/components/schemas/kind"},
                "next": {"$ref": "#/components/schemas/Thing"},
            }
        },
        "kind": {"type": "string", "description": "whole file"},
    }


def test_a_component_that_is_only_a_reference_is_the_home_of_its_content(tmp_path: Path) -> None:
    write(tmp_path, STRING, "t.json")
    schemas = {"Own": {"$ref": "t.json"}, "Second": {"$ref": "t.json#"}, "Use": {"items": {"$ref": "t.json"}}}
    found = bundled(write(tmp_path, refers("t.json", components={"schemas": schemas})))

    assert answer_of(found) == "#/components/schemas/Own"
    assert found["components"]["schemas"] == {
        "Own": STRING,
        "Second": {"$ref": "#/components/schemas/Own"},
        "Use": {"items": {"$ref": "#/components/schemas/Own"}},
    }


def test_names_that_clash_grow_by_file_and_folder_and_number(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        write(tmp_path / folder, {"X": {"description": folder}}, "t.json")
    write(tmp_path, {"X": {"description": "top"}, "t_X": {}}, "t.json")
    references = ["a/t.json#/X", "b/t.json#/X", "t.json#/X", "t.json#/t_X"]
    schemas = {"X": STRING, "All": {"allOf": [{"$ref": one} for one in references]}}
    found = bundled(write(tmp_path, document(components={"schemas": schemas})))["components"]["schemas"]
    names = [one["$ref"].rpartition("/")[2] for one in found["All"]["allOf"]]

    assert names == ["t_X", "b_t_X", "t_X_2", "t_t_X"]
    assert [found[name].get("description") for name in names] == ["a", "b", "top", None]
    assert found["X"] == STRING


def test_a_file_may_refer_back_to_the_document_and_to_itself_in_a_circle(tmp_path: Path) -> None:
    first = {"properties": {"b": {"$ref": "b.json#/B"}, "m": {"$ref": "spec.json#/components/schemas/M"}}}
    write(tmp_path, {"A": first}, "a.json")
    write(tmp_path, {"B": {"properties": {"a": {"$ref": "a.json#/A"}}}}, "b.json")
    main = write(tmp_path, refers("a.json#/A", components={"schemas": {"M": STRING}}))
    found = bundled(main)["components"]["schemas"]

    assert found["A"]["properties"] == {
        "b": {"$ref": "#/components/schemas/B"},
        "m": {"$ref": "#/components/schemas/M"},
    }
    assert found["B"]["properties"]["a"] == {"$ref": "#/components/schemas/A"}


def test_every_kind_of_part_may_stand_in_another_file(tmp_path: Path) -> None:
    parts = {
        "item": {"get": operation("getIt", parameters=[{"$ref": "#/p"}], responses={"200": {"$ref": "#/r"}}),
                 "post": operation("postIt", requestBody={"$ref": "#/b"})},
        "p": {"name": "p", "in": "query", "schema": STRING, "examples": {"e": {"$ref": "#/e"}}},
        "r": {"description": "ok", "headers": {"X": {"$ref": "#/h"}}, "links": {"l": {"$ref": "#/l"}}},
        "b": {"content": {"application/json": {"schema": STRING}}},
        "h": {"schema": STRING}, "e": {"value": {"$ref": "data"}}, "l": {"operationId": "getIt"},
    }  # fmt: skip
    write(tmp_path, parts, "parts.json")
    found = bundled(write(tmp_path, document({"/a": {"$ref": "parts.json#/item", "summary": "own"}})))

    assert found["paths"]["/a"]["summary"] == "own"
    assert found["paths"]["/a"]["get"]["parameters"] == [{"$ref": "#/components/parameters/p"}]
    assert {name: sorted(entries) for name, entries in found["components"].items()} == {
        "parameters": ["p"], "responses": ["r"], "requestBodies": ["b"], "headers": ["h"], "examples": ["e"],
        "links": ["l"],
    }  # fmt: skip
    assert found["components"]["examples"]["e"] == {"value": {"$ref": "data"}}


def test_a_discriminator_s_mapping_is_followed(tmp_path: Path) -> None:
    write(tmp_path, {"Cat": {"properties": {"kind": STRING}}}, "cat.json")
    mapping = {"cat": "cat.json#/Cat", "dog": "Dog"}
    pet = {"oneOf": [{"$ref": "cat.json#/Cat"}], "discriminator": {"propertyName": "kind", "mapping": mapping}}
    found = bundled(write(tmp_path, document(components={"schemas": {"Pet": pet}})))["components"]["schemas"]

    assert found["Pet"]["discriminator"]["mapping"] == {"cat": "#/components/schemas/Cat", "dog": "Dog"}


def test_names_in_the_document_are_not_taken_for_keywords(tmp_path: Path) -> None:
    own = {"properties": {"$ref": STRING, "example": {"$ref": "t.json"}}, "example": {"$ref": "nowhere.json"}}
    write(tmp_path, STRING, "t.json")
    found = bundle(document(components={"schemas": {"A": own}}), tmp_path / "spec.json")["components"]["schemas"]

    assert found["A"]["properties"] == {"$ref": STRING, "example": {"$ref": "#/components/schemas/t"}}
    assert found["A"]["example"] == {"$ref": "nowhere.json"}


@pytest.mark.parametrize(
    ("reference", "says"),
    [
        ("http://127.0.0.1:1/x.yaml#/A", "nothing is fetched over the network"),
        ("https://example.org/x.yaml", "nothing is fetched over the network"),
        ("file:///etc/passwd", "nothing is fetched over the network"),
        ("//example.org/x", "nothing is fetched over the network"),
        ("/etc/passwd", "must be relative"),
        ("%2fetc/passwd", "must be relative"),
        ("\\\\host\\share", "must be relative"),
        ("../outside.json", "leads out of the folder"),
        ("a/../../outside.json", "leads out of the folder"),
        ("%2e%2e/outside.json", "leads out of the folder"),
        ("link.json", "leads out of the folder"),
        ("linked/outside.json", "leads out of the folder"),
        ("missing.json", "there is no such file"),
        ("folder", "there is no such file"),
        ("there.json#/nowhere", "there.json#/nowhere: the reference leads nowhere"),
        ("there.json#anchor", "an anchor is not supported"),
    ],
)
def test_a_reference_out_of_the_folder_is_refused_with_its_place(tmp_path: Path, reference: str, says: str) -> None:
    inside = tmp_path / "inside"
    (inside / "folder").mkdir(parents=True)
    outside = write(tmp_path, STRING, "outside.json")
    (inside / "link.json").symlink_to(outside)
    (inside / "linked").symlink_to(tmp_path)
    write(inside, STRING, "there.json")
    main = inside / "spec.json"
    main.write_text(json.dumps(refers(reference), indent=1))
    with pytest.raises(SpecError) as caught:
        bundle(read(main), main)

    assert says in caught.value.reason
    assert caught.value.pointer == "/paths/~1a/get/responses/200/content/application~1json/schema/$ref"
    assert reference.replace("\\", "\\\\") in main.read_text().splitlines()[(caught.value.line or 0) - 1]
    assert caught.value.source == str(main)


def test_a_fault_in_another_file_is_told_by_that_file_s_name(tmp_path: Path) -> None:
    (tmp_path / "t.yaml").write_text("A:\n  items:\n    $ref: ../x.yaml\n")
    main = write(tmp_path, refers("t.yaml#/A"))
    with pytest.raises(SpecError, match=r"t\.yaml:3: /A/items/\$ref: \.\./x\.yaml: leads out") as caught:
        bundle(read(main), main)

    assert caught.value.source == str(tmp_path / "t.yaml")


def test_a_path_item_that_holds_itself_is_refused(tmp_path: Path) -> None:
    own = {"post": operation(callbacks={"c": {"{$url}": {"$ref": "p.json"}}})}
    write(tmp_path, own, "p.json")
    main = write(tmp_path, document({"/a": {"$ref": "p.json"}}))
    with pytest.raises(SpecError, match="holds itself"):
        bundle(read(main), main)


def test_many_copies_of_a_large_part_are_a_bomb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("modelport_tools.bundle.MAX_VALUES", 1000)
    write(tmp_path, {"get": operation("x", **{"x-data": list(range(200))})}, "p.json")
    main = write(tmp_path, document({f"/{index}": {"$ref": "p.json"} for index in range(10)}))
    with pytest.raises(SpecError, match="has more than 1000 values"):
        bundle(read(main), main)


def test_a_document_in_several_files_gives_the_client_of_the_one_in_one_file(tmp_path: Path) -> None:
    schema = {"type": "object", "properties": {"x": STRING}}
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    whole = write(tmp_path / "one", refers("#/components/schemas/Thing", components={"schemas": {"Thing": schema}}))
    write(tmp_path / "two", {"Thing": schema}, "t.json")
    split = write(tmp_path / "two", refers("t.json#/Thing"))
    generate_one(whole, output=tmp_path / "out", package="made")

    assert generate_one(split, output=tmp_path / "out", package="made", check=True).fresh


def test_what_has_no_components_is_taken_in_where_it_stands(tmp_path: Path) -> None:
    """Documents of many files refer to operations, texts and maps too, though OpenAPI has no references there."""
    (tmp_path / "parts").mkdir()
    parts = {"text": "Words.", "op": operation("far", responses={"200": {"$ref": "#/ok"}}), "ok": OK["200"]}
    write(tmp_path / "parts", {**parts, "props": {"x": {"$ref": "#/x"}}, "x": STRING, "list": [QUERY]}, "p.json")
    paths = {"/a": {"get": {"$ref": "parts/p.json#/op"}, "parameters": {"$ref": "parts/p.json#/list"}}}
    thing = {"type": "object", "properties": {"$ref": "parts/p.json#/props"}}
    info = {"title": "t", "version": "1", "description": {"$ref": "parts/p.json#/text"}}
    main = write(tmp_path, document(paths, components={"schemas": {"Thing": thing}}, info=info))
    found = bundle(read(main), main)

    assert found["info"]["description"] == "Words."
    assert found["paths"]["/a"]["parameters"] == [QUERY]
    assert found["paths"]["/a"]["get"]["operationId"] == "far"
    assert found["components"]["schemas"] == {
        "Thing": {"type": "object", "properties": {"x": {"$ref": "#/components/schemas/x"}}}, "x": STRING
    }  # fmt: skip
    normalise(found)


def test_a_reference_in_an_example_or_an_extension_is_left_as_it_is(tmp_path: Path) -> None:
    told = {"$ref": "nowhere.json"}
    own = {**operation(), "x-samples": [{"code": told}]}
    own["responses"] = {"200": {"description": "ok", "content": {"application/json": {"example": {"a": told}}}}}
    main = write(tmp_path, document({"/a": {"get": own}}))

    assert bundle(read(main), main)["paths"]["/a"]["get"] == own


@pytest.mark.parametrize("what", ["operation", "value"])
def test_what_holds_itself_without_components_is_refused(what: str, tmp_path: Path) -> None:
    write(tmp_path, {"op": {"$ref": "#/op"}}, "p.json")
    values = document({"/a": {"get": {"$ref": "p.json#/op"}}})
    if what == "value":
        values = document(info={"title": "t", "version": "1", "description": {"$ref": "p.json#/op"}})
    main = write(tmp_path, values)
    with pytest.raises(SpecError, match=f"the {what} holds itself"):
        bundle(read(main), main)
