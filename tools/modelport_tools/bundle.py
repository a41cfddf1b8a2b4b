"""References to other files, taken into the document: what they point at becomes a component of it.

Every file must lie in the folder of the main document or below it; nothing is ever read from anywhere else.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, NoReturn, cast
from urllib.parse import unquote

from .document import Document, is_array, is_object, line_of, lookup, read
from .errors import SpecError
from .pointers import MAX_VALUES, step_text
from .shape import SECTIONS, kind_below

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:|//")
_FILE = re.compile(r"[^#]*\.(?:ya?ml|json)", re.IGNORECASE)
_UNFIT = re.compile(r"[^A-Za-z0-9._-]+")
_SWAGGER_SECTIONS = {"schema": "definitions", "parameter": "parameters", "response": "responses"}
_MAX_NESTING = 100
_SHOWN_CHARACTERS = 200

_WORDS = {"pathItem": "path item"}
_DATA = "data"
"""The kind of what is nobody's business, such as an example: there a reference is a name like any other."""
_DATA_KEYS = frozenset({"const", "default", "enum", "example", "examples", "mapping", "value"})

_Target = tuple[str, Path, str]
"""A kind, a file and a pointer into it."""


Origins = dict[str, tuple[Path, str]]
"""Where what was taken from another file stands: its pointer in the document, that file, the pointer there."""


def bundle(document: Document, source: Path, origins: Origins | None = None) -> Document:
    """The document with everything that it takes from files beside it.

    Args:
        document: As it was read.
        source: The file that it was read from.
        origins: Takes up where each part of another file comes from, to tell the place of a fault.

    Raises:
        SpecError: If a reference leads out of the folder, to the network or nowhere; names file, line and pointer.
    """
    return _Bundler(document, source, {} if origins is None else origins).bundled()


def _cut(reference: str) -> str:
    return reference if len(reference) <= _SHOWN_CHARACTERS else f"{reference[:_SHOWN_CHARACTERS]}..."


class _Bundler:
    def __init__(self, document: Document, source: Path, origins: Origins) -> None:
        self._origins = origins
        self._document = document
        self._source = source
        self._main = source.resolve()
        self._folder = source.parent.resolve()
        self._files: dict[Path, Document] = {self._main: document}
        self._sections = _SWAGGER_SECTIONS if "swagger" in document else SECTIONS
        self._homes: dict[_Target, str] = {}
        self._waiting: list[tuple[_Target, str]] = []
        self._taken: dict[str, set[str]] = {}
        self._nesting: list[tuple[Path, str]] = []
        self._count = 0

    def bundled(self) -> Document:
        for kind, section in self._sections.items():
            entries = self._section(self._document, section)
            self._taken[kind] = set(entries)
            for name in sorted(entries):
                self._settle(kind, name, entries[name], f"{self._root(section)}/{step_text(name)}")
        result = cast("Document", self._copied(self._document, "document", self._main, ""))
        while self._waiting:
            (kind, file, pointer), name = self._waiting.pop(0)
            content = self._copied(self._target(file, pointer), kind, file, pointer)
            self._home(result, self._sections[kind])[name] = content
            self._origins[f"{self._root(self._sections[kind])}/{step_text(name)}"] = self._shown(file), pointer
        return result

    def _root(self, section: str) -> str:
        return f"/{section}" if self._sections is _SWAGGER_SECTIONS else f"/components/{section}"

    def _section(self, document: Document, section: str) -> Document:
        holder = document if self._sections is _SWAGGER_SECTIONS else document.get("components")
        entries = holder.get(section) if is_object(holder) else None
        return entries if is_object(entries) else {}

    def _home(self, document: Document, section: str) -> Document:
        holder = document if self._sections is _SWAGGER_SECTIONS else document.setdefault("components", {})
        return cast("Document", holder.setdefault(section, {}))

    def _settle(self, kind: str, name: str, entry: Any, pointer: str) -> None:
        """A component that is nothing but a reference to another file is the home of what stands there."""
        reference = entry.get("$ref") if is_object(entry) and len(entry) == 1 else None
        if isinstance(reference, str) and not reference.startswith("#"):
            file, inner = self._followed(reference, self._main, f"{pointer}/$ref")
            if file != self._main and (kind, file, inner) not in self._homes:
                self._homes[kind, file, inner] = name
                self._waiting.append(((kind, file, inner), name))

    def _copied(self, value: Any, kind: str | None, file: Path, pointer: str) -> Any:
        self._count += 1
        if self._count > MAX_VALUES:
            self._refuse(f"has more than {MAX_VALUES} values with the files it refers to", file, pointer)
        if is_array(value):
            inner = kind[1:-1] if kind and kind.startswith("[") else kind
            return [self._copied(item, inner, file, f"{pointer}/{index}") for index, item in enumerate(value)]
        if not is_object(value):
            return value
        reference = value.get("$ref") if kind != _DATA else None
        if isinstance(reference, str) and (kind == "pathItem" or kind not in self._sections):
            return self._inlined(value, reference, kind, file, pointer)
        copied: Document = {}
        for key in sorted(value):
            place = f"{pointer}/{step_text(key)}"
            if key == "$ref" and isinstance(reference, str) and kind:
                copied[key] = self._renamed(reference, kind, file, place)
            elif key == "discriminator" and kind == "schema":
                copied[key] = self._mapped(value[key], file, place)
            else:
                if key == "operationRef" and kind == "link":
                    self._check_operation(value[key], file, place)
                copied[key] = self._copied(value[key], _below(kind, key), file, place)
        return copied

    def _inlined(self, value: Document, reference: str, kind: str | None, file: Path, pointer: str) -> Any:
        """What OpenAPI has no components for, such as an operation or a text: the content takes the place."""
        target, inner = self._followed(reference, file, f"{pointer}/$ref")
        shown = kind or "value"
        if (target, inner) in self._nesting or len(self._nesting) > _MAX_NESTING:
            self._refuse(f"the {_WORDS.get(shown, shown)} holds itself", file, f"{pointer}/$ref")
        content = self._target(target, inner, file, f"{pointer}/$ref")
        if not self._nesting:
            self._origins[pointer] = self._shown(target), inner
        self._nesting.append((target, inner))
        copied = self._copied(content, kind, target, inner)
        self._nesting.pop()
        rest = {key: entry for key, entry in value.items() if key != "$ref"}
        if kind in {"operation", "pathItem"} and not is_object(copied):
            self._refuse(f"the reference does not lead to a {_WORDS.get(shown, shown)}", file, f"{pointer}/$ref")
        if not rest or not is_object(copied):
            return copied
        return copied | cast("Document", self._copied(rest, kind, file, pointer))

    def _mapped(self, discriminator: Any, file: Path, pointer: str) -> Any:
        """A discriminator; its mapping holds references, or names of schemas."""
        if not is_object(discriminator) or not is_object(discriminator.get("mapping")):
            return discriminator
        mapping: Document = discriminator["mapping"]
        place = f"{pointer}/mapping"
        named = {
            key: self._renamed(entry, "schema", file, f"{place}/{step_text(key)}")
            if isinstance(entry, str) and ("#" in entry or _FILE.fullmatch(entry))
            else entry
            for key, entry in sorted(mapping.items())
        }
        return {**discriminator, "mapping": named}

    def _check_operation(self, reference: Any, file: Path, pointer: str) -> None:
        if isinstance(reference, str) and (file != self._main or not reference.startswith("#")):
            self._refuse("a link to an operation of another file is not supported: use operationId", file, pointer)

    def _renamed(self, reference: str, kind: str, file: Path, pointer: str) -> str:
        if file == self._main and reference.startswith("#"):
            return reference
        target, inner = self._followed(reference, file, pointer)
        if target == self._main:
            return f"#{inner}"
        known = self._homes.get((kind, target, inner))
        if known is None:
            if kind not in self._sections:
                self._refuse(f"a reference to another file cannot stand for a {kind}", file, pointer)
            self._target(target, inner, file, pointer)
            known = self._name(kind, target, inner)
            self._homes[kind, target, inner] = known
            self._waiting.append(((kind, target, inner), known))
        return f"#{self._root(self._sections[kind])}/{step_text(known)}"

    def _name(self, kind: str, file: Path, pointer: str) -> str:
        """The last step of the pointer, or the name of the file; longer where another bears it already."""
        taken = self._taken.setdefault(kind, set())
        last = unquote(pointer.rpartition("/")[2]).replace("~1", "/").replace("~0", "~")
        folder = [_UNFIT.sub("_", part) for part in file.relative_to(self._folder).with_suffix("").parts]
        own = _UNFIT.sub("_", last)
        names = [own] if own else []
        names += ["_".join([*folder[index:], *([own] if own else [])]) for index in reversed(range(len(folder)))]
        name = next((name for name in names if name not in taken), names[-1])
        number = 2
        while name in taken:
            name = f"{names[-1]}_{number}"
            number += 1
        taken.add(name)
        return name

    def _followed(self, reference: str, file: Path, pointer: str) -> tuple[Path, str]:
        """The file and the pointer that a reference names.

        Raises:
            SpecError: If the file is not one of the folder.
        """
        location, _, inner = reference.partition("#")
        if inner and not inner.startswith("/"):
            self._refuse(f"{_cut(reference)}: an anchor is not supported, write the path to the place", file, pointer)
        if not location:
            return file, inner
        name = unquote(location)
        if _SCHEME.match(name):
            self._refuse(f"{_cut(reference)}: nothing is fetched over the network; keep the file beside", file, pointer)
        if name.startswith(("/", "\\")) or "\\" in name or "\0" in name:
            self._refuse(f"{_cut(reference)}: a reference must be relative, with forward slashes", file, pointer)
        target = Path(os.path.normpath(file.parent / name))
        if target == self._main:
            return target, inner
        try:
            real = target.resolve()
            there = real.is_file()
        except (OSError, RuntimeError):  # a name too long, a loop of links
            self._refuse(f"{_cut(reference)}: cannot be read", file, pointer)
        if not target.is_relative_to(self._folder) or not real.is_relative_to(self._folder):
            self._refuse(f"{_cut(reference)}: leads out of the folder of the document", file, pointer)
        if not there:
            self._refuse(f"{_cut(reference)}: there is no such file", file, pointer)
        return real, inner

    def _target(self, file: Path, inner: str, origin: Path | None = None, pointer: str = "") -> Any:
        if file not in self._files:
            self._files[file] = read(file)
        try:
            return lookup(self._files[file], f"#{inner}") if inner else self._files[file]
        except SpecError as error:
            shown = file.relative_to(self._folder) if file.is_relative_to(self._folder) else file.name
            return self._refuse(f"{shown}#{inner}: {error.reason}", origin or file, pointer)

    def _shown(self, file: Path) -> Path:
        """The file as the user would write it."""
        return self._source if file == self._main else self._source.parent / file.relative_to(self._folder)

    def _refuse(self, reason: str, file: Path, pointer: str) -> NoReturn:
        source = self._shown(file)
        raise SpecError(reason, source=source, pointer=pointer, line=line_of(source, pointer))


def _below(kind: str | None, key: str) -> str | None:
    """The kind of what stands under a key; None for a plain value."""
    if kind == _DATA:
        return _DATA
    below = kind_below(kind, key) if kind else None
    return _DATA if below is None and (key in _DATA_KEYS or key.startswith("x-")) else below
