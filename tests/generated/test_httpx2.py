"""A package that is generated for httpx2 does what one for httpx does; only the library below is another."""

from __future__ import annotations

import gzip
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from modelport_tools.errors import OutputError
from modelport_tools.generate import generate_one
from modelport_tools.render import render_root
from tests.generated.test_golden import files
from tests.generated.test_stand_alone import clean_environment
from tests.unit.runtime.server import ScriptedServer, answer

WITHOUT_HTTP = ("test_codec.py", "test_compiled.py")
RUN_ALIASED = """
import sys
import httpx2
httpx2.alias_httpx()  # what the tests name httpx
import pytest
import modelport_api._runtime.http as http
assert http.__file__.startswith(sys.argv[1]), http.__file__
assert http.httpx2 is sys.modules["httpx"]
sys.exit(pytest.main(sys.argv[2:]))
"""
INJECT = """
import httpx, httpx2
from awkward import AsyncClient, Client, errors

for make, own in ((Client, {own}.Client), (AsyncClient, {own}.AsyncClient)):
    make("http://host", http_client=own(verify=False))
class Mine({other}.Client): pass
for make, client, name in (
    (Client, {other}.Client, "Client"),
    (Client, Mine, "Client"),
    (AsyncClient, {other}.AsyncClient, "AsyncClient"),
    (Client, {other}.AsyncClient, "AsyncClient"),
):
    try:
        make("http://host", http_client=client(verify=False))
    except errors.ClientConfigError as error:
        assert str(error) == "this package speaks through {own}: bring a client of {own}, not a {other}." + name, error
    else:
        raise AssertionError(name)
print("done")
"""


LAYERS = """
import sys
from awkward import Client, errors

with Client(sys.argv[1], credentials={"bearer": "t"}, max_retries=0) as client:
    for _ in range(2):
        try:
            print(client.cached_property_.send_text("x", body="x"))
        except errors.APIProtocolError:
            print("refused")
"""


@pytest.mark.parametrize(("fixture", "of_six"), [("awkward", "[]"), ("awkward_httpx2", "refused")])
def test_httpx2_unpacks_five_layers_and_refuses_six(
    fixture: str, of_six: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    folder: Path = request.getfixturevalue(fixture)
    program = tmp_path / "use.py"
    program.write_text(LAYERS, encoding="utf-8")
    server = ScriptedServer()
    for layers in (5, 6):
        body = b"[]"
        for _ in range(layers):
            body = gzip.compress(body)
        server.script.append(answer(200, body, {"Content-Encoding": ", ".join(["gzip"] * layers)}))
    try:
        finished = subprocess.run(
            [sys.executable, program, server.url],
            env=clean_environment(folder), capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
    finally:
        server.close()

    assert finished.stdout.splitlines() == ["[]", of_six], finished.stderr


@pytest.mark.timeout(400)
def test_the_runtime_s_own_tests_pass_over_httpx2(root: Path, tmp_path: Path) -> None:
    shutil.copytree(root / "generated/modelport_api", tmp_path / "modelport_api")
    for name, text in render_root(own_init=True, http_client="httpx2").items():
        (tmp_path / "modelport_api" / name).write_text(text, encoding="utf-8")
    program = tmp_path / "run.py"
    program.write_text(RUN_ALIASED, encoding="utf-8")
    tests = root / "tests/unit/runtime"
    options = ["-q", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning"]
    options += [f"--ignore={tests / name}" for name in WITHOUT_HTTP]
    finished = subprocess.run(
        [sys.executable, program, tmp_path, *options, tests],
        cwd=root, env=clean_environment(tmp_path), capture_output=True, text=True, check=False, timeout=380,
    )  # fmt: skip

    assert finished.returncode == 0, finished.stdout[-5000:] + finished.stderr
    assert re.search(r"^\d{3,} passed", finished.stdout, re.MULTILINE), finished.stdout


def test_it_names_httpx2_wherever_the_other_names_httpx(awkward: Path, awkward_httpx2: Path) -> None:
    one, two = (folder / "awkward" for folder in (awkward, awkward_httpx2))
    names = sorted(path.relative_to(one) for path in one.rglob("*.py"))

    assert names == sorted(path.relative_to(two) for path in two.rglob("*.py"))
    for name in names:
        assert re.sub(r"\bhttpx\b", "httpx2", (one / name).read_text()) == (two / name).read_text()
        assert not re.search(r"\bhttpx\b", (two / name).read_text())


@pytest.mark.parametrize(
    ("fixture", "own", "other"), [("awkward", "httpx", "httpx2"), ("awkward_httpx2", "httpx2", "httpx")]
)
def test_a_client_of_the_other_library_is_refused(
    fixture: str, own: str, other: str, request: pytest.FixtureRequest
) -> None:
    folder: Path = request.getfixturevalue(fixture)
    finished = subprocess.run(
        [sys.executable, "-c", INJECT.format(own=own, other=other)],
        env=clean_environment(folder), capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip

    assert finished.stdout == "done\n", finished.stderr


def test_what_was_chosen_stays_until_another_is_named(golden_spec: Path, awkward_httpx2: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    shutil.copytree(awkward_httpx2, output)
    again = generate_one(golden_spec, output=output, package="awkward", check=True)
    other = generate_one(golden_spec, output=output, package="awkward", check=True, http_client="httpx")
    generate_one(golden_spec, output=output, package="awkward", http_client="httpx")

    assert again.fresh
    assert set(other.changed) == {"_runtime/http.py", "_runtime/types.py", "operations.json"}
    assert generate_one(golden_spec, output=output, package="awkward", check=True).fresh
    assert "import httpx\n" in (output / "awkward/_runtime/http.py").read_text()


def test_an_unknown_library_is_refused_and_nothing_written(golden_spec: Path, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="'requests' is no HTTP client: take httpx or httpx2"):
        generate_one(golden_spec, output=tmp_path / "out", package="awkward", http_client="requests")

    assert not list(tmp_path.iterdir())


def test_the_generated_code_is_the_same_otherwise(awkward: Path, awkward_httpx2: Path) -> None:
    one, two = files(awkward / "awkward"), files(awkward_httpx2 / "awkward")

    assert [name for name in one if one[name] != two[name]] == ["operations.json"]
