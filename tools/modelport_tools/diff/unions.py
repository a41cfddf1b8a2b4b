"""Rules for oneOf and anyOf: which member became which, what came and went, how they are told apart."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from modelport_tools.document import is_array, is_object, resolve

from . import names
from .shapes import Shape, Shapes, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .values import Note

Side = tuple[Shapes, Any]
"""The schemas of a document, and the one that is compared."""


@dataclass
class Found:
    """What became of a union.

    Attributes:
        notes: Changes of the union itself.
        pairs: A name and the two schemas of each member that stayed.
    """

    notes: list[Note] = field(default_factory=list[tuple[str, str, Any, Any]])
    pairs: list[tuple[str, Any, Any]] = field(default_factory=list[tuple[str, Any, Any]])


def is_compared_alone(old: Shape, new: Shape) -> bool:
    """Whether the union is all there is: a schema that became a union, or the reverse, was or is one of its members."""
    if old.union and new.union:
        return old.is_free and new.is_free
    return bool((old.union and old.is_free and not new.is_free) or (new.union and new.is_free and not old.is_free))


def compare(old: Side, new: Side, *, alone: bool) -> Found:
    """Match the members of two schemas of which one at least is a union."""
    before, after = old[0].of(old[1]), new[0].of(new[1])
    found = Found()
    if not alone and not (before.union and after.union):
        kind, word = ("union-added", "added") if after.union else ("union-removed", "gone")
        members = [_label(member) for member in (after if after.union else before).members]
        found.notes.append((kind, f"the choice of {', '.join(members)} is {word}", before.union, after.union))
        return found
    if alone and before.nullable != after.nullable:
        kind, word = ("null-allowed", "now") if after.nullable else ("null-refused", "no longer")
        found.notes.append((kind, f"null is {word} allowed", before.nullable, after.nullable))
    ours = list(before.members) or [_without_null(old[1])]
    theirs = list(after.members) or [_without_null(new[1])]
    pairs = _matched(ours, theirs, old, new)
    found.pairs = [(_label(one), one, other) for one, other in pairs]
    found.notes += [("union-member-removed", f"the member {_label(one)} is gone", _label(one), None) for one in ours]
    found.notes += [("union-member-added", f"the member {_label(one)} is new", None, _label(one)) for one in theirs]
    if before.union and after.union:
        found.notes += _kind(before, after)
        found.notes += _discriminator(before, after, pairs)
    return found


def _without_null(schema: Any) -> Any:
    """A schema as a member: null is told of the union as a whole."""
    if not is_object(schema) or "type" not in schema:
        return schema
    said: Any = schema["type"]
    bare = [name for name in said if name != "null"] if is_array(said) else said
    return {**{key: value for key, value in schema.items() if key != "nullable"}, "type": bare}


def _matched(ours: list[Any], theirs: list[Any], old: Side, new: Side) -> list[tuple[Any, Any]]:
    """Pairs, taken out of both lists: by name, then by what they say, by type, and the last two of all."""
    pairs: list[tuple[Any, Any]] = []
    for key in (_name_key, _content_key, _type_key):
        _take(pairs, ours, theirs, partial(key, old[0]), partial(key, new[0]))
    if len(ours) == len(theirs) == 1:
        pairs.append((ours.pop(), theirs.pop()))
    return pairs


def _name_key(_: Shapes, member: Any) -> str:
    return names.model_of(member) or _reference(member)


def _content_key(side: Shapes, member: Any) -> str:
    return text_of(resolve(side.document, member))


def _type_key(side: Shapes, member: Any) -> str:
    return ",".join(sorted(side.of(member).types))


def _reference(member: Any) -> str:
    return str(member.get("$ref", "")) if is_object(member) else ""


def _take(
    pairs: list[tuple[Any, Any]],
    ours: list[Any],
    theirs: list[Any],
    our_key: Callable[[Any], str],
    their_key: Callable[[Any], str],
) -> None:
    """Pair members whose key is the same, where as many on either side bear it and so none is left over."""
    by_key: dict[str, tuple[list[Any], list[Any]]] = {}
    for index, (members, key_of) in enumerate(((ours, our_key), (theirs, their_key))):
        for member in members:
            by_key.setdefault(key_of(member), ([], []))[index].append(member)
    for key, (mine, other) in by_key.items():
        if key and len(mine) == len(other):
            pairs.extend(zip(sorted(mine, key=text_of), sorted(other, key=text_of), strict=True))
            ours[:] = [member for member in ours if not any(member is one for one in mine)]
            theirs[:] = [member for member in theirs if not any(member is one for one in other)]


def _label(member: Any) -> str:
    if not is_object(member):
        return text_of(member)
    return names.model_of(member) or _reference(member) or str(member.get("type", "without a name"))


def _kind(old: Shape, new: Shape) -> Iterator[Note]:
    if old.union != new.union:
        # What fits two members passes anyOf and fails oneOf.
        kind = "constraint-added" if new.union == "oneOf" else "constraint-removed"
        yield kind, f"{old.union} is now {new.union}", old.union, new.union


def _discriminator(old: Shape, new: Shape, pairs: list[tuple[Any, Any]]) -> Iterator[Note]:
    before, after = old.discriminator, new.discriminator
    if before is None or after is None:
        if before is not after:
            kind, word = ("discriminator-added", "is new") if before is None else ("discriminator-removed", "is gone")
            name = (after or before or {}).get("propertyName")
            yield kind, f"the discriminator {name!r} {word}", before, after
        return
    if before.get("propertyName") != after.get("propertyName"):
        told = before.get("propertyName"), after.get("propertyName")
        yield "discriminator-changed", f"the discriminator {told[0]!r} is now {told[1]!r}", *told
    ours, theirs = _values(before), _values(after)
    meant = {_reference(one): _reference(other) for one, other in pairs}
    for value in sorted(ours.keys() & theirs.keys()):
        if meant.get(ours[value]) not in {None, theirs[value]}:
            message = f"the discriminator value {value!r} stands for another member"
            yield "discriminator-changed", message, ours[value], theirs[value]
    for one, other in pairs:
        gone, come = _of(_reference(one), ours), _of(_reference(other), theirs)
        for value in sorted(gone - come - theirs.keys()):
            yield "discriminator-value-removed", f"{value!r} no longer tells {_label(one)}", value, None
        for value in sorted(come - gone - ours.keys()):
            yield "discriminator-value-added", f"{value!r} now tells {_label(other)}", None, value


def _values(discriminator: dict[str, Any]) -> dict[str, str]:
    mapping = discriminator.get("mapping")
    entries: dict[str, Any] = mapping if is_object(mapping) else {}
    return {
        value: target if "/" in str(target) else f"#/components/schemas/{target}"
        for value, target in entries.items()
        if isinstance(target, str)
    }


def _of(reference: str, values: dict[str, str]) -> set[str]:
    """The values that tell a member: those mapped to it, else its own name."""
    return {value for value, target in values.items() if target == reference} or {names.component(reference)} - {""}
