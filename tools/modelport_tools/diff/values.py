"""Rules for what a value may be: types, null, enums, formats, limits."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from .shapes import ALL_TYPES, Shape, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

Note = tuple[str, str, Any, Any]
"""Kind, message, old, new."""

_RETYPED = {"binary", "date", "date-time", "uuid"}
_WIDER = {"int32": "int64", "float": "double"}
_LOWER = {"minLength": 0, "minItems": 0, "minProperties": 0, "minContains": 1}
_UPPER = ("maxLength", "maxItems", "maxProperties", "maxContains")
_TEXTS = frozenset({"$comment", "description", "example", "examples", "externalDocs", "summary", "title", "xml"})
_ELSEWHERE = frozenset(
    {"$anchor", "$defs", "$id", "$schema", "default", "deprecated", "exclusiveMaximum", "exclusiveMinimum", "format",
     "maximum", "minimum", "multipleOf", "readOnly", "writeOnly", *_LOWER, *_UPPER}
)  # fmt: skip


def notes(old: Shape, new: Shape) -> Iterator[Note]:
    """What changed in the values that are allowed, whatever is nested in them."""
    yield from _types(old, new)
    if old.nullable != new.nullable:
        kind, word = ("null-allowed", "now") if new.nullable else ("null-refused", "no longer")
        yield kind, f"null is {word} allowed", old.nullable, new.nullable
    yield from _texts(old.rest, new.rest)
    if bool(old.rest.get("deprecated")) != bool(new.rest.get("deprecated")):
        yield (*deprecation(now=bool(new.rest.get("deprecated"))), None, None)
    if not _is_same_world(old, new):
        return
    yield from _enums(old, new)
    yield from _formats(old.rest.get("format"), new.rest.get("format"))
    yield from _limits(old.rest, new.rest)
    yield from _constraints(old.rest, new.rest)


def deprecation(*, now: bool) -> tuple[str, str]:
    """The kind and words for a deprecation that came or went."""
    return ("deprecated", "is now deprecated") if now else ("undeprecated", "is no longer deprecated")


def _is_same_world(old: Shape, new: Shape) -> bool:
    """Whether a value can be of both; else the type alone says all."""
    return (not old.types and not new.types) or bool(_numeric(old.types) & _numeric(new.types))


def _numeric(types: frozenset[str]) -> frozenset[str]:
    return types | {"number"} if "integer" in types else types


def _types(old: Shape, new: Shape) -> Iterator[Note]:
    gone, come = _uncovered(old.types, new.types), _uncovered(new.types, old.types)
    if not gone and not come:
        return
    kind = "type-changed" if gone and come else "type-narrowed" if gone else "type-widened"
    yield kind, f"type {_listed(old.types)} is now {_listed(new.types)}", sorted(old.types), sorted(new.types)


def _uncovered(types: frozenset[str], others: frozenset[str]) -> frozenset[str]:
    """The types that are not among the others; an integer is a number."""
    return types - others - ({"integer"} if "number" in others else frozenset())


def _listed(types: frozenset[str]) -> str:
    return "any" if types == ALL_TYPES else " or ".join(sorted(types)) or "nothing"


def _enums(old: Shape, new: Shape) -> Iterator[Note]:
    if old.enum is None and new.enum is None:
        return
    if old.enum is None or new.enum is None:
        kind, text = (
            ("enum-closed", "only listed values are allowed now: ") if old.enum is None else ("enum-opened", "")
        )
        values = list((new.enum or {}).values())
        shown = ", ".join(text_of(value) for value in values)
        old_values = None if old.enum is None else list(old.enum.values())
        yield kind, f"{text}{shown}" if text else "any value is allowed now", old_values, values or None
        return
    for text in sorted(old.enum.keys() - new.enum.keys()):
        yield "enum-value-removed", f"the value {text} is gone", old.enum[text], None
    for text in sorted(new.enum.keys() - old.enum.keys()):
        yield "enum-value-added", f"the value {text} is new", None, new.enum[text]


def _formats(old: Any, new: Any) -> Iterator[Note]:
    if old == new:
        return
    kind = "format-changed"
    if old is None or _WIDER.get(str(new)) == old:
        kind = "format-narrowed"
    elif new is None or _WIDER.get(str(old)) == new:
        kind = "format-widened"
    yield kind, f"format {old or 'none'} is now {new or 'none'}", old, new
    if old in _RETYPED or new in _RETYPED:
        yield (
            "format-retyped",
            f"the Python type changes with the format ({old or 'none'} to {new or 'none'})",
            old,
            new,
        )


def _limits(old: dict[str, Any], new: dict[str, Any]) -> Iterator[Note]:
    for key, absent in _LOWER.items():
        yield from _limit(key, old.get(key), new.get(key), _number(old.get(key), absent), _number(new.get(key), absent))
    for key in _UPPER:
        # The larger the tighter, as it is for lower limits.
        before, after = -_number(old.get(key), math.inf), -_number(new.get(key), math.inf)
        yield from _limit(key, old.get(key), new.get(key), before, after)
    for key, exclusive, sign in (("minimum", "exclusiveMinimum", 1), ("maximum", "exclusiveMaximum", -1)):
        bounds = _bound(old, key, exclusive, sign), _bound(new, key, exclusive, sign)
        yield from _limit(key, _shown(old, key, exclusive), _shown(new, key, exclusive), *bounds)
    yield from _multiples(old.get("multipleOf"), new.get("multipleOf"))


def _limit(key: str, old: Any, new: Any, before: Any, after: Any) -> Iterator[Note]:
    if before != after:
        kind = "limit-narrowed" if after > before else "limit-widened"
        yield kind, f"{key} {_or_none(old)} is now {_or_none(new)}", old, new


def _or_none(value: Any) -> Any:
    return "none" if value is None else value


def _number(value: Any, absent: float) -> float:
    return value if isinstance(value, int | float) else absent


def _bound(rest: dict[str, Any], key: str, exclusive: str, sign: int) -> tuple[float, bool]:
    return max(
        (sign * _number(rest.get(key), -sign * math.inf), False),
        (sign * _number(rest.get(exclusive), -sign * math.inf), exclusive in rest),
    )


def _shown(rest: dict[str, Any], key: str, exclusive: str) -> Any:
    return f"{rest[exclusive]} (exclusive)" if exclusive in rest else rest.get(key)


def _multiples(old: Any, new: Any) -> Iterator[Note]:
    if old == new:
        return
    kind = "constraint-changed"
    if old is None or (new is not None and _divides(old, new)):
        kind = "limit-narrowed"
    elif new is None or _divides(new, old):
        kind = "limit-widened"
    yield kind, f"multipleOf {_or_none(old)} is now {_or_none(new)}", old, new


def _divides(small: Any, large: Any) -> bool:
    both = isinstance(small, int | float) and isinstance(large, int | float) and small > 0
    return both and math.isclose(math.remainder(large, small), 0, abs_tol=1e-12)


def _constraints(old: dict[str, Any], new: dict[str, Any]) -> Iterator[Note]:
    """Every other keyword that restricts a value: pattern, uniqueItems, not, if, contains and the like."""
    for key in sorted((old.keys() | new.keys()) - _ELSEWHERE - _TEXTS):
        before, after = old.get(key), new.get(key)
        if before == after or key.startswith("x-"):
            continue
        kind = "constraint-added" if before is None else "constraint-removed" if after is None else "constraint-changed"
        yield kind, f"{key} {_short(before)} is now {_short(after)}", before, after


def _texts(old: dict[str, Any], new: dict[str, Any]) -> Iterator[Note]:
    for key in sorted(key for key in old.keys() | new.keys() if key in _TEXTS or key.startswith("x-")):
        if old.get(key) != new.get(key):
            yield "text-changed", f"the {key} changed", old.get(key), new.get(key)


def _short(value: Any) -> str:
    text = "none" if value is None else text_of(value)
    return text if len(text) <= 60 else f"{text[:57]}..."  # noqa: PLR2004 (a line's worth)
