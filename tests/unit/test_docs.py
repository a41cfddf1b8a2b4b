"""Every command, option, environment variable and metric that the code knows is told in the documents."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

VARIABLE = re.compile(r"""["']((?:MODELPORT|MLOPS|NEOMARIL)_[A-Z0-9_]*[A-Z0-9])["']""")
METRIC = re.compile(r"""["']((?:modelport)_[a-z0-9_]+_(?:total|seconds|bytes|ratio|count|info|psi|bucket|sum))["']""")
MAKE_TARGET = re.compile(r"^([a-z-]+):.*## ", re.MULTILINE)


@pytest.fixture(scope="module")
def documents(root: Path) -> str:
    files = [root / "README.md", *sorted((root / "docs").rglob("*.md"))]
    return "\n".join(file.read_text(encoding="utf-8") for file in files)


def sources(root: Path) -> Iterator[str]:
    for room in ("overlays", "tools"):
        for file in sorted((root / room).rglob("*.py")):
            yield file.read_text(encoding="utf-8")


def found(pattern: re.Pattern[str], root: Path) -> set[str]:
    return {match for text in sources(root) for match in pattern.findall(text)}


def missing(names: set[str], text: str) -> list[str]:
    return sorted(name for name in names if not re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text))


def test_every_environment_variable_is_documented(root: Path, documents: str) -> None:
    assert missing(found(VARIABLE, root), documents) == []


def test_every_metric_is_documented(root: Path, documents: str) -> None:
    assert missing(found(METRIC, root), documents) == []


def test_the_page_of_the_command_line_tells_what_the_commands_say(root: Path) -> None:
    from modelport.cli._reference import page

    current = (root / "docs" / "cli.md").read_text(encoding="utf-8")

    assert current == page(current), "run `make generate`"


def test_every_make_target_is_in_the_contributors_guide(root: Path) -> None:
    makefile = (root / "Makefile").read_text(encoding="utf-8")
    phony = set(re.findall(r"^\.PHONY: ([a-z-]+)", makefile, re.MULTILINE))

    assert phony == set(MAKE_TARGET.findall(makefile))


def test_no_link_between_the_documents_is_dead(root: Path) -> None:
    dead = [
        f"{file.name}: {target}"
        for file in [*root.glob("*.md"), *(root / "docs").rglob("*.md")]
        for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", file.read_text(encoding="utf-8"))
        if not (file.parent / target).exists()
    ]

    assert dead == []
