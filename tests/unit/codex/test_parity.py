"""The two faces are one: the same classes, methods, signatures and documents."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from typing import Any

import pytest

import modelport._io._async
import modelport.codex._async


def modules() -> list[str]:
    packages = [modelport.codex._async, modelport._io._async]
    return [
        f"{package.__name__}.{entry.name}" for package in packages for entry in pkgutil.iter_modules(package.__path__)
    ]


def classes(name: str) -> dict[str, type]:
    module = importlib.import_module(name)
    found = inspect.getmembers(module, inspect.isclass)
    return {key.replace("Async", "", 1): value for key, value in found if value.__module__ == name}


def public(kind: type) -> dict[str, Any]:
    return {name: value for name, value in inspect.getmembers_static(kind) if not name.startswith("_")}


def synced(text: str) -> str:
    return re.sub(r"\bAsync(?=[A-Z])", "", text).replace("async with", "with").replace("await ", "")


PAIRS = [
    (f"{key}", value, classes(name.replace("_async", "_sync"))[key])
    for name in modules()
    if not name.endswith("_shim")
    for key, value in classes(name).items()
]


@pytest.mark.parametrize(("name", "first", "second"), PAIRS, ids=[name for name, _, _ in PAIRS])
def test_both_worlds_have_the_same_methods(name: str, first: type, second: type) -> None:
    ours, theirs = public(first), public(second)

    assert list(ours) == list(theirs)
    for method, value in ours.items():
        if not inspect.isfunction(value):
            continue
        assert synced(str(inspect.signature(value))) == str(inspect.signature(theirs[method])), method
        assert synced(inspect.getdoc(value) or "") == (inspect.getdoc(theirs[method]) or ""), method


def test_there_are_pairs_to_compare() -> None:
    assert len(PAIRS) > 25


def test_the_derived_modules_are_fresh(root: Any, capsys: pytest.CaptureFixture[str]) -> None:
    from modelport_tools.unasync import main

    assert main(["--check", "--root", str(root)]) == 0, capsys.readouterr()
