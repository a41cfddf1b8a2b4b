"""Every bad input is one sentence on stderr, code 2, nothing on stdout, nothing left behind, in bounded time."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from modelport.cli import _run
from modelport_tools.following import MAX_OPERATIONS
from tests.cli.conftest import Modelport
from tests.unit.tools.specs import OK, document, operation, schemas, write

TOP = "openapi: 3.1.0\ninfo: {title: T, version: '1'}\n"
PATHS = "paths: {/a: {get: {responses: {'200': {description: ok}}}}}\n"
GOOD = TOP + PATHS
BOMB = "\n".join(
    ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
)


def large(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(50 * 2**20)


def parameters(*given: object) -> dict[str, object]:
    return document({"/a": {"get": operation(parameters=list(given))}})


MAKERS: dict[str, Callable[[Path], object]] = {
    "absent": lambda _: None,
    "folder": Path.mkdir,
    "link to nowhere": lambda path: path.symlink_to("nowhere"),
    "link to itself": lambda path: path.symlink_to(path.name),
    "50 MB": large,
    "pipe": os.mkfifo,
    "device": lambda path: path.symlink_to("/dev/zero"),
}
BYTES: dict[str, bytes] = {
    "empty": b"",
    "comments only": b"# nothing\n",
    "UTF-16": GOOD.encode("utf-16"),
    "Latin-1": GOOD.encode().replace(b"title: T", b"title: \xdcber"),
    "binary": bytes(range(256)) * 100,
    "NUL": b"openapi: 3.1.0\0",
    "cut JSON": json.dumps(document()).encode()[:60],
    "cut YAML": GOOD.encode()[:-4],
    "HTML": b"<!DOCTYPE html>\n<html><body>Sign in</body></html>",
    "a list": b"[1, 2]",
    "alias bomb": BOMB.encode(),
    "alias of itself": b"a: &a\n  b: *a\n",
    "python tag": b"a: !!python/object/apply:os.system [id]\n",
    "key twice": GOOD.encode() + PATHS.encode(),
    "NaN": b'{"openapi": "3.1.0", "x": NaN}',
    "infinity": b"a: 1e999",
    "long number": b'{"a": ' + b"1" * 10_000 + b"}",
    "deep flow": b"a: " + b"[" * 1_000_000,
    "deep JSON": b'{"a":' * 1_000_000,
    "deep block": b"- " * 1_000_000,
    "half surrogate": b'{"a": "\\ud800"}',
    "two documents": GOOD.encode() + b"---\n" + GOOD.encode(),
}
VALUES: dict[str, tuple[object, str]] = {
    "version 4": ({**document(), "openapi": "4.0.0"}, ":1: /openapi: needs OpenAPI"),
    "Swagger 1.2": ({"swagger": "1.2"}, "found Swagger 1.2"),
    "no version": ({"paths": {}}, "found none"),
    "no info": ({"openapi": "3.1.0", "paths": {}}, "info"),
    "reference to the network": (schemas(A={"$ref": "http://127.0.0.1:9/a.yaml"}), "/components/schemas/A/$ref: "),
    "reference to file:": (schemas(A={"$ref": "file:///etc/passwd"}), "/components/schemas/A/$ref: "),
    "reference upwards": (schemas(A={"$ref": "../../etc/passwd"}), "leads out of the folder"),
    "absolute reference": (schemas(A={"$ref": "/etc/passwd"}), "must be relative"),
    "reference to a folder": (schemas(A={"$ref": "."}), "there is no such file"),
    "reference with NUL": (schemas(A={"$ref": "a\0b"}), "must be relative"),
    "long reference": (schemas(A={"$ref": "a" * 5000}), "cannot be read"),
    "reference to nowhere": (schemas(A={"$ref": "#/components/schemas/B"}), "leads nowhere"),
    "reference to itself": (schemas(A={"$ref": "#/components/schemas/A"}), "leads to itself"),
    "circle of parameters": (
        {
            **parameters({"$ref": "#/components/parameters/A"}),
            "components": {"parameters": {"A": {"$ref": "#/components/parameters/A"}}},
        },
        "leads to itself",
    ),
    "circle of path items": (
        document({"/a": {"$ref": "#/paths/~1b"}, "/b": {"$ref": "#/paths/~1a"}}), "holds itself"
    ),
    "paths is a list": ({**document(), "paths": []}, "/paths: "),
    "path without slash": (document({"a": {"get": {"responses": OK}}}), "/paths"),
    "too many operations": (
        document({f"/p{n}": {"get": {"responses": OK}} for n in range(MAX_OPERATIONS + 1)}),
        f"/paths: has {MAX_OPERATIONS + 1} operations",
    ),
    "schema bomb": (
        schemas(
            **{f"A{n}": {"allOf": [{"$ref": f"#/components/schemas/A{n + 1}"}] * 2} for n in range(40)}, A40={}
        ),
        "parts with all schemas that it is composed of",
    ),
    "tag too long": (document({"/a": {"get": operation(tags=["t" * 1_000_000])}}), "too long for a file"),
}  # fmt: skip


def told(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    code = _run.run(arguments)
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def assert_refused(folder: Path, spec: Path, capsys: pytest.CaptureFixture[str]) -> str:
    before = sorted(folder.rglob("*"))
    package = ["--output", str(folder / "out"), "--package", "made"]
    code, out, err = told(["generate", str(spec), *package], capsys)

    assert (code, out) == (2, ""), err[:500]
    assert err.startswith(f"modelport: error: {spec}")
    assert err.count("\n") == 1
    assert len(err) < 1500
    assert "Traceback" not in err
    assert "a fault of modelport" not in err
    assert sorted(folder.rglob("*")) == before

    code, out, same = told(["spec", "check", str(spec)], capsys)

    assert (code, out, same) == (2, "", err)

    code, out, as_json = told(["generate", str(spec), *package, "--json"], capsys)
    error = json.loads(as_json)["error"]

    assert (code, out, as_json.count("\n")) == (2, "", 1)
    assert error["source"] == str(spec)
    assert f"modelport: error: {error['message']}\n" == err
    return err


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", MAKERS)
def test_what_is_no_readable_file(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    spec = tmp_path / "spec.yaml"
    MAKERS[name](spec)

    assert_refused(tmp_path, spec, capsys)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", BYTES)
@pytest.mark.parametrize("suffix", ["yaml", "json"])
def test_what_is_no_document(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, suffix: str) -> None:
    spec = tmp_path / f"spec.{suffix}"
    spec.write_bytes(BYTES[name])

    assert_refused(tmp_path, spec, capsys)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", VALUES)
def test_what_no_client_can_be_made_from(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    values, says = VALUES[name]
    err = assert_refused(tmp_path, write(tmp_path, values), capsys)

    assert says in err


@pytest.mark.parametrize("kind", ["symlink", "pipe"])
def test_a_file_beside_that_leads_elsewhere(tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str) -> None:
    beside = tmp_path / "beside.yaml"
    if kind == "pipe":
        os.mkfifo(beside)
    else:
        beside.symlink_to("/etc/passwd")

    err = assert_refused(tmp_path, write(tmp_path, schemas(A={"$ref": "beside.yaml"})), capsys)

    assert ":1: /components/schemas/A/$ref: beside.yaml: " in err


@pytest.mark.parametrize(
    ("patch", "says"),
    [
        (None, "patch.yaml: cannot be read"),
        ("", "is empty or no object"),
        ("overlay: 9.0.0", "patch.yaml:1: /overlay: needs Overlay 1.0 or 1.1"),
        ("overlay: 1.0.0", "has no actions"),
        ("overlay: 1.0.0\nactions:\n- target: $.nowhere\n  remove: true", "patch.yaml:3: /actions/0: the target"),
        ("overlay: 1.0.0\nactions:\n- target: '$['\n  remove: true", "patch.yaml:3: /actions/0: the target"),
        ("overlay: 1.0.0\nactions:\n- target: $\n  remove: true", "the document itself cannot be removed"),
    ],
)
def test_a_patch_that_cannot_be_applied(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], patch: str | None, says: str
) -> None:
    path = tmp_path / "patch.yaml"
    if patch is not None:
        path.write_text(patch)
    spec = write(tmp_path, document())
    arguments = ["generate", str(spec), "--output", str(tmp_path / "out"), "--package", "made", "--patch", str(path)]
    code, out, err = told(arguments, capsys)

    assert (code, out, err.count("\n")) == (2, "", 1)
    assert says in err
    assert not (tmp_path / "out").exists()


def test_a_document_with_a_byte_order_mark_is_good(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_bytes(b"\xef\xbb\xbf" + GOOD.encode())

    assert told(["spec", "check", str(spec)], capsys)[0] == 0


def test_of_several_documents_the_good_ones_are_told_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad = write(tmp_path, document(), "good.json"), write(tmp_path, "{", "bad.json")
    code, out, err = told(["spec", "check", str(good), str(bad), str(tmp_path / "absent.json")], capsys)

    assert code == 2
    assert [line.split()[-1] for line in out.splitlines()] == ["VALID", "True", "False", "False"]
    assert [line.split(": ")[2] for line in err.splitlines()] == [f"{bad}:1", str(tmp_path / "absent.json")]


def test_a_hostile_document_in_a_process_of_its_own(modelport: Modelport, tmp_path: Path) -> None:
    write(tmp_path, BOMB, "bomb.yaml")
    os.mkfifo(tmp_path / "pipe")
    for name in ("bomb.yaml", "pipe"):
        answer = modelport("generate", name, "--output", "out", "--package", "made", cwd=tmp_path)

        assert (answer.returncode, answer.stdout, answer.stderr.count("\n")) == (2, "", 1)
        assert answer.stderr.startswith(f"modelport: error: {name}")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bomb.yaml", "pipe"]


# A project of one's own.


def test_a_project_generates_checks_and_lists_what_its_pyproject_names(modelport: Modelport, tmp_path: Path) -> None:
    write(tmp_path, document(), "acme.json")
    (tmp_path / "pyproject.toml").write_text('[tool.modelport.clients.acme_api]\nspec = "acme.json"\noutput = "src"\n')
    (tmp_path / "deep/er").mkdir(parents=True)
    stale = modelport("generate", "--check", "--json", cwd=tmp_path / "deep/er")
    written = modelport("generate", cwd=tmp_path / "deep/er")
    fresh = modelport("generate", "--check", cwd=tmp_path)
    listed = modelport("spec", "list", "--json", cwd=tmp_path / "src")
    checked = modelport("spec", "check", "--json", cwd=tmp_path)

    assert (stale.returncode, json.loads(stale.stdout)["fresh"]) == (1, False)
    assert "src/acme_api/client.py" in json.loads(stale.stdout)["changed"]
    assert (written.returncode, "files changed" in written.stderr) == (0, True)
    assert (tmp_path / "src/acme_api/client.py").is_file()
    assert (fresh.returncode, fresh.stderr) == (0, "every file is fresh\n")
    assert json.loads(listed.stdout) == [{"package": "acme_api", "spec": "acme.json", "output": "src", "patches": []}]
    assert (checked.returncode, [row["valid"] for row in json.loads(checked.stdout)]) == (0, [True])


def test_a_stale_file_is_code_1_with_the_difference(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["generate", str(write(tmp_path, document())), "--output", str(tmp_path), "--package", "made"]
    told(arguments, capsys)
    with (tmp_path / "made/client.py").open("a") as file:
        file.write("edited = 1\n")
    code, out, err = told([*arguments, "--check"], capsys)

    assert (code, "-edited = 1" in out, err.count("\n")) == (1, True, 1)
    assert "1 file stale" in err


def test_the_help_says_what_comes_with_what() -> None:
    from modelport.cli._root import cli

    text = CliRunner().invoke(cli, ["generate", "--help"]).output

    assert "[tool.modelport.clients]" in text
    assert "--check" in text


def test_without_the_extra_one_sentence_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import importlib

    real = importlib.import_module

    def missing(name: str, package: str | None = None) -> object:
        if name in {"openapi_python_client", "yaml", "jinja2"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return real(name, package)

    monkeypatch.setattr(importlib, "import_module", missing)
    for command in (["generate", "x.yaml", "--output", "o", "--package", "p"], ["spec", "check", "x.yaml"]):
        code, out, err = told(command, capsys)

        assert (code, out, err.count("\n")) == (2, "", 1)
        assert "pip install 'modelport[generate]'" in err


@pytest.mark.parametrize("terminal", [True, False])
def test_what_is_being_done_shows_on_a_terminal_only(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], terminal: bool
) -> None:
    import sys

    from modelport.cli._progress import Steps

    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal, raising=False)
    monkeypatch.setenv("COLUMNS", "20")
    with Steps() as steps:
        steps("reading \x1b[31m a very long path of a document")
    printed = capsys.readouterr()

    assert printed.out == ""
    assert printed.err == ("\r\x1b[2Kreading  [31m a ver\r\x1b[2K" if terminal else "")
