"""Derive sync modules from the hand-written async ones, so that the two never part.

Run ``python -m modelport_tools.unasync`` after an edit in an ``_async`` folder; ``--check`` writes nothing and ends
with 1 and a diff if something derived is stale.

What differs between the two worlds and is no matter of spelling (locks, sleeping, threads) belongs in a file that is
written by hand in both folders: see `Target.by_hand`. A derived module in which ``asyncio`` remains is refused.
"""

from __future__ import annotations

import argparse
import difflib
import io
import keyword
import re
import subprocess
import sys
import tokenize
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

LANGUAGE: Mapping[str, str] = MappingProxyType(
    {
        "AbstractAsyncContextManager": "AbstractContextManager",
        "AsyncByteStream": "SyncByteStream",
        "StopAsyncIteration": "StopIteration",
        "__aenter__": "__enter__",
        "__aexit__": "__exit__",
        "__aiter__": "__iter__",
        "__anext__": "__next__",
        "_async": "_sync",
        "aclose": "close",
        "aiter": "iter",
        "aiter_bytes": "iter_bytes",
        "aiter_lines": "iter_lines",
        "aiter_raw": "iter_raw",
        "aiter_text": "iter_text",
        "anext": "next",
        "aread": "read",
        "asynccontextmanager": "contextmanager",
        "enter_async_context": "enter_context",
        "push_async_callback": "callback",
        "push_async_exit": "push",
    }
)
"""Names of the language, its library and httpx; beside these, ``AsyncThing`` is ``Thing``."""

_ASYNC_NAME = re.compile(r"_?Async(?=[A-Z])")
_WORD = re.compile(r"\w+")
_KEYWORDS_IN_TEXT = re.compile(r"\basync (?=(?:def|with|for)\b)|\bawait (?=[\w(])")
_FORBIDDEN = frozenset({"async", "await", "asyncio", "anyio"})
_TEXT_TOKENS = frozenset({"STRING", "COMMENT", "FSTRING_MIDDLE"})
# The order of imports may change with the names; these are the repairs that a renaming can call for.
_RUFF_REPAIRS = "F401,I001,RUF022,RUF023,RUF100"


class UnasyncError(Exception):
    """A source from which no sync module can be derived, or a table that does not fit its sources."""


@dataclass(frozen=True)
class Target:
    """One folder to derive from another.

    Args:
        source: The async folder, relative to the project.
        target: The sync folder; every module in it is derived, but those `by_hand`.
        names: Substitutions beside `LANGUAGE`; each must be used.
        keep: Names that begin with ``Async`` and mean something else (a kind of model, say); each must be used.
        by_hand: Modules that are written by hand in both folders.
    """

    source: str
    target: str
    names: Mapping[str, str] = field(default_factory=dict[str, str])
    keep: frozenset[str] = frozenset()
    by_hand: frozenset[str] = frozenset()


_SHIM = frozenset({"_shim.py"})

TARGETS: tuple[Target, ...] = (
    Target("tools/modelport_tools/runtime/_async", "tools/modelport_tools/runtime/_sync", by_hand=_SHIM),
    Target("overlays/modelport/_io/_async", "overlays/modelport/_io/_sync", by_hand=_SHIM),
    Target("overlays/modelport/codex/_async", "overlays/modelport/codex/_sync"),
)


class Renamer:
    """Translates names and texts, and remembers which entries of its tables it used."""

    def __init__(self, names: Mapping[str, str], keep: frozenset[str]) -> None:
        self._names = {**LANGUAGE, **names}
        self._keep = keep
        self._asked = frozenset(names) | keep
        self.used: set[str] = set()

    def name(self, name: str) -> str:
        """The sync name for a name."""
        if name in self._asked:
            self.used.add(name)
        if name in self._keep:
            return name
        if name in self._names:
            return self._names[name]
        return _ASYNC_NAME.sub(lambda match: "_" if match[0].startswith("_") else "", name, count=1)

    def text(self, text: str) -> str:
        """The sync text for a docstring, comment or message: names as in code, and no ``await`` before a word."""
        return _WORD.sub(lambda match: self.name(match[0]), _KEYWORDS_IN_TEXT.sub("", text))

    def unused(self) -> list[str]:
        """Entries of the tables that no source needed."""
        return sorted(self._asked - self.used)


@dataclass(frozen=True)
class _Edit:
    start: tuple[int, int]
    end: tuple[int, int]
    text: str = ""


def convert(source: str, renamer: Renamer) -> str:
    """The sync source for an async one, not yet formatted.

    Raises:
        UnasyncError: The source does not parse, or uses what has no sync counterpart.
    """
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    except (tokenize.TokenError, SyntaxError) as error:
        raise UnasyncError(f"not Python: {error}") from error
    lines = source.splitlines(keepends=True)
    edits = [*_keyword_edits(tokens), *_name_edits(tokens, lines, renamer)]
    converted = _apply(lines, edits)
    _refuse_leftovers(converted)
    return converted


def _keyword_edits(tokens: Sequence[tokenize.TokenInfo]) -> Iterator[_Edit]:
    for index, token in enumerate(tokens[:-1]):
        following = tokens[index + 1]
        if token.type != tokenize.NAME:
            continue
        if token.string == "await" or (token.string == "async" and following.string in {"def", "with", "for"}):
            yield _Edit(token.start, following.start)
        if token.string == "await":
            yield from _needless_parentheses(tokens, index)
        elif token.string == "Awaitable" and following.string == "[":
            close = tokens[_matching(tokens, index + 1)]
            yield _Edit(token.start, following.end)
            yield _Edit(close.start, close.end)


def _needless_parentheses(tokens: Sequence[tokenize.TokenInfo], index: int) -> Iterator[_Edit]:
    """Turn ``(await x()).y`` into ``x().y``: the formatter would leave the parentheses."""
    if index == 0 or tokens[index - 1].string != "(":
        return
    before = tokens[index - 2] if index > 1 else None
    if before is not None and (before.string in {")", "]"} or _is_plain_name(before)):
        return  # the argument of a call
    close = _matching(tokens, index - 1)
    if tokens[close + 1].string not in {".", "["} or not _is_primary(tokens[index + 1 : close]):
        return
    for parenthesis in (tokens[index - 1], tokens[close]):
        yield _Edit(parenthesis.start, parenthesis.end)


def _is_plain_name(token: tokenize.TokenInfo) -> bool:
    return token.type == tokenize.NAME and not keyword.iskeyword(token.string)


def _is_primary(tokens: Sequence[tokenize.TokenInfo]) -> bool:
    """Whether tokens are names, attributes, calls and subscripts only, with no line break outside brackets."""
    depth = 0
    for token in tokens:
        if token.string in {")", "]", "}"}:
            depth -= 1
        elif token.string in {"(", "[", "{"}:
            depth += 1
        elif depth == 0 and not (_is_plain_name(token) or token.string == "."):
            return False
    return True


def _matching(tokens: Sequence[tokenize.TokenInfo], opening: int) -> int:
    """The index of the bracket that closes the one at `opening`."""
    depth = 0
    for index in range(opening, len(tokens)):
        if tokens[index].type == tokenize.OP:
            depth += (tokens[index].string in "([{") - (tokens[index].string in ")]}")
        if depth == 0:
            return index
    raise UnasyncError(f"line {tokens[opening].start[0]}: a bracket is not closed")


def _name_edits(tokens: Sequence[tokenize.TokenInfo], lines: Sequence[str], renamer: Renamer) -> Iterator[_Edit]:
    for token in tokens:
        if token.type == tokenize.NAME:
            new = renamer.name(token.string)
            old = token.string
        elif tokenize.tok_name[token.type] in _TEXT_TOKENS:
            # Taken from the source and not from the token, which has `{{` of an f-string halved.
            old = _slice(lines, token.start, token.end)
            new = renamer.text(old)
        else:
            continue
        if new != old:
            yield _Edit(token.start, token.end, new)


def _slice(lines: Sequence[str], start: tuple[int, int], end: tuple[int, int]) -> str:
    if start[0] == end[0]:
        return lines[start[0] - 1][start[1] : end[1]]
    middle = lines[start[0] : end[0] - 1]
    return "".join([lines[start[0] - 1][start[1] :], *middle, lines[end[0] - 1][: end[1]]])


def _apply(lines: Sequence[str], edits: Sequence[_Edit]) -> str:
    offsets = [0]
    for line in lines:
        offsets.append(offsets[-1] + len(line))
    text = "".join(lines)
    for edit in sorted(edits, key=lambda edit: edit.start, reverse=True):
        start = offsets[edit.start[0] - 1] + edit.start[1]
        end = offsets[edit.end[0] - 1] + edit.end[1]
        text = text[:start] + edit.text + text[end:]
    return text


def _refuse_leftovers(converted: str) -> None:
    for token in tokenize.generate_tokens(io.StringIO(converted).readline):
        if token.type == tokenize.NAME and token.string in _FORBIDDEN:
            raise UnasyncError(
                f"line {token.start[0]}: `{token.string}` has no sync counterpart; "
                "put what needs it into a module that is written by hand in both folders"
            )


def derive(target: Target, root: Path) -> dict[Path, str]:
    """The text of every derived module of a target, by path.

    Raises:
        UnasyncError: A source that cannot be converted, or an entry of the tables that none of them needs.
    """
    source_folder, target_folder = root / target.source, root / target.target
    sources = sorted(path for path in source_folder.rglob("*.py") if path.name not in target.by_hand)
    if not sources:
        raise UnasyncError(f"{target.source}: no modules to derive from")
    renamer = Renamer(target.names, target.keep)
    derived: dict[Path, str] = {}
    for path in sources:
        relative = path.relative_to(source_folder)
        try:
            converted = convert(path.read_text(encoding="utf-8"), renamer)
            origin = f"{target.source}/{relative.as_posix()}"
            header = f"# Derived from {origin} by modelport_tools.unasync; do not edit.\n"
            derived[target_folder / relative] = _format(header + converted, target_folder / relative)
        except UnasyncError as error:
            raise UnasyncError(f"{path.relative_to(root)}: {error}") from error
    if unused := renamer.unused():
        raise UnasyncError(f"{target.source}: the table has names that no module uses: {', '.join(unused)}")
    return derived


def _format(text: str, path: Path) -> str:
    repair = ["check", "--fix-only", "--quiet", "--fixable", _RUFF_REPAIRS]
    for command in (repair, ["format", "--quiet"]):
        arguments = [sys.executable, "-m", "ruff", *command, "--no-cache", "--stdin-filename", str(path), "-"]
        finished = subprocess.run(arguments, input=text, capture_output=True, text=True, check=False, encoding="utf-8")
        if finished.returncode != 0:
            raise UnasyncError(f"ruff refused the derived module: {finished.stderr.strip()}")
        text = finished.stdout
    return text


def stale(target: Target, root: Path, derived: Mapping[Path, str]) -> list[Path]:
    """Modules in a target's folder whose source is gone."""
    present = (root / target.target).rglob("*.py")
    return sorted(path for path in present if path not in derived and path.name not in target.by_hand)


def update(target: Target, root: Path) -> list[Path]:
    """Write a target's modules; returns those that changed, removed ones included."""
    derived = derive(target, root)
    changed: list[Path] = []
    for path, text in derived.items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
            changed.append(path)
    for path in stale(target, root, derived):
        path.unlink()
        changed.append(path)
    return changed


def check(target: Target, root: Path) -> str:
    """A unified diff from what is on disk to what it should be; empty if fresh."""
    derived = derive(target, root)
    wanted: dict[Path, str] = {**derived, **dict.fromkeys(stale(target, root, derived), "")}
    pieces: list[str] = []
    for path, text in wanted.items():
        found = path.read_text(encoding="utf-8") if path.exists() else ""
        name = path.relative_to(root).as_posix()
        diff = difflib.unified_diff(found.splitlines(True), text.splitlines(True), name, f"{name} (derived)")
        pieces.extend(diff)
    return "".join(pieces)


def main(arguments: Sequence[str] | None = None, *, targets: Sequence[Target] = TARGETS) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m modelport_tools.unasync", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; end with 1 and a diff if stale")
    parser.add_argument("--root", type=Path, default=Path.cwd(), help="the project's folder (default: this one)")
    options = parser.parse_args(arguments)
    root: Path = options.root.resolve()
    status = 0
    for target in targets:
        try:
            if options.check:
                difference = check(target, root)
                status |= bool(difference)
                sys.stdout.write(difference)
            else:
                sys.stdout.writelines(f"{path.relative_to(root)}\n" for path in update(target, root))
        except UnasyncError as error:
            sys.stderr.write(f"unasync: {error}\n")
            status = 1
    return status


if __name__ == "__main__":
    raise SystemExit(main())
