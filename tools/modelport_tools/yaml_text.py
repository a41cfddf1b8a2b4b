"""YAML as JSON has it: no dates, no ``on`` for true, every key a text; aliases and merge keys written out.

Values are built from the events of the parser, one after the other: depth and size are known while they grow, and every
fault has its line and its place.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn, cast

import yaml

from .errors import SpecError
from .json_text import finite
from .pointers import MAX_DEPTH, MAX_VALUES, step_text, steps_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# The parser in C where PyYAML was built with it: ten times as fast, the same events.
_PARSER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAG = "tag:yaml.org,2002:"
_MERGE = "<<"

_BOOLEAN = re.compile(r"(?:true|false|True|False|TRUE|FALSE)")
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_NULL = re.compile(r"(?:null|Null|NULL|~|)")

_READERS: dict[str, tuple[re.Pattern[str], Callable[[str], Any]]] = {
    f"{_TAG}bool": (_BOOLEAN, lambda text: text.lower() == "true"),
    f"{_TAG}int": (_INTEGER, int),
    f"{_TAG}float": (_NUMBER, finite),
    f"{_TAG}null": (_NULL, lambda _: None),
}
_TEXTS = {f"{_TAG}str", f"{_TAG}timestamp", "!"}
_CONTAINERS = {None, "!", f"{_TAG}map", f"{_TAG}seq"}


def parse(content: str) -> Any:
    """The one value of a YAML text; None if it is empty.

    Raises:
        SpecError: If it is not YAML, or more than JSON can say; with line and pointer.
    """
    return _Builder().built(_events(content))


def line_of(content: str, pointer: str) -> int | None:
    """The line of the key or item that a pointer names, or of the nearest above it; None if not even its first step."""
    steps = steps_of(pointer)
    found: int | None = None
    matched = 0
    path: list[str | None] = []
    try:
        for event, key, depth in _walk(content):
            del path[depth:]
            path.append(key)
            if depth == matched + 1 and path[1:] == steps[:depth]:
                matched, found = depth, int(event.start_mark.line) + 1
                if matched == len(steps):
                    break
    except SpecError:
        return found
    return found if steps else 1


def _walk(content: str) -> Iterator[tuple[Any, str | None, int]]:
    """Every key and item: the event that begins it, its name, its depth (the whole is 0)."""
    counters: list[int | None] = []
    awaiting: list[bool] = []
    for event in _events(content):
        if isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            counters.pop()
            awaiting.pop()
            continue
        if not isinstance(event, (yaml.NodeEvent,)):
            continue
        if not counters:
            yield event, None, 0
        elif counters[-1] is not None:
            yield event, str(counters[-1]), len(counters)
            counters[-1] += 1
        elif awaiting[-1]:
            yield event, str(getattr(event, "value", None)), len(counters)
            awaiting[-1] = False
        else:
            awaiting[-1] = True
        if isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            counters.append(None if isinstance(event, yaml.MappingStartEvent) else 0)
            awaiting.append(True)


def _events(content: str) -> Iterator[Any]:
    try:
        yield from yaml.parse(content, Loader=_PARSER)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise SpecError(f"is not YAML: {error.problem}", line=line) from error
    except yaml.reader.ReaderError as error:
        line = content.count("\n", 0, error.position) + 1 if isinstance(error.position, int) else None
        raise SpecError(f"is not YAML: {error.reason}", line=line) from error
    except (yaml.YAMLError, ValueError) as error:
        raise SpecError(f"is not YAML: {error}") from error


@dataclass(slots=True)
class _Frame:
    """A mapping or a list that is being filled."""

    values: Any
    is_list: bool
    key: str | None = None
    """Of a mapping: the key whose value comes next."""
    merging: bool = False
    """Whether that key is the merge key."""
    merged: list[dict[str, Any]] | None = None
    """What the merge key brought."""


class _Builder:
    def __init__(self) -> None:
        self._frames: list[_Frame] = []
        self._anchors: dict[str, Any] = {}
        self._count = 0
        self._whole: Any = None
        self._documents = 0
        self._line = 1

    def built(self, events: Iterator[Any]) -> Any:
        for event in events:
            self._line = event.start_mark.line + 1
            if isinstance(event, yaml.ScalarEvent):
                self._scalar(event)
            elif isinstance(event, yaml.AliasEvent):
                self._alias(event)
            elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
                self._begin(event)
            elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
                self._end()
            elif isinstance(event, yaml.DocumentStartEvent):
                self._documents += 1
                if self._documents > 1:
                    self._refuse("is not YAML of one document: another begins here")
        return self._whole

    def _scalar(self, event: Any) -> None:
        value = event.value if self._wants_key() else self._read(event)
        if event.anchor is not None:
            self._anchors[event.anchor] = value
        if self._wants_key():
            self._key(event.value, merge=bool(event.implicit[0]) or event.tag == f"{_TAG}merge")
        else:
            self._put(value)

    def _read(self, event: Any) -> Any:
        text: str = event.value
        if event.tag is None:
            if not event.implicit[0]:  # in quotes, or a block
                return text
            for pattern, reader in _READERS.values():
                if pattern.fullmatch(text):
                    return self._converted(reader, text)
            return text
        if event.tag in _TEXTS:
            return text
        if event.tag not in _READERS:
            self._refuse(f"is not YAML that JSON could say: the tag {_shown(event.tag)} is not supported")
        pattern, reader = _READERS[event.tag]
        if not pattern.fullmatch(text):
            self._refuse(f"{text[:40]!r} cannot be read as {_shown(event.tag)}")
        return self._converted(reader, text)

    def _converted(self, reader: Callable[[str], Any], text: str) -> Any:
        try:
            return reader(text)
        except SpecError as error:
            return self._refuse(error.reason)
        except ValueError as error:  # an integer longer than Python reads
            return self._refuse(f"holds a value that cannot be read: {error}")

    def _alias(self, event: Any) -> None:
        if event.anchor not in self._anchors:
            self._refuse(f"is not YAML: the alias *{event.anchor} stands for nothing")
        value = self._anchors[event.anchor]
        if any(frame.values is value for frame in self._frames):
            self._refuse(f"refers to itself: the alias *{event.anchor} stands in what it stands for")
        if not self._wants_key():
            self._put(value)
        elif isinstance(value, str):
            self._key(value, merge=False)
        else:
            self._refuse("a key must be a text")

    def _begin(self, event: Any) -> None:
        if self._wants_key():
            self._refuse("a key must be a text")
        if event.tag not in _CONTAINERS:
            self._refuse(f"is not YAML that JSON could say: the tag {_shown(event.tag)} is not supported")
        if len(self._frames) >= MAX_DEPTH:
            raise SpecError(f"is nested more than {MAX_DEPTH} levels deep", line=self._line)
        values: Any = {} if isinstance(event, yaml.MappingStartEvent) else []
        if event.anchor is not None:
            self._anchors[event.anchor] = values
        self._frames.append(_Frame(values, isinstance(event, yaml.SequenceStartEvent)))

    def _end(self) -> None:
        frame = self._frames.pop()
        for source in frame.merged or ():
            self._grow(len(source))
            for key, value in source.items():
                frame.values.setdefault(key, value)
        self._put(frame.values)

    def _wants_key(self) -> bool:
        return bool(self._frames) and self._frames[-1].key is None and not self._frames[-1].is_list

    def _key(self, key: str, *, merge: bool) -> None:
        frame = self._frames[-1]
        frame.merging = merge and key == _MERGE
        again = frame.merged is not None if frame.merging else key in frame.values
        frame.key = key
        if again:
            self._refuse(f"the key {key!r} stands twice")
        if not frame.merging:
            frame.values[key] = None

    def _put(self, value: Any) -> None:
        self._grow(1)
        if not self._frames:
            self._whole = value
            return
        frame = self._frames[-1]
        if frame.is_list:
            frame.values.append(value)
        elif frame.merging:
            frame.merged = self._sources(value)
        else:
            frame.values[frame.key] = value
        frame.key, frame.merging = None, False

    def _sources(self, value: Any) -> list[dict[str, Any]]:
        """The mappings of a merge key; of two, the first wins, and what the mapping says itself before both."""
        sources = cast("list[Any]", value) if isinstance(value, list) else [value]
        if not all(isinstance(source, dict) for source in sources):
            self._refuse("the merge key << needs a mapping, or a list of mappings")
        return sources

    def _grow(self, number: int) -> None:
        self._count += number
        if self._count > MAX_VALUES:
            raise SpecError(f"has more than {MAX_VALUES} values", line=self._line)

    def _refuse(self, reason: str) -> NoReturn:
        steps = [str(len(frame.values)) if frame.is_list else frame.key for frame in self._frames]
        pointer = "".join(f"/{step_text(step)}" for step in steps if step is not None)
        raise SpecError(reason, pointer=pointer, line=self._line)


def _shown(tag: str) -> str:
    return f"!!{tag.removeprefix(_TAG)}" if tag.startswith(_TAG) else tag
