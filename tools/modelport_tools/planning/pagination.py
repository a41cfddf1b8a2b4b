"""Which operations give a list in pages, by the document's extension or by a link from an operation to itself."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from modelport_tools.document import Document, is_object, resolve
from modelport_tools.errors import SpecError
from modelport_tools.runtime.expressions import parse_expression, pointer_steps

from .links import pointer_of
from .places import Annotations, Places, as_pointer, extension
from .plan import OperationPlan, PaginationPlan

if TYPE_CHECKING:
    from .links import LinkPlan, Links
    from .plan import ParameterPlan

KEY = "x-modelport-pagination"

_STYLES: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    "token": (frozenset({"next", "parameter"}), frozenset({"more"})),
    "cursor": (frozenset({"next", "parameter"}), frozenset({"more"})),
    "page": (frozenset({"parameter"}), frozenset({"first", "more", "total", "pages"})),
    "offset": (frozenset({"parameter"}), frozenset({"first", "more", "total"})),
    "link": (frozenset(), frozenset({"next", "more"})),
}
"""What each style needs, and what else it may have, beside ``style``, ``items`` and ``size``."""
_COMMON = frozenset({"style", "items", "size"})
KEYS = _COMMON.union(*(needed | optional for needed, optional in _STYLES.values()))
_FIRST = {"page": 1}
_BACKWARDS = ("prev", "previous", "first", "last", "self", "latest", "back", "parent")
"""Names of links from an operation to itself that do not lead on."""


def with_pages(plan: OperationPlan, item: Document, operation: Document, links: Links) -> OperationPlan:
    """The operation with what is known of its pages.

    Args:
        plan: The operation.
        item: Its path in the document.
        operation: Itself in the document.
        links: Those of the document.

    Raises:
        SpecError: If the document says something of them that cannot be.
    """
    values = extension(operation, KEY, KEYS, f"{pointer_of(plan)}/{KEY}")
    if values is not None:
        pages: PaginationPlan | None = _Declared(plan, values, links).plan(item, operation)
    else:
        pages = None if KEY in operation else _linked(plan, operation, links)
    if pages is None:
        return plan
    imports = {*plan.imports, *links.types.imports(pages.item)}
    return replace(plan, pagination=pages, imports=tuple(sorted(imports)))


class _Declared:
    """The extension of one operation."""

    def __init__(self, plan: OperationPlan, values: Document, links: Links) -> None:
        self._operation = plan
        self._values = values
        self._links = links
        self._places = Places(plan, links.types)
        self._pointer = f"{pointer_of(plan)}/{KEY}"

    def plan(self, item: Document, operation: Document) -> PaginationPlan:
        style = self._style()
        items = self._items()
        listed = self._places.annotation_in_answer(pointer_steps(items), items, f"{self._pointer}/items")
        kind = self._links.types.item(listed)
        if kind is None:
            raise SpecError(f"{items or 'the body'} is no list", pointer=f"{self._pointer}/items")
        parameter, body = self._argument("parameter")
        size, size_in_body = self._argument("size")
        return PaginationPlan(
            style=style,
            items=items,
            item=kind,
            next=self._in_item(kind) if style == "cursor" else self._in_answer("next"),
            parameter=parameter,
            body=body,
            first=self._first(style, self._declaration(item, operation)),
            size=size or size_in_body,
            more=self._in_answer("more"),
            total=self._in_answer("total"),
            pages=self._in_answer("pages"),
        )

    def _style(self) -> str:
        style = self._values.get("style")
        if not isinstance(style, str) or style not in _STYLES:
            raise SpecError(f"style must be one of {', '.join(_STYLES)}", pointer=f"{self._pointer}/style")
        needed, optional = _STYLES[style]
        for name in sorted(needed - self._values.keys()):
            raise SpecError(f"the style {style} needs {name}", pointer=self._pointer)
        for name in sorted(self._values.keys() - needed - optional - _COMMON):
            raise SpecError(f"the style {style} has no {name}", pointer=f"{self._pointer}/{name}")
        return style

    def _items(self) -> str:
        given = self._values.get("items")
        if given is None:
            found = default_items(self._places.answer, self._links.types)
            if found is None:
                raise SpecError(
                    "say with items where the list is: the answer has none, or several", pointer=self._pointer
                )
            return found
        if not isinstance(given, str):
            raise SpecError("must be a JSON pointer or the name of a property", pointer=f"{self._pointer}/items")
        pointer = as_pointer(given)
        _checked_pointer(pointer, f"{self._pointer}/items")
        return pointer

    def _in_answer(self, name: str) -> str:
        if name not in self._values:
            return ""
        return self._places.in_answer(self._values[name], f"{self._pointer}/{name}")

    def _in_item(self, kind: str) -> str:
        given, pointer = self._values["next"], f"{self._pointer}/next"
        if not isinstance(given, str) or not given:
            raise SpecError("must be a JSON pointer in an item or the name of its property", pointer=pointer)
        steps = _checked_pointer(as_pointer(given), pointer)
        if self._links.types.at(kind, steps) is None:
            raise SpecError(f"an item has no {given!r}", pointer=pointer)
        return as_pointer(given)

    def _argument(self, name: str) -> tuple[str, str]:
        """The argument that a key names, or the place in the request's body."""
        if name not in self._values:
            return "", ""
        given, pointer = self._values[name], f"{self._pointer}/{name}"
        if not str(given).startswith("$request.body"):
            return self._places.argument(given, pointer).name, ""
        try:
            place = parse_expression(given)
        except ValueError as error:
            raise SpecError(str(error), pointer=pointer) from None
        if not place.name:
            raise SpecError("must be a place in the request body, and not the whole of it", pointer=pointer)
        self._places.in_body(pointer_steps(place.name), given, pointer)
        return "", place.name

    def _declaration(self, item: Document, operation: Document) -> Document:
        """The parameter that says which page, as it stands in the document."""
        document = self._links.document
        name = str(self._values.get("parameter")).removeprefix("$request.")
        for entry in [*operation.get("parameters", []), *item.get("parameters", [])]:
            found: Document = resolve(document, entry)
            if name in {found["name"], f"{found['in']}.{found['name']}"}:
                return found
        return {}

    def _first(self, style: str, declaration: Document) -> int:
        schema = resolve(self._links.document, declaration.get("schema"))
        default = schema.get("default") if is_object(schema) else None
        usual = default if isinstance(default, int) else _FIRST.get(style, 0)
        first: object = self._values.get("first", usual)
        if not isinstance(first, int) or isinstance(first, bool):
            raise SpecError("must be a whole number", pointer=f"{self._pointer}/first")
        return first


def _checked_pointer(text: str, pointer: str) -> tuple[str, ...]:
    try:
        return pointer_steps(text)
    except ValueError as error:
        raise SpecError(str(error), pointer=pointer) from None


def default_items(answer: str, types: Annotations) -> str | None:
    """Where the list is if nobody says so: the body, or the only list right in it; None if that is not plain."""
    if types.item(answer) is not None:
        return ""
    lists = sorted(set(types.lists(answer)))
    return as_pointer(lists[0]) if len(lists) == 1 else None


def _linked(plan: OperationPlan, operation: Document, links: Links) -> PaginationPlan | None:
    """The pages that a link from an operation to itself tells of, whose one fresh parameter comes out of the answer."""
    found = [
        (link.name, parameter.name, value)
        for link in links.of(plan, operation)
        if link.target.operation_id == plan.operation_id
        for parameter, value in [_token(plan, link, links)]
        if parameter is not None
    ]
    onwards = [one for one in found if "next" in one[0].lower()] or found
    if len({one[1:] for one in onwards}) != 1:
        return None
    items = default_items(Places(plan, links.types).answer, links.types)
    if items is None:
        return None
    _, name, value = onwards[0]
    types = links.types
    listed = types.at(Places(plan, types).answer, pointer_steps(items)) or ""
    return PaginationPlan(
        style="token",
        items=items,
        item=types.item(listed) or "Any",
        next=value,
        parameter=name,
        body="",
        first=0,
        size="",
        more="",
        total="",
        pages="",
    )


def _token(plan: OperationPlan, link: LinkPlan, links: Links) -> tuple[ParameterPlan, str] | tuple[None, str]:
    """The parameter of a link that takes a token, and the token's place in the answer; all others stay as they are."""
    tokens: list[tuple[ParameterPlan, str]] = []
    if any(word in link.name.lower() for word in _BACKWARDS):
        return None, ""
    for parameter, value, pointer in link.arguments:
        if value == f"$request.{parameter.location}.{parameter.wire}":
            continue
        if not str(value).startswith("$response.") or parameter.location == "path":
            return None, ""
        links.check_value(plan, link.status, value, pointer)
        tokens.append((parameter, str(value)))
    return tokens[0] if len(tokens) == 1 else (None, "")
