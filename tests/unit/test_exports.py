"""Every public name resolves, says what it is, and is known to the checkers."""

from __future__ import annotations

import ast
import importlib
import inspect
from pathlib import Path
from types import ModuleType

import pytest

# Packages whose names are lazy: __all__, the lazy table and the TYPE_CHECKING imports must say the same.
PUBLIC = [
    "modelport",
    "modelport.bedrock",
    "modelport.boxkite",
    "modelport.cli",
    "modelport.codex",
    "modelport.demo",
    "modelport.drift",
    "modelport.drift.offline",
    "modelport.drift.rules",
    "modelport.errors",
    "modelport.monitor",
    "modelport.predict_code",
    "modelport.predictions",
    "modelport.sandbox",
    "modelport_api.codex.v1",
]


def source_of(module: ModuleType) -> ast.Module:
    assert module.__file__ is not None
    return ast.parse(Path(module.__file__).read_text(encoding="utf-8"))


def type_checking_names(tree: ast.Module) -> set[str]:
    """What a module imports under ``if TYPE_CHECKING:``."""
    return {
        alias.asname or alias.name
        for node in tree.body
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for statement in node.body
        if isinstance(statement, ast.Import | ast.ImportFrom)
        for alias in statement.names
    }


def bound_names(tree: ast.Module) -> set[str]:
    """What the module binds at its top level by itself."""
    names: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names.update(alias.asname or alias.name for alias in node.names)
        elif isinstance(node, ast.Assign):
            names.update(target.id for target in node.targets if isinstance(target, ast.Name))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
    return names


@pytest.mark.parametrize("name", PUBLIC)
def test_a_package_says_what_is_public(name: str) -> None:
    module = importlib.import_module(name)

    assert module.__doc__, f"{name} has no docstring"
    assert len(module.__all__) == len(set(module.__all__))
    assert [export for export in module.__all__ if export.startswith("_") and export != "__version__"] == []


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_resolves_and_is_documented(name: str) -> None:
    module = importlib.import_module(name)
    undocumented = [
        export
        for export in module.__all__
        for value in [getattr(module, export)]
        if (inspect.isclass(value) or inspect.isroutine(value)) and not inspect.getdoc(value)
    ]

    assert undocumented == []


@pytest.mark.parametrize("name", PUBLIC)
def test_public_methods_are_documented(name: str) -> None:
    module = importlib.import_module(name)
    undocumented = [
        f"{export}.{method}"
        for export in module.__all__
        for value in [getattr(module, export)]
        if inspect.isclass(value) and value.__module__.startswith(("modelport.", "modelport_api._runtime"))
        for method, function in vars(value).items()
        if not method.startswith("_") and inspect.isfunction(inspect.unwrap(function)) and not inspect.getdoc(function)
    ]

    assert undocumented == []


@pytest.mark.parametrize("name", PUBLIC)
def test_the_checkers_see_the_same_names(name: str) -> None:
    module = importlib.import_module(name)
    tree = source_of(module)
    unseen = set(module.__all__) - type_checking_names(tree) - bound_names(tree)

    assert unseen == set(), "name these under TYPE_CHECKING"


@pytest.mark.parametrize("name", PUBLIC)
def test_dir_lists_the_lazy_names(name: str) -> None:
    module = importlib.import_module(name)

    assert set(module.__all__) - set(dir(module)) == set()


@pytest.mark.parametrize("name", PUBLIC)
def test_an_unknown_name_is_an_attribute_error(name: str) -> None:
    module = importlib.import_module(name)

    with pytest.raises(AttributeError, match="no_such_name"):
        _ = module.no_such_name


@pytest.mark.parametrize("package", ["modelport", "modelport_api", "modelport_tools"])
def test_a_package_is_marked_as_typed(package: str) -> None:
    module = importlib.import_module(package)

    assert module.__file__ is not None
    assert (Path(module.__file__).parent / "py.typed").is_file()
