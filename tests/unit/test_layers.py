"""Imports point down only (ARCHITECTURE.md): draw them from the source and fail on an arrow that runs up."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOMS = {"modelport": "overlays", "modelport_api": "generated", "modelport_tools": "tools"}

# Faces of platforms. A new platform's room is added here and in ALLOWED by that alone.
FACES = frozenset({"codex", "bedrock", "boxkite", "brevetti", "mlflow", "inference", "jupyterhub", "storage"})
PLATFORMS = frozenset({f"api:{face}" for face in FACES})

# The concerns know no platform; a face hands them what they need.
CONCERNS = frozenset({"predictions", "drift", "predict_code"})

# Small shared modules at the top of overlays/modelport: `_*.py` and these. Every room may use them.
BASE_MODULES = frozenset({"config", "errors"})

BELOW_FACES = CONCERNS | PLATFORMS | {"api:_runtime", "base", "monitor"}

# For every layer: which other layers it may name. A layer may always name itself.
ALLOWED: dict[str, frozenset[str]] = {
    "top": FACES | BELOW_FACES,
    "cli": FACES | BELOW_FACES | {"top", "demo", "sandbox", "tools"},
    "demo": FACES | BELOW_FACES | {"top", "sandbox"},
    # Not a face: a bug in it must not agree with itself. PSI is arithmetic that both sides may share.
    "sandbox": PLATFORMS | {"api:_runtime", "base", "drift"},
    **dict.fromkeys(FACES, BELOW_FACES),
    # ModelMonitor puts predictions and drift together; it knows no platform either.
    "monitor": CONCERNS | {"base"},
    **dict.fromkeys(CONCERNS, frozenset({"base"})),
    "base": frozenset({"api:_runtime"}),
    **dict.fromkeys(PLATFORMS, frozenset({"api:_runtime"})),
    "api": PLATFORMS | {"api:_runtime"},
    "api:_runtime": frozenset(),
    "tools": frozenset(),
}


@dataclass(frozen=True)
class Arrow:
    source: str
    target: str
    where: str


def layer_of(module: str) -> str | None:
    """The layer of a dotted module name of ours; None for everybody else's."""
    package, _, rest = module.partition(".")
    first = rest.split(".")[0]
    match package:
        case "modelport_tools":
            return "tools"
        case "modelport_api":
            # Beside the platforms there is only what they all share.
            if first in FACES:
                return f"api:{first}"
            return "api:_runtime" if first else "api"
        case "modelport":
            return "base" if first.startswith("_") or first in BASE_MODULES else first or "top"
        case _:
            return None


def names_in(tree: ast.AST, package: str) -> Iterator[tuple[int, str]]:
    """Each dotted name that the module imports, wherever the import stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = package.split(".")
                base = ".".join([*parents[: len(parents) - node.level + 1], *filter(None, [base])])
            # `from modelport import drift` names a module only in its second half.
            yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)


def known_layer(name: str, layers: frozenset[str]) -> str | None:
    """The layer of an imported name: `from modelport import Codex` is the top, not a layer called Codex."""
    layer = layer_of(name)
    if layer is None or layer in layers:
        return layer
    return layer_of(name.rpartition(".")[0])


def modules_of(root: Path) -> Iterator[tuple[str, str, Path]]:
    """Every module of ours as (dotted name, package it stands in, file)."""
    for package, room in ROOMS.items():
        base = root / room
        for path in sorted((base / package).rglob("*.py")):
            parts = path.relative_to(base).with_suffix("").parts
            if "templates" in parts:
                continue
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            yield name, ".".join(parts[:-1]), path


def draw(root: Path) -> list[Arrow]:
    arrows: list[Arrow] = []
    layers = frozenset(ALLOWED)
    for name, package, path in modules_of(root):
        source = layer_of(name) or ""
        for line, imported in names_in(ast.parse(path.read_text(encoding="utf-8"), str(path)), package):
            target = known_layer(imported, layers)
            if target is not None:
                arrows.append(Arrow(source, target, f"{path.relative_to(root)}:{line} imports {imported}"))
    return arrows


@pytest.fixture(scope="module")
def arrows(root: Path) -> list[Arrow]:
    return draw(root)


def test_every_module_belongs_to_a_known_layer(root: Path) -> None:
    unknown = {name for name, _, _ in modules_of(root) if layer_of(name) not in ALLOWED}

    assert unknown == set(), "say in ALLOWED which layer these are and what they may import"


def test_no_import_points_up(arrows: list[Arrow]) -> None:
    wrong = [
        f"{arrow.where} ({arrow.source} -> {arrow.target})"
        for arrow in arrows
        if arrow.source != arrow.target and arrow.target not in ALLOWED.get(arrow.source, frozenset())
    ]

    assert wrong == []


def test_one_module_names_httpx(root: Path) -> None:
    """The lesson of others: what names its transport everywhere cannot change it."""
    namers = {
        path.relative_to(root).as_posix()
        for name, package, path in modules_of(root)
        if layer_of(name) == "api:_runtime" or not name.startswith("modelport_tools")
        for _, imported in names_in(ast.parse(path.read_text(encoding="utf-8"), str(path)), package)
        if imported.split(".")[0] == "httpx"
    }

    assert len(namers) <= 1, f"only the runtime's transport module may import httpx: {sorted(namers)}"


@pytest.mark.parametrize(
    ("source", "package", "expected"),
    [
        ("import modelport.codex.models", "modelport.cli", "codex"),
        ("from modelport import Codex", "modelport.cli", "top"),
        ("from modelport._extras import require", "modelport.drift", "base"),
        ("from modelport import drift", "modelport.codex", "drift"),
        ("from modelport_api.codex.v1 import Client", "modelport.sandbox", "api:codex"),
        ("from modelport_api import _runtime", "modelport.codex", "api:_runtime"),
        ("from . import _http", "modelport_api._runtime", "api:_runtime"),
        ("from ...._runtime import errors", "modelport_api.codex.v1.models", "api:_runtime"),
        ("import json", "modelport", None),
    ],
)
def test_an_import_is_drawn_to_its_layer(source: str, package: str, expected: str | None) -> None:
    [(_, imported)] = names_in(ast.parse(source), package)

    assert known_layer(imported, frozenset(ALLOWED)) == expected
