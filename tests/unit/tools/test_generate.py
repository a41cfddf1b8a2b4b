from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modelport_tools import generate, output
from modelport_tools.document import dump
from modelport_tools.errors import OutputError, SpecError
from modelport_tools.generate import generate_all, generate_one
from modelport_tools.normalise import normalise
from modelport_tools.planning import make_plan
from modelport_tools.render import render_client
from tests.unit.tools.specs import document, operation, schemas, write


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    return write(tmp_path, document())


def snapshot(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_second_run_changes_nothing(tmp_path: Path, spec: Path) -> None:
    first = generate_one(spec, output=tmp_path / "out", package="made")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*")}
    second = generate_one(spec, output=tmp_path / "out", package="made")

    assert first.changed
    assert second.fresh
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*")} == before


def test_a_check_writes_nothing_and_shows_the_difference(tmp_path: Path, spec: Path) -> None:
    report = generate_one(spec, output=tmp_path / "out", package="made", check=True)

    assert not report.fresh
    assert "+++ __init__.py (fresh)" in report.diff
    assert not (tmp_path / "out").exists()


def test_a_new_generation_replaces_the_whole_package(tmp_path: Path, spec: Path) -> None:
    generate_one(spec, output=tmp_path / "out", package="made")
    write(tmp_path, document({"/others": {"get": operation("listOthers", tags=["others"])}}))
    stale = tmp_path / "out/made/stale.py"
    stale.write_text("x = 1\n")
    report = generate_one(spec, output=tmp_path / "out", package="made")

    assert {"operations/default.py", "operations/others.py", "stale.py"} <= set(report.changed)
    assert not stale.exists()
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["made"]


def test_a_change_of_one_field_touches_only_the_files_that_name_it(tmp_path: Path) -> None:
    one = schemas(A={"type": "object", "properties": {"x": {"type": "string"}}}, B={"type": "object", "properties": {}})
    path = write(tmp_path, one)
    generate_one(path, output=tmp_path / "out", package="made")
    before = snapshot(tmp_path / "out/made")
    one["components"]["schemas"]["A"]["properties"]["y"] = {"type": "integer"}
    generate_one(write(tmp_path, one), output=tmp_path / "out", package="made")
    after = snapshot(tmp_path / "out/made")
    beyond_the_header = [name for name in after if after[name].partition(b"\n")[2] != before[name].partition(b"\n")[2]]

    assert sorted(beyond_the_header) == ["models/a.py", "openapi.json", "operations.json"]


@pytest.mark.parametrize("content", ["notes.txt", "operations.json", "client.py"])
def test_a_folder_that_is_not_generated_is_never_overwritten(tmp_path: Path, spec: Path, content: str) -> None:
    target = tmp_path / "out/made"
    target.mkdir(parents=True)
    (target / content).write_text('{"precious": true}')
    before = snapshot(tmp_path)
    with pytest.raises(OutputError, match="not a package that modelport generated"):
        generate_one(spec, output=tmp_path / "out", package="made")

    assert snapshot(tmp_path) == before


def test_a_file_in_the_place_of_the_folder_is_never_overwritten(tmp_path: Path, spec: Path) -> None:
    (tmp_path / "made").write_text("precious")
    with pytest.raises(OutputError):
        generate_one(spec, output=tmp_path, package="made")

    assert (tmp_path / "made").read_text() == "precious"


def test_an_output_below_a_file_is_an_output_error(tmp_path: Path, spec: Path) -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        generate_one(spec, output=spec / "out", package="made")


@pytest.mark.parametrize("package", ["", "a b", "a-b", "a.b", "../x", "class", "1a", "/x", "..", "\ufb01le"])
def test_a_name_that_is_no_package_is_refused(tmp_path: Path, spec: Path, package: str) -> None:
    with pytest.raises(OutputError, match="no name for a Python package"):
        generate_one(spec, output=tmp_path / "out", package=package)

    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("package", ["json", "typing", "http", "httpx", "attr", "msgspec"])
def test_a_package_that_would_hide_what_it_needs_is_refused(tmp_path: Path, spec: Path, package: str) -> None:
    with pytest.raises(OutputError, match="would hide the module"):
        generate_one(spec, output=tmp_path / "out", package=package)


@pytest.mark.parametrize("package", ["match", "_x", "größe", "__init", "print"])
def test_a_name_that_python_imports_is_taken(tmp_path: Path, spec: Path, package: str) -> None:
    generate_one(spec, output=tmp_path, package=package)
    finished = subprocess.run(
        [sys.executable, "-c", f"import sys, {package} as made; sys.stdout.write(made.Client.__name__)"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert finished.stdout == "Client", finished.stderr


def test_schemas_whose_names_differ_in_case_only_get_modules_of_their_own(tmp_path: Path) -> None:
    one = schemas(
        Both={"type": "object", "properties": {
            name: {"$ref": f"#/components/schemas/{name}"} for name in ("Foo", "FOO", "fOO")
        }},
        **{name: {"type": "object", "properties": {name: {"type": "string"}}} for name in ("Foo", "FOO", "fOO")},
    )  # fmt: skip
    generate_one(write(tmp_path, one), output=tmp_path, package="made")
    made = [path.name for path in (tmp_path / "made/models").iterdir() if path.name != "__init__.py"]

    assert len(made) == len({name.casefold() for name in made}) == 4


def test_modules_that_would_be_one_file_elsewhere_are_refused(tmp_path: Path) -> None:
    tagged = {f"/{index}": {"get": operation(tags=[tag])} for index, tag in enumerate(("\ufb01", "fi"))}
    with pytest.raises(SpecError, match="one file where letters have no case") as caught:
        generate_one(write(tmp_path, document(tagged)), output=tmp_path / "out", package="made")

    assert caught.value.source == str(tmp_path / "spec.json")


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (schemas(**{"A" * 300: {"type": "object", "properties": {"x": {}}}}), "the schema behind aaa"),
        (document({"/a": {"get": operation(tags=["t" * 300])}}), "the tag behind ttt"),
    ],
)
def test_a_name_too_long_for_a_file_is_refused(tmp_path: Path, values: dict[str, Any], says: str) -> None:
    with pytest.raises(SpecError, match=f"{says}.* too long for a file"):
        generate_one(write(tmp_path, values), output=tmp_path / "out", package="made")


@pytest.mark.parametrize("step", ["load", "formatted", "make_plan", "render_client"])
def test_an_error_on_the_way_leaves_the_old_package(
    tmp_path: Path, spec: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    generate_one(spec, output=tmp_path / "out", package="made")
    before = snapshot(tmp_path / "out")
    write(tmp_path, document({"/others": {"get": operation("listOthers")}}))

    def broken(*_: Any, **__: Any) -> Any:
        raise SpecError("broken")

    monkeypatch.setattr(generate, step, broken)
    with pytest.raises(SpecError, match="broken"):
        generate_one(spec, output=tmp_path / "out", package="made")

    assert snapshot(tmp_path / "out") == before


@pytest.mark.parametrize("failing", [1, 2])
def test_a_replacement_that_breaks_in_the_middle_leaves_the_old_package(
    tmp_path: Path, spec: Path, monkeypatch: pytest.MonkeyPatch, failing: int
) -> None:
    generate_one(spec, output=tmp_path / "out", package="made")
    before = snapshot(tmp_path / "out")
    write(tmp_path, document({"/others": {"get": operation("listOthers")}}))
    real, calls = os.replace, 0

    def replace(source: Any, target: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == failing:
            raise OSError(28, "No space left on device")
        real(source, target)

    # Where folders cannot change places in one step.
    monkeypatch.setattr(output, "_exchange", lambda *_: False)
    monkeypatch.setattr(os, "replace", replace)
    with pytest.raises(OutputError, match="No space left"):
        generate_one(spec, output=tmp_path / "out", package="made")

    assert snapshot(tmp_path / "out") == before


def test_patches_are_applied_in_their_order(tmp_path: Path, spec: Path) -> None:
    patches = [
        write(tmp_path, {"overlay": "1.0.0", "actions": [action]}, f"{name}.json")
        for name, action in {
            "a": {"target": "$.paths['/things'].get", "update": {"operationId": "first"}},
            "b": {"target": "$.paths['/things'].get[?@ == 'first']", "update": "second"},
        }.items()
    ]
    generate_one(spec, output=tmp_path / "out", package="made", patches=patches)

    assert "def second(" in (tmp_path / "out/made/operations/default.py").read_text()


# Text of a document stays text.

EVIL = [
    '"""\nimport os\n"""', '"', '""', '"""', "'", "'''", "\\", '\\"', '\\"""', "x\\", 'ends in """"', "{{ 7 * 7 }}",
    "{% raw %}", "{# x #}", "\n", "\r", "\r\nimport os", "\x0c", "\x1c", "\x85import os", "\u2028import os", "\u2029",
    "\x00", "\u202e", "\ufeff", "#", "\\N{DIGIT ONE}", "\\x", "\\u1", "f{x}", "%s", "\t", "type: ignore",
]  # fmt: skip


def evil_document(text: str) -> dict[str, Any]:
    named = {
        "type": "object",
        "description": text,
        "properties": {
            text: {"type": "string", "description": text},
            "value": {"type": "string", "enum": [text, "fine"], "description": text},
            "const": {"const": text},
            "default": {"type": "string", "default": text},
        },
        "additionalProperties": {"const": text},
    }
    body = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Named"}}}}
    return {
        "openapi": "3.1.0",
        "info": {"title": text, "version": text, "description": text},
        "tags": [{"name": "tag", "description": text}],
        "paths": {
            "/x": {
                "post": {
                    "operationId": "doIt",
                    "tags": ["tag"],
                    "summary": text,
                    "description": text,
                    "x-modelport-evidence": text,
                    "parameters": [
                        {"name": f"p{text}", "in": "query", "description": text, "schema": {"type": "string"}}
                    ],
                    "requestBody": {"description": text, **body},
                    "responses": {"200": {"description": text, **body}},
                }
            }
        },
        "components": {"schemas": {"Named": named}},
    }


def harmless(tree: ast.AST) -> bool:
    """No statement that came out of a text: every import is one that the templates write."""
    allowed = {"__future__", "typing", "functools", "importlib", "attrs", "datetime", "uuid"}
    return not any(
        (isinstance(node, ast.Import))
        or (isinstance(node, ast.ImportFrom) and not node.level and node.module not in allowed)
        for node in ast.walk(tree)
    )


def rendered(values: dict[str, Any]) -> dict[str, str]:
    canonical = normalise(values)
    return render_client(make_plan(canonical), canonical, depth=0)


def assert_text_stays_text(text: str) -> None:
    for name, source in rendered(evil_document(text)).items():
        if name.endswith(".py"):
            assert harmless(ast.parse(source)), source
    namespace: dict[str, Any] = {}
    enum = rendered(evil_document(text))["models/named_value.py"].replace(
        "from .._runtime.types", "from modelport_tools.runtime.types"
    )
    exec(compile(enum, "enum", "exec", dont_inherit=True), namespace)  # noqa: S102 - the code under test
    assert {member.value for member in namespace["NamedValue"]} == {text, "fine"}


@pytest.mark.parametrize("text", EVIL, ids=ascii)
def test_text_of_a_document_never_becomes_code(text: str) -> None:
    assert_text_stays_text(text)


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(
    text=st.text(
        st.sampled_from("\"'\\{}#%\n\r\t \u2028\x85ax0") | st.characters(exclude_categories=["Cs"]), min_size=1
    )
)
def test_no_text_of_a_document_becomes_code(text: str) -> None:
    assert_text_stays_text(text)


def test_evil_text_survives_the_formatter_and_the_import(tmp_path: Path) -> None:
    text = "".join(EVIL)
    generate_one(write(tmp_path, dump(evil_document(text))), output=tmp_path, package="made")
    program = (
        "import importlib, pkgutil, made\n"
        "for module in pkgutil.walk_packages(made.__path__, 'made.'): importlib.import_module(module.name)\n"
        "print(len(made.models.NamedValue), made.models.NamedValue.FINE)"
    )
    finished = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert finished.stdout == "2 fine\n", finished.stderr


# The project's own generated code.


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Path:
    """A copy of what generation reads and writes."""
    copy = tmp_path_factory.mktemp("checkout")
    ignored = shutil.ignore_patterns("__pycache__")
    for folder in ("openapi", "generated", "tools", "overlays"):
        shutil.copytree(root / folder, copy / folder, ignore=ignored)
    return copy


def test_the_project_s_generated_code_is_fresh(checkout: Path) -> None:
    own = [name for name in generate_all(checkout, check=True).changed if name.startswith("generated/")]

    assert own == []


def test_one_byte_is_noticed_and_put_right(checkout: Path) -> None:
    edited = checkout / "generated/modelport_api/codex/v1/client.py"
    fresh = edited.read_bytes()
    edited.write_bytes(fresh.replace(b"Whether", b"whether", 1))
    stray = checkout / "generated/modelport_api/stray.py"
    stray.write_text("x = 1\n")
    report = generate_all(checkout, check=True)

    assert {"generated/modelport_api/codex/v1/client.py", "generated/modelport_api/stray.py"} <= set(report.changed)
    assert "whether the platform answers" in report.diff
    assert edited.read_bytes() != fresh

    generate_all(checkout)

    assert edited.read_bytes() == fresh
    assert not stray.exists()
    assert [path.name for path in (checkout / "generated").iterdir()] == ["modelport_api"]


def test_a_spec_that_cannot_be_used_leaves_all_generated_code_alone(checkout: Path) -> None:
    before = snapshot(checkout / "generated")
    spec = checkout / "openapi/codex/v1/spec.yaml"
    good = spec.read_bytes()
    try:
        spec.write_bytes(good + b"\nopenapi: 3.1.0\n")
        with pytest.raises(SpecError, match="the key 'openapi' stands twice"):
            generate_all(checkout)
    finally:
        spec.write_bytes(good)

    assert snapshot(checkout / "generated") == before
