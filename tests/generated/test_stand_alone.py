"""A generated package alone: a fresh interpreter, a real server, both type checkers, byte for byte the same again."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from modelport_tools.document import read
from modelport_tools.generate import generate_one
from tests.generated.test_golden import files
from tests.unit.runtime.server import ScriptedServer, answer

USE = """
import asyncio, importlib, json, pkgutil, sys
import awkward
from awkward import AsyncClient, Client, File, errors, models

for module in pkgutil.walk_packages(awkward.__path__, "awkward."):
    importlib.import_module(module.name)
assert not any(name.startswith("modelport") for name in sys.modules)

url = sys.argv[1]
thing = models.Thing(
    id=2**60, class_="c", createdAt=__import__("datetime").datetime(2026, 1, 1, tzinfo=__import__("datetime").UTC),
    kind=models.Kind.QUOTE, nothing=None, weird_name="w", date_=__import__("datetime").date(2026, 1, 2), field_="f",
    additional_properties_="declared", additional_properties={"extra": 1}, new_password="hunter2", secret="hunter2",
    shapes=[models.Circle(shape_type="round"), models.Square(shape_type="squared"), {"shape-type": "cone"}],
    free={"a": [1]}, dict_={"k": {"t": 1.5}}, tree={"x": models.Tree(additional_properties={"y": models.Tree()})},
)
assert "hunter2" not in repr(thing)
with Client(url, credentials={"bearer": "t"}) as client:
    assert client.import_.list_(
        class_="a b", ids=[1, 2], deep=models.Filter(name="n", flag=True), pipes=["x", "y"], sort={"by": 1},
        x_trace_id="trace", session="s", body_="b", timeout_=1.5, timeout=5,
    ) == [thing]
    assert client.import_.schemes(body=thing) == thing
    assert client.gr_öß_en_ma_ß_e.gr_öß_e_messen(label=["a", "b"], matrix="m") == {
        "a": [models.FileModel(path="p")]
    }
    assert client.cached_property_.send_form(body=models.Filter(name="ü", flag=False)) == {"free": [1]}
    client.gr_öß_en_ma_ß_e.put_thingsthing_idvversion("x/y", 3, body=File(b"binary"))
    assert client.import_.with_raw_response_("a", 1) == thing

async def main():
    async with AsyncClient(url, credentials={"bearer": "t"}) as client:
        try:
            await client.import_.list_()
        except errors.ServerError as error:
            assert error.body == models.ResourceModel(message="m"), error.body
        await client.gr_öß_en_ma_ß_e.put_thingsthing_idvversion("x", 3, body=File(__file__))

asyncio.run(main())
print("done")
"""

THING = {
    "id": 2**60, "class": "c", "createdAt": "2026-01-01T00:00:00Z", "kind": "q\"uo'te", "nothing": None,
    "weird name!": "w", "date": "2026-01-02", "field": "f", "additional_properties": "declared", "extra": 1,
    "newPassword": "hunter2", "secret": "hunter2",
    "shapes": [{"shape-type": "round"}, {"shape-type": "squared"}, {"shape-type": "cone"}],
    "free": {"a": [1]}, "dict": {"k": {"t": 1.5}}, "tree": {"x": {"y": {}}},
}  # fmt: skip


def clean_environment(folder: Path, **extra: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1", **extra}


def blocked(folder: Path) -> str:
    """Code that hides the HTTP client that the package is not generated for, with what only that one brings."""
    record = json.loads((folder / "awkward/operations.json").read_text())
    hidden = {"httpx": ["httpx2", "httpcore2", "truststore"], "httpx2": ["httpx", "httpcore", "certifi"]}
    return f"import sys; sys.modules.update(dict.fromkeys({hidden[record['http_client']]}))\n"


def test_it_works_in_a_fresh_interpreter_against_a_server(either: Path, tmp_path: Path) -> None:
    server = ScriptedServer()
    server.script += [
        answer(200, [THING]),
        answer(201, THING, content_type="application/json; charset=utf-8"),
        answer(200, {"a": [{"path": "p"}]}),
        answer(200, {"free": [1]}),
        answer(200, b""),
        answer(200, THING),
        answer(500, {"message": "m"}),
        answer(200, b""),
    ]
    program = tmp_path / "use.py"
    program.write_text(blocked(either) + USE, encoding="utf-8")
    try:
        finished = subprocess.run(
            [sys.executable, "-W", "error", program, server.url],
            env=clean_environment(either), capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
    finally:
        server.close()

    assert finished.stdout == "done\n", finished.stderr
    assert [(one.method, one.target) for one in server.requests] == [
        (
            "GET",
            (
                "/things?class=a%20b&body=b&timeout=1.5&ids=1,2&deep%5Bflag%5D=true&deep%5Bname%5D=n"
                "&pipes=x%7Cy&sort=%7B%22by%22%3A1%7D"
            ),
        ),
        ("POST", "/things"),
        ("GET", "/matrix.a,b/;matrix=m"),
        ("POST", "/form"),
        ("PUT", "/things/x%2Fy/v3"),
        ("GET", "/things/a/v1"),
        ("GET", "/things"),
        ("PUT", "/things/x/v3"),
    ]
    assert json.loads(server.requests[1].body) == THING
    assert server.requests[0].header("x-trace-id") == "trace"
    assert server.requests[0].header("cookie") == "session=s"
    assert server.requests[0].header("authorization") == "Bearer t"
    assert [server.requests[index].header("authorization") for index in (1, 5)] == [None, None]
    assert server.requests[3].body == b"flag=false&name=%C3%BC"
    assert server.requests[4].body == b"binary"
    assert server.requests[7].body == program.read_bytes()


def test_mypy_finds_nothing_in_strict_mode(either: Path, tmp_path: Path) -> None:
    command = ["-m", "mypy", "--strict", "--no-incremental", "--cache-dir", str(tmp_path), "awkward"]
    finished = subprocess.run(
        [sys.executable, *command], cwd=either, capture_output=True, text=True, check=False, timeout=120
    )

    assert "Success: no issues found" in finished.stdout, finished.stdout


def test_pyright_finds_nothing_in_strict_mode(either: Path, root: Path) -> None:
    pyright = shutil.which("pyright", path=str(Path(sys.executable).parent))
    if pyright is None:
        pytest.skip("pyright is not installed")
    settings = {"typeCheckingMode": "strict", "include": ["awkward"], "venvPath": str(root), "venv": ".venv"}
    (either / "pyrightconfig.json").write_text(json.dumps(settings))
    finished = subprocess.run(
        [pyright, "--pythonpath", sys.executable], cwd=either, capture_output=True, text=True, check=False, timeout=120
    )

    assert "0 errors, 0 warnings" in finished.stdout, finished.stdout


def shuffled(value: Any, chance: random.Random) -> Any:
    if isinstance(value, dict):
        entries = list(value.items())
        chance.shuffle(entries)
        return {key: shuffled(item, chance) for key, item in entries}
    return [shuffled(item, chance) for item in value] if isinstance(value, list) else value


def as_shuffled(spec: Path, target: Path) -> Path:
    chance = random.Random(1)  # noqa: S311 - an order, no secret
    target.write_text(json.dumps(shuffled(read(spec), chance)), encoding="utf-8")
    return target


def as_crlf(spec: Path, target: Path) -> Path:
    target.write_bytes(spec.read_bytes().replace(b"\n", b"\r\n"))
    return target


def as_yaml(spec: Path, target: Path) -> Path:
    target.write_text(yaml.safe_dump(read(spec), sort_keys=True, allow_unicode=False), encoding="utf-8")
    return target


@pytest.mark.parametrize("written", [as_shuffled, as_crlf, as_yaml])
def test_the_way_a_document_is_written_does_not_show(
    awkward: Path, golden_spec: Path, tmp_path: Path, written: Callable[[Path, Path], Path]
) -> None:
    generate_one(written(golden_spec, tmp_path / "spec"), output=tmp_path / "again", package="awkward")

    assert files(tmp_path / "again/awkward") == files(awkward / "awkward")


@pytest.mark.parametrize("seed", ["0", "1"])
def test_the_hash_seed_does_not_show(awkward: Path, golden_spec: Path, tmp_path: Path, seed: str) -> None:
    program = (
        "import sys; from pathlib import Path; from modelport_tools.generate import generate_one;"
        "generate_one(Path(sys.argv[1]), output=Path(sys.argv[2]), package='awkward')"
    )
    subprocess.run(
        [sys.executable, "-c", program, str(golden_spec), str(tmp_path)],
        env={**os.environ, "PYTHONHASHSEED": seed}, check=True, timeout=60,
    )  # fmt: skip

    assert files(tmp_path / "awkward") == files(awkward / "awkward")


def test_the_runtime_is_a_copy(awkward: Path, root: Path) -> None:
    source = root / "tools/modelport_tools/runtime"
    for path in source.rglob("*.py"):
        assert (awkward / "awkward/_runtime" / path.relative_to(source)).read_bytes() == path.read_bytes()
