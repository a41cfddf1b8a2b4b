from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from modelport_tools.unasync import Renamer, Target, UnasyncError, convert, main

if TYPE_CHECKING:
    from pathlib import Path


def converted(source: str, names: dict[str, str] | None = None, keep: frozenset[str] = frozenset()) -> str:
    return convert(source, Renamer(names or {}, keep))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("async def f():\n    await g()\n", "def f():\n    g()\n"),
        ("async def f():\n    async with a as b:\n        pass\n", "def f():\n    with a as b:\n        pass\n"),
        ("async def f():\n    return [x async for x in y]\n", "def f():\n    return [x for x in y]\n"),
        ("async def f():\n    return (await g(1)).x\n", "def f():\n    return g(1).x\n"),
        ("async def f():\n    return (await a.g(1))['k']\n", "def f():\n    return a.g(1)['k']\n"),
        ("async def f():\n    return h(await g())\n", "def f():\n    return h(g())\n"),
        ("async def f():\n    return (await g() + 1).x\n", "def f():\n    return (g() + 1).x\n"),
        ("async def f():\n    return h(await g()).x\n", "def f():\n    return h(g()).x\n"),
        ("class AsyncThing(_AsyncBase): ...\n", "class Thing(_Base): ...\n"),
        ("class Asynchronous: ...\n", "class Asynchronous: ...\n"),
        ("operation = 'Async'\nkind = Kind.ASYNC\n", "operation = 'Async'\nkind = Kind.ASYNC\n"),
        ("x: Callable[[int], Awaitable[str]]\n", "x: Callable[[int], str]\n"),
        ("x: Callable[[int], Awaitable[dict[str, int]]]\n", "x: Callable[[int], dict[str, int]]\n"),
        ("from pkg._async.mod import AsyncThing\n", "from pkg._sync.mod import Thing\n"),
        ("async def __aenter__(self): ...\n", "def __enter__(self): ...\n"),
        ("await self.aclose()\n", "self.close()\n"),
    ],
)
def test_code_is_translated_by_tokens(source: str, expected: str) -> None:
    assert converted(source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('"""Use ``async with AsyncThing() as t: await t.go()``."""\n', '"""Use ``with Thing() as t: t.go()``."""\n'),
        ("x = 1  # see AsyncThing\n", "x = 1  # see Thing\n"),
        ('x = f"AsyncThing({{{value!r}}}) awaits"\n', 'x = f"Thing({{{value!r}}}) awaits"\n'),
        ('"""An async model awaits its input."""\n', '"""An async model awaits its input."""\n'),
    ],
)
def test_texts_follow_the_names_and_leave_prose_alone(source: str, expected: str) -> None:
    assert converted(source) == expected


def test_a_kept_name_is_not_translated() -> None:
    assert converted("AsyncRun(AsyncThing)\n", keep=frozenset({"AsyncRun"})) == "AsyncRun(Thing)\n"


def test_a_table_entry_wins_over_the_rule() -> None:
    assert converted("AsyncThing()\n", {"AsyncThing": "BlockingThing"}) == "BlockingThing()\n"


def test_what_has_no_sync_counterpart_is_refused() -> None:
    with pytest.raises(UnasyncError, match=r"line 2: `asyncio` has no sync counterpart"):
        converted("x = 1\nasyncio.sleep(1)\n")


def test_a_source_that_does_not_parse_is_refused() -> None:
    with pytest.raises(UnasyncError, match="not Python"):
        converted("def f(:\n    '''\n")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    source = tmp_path / "src" / "_async"
    source.mkdir(parents=True)
    (source / "thing.py").write_text(
        "from ._shim import sleep\n\n\nclass AsyncThing:\n    async def go(self) -> None:\n        await sleep( 1 )\n"
    )
    (source / "_shim.py").write_text("from asyncio import sleep\n\n__all__ = ['sleep']\n")
    return tmp_path


TARGET = Target("src/_async", "src/_sync", by_hand=frozenset({"_shim.py"}))


def run(project: Path, *arguments: str, target: Target = TARGET) -> int:
    return main([*arguments, "--root", str(project)], targets=[target])


def test_update_writes_formatted_modules_under_a_header(project: Path) -> None:
    assert run(project) == 0
    text = (project / "src/_sync/thing.py").read_text()

    assert text.splitlines()[0] == ("# Derived from src/_async/thing.py by modelport_tools.unasync; do not edit.")
    assert text.endswith("class Thing:\n    def go(self) -> None:\n        sleep(1)\n")
    assert not (project / "src/_sync/_shim.py").exists()


def test_check_is_silent_on_fresh_modules_and_shows_a_diff_on_stale_ones(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(project)
    capsys.readouterr()

    assert run(project, "--check") == 0
    assert capsys.readouterr().out == ""

    derived = project / "src/_sync/thing.py"
    derived.write_text(derived.read_text().replace("sleep(1)", "sleep(2)"))
    stale = derived.read_text()

    assert run(project, "--check") == 1
    assert "-        sleep(2)\n+        sleep(1)" in capsys.readouterr().out
    assert derived.read_text() == stale


def test_a_module_without_a_source_is_stale_and_goes(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(project)
    orphan = project / "src/_sync/gone.py"
    orphan.write_text("x = 1\n")

    assert run(project, "--check") == 1
    assert "src/_sync/gone.py" in capsys.readouterr().out
    assert run(project) == 0
    assert not orphan.exists()


def test_a_substitution_that_nothing_uses_is_an_error(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = Target(TARGET.source, TARGET.target, {"AsyncGhost": "Ghost"}, frozenset({"AsyncKept"}), TARGET.by_hand)

    assert run(project, target=target) == 1
    assert "no module uses: AsyncGhost, AsyncKept" in capsys.readouterr().err


def test_an_empty_source_folder_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path) == 1
    assert "no modules to derive from" in capsys.readouterr().err
