from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from modelport_tools import patch
from modelport_tools.errors import SpecError
from tests.unit.tools.specs import write

DOCUMENT: dict[str, Any] = {
    "info": {"title": "old", "x": {"deep": [1]}},
    "list": ["a", "b", "c", "d"],
    "paths": {"/a": {"get": {"tags": ["x"]}}, "/b": {"get": {"tags": ["x", "y"]}, "post": {}}},
}


def applied(folder: Path, *actions: dict[str, Any], version: Any = "1.1.0") -> Any:
    overlay = write(folder, {"overlay": version, "info": {"title": "t", "version": "1"}, "actions": list(actions)})
    before = copy.deepcopy(DOCUMENT)
    after = patch.apply(DOCUMENT, overlay)

    assert before == DOCUMENT
    return after


def expected(**changes: Any) -> dict[str, Any]:
    return {**DOCUMENT, **changes}


PATHS = DOCUMENT["paths"]


@pytest.mark.parametrize(
    ("action", "changes"),
    [
        ({"target": "$.info", "update": {"title": "new", "y": 1}}, {
            "info": {"title": "new", "x": {"deep": [1]}, "y": 1}}),
        ({"target": "$.info", "update": {"x": {"deep": [2], "z": 1}}}, {
            "info": {"title": "old", "x": {"deep": [1, 2], "z": 1}}}),
        ({"target": "$.info.title", "update": "new"}, {"info": {"title": "new", "x": {"deep": [1]}}}),
        ({"target": "$", "update": {"tags": []}}, {"tags": []}),
        ({"target": "$.list", "update": "e"}, {"list": ["a", "b", "c", "d", "e"]}),
        ({"target": "$.list", "update": ["e", "f"]}, {"list": ["a", "b", "c", "d", "e", "f"]}),
        ({"target": "$.list", "update": {"k": 1}}, {"list": ["a", "b", "c", "d", {"k": 1}]}),
        ({"target": "$.list[1]", "update": "B"}, {"list": ["a", "B", "c", "d"]}),
        ({"target": "$.list[0]", "remove": True}, {"list": ["b", "c", "d"]}),
        ({"target": "$.list[2,0]", "remove": True}, {"list": ["b", "d"]}),
        ({"target": "$.list[0,0,1]", "remove": True}, {"list": ["c", "d"]}),
        ({"target": "$.list[1:]", "remove": True}, {"list": ["a"]}),
        ({"target": "$.list[::-1]", "remove": True}, {"list": []}),
        ({"target": "$.list[?@ == 'c' || @ == 'a']", "remove": True}, {"list": ["b", "d"]}),
        ({"target": "$.info.x", "remove": True}, {"info": {"title": "old"}}),
        ({"target": "$.info..*", "remove": True}, {"info": {}}),
        ({"target": "$.info.title", "remove": True, "update": "ignored"}, {"info": {"x": {"deep": [1]}}}),
        ({"target": "$.paths.*.get.tags", "update": "z"}, {
            "paths": {"/a": {"get": {"tags": ["x", "z"]}}, "/b": {"get": {"tags": ["x", "y", "z"]}, "post": {}}}}),
        ({"target": "$.paths['/b'].post", "copy": "$.paths['/a'].get"}, {
            "paths": {"/a": PATHS["/a"], "/b": {"get": {"tags": ["x", "y"]}, "post": {"tags": ["x"]}}}}),
        ({"target": "$.list", "copy": "$.paths['/b'].get.tags"}, {"list": ["a", "b", "c", "d", "x", "y"]}),
        ({"target": "$.list", "copy": "$.list"}, {"list": ["a", "b", "c", "d", "a", "b", "c", "d"]}),
    ],
)  # fmt: skip
def test_an_action_does_what_the_specification_says(
    tmp_path: Path, action: dict[str, Any], changes: dict[str, Any]
) -> None:
    assert applied(tmp_path, action) == expected(**changes)


def test_list_items_beyond_the_ninth_are_removed_in_their_order(tmp_path: Path) -> None:
    overlay = write(tmp_path, {"overlay": "1.0.0", "actions": [{"target": "$.l[?@ > 3 && @ != 7]", "remove": True}]})

    assert patch.apply({"l": list(range(25))}, overlay) == {"l": [0, 1, 2, 3, 7]}


def test_an_update_is_a_copy_in_every_place(tmp_path: Path) -> None:
    after = applied(
        tmp_path,
        {"target": "$.paths.*.get", "update": {"x": {"n": []}}},
        {"target": "$.paths['/a'].get.x.n", "update": 1},
    )

    assert after["paths"]["/a"]["get"]["x"] == {"n": [1]}
    assert after["paths"]["/b"]["get"]["x"] == {"n": []}


def test_actions_see_what_those_before_them_did(tmp_path: Path) -> None:
    after = applied(
        tmp_path,
        {"target": "$.list", "remove": True},
        {"target": "$", "update": {"list": ["new"]}},
        {"target": "$.list[0]", "update": "newer"},
    )

    assert after["list"] == ["newer"]


@pytest.mark.parametrize(
    ("action", "says"),
    [
        ({"target": "$.nope", "update": {}}, "the target '$.nope' matches nothing"),
        ({"target": "$.list[9]", "remove": True}, "matches nothing"),
        ({"target": "$.list[", "remove": True}, "is not JSONPath"),
        ({"target": "$.list"}, "needs update, copy or remove"),
        ({"target": "$.list", "remove": False}, "needs update, copy or remove"),
        ({"target": 7, "remove": True}, "needs a target"),
        ({"update": {}}, "needs a target"),
        ("text", "needs a target"),
        ({"target": "$", "remove": True}, "cannot be removed"),
        ({"target": "$", "update": "text"}, "does not fit"),
        ({"target": "$.info", "update": "text"}, "does not fit"),
        ({"target": "$.info.title", "update": {"a": 1}}, "does not fit"),
        ({"target": "$.info", "update": {"x": {"deep": {"a": 1}, "title": 1}, "title": {}}}, "at /title does not fit"),
        ({"target": "$.info.title", "update": [1]}, "does not fit"),
        ({"target": "$.list", "copy": "$.nope"}, "the source of the copy '$.nope' matches nothing"),
        ({"target": "$.list", "copy": "$.paths.*"}, "matches 2 places"),
    ],
)  # fmt: skip
def test_an_action_that_cannot_be_done_is_refused_with_its_place(tmp_path: Path, action: Any, says: str) -> None:
    with pytest.raises(SpecError) as caught:
        applied(tmp_path, {"target": "$.list", "update": "z"}, action)

    assert says in caught.value.reason
    assert caught.value.pointer == "/actions/1"
    assert caught.value.source == str(tmp_path / "spec.json")


@pytest.mark.parametrize("version", ["1.0.0", "1.0", "1.1.0", "1.1.7", 1.1])
def test_the_versions_that_are_known(tmp_path: Path, version: Any) -> None:
    assert applied(tmp_path, {"target": "$.list[0]", "remove": True}, version=version)["list"] == ["b", "c", "d"]


@pytest.mark.parametrize("version", ["", "2.0.0", "1.10.0", "1.2.0", "1.0x", None, 1])
def test_other_versions_are_refused(tmp_path: Path, version: Any) -> None:
    with pytest.raises(SpecError, match=r"needs Overlay 1\.0 or 1\.1"):
        applied(tmp_path, {"target": "$.list[0]", "remove": True}, version=version)


@pytest.mark.parametrize("actions", [None, [], {}, "x"])
def test_an_overlay_needs_actions(tmp_path: Path, actions: Any) -> None:
    with pytest.raises(SpecError, match="has no actions"):
        patch.apply(DOCUMENT, write(tmp_path, {"overlay": "1.0.0", "actions": actions}))
