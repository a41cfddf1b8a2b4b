from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from modelport_tools.document import dump, line_of, lookup, operations, read, resolve
from modelport_tools.errors import SpecError
from modelport_tools.pointers import MAX_DEPTH, MAX_SIZE_BYTES
from tests.unit.tools.specs import document, write


def read_text(folder: Path, text: str | bytes, name: str = "spec.yaml") -> dict[str, object]:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read(path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: {200: x, 1.5: y, true: z, null: n}", {"a": {"200": "x", "1.5": "y", "true": "z", "null": "n"}}),
        ("on: off\nyes: no\nY: n", {"on": "off", "yes": "no", "Y": "n"}),
        ("a: 2026-01-02\nb: 2026-01-02T03:04:05Z", {"a": "2026-01-02", "b": "2026-01-02T03:04:05Z"}),
        ("c: 12:30", {"c": "12:30"}),
        ("a: 1\nb: -2\nc: 1.5\nd: 1e3\ne: 010\nf: 0x10\ng: 1_000", {
            "a": 1, "b": -2, "c": 1.5, "d": 1000.0, "e": "010", "f": "0x10", "g": "1_000"}),
        ("a: true\nb: False\nc: null", {"a": True, "b": False, "c": None}),
        ("d: ~\ne:\nf: ''", {"d": None, "e": None, "f": ""}),
        ("a: .inf\nb: .nan", {"a": ".inf", "b": ".nan"}),
        ("a: &x {b: 1}\nc: *x", {"a": {"b": 1}, "c": {"b": 1}}),
        ("a: &x {b: 1}\n&y c: &z text\nd: *z", {"a": {"b": 1}, "c": "text", "d": "text"}),
        ("a: &x {b: 1, c: 2}\nd:\n  c: 3\n  <<: *x\n  e: 4", {"a": {"b": 1, "c": 2}, "d": {"c": 3, "e": 4, "b": 1}}),
        ("a: &x {b: 1}\nc: &y {b: 2, d: 3}\ne: {<<: [*x, *y]}", {
            "a": {"b": 1}, "c": {"b": 2, "d": 3}, "e": {"b": 1, "d": 3}}),
        ("a: {<<: {b: 1}, b: 2}\nc: {'<<': 1}", {"a": {"b": 2}, "c": {"<<": 1}}),
        ("a: &x {<<: {b: 1}}\nc: {<<: *x}", {"a": {"b": 1}, "c": {"b": 1}}),
        ("a: !!str 200\nb: !!int '200'\nc: !!timestamp 2026-01-02\nd: ! 1\ne: !!map {f: !!seq [1]}", {
            "a": "200", "b": 200, "c": "2026-01-02", "d": "1", "e": {"f": [1]}}),
        ("{openapi: 3.1.0, paths: {}}", {"openapi": "3.1.0", "paths": {}}),
        ("\ufeffa: 1", {"a": 1}),
        ('{"a": 1, "b": [true, null, 1.5]}', {"a": 1, "b": [True, None, 1.5]}),
        ('\n\n  {"a": "\\ud83d\\ude00"}', {"a": "😀"}),
        ("a: 'x'\r\nb: |\r\n  one\r\n  two\r\n", {"a": "x", "b": "one\ntwo\n"}),
    ],
)  # fmt: skip
def test_yaml_is_read_as_json_has_it(tmp_path: Path, text: str, expected: dict[str, object]) -> None:
    assert read_text(tmp_path, text) == expected


@pytest.mark.parametrize(
    ("text", "says", "line"),
    [
        ("", "is empty or no object", None),
        ("\n\n", "is empty or no object", None),
        ("[1]", "is empty or no object", None),
        ("just text", "is empty or no object", None),
        ("a: 1\nb: [1, 2\n", "is not YAML", 3),
        ("a: 1\n\tb: 2\n", "is not YAML", 2),
        ("a: 1\n--- \nb: 2\n", "is not YAML", 2),
        ("a: !!python/object:os.system x", "is not YAML", 1),
        ("a: !!int x", "cannot be read", 1),
        ("a: 1\nb:\n  c: 1\n  c: 2\n", "the key 'c' stands twice", 4),
        ("a:\n  <<: {b: 1}\n  <<: {c: 1}\n", "the key '<<' stands twice", 3),
        ("a: {<<: text}", "<< needs a mapping", 1),
        ("a: {<<: [{}, text]}", "<< needs a mapping", 1),
        ("a: &x\n  b: {<<: *x}", "refers to itself", 2),
        ("a: *nowhere", "the alias *nowhere stands for nothing", 1),
        ("a: 1\nb: !!binary aGk=", "the tag !!binary is not supported", 2),
        ("a: !Ref x", "the tag !Ref is not supported", 1),
        ("a: !!set {b, c}", "the tag !!set is not supported", 1),
        ("a: !!bool maybe", "cannot be read as !!bool", 1),
        ("<!DOCTYPE html>\n<p>x</p>", "it holds a text", None),
        ("a: \x00", "is not YAML", 1),
        ("200: x\n'200': y\n", "the key '200' stands twice", 2),
        ("? [a]\n: 1\n", "a key must be a text", 1),
        ('{"a": 1,\n "b": [1, 2', "is not JSON", 2),
        ('{"a": {"x": 1},\n "b": {"c": 1,\n "c": 2}}', "the key 'c' stands twice", 3),
        ('{"a": NaN}', "NaN is no number of JSON", 1),
        ('{"a": 1,\n"b": -Infinity}', "-Infinity is no number of JSON", 2),
        ('{"a": [0,\n1e999]}', "out of range", 2),
        ("a: 1e999", "out of range", 1),
        ('{"a": ' + "1" * 5000 + "}", "cannot be read", 1),
        ("a: " + "1" * 5000, "cannot be read", 1),
        ('{"a": "\\ud800"}', "half of a surrogate pair", 1),
        ('{"b": {\n"\\udc00": 1}}', "half of a surrogate pair", 1),
        ("a: &x {b: *x}", "refers to itself", 1),
        ("&x\na: *x", "refers to itself", 2),
        ("b: 1\na: \x07", "is not YAML", 2),
        (b"a: 1\nb: \xff\xfe\n", "is not UTF-8", 2),
        ("a: 1".encode("utf-16"), "is not UTF-8", 1),
        ("- " * 5000, "levels deep", 1),
        ('{"a": ' * 100_000, "nested", None),
        ("a: " + "[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1), "levels deep", 1),
    ],
)  # fmt: skip
def test_what_is_no_document_is_refused_with_its_line(
    tmp_path: Path, text: str | bytes, says: str, line: int | None
) -> None:
    with pytest.raises(SpecError) as caught:
        read_text(tmp_path, text)

    assert says in caught.value.reason
    assert caught.value.line == line
    assert caught.value.source == str(tmp_path / "spec.yaml")
    assert str(caught.value).startswith(caught.value.source)


@pytest.mark.parametrize(
    ("text", "pointer", "line"),
    [
        ("a:\n- x: 1\n- b:\n    c~/d: 1\n    c~/d: 2", "/a/1/b/c~0~1d", 5),
        ('{"a": [0, {"b": {"c": 1,\n"c": 2}}]}', "/a/1/b/c", 2),
        ('{"a": {},\n"a": {}}', "/a", 2),
        ('{"a": [1,\n NaN]}', "/a/1", 2),
        ("a:\n  b: 1e999", "/a/b", 2),
        ('{"a": {\n"b": ["\\ud800"]}}', "/a/b/0", 2),
        ("a:\n- &x\n  b: !!set {}\n", "/a/0/b", 3),
    ],
)
def test_a_fault_in_a_value_is_named_with_its_place(tmp_path: Path, text: str, pointer: str, line: int) -> None:
    with pytest.raises(SpecError) as caught:
        read_text(tmp_path, text)

    assert (caught.value.pointer, caught.value.line) == (pointer, line)


PLACES = [
    ("", 1), ("/paths", 3), ("/paths/~1a~1{b}", 4), ("/paths/~1a~1{b}/get/tags/1", 7),
    ("/paths/~1a~1{b}/get/absent/more", 5), ("/absent", None), ("/list/9", 8),
]  # fmt: skip


@pytest.mark.parametrize(("pointer", "line"), PLACES)
def test_a_place_is_told_by_its_line_or_the_nearest_above(tmp_path: Path, pointer: str, line: int | None) -> None:
    as_yaml = write(
        tmp_path,
        "openapi: 3.1.0\nx: {y: &z []}\npaths:\n  /a/{b}:\n    get:\n      tags: [x,\n        y]\nlist: *z",
        "s.yaml",
    )
    as_json = write(
        tmp_path,
        '{"openapi": "3.1.0",\n"x": {"y": []},\n"paths": {\n"/a/{b}": {\n"get": {\n"tags": ["x",\n"y"]}}},\n'
        '"list": []}',
        "s.json",
    )

    assert line_of(as_yaml, pointer) == line
    assert line_of(as_json, pointer) == line


def test_a_merge_bomb_is_refused(tmp_path: Path) -> None:
    keys = ", ".join(f"k{number}: 1" for number in range(1000))
    with pytest.raises(SpecError, match="more than 2000000 values"):
        read_text(tmp_path, f"a: &a {{{keys}}}\nb: {{<<: [{'*a, ' * 10_000}]}}")


def test_merges_of_merges_do_not_multiply(tmp_path: Path) -> None:
    lines = ["a0: &a0 {k: 1}", *(f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 10)}]}}" for n in range(1, 100))]

    assert read_text(tmp_path, "\n".join(lines))["a99"] == {"k": 1}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_a_pipe_is_refused_and_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SpecError, match="no regular file"):
        read(tmp_path / "pipe")


def test_a_path_that_no_system_has_is_refused() -> None:
    with pytest.raises(SpecError, match="cannot be read"):
        read(Path("a\0b"))


def test_an_alias_bomb_is_refused(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    with pytest.raises(SpecError, match="once its aliases are written out"):
        read_text(tmp_path, "\n".join(lines))


def test_a_tower_of_aliases_is_refused(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x]", *(f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 3000))]
    with pytest.raises(SpecError, match="levels deep"):
        read_text(tmp_path, "\n".join(lines))


def test_a_file_that_is_too_large_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "spec.json"
    with path.open("wb") as file:
        file.truncate(50 * 2**20)

    assert path.stat().st_size > MAX_SIZE_BYTES
    with pytest.raises(SpecError, match="larger than 32 MiB"):
        read(path)


def test_an_endless_file_is_refused() -> None:
    if not Path("/dev/zero").exists():
        pytest.skip("no /dev/zero")
    with pytest.raises(SpecError, match="no regular file"):
        read(Path("/dev/zero"))


@pytest.mark.parametrize("name", ["missing.yaml", "folder", "link", "loop", "spec.json/x", "x" * 300])
def test_what_cannot_be_read_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("nowhere")
    (tmp_path / "loop").symlink_to("loop")
    write(tmp_path, document())
    with pytest.raises(SpecError, match="cannot be read") as caught:
        read(tmp_path / name)

    assert caught.value.__cause__ is not None


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, document())
    path.chmod(0)
    with pytest.raises(SpecError, match="cannot be read"):
        read(path)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\u2028\u2029\ufeff\ufffe\uffff")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=3), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@given(values=st.dictionaries(st.text("abc", max_size=3), VALUES, min_size=1))
def test_json_and_yaml_of_the_same_values_are_the_same_document(
    tmp_path_factory: pytest.TempPathFactory, values: dict[str, object]
) -> None:
    folder = tmp_path_factory.getbasetemp()
    as_json, as_yaml = write(folder, dump(values), "x.json"), write(folder, "", "y.yaml")
    as_yaml.write_text(
        "x: &y 1\n" + "\n".join(f"{json.dumps(k)}: {json.dumps(v, ensure_ascii=False)}" for k, v in values.items()),
        "utf-8",
    )

    assert read(as_json) == values
    assert {**read(as_yaml), "x": 0} == {**values, "x": 0}
    assert dump(read(as_json)) == dump(values)


def test_plain_yaml_of_a_dumper_is_read(tmp_path: Path) -> None:
    assert read_text(tmp_path, yaml.safe_dump(document())) == document()


@pytest.mark.parametrize(
    ("reference", "expected"),
    [("#/a/b~1c", 1), ("#/a/d~0e", 2), ("#/list/1", "y"), ("#/a/f%20g", 3), ("#/%C3%BC", 4)],
)
def test_a_reference_is_followed(reference: str, expected: object) -> None:
    values = {"a": {"b/c": 1, "d~e": 2, "f g": 3}, "list": ["x", "y"], "ü": 4}

    assert lookup(values, reference) == expected


@pytest.mark.parametrize(
    "reference", ["#/nope", "#/list/7", "#/list/²", "#/list/-1", "other.yaml#/a", "https://x/y", "#"]
)
def test_a_reference_that_leads_nowhere_is_refused(reference: str) -> None:
    with pytest.raises(SpecError) as caught:
        lookup({"list": ["x"]}, reference)

    assert caught.value.pointer == reference


def test_a_reference_to_itself_is_refused() -> None:
    values = {"a": {"$ref": "#/b"}, "b": {"$ref": "#/a"}}
    with pytest.raises(SpecError, match="leads to itself"):
        resolve(values, values["a"])


@pytest.mark.parametrize("paths", [None, [], "x", {"/a": None}, {"/a": []}, {"/a": {"get": "x"}}])
def test_operations_of_malformed_paths_are_none(paths: object) -> None:
    assert list(operations({"paths": paths})) == []
