"""Rules for an operation: its names, body, responses and headers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelport_tools.document import Document, is_array, is_object, resolve
from modelport_tools.errors import SpecError

from . import names, parameters, security
from .book import Finding
from .rules import REQUEST, RESPONSE
from .values import deprecation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .book import Book, Root
    from .schemas import Schemas

_TEXTS = ("summary", "description", "externalDocs")
_OTHERS = ("links", "x-modelport-mutates", "x-modelport-evidence")
_METHODS = {"x-modelport-pagination": "gives the items of all pages", "x-modelport-polling": "waits for work"}
"""What the method does that an extension gives."""
_OF_A_METHOD = ("style", "items", "parameter")
"""Keys of an extension that a caller sees: the type of an item, and what may be said."""


@dataclass(frozen=True)
class Endpoint:
    """An operation with all that it stands in.

    Attributes:
        document: The document.
        path: Its path.
        method: Its method in capitals.
        item: Its path item.
        operation: What the document says of it.
    """

    document: Document
    path: str
    method: str
    item: Document
    operation: Document

    @property
    def where(self) -> str:
        """How people name it."""
        return f"{self.method} {self.path}"

    @property
    def id(self) -> str:
        """Its operationId."""
        return str(self.operation.get("operationId", ""))

    @property
    def tag(self) -> str:
        """The attribute of the client that holds it."""
        tags = self.operation.get("tags")
        return names.identifier(str(tags[0])) if is_array(tags) and tags else "default"

    def table(self, value: Any, what: str) -> Document:
        """A value that is an object or absent, its references followed.

        Raises:
            SpecError: If it is something else.
        """
        found = resolve(self.document, value)
        if found is None:
            return {}
        if not is_object(found):
            raise SpecError(f"the {what} must be an object", pointer=self.where)
        return found


def _methods(old: Endpoint, new: Endpoint) -> Iterator[Finding]:
    """What changed of the methods that extensions give."""
    for key, does in _METHODS.items():
        before, after = (side.table(side.operation.get(key) or None, key) for side in (old, new))
        if before and not after:
            yield Finding("method-removed", "", "", f"there is no method any more that {does}", before, after)
        elif after and not before:
            yield Finding("method-added", "", "", f"there is a method that {does}", before, after)
        elif any(before.get(name) != after.get(name) for name in _OF_A_METHOD):
            yield Finding("method-changed", "", "", f"the method that {does} changed", before, after)
        elif before != after:
            yield Finding("text-changed", "", "", f"the {key} changed")


class Operations:
    """Compares operations, and what the server itself calls (webhooks, callbacks) the other way round."""

    def __init__(self, schemas: Schemas, book: Book) -> None:
        """Write into this book."""
        self.schemas, self.book = schemas, book

    def compare(self, old: Endpoint, new: Endpoint, *, reverse: bool = False) -> None:
        """Note everything that changed between two forms of one operation."""
        root = self._root(old, "")
        self._names(root, old, new)
        security.compare(root, old, new)
        sent, received = (RESPONSE, REQUEST) if reverse else (REQUEST, RESPONSE)
        parameters.compare(self.schemas, lambda place: self._root(old, place), sent, old, new)
        self._body(sent, old, new)
        self._responses(received, old, new)
        if not reverse:
            self._callbacks(old, new)

    def _root(self, endpoint: Endpoint, place: str) -> Root:
        return self.book.root(endpoint.where, endpoint.id, place)

    def _names(self, root: Root, old: Endpoint, new: Endpoint) -> None:
        page = root.page.findings
        if (old.method, parameters.bare(old.path)) != (new.method, parameters.bare(new.path)):
            page.append(Finding("operation-moved", "", "", f"is now {new.where}", old.where, new.where))
        if old.id != new.id:
            before, after = names.identifier(old.id), names.identifier(new.id)
            kind = "text-changed" if before == after else "operation-renamed"
            page.append(Finding(kind, "", "", f"the operationId {old.id} is now {new.id}", old.id, new.id))
        if old.tag != new.tag:
            message = f"client.{old.tag} is now client.{new.tag}"
            page.append(Finding("operation-regrouped", "", "", message, old.tag, new.tag))
        elif old.operation.get("tags") != new.operation.get("tags"):
            page.append(Finding("text-changed", "", "", "the tags changed"))
        deprecated, now_deprecated = (bool(side.operation.get("deprecated")) for side in (old, new))
        if deprecated != now_deprecated:
            kind, message = deprecation(now=now_deprecated)
            page.append(Finding(kind, "", "", message, deprecated, now_deprecated))
        page.extend(_methods(old, new))
        for key in (*_TEXTS, *_OTHERS):
            if old.operation.get(key) != new.operation.get(key):
                page.append(Finding("text-changed", "", "", f"the {key} changed"))

    def _body(self, direction: str, old: Endpoint, new: Endpoint) -> None:
        said = tuple(side.table(side.operation.get("requestBody"), "requestBody") for side in (old, new))
        before, after = said
        root = self._root(old, "request body")
        required, now_required = (body.get("required") is True for body in said)
        page = root.page.findings
        if not before and not after:
            return
        if not before:
            kind = f"body-added-{'required' if now_required else 'optional'}"
            text = "required" if now_required else "optional"
            page.append(Finding(kind, direction, "", f"a body is new and {text}", None, now_required))
            return
        if not after:
            page.append(Finding("body-removed", direction, "", "the body is gone", required))
            return
        if required != now_required:
            kind = "body-required" if now_required else "body-optional"
            message = f"the body is now {'required' if now_required else 'optional'}"
            page.append(Finding(kind, direction, "", message, required, now_required))
        if before.get("description") != after.get("description"):
            page.append(Finding("text-changed", "", "", "the description changed"))
        self._content(direction, (old, before), (new, after), "request body")

    def _content(
        self, direction: str, old: tuple[Endpoint, Document], new: tuple[Endpoint, Document], place: str
    ) -> None:
        ours, theirs = ({_media(kind): entry for kind, entry in side.table(said.get("content"), "content").items()}
                        for side, said in (old, new))  # fmt: skip
        for kind in sorted(ours.keys() | theirs.keys()):
            root = self._root(old[0], f"{place} {kind}")
            if kind not in theirs:
                message = f"the media type {kind} is gone"
                root.page.findings.append(Finding("media-type-removed", direction, "", message, kind))
            elif kind not in ours:
                message = f"the media type {kind} is new"
                root.page.findings.append(Finding("media-type-added", direction, "", message, None, kind))
            else:
                before, after = old[0].table(ours[kind], "media type"), new[0].table(theirs[kind], "media type")
                if before.get("encoding") != after.get("encoding"):
                    message = "the encoding of its parts changed"
                    found = before.get("encoding"), after.get("encoding")
                    root.page.findings.append(Finding("encoding-changed", direction, "", message, *found))
                if any(before.get(key) != after.get(key) for key in ("example", "examples")):
                    root.page.findings.append(Finding("text-changed", "", "", "the examples changed"))
                schemas = before.get("schema", True), after.get("schema", True)
                self.schemas.compare(root.page, direction, "$", *schemas)
                self.schemas.default(root.page, direction, "$", *schemas)

    def _responses(self, direction: str, old: Endpoint, new: Endpoint) -> None:
        before, after = (side.table(side.operation.get("responses"), "responses") for side in (old, new))
        matched: set[str] = set()
        for status in sorted(before):
            other = _counterpart(status, before, after)
            if not other:
                kind = "success-removed" if _is_success(status, before) else "error-removed"
                self._status(old, status, kind, direction, f"the status {status} is gone")
                continue
            matched.add(other)
            one, two = old.table(before[status], "response"), new.table(after[other], "response")
            place = f"response {status}"
            if one.get("description") != two.get("description") or one.get("links") != two.get("links"):
                page = self._root(old, place).page
                page.findings.append(Finding("text-changed", "", "", "the description or the links changed"))
            self._content(direction, (old, one), (new, two), place)
            headers = old.table(one.get("headers"), "headers"), new.table(two.get("headers"), "headers")
            self._headers(direction, (old, headers[0]), (new, headers[1]), place)
        for status in sorted(after.keys() - matched - before.keys()):
            kind = "success-added" if _is_success(status, after) else "error-added"
            self._status(old, status, kind, direction, f"the status {status} is new")

    def _status(self, old: Endpoint, status: str, kind: str, direction: str, message: str) -> None:
        shown = (None, status) if kind.endswith("added") else (status, None)
        page = self._root(old, f"response {status}").page
        page.findings.append(Finding(kind, direction, "", message, *shown))

    def _headers(
        self, direction: str, old: tuple[Endpoint, Document], new: tuple[Endpoint, Document], place: str
    ) -> None:
        ours, theirs = ({name.lower(): entry for name, entry in headers.items()} for _, headers in (old, new))
        for name in sorted((ours.keys() | theirs.keys()) - {"content-type"}):
            page = self._root(old[0], f"{place} header {name!r}").page
            if name not in theirs:
                page.findings.append(Finding("header-removed", direction, "", f"the header {name!r} is gone", name))
                continue
            if name not in ours:
                message = f"the header {name!r} is new"
                page.findings.append(Finding("header-added", direction, "", message, None, name))
                continue
            before, after = old[0].table(ours[name], "header"), new[0].table(theirs[name], "header")
            required, now_required = (header.get("required") is True for header in (before, after))
            if required != now_required:
                kind, word = ("header-required", "always") if now_required else ("header-optional", "no longer always")
                message = f"the header {name!r} is {word} sent now"
                page.findings.append(Finding(kind, direction, "", message, required, now_required))
            schemas = parameters.schema(before), parameters.schema(after)
            self.schemas.compare(page, direction, "", *schemas)

    def _callbacks(self, old: Endpoint, new: Endpoint) -> None:
        before, after = (callbacks(side) for side in (old, new))
        calls(self, before, after)


def calls(operations: Operations, old: dict[str, Endpoint], new: dict[str, Endpoint]) -> None:
    """Compare what the server calls: its requests are received, its responses are given."""
    for name in sorted(old.keys() | new.keys()):
        one = old.get(name) or new[name]
        page = operations.book.root(one.where, one.id, "").page.findings
        if name not in new:
            page.append(Finding("operation-removed", "", "", "is no longer called", one.where))
        elif name not in old:
            page.append(Finding("operation-added", "", "", "is called now", None, one.where))
        else:
            operations.compare(old[name], new[name], reverse=True)


def callbacks(endpoint: Endpoint) -> dict[str, Endpoint]:
    """What the server calls on behalf of an operation."""
    found: dict[str, Endpoint] = {}
    for name, entry in endpoint.table(endpoint.operation.get("callbacks"), "callbacks").items():
        for url, item in endpoint.table(entry, "callback").items():
            if not url.startswith("x-"):
                place = f"callback {name} {url} of {endpoint.where}"
                found |= called(endpoint.document, place, endpoint.table(item, "callback"))
    return found


def called(document: Document, place: str, item: Document) -> dict[str, Endpoint]:
    """The operations of a path item that the server calls."""
    from modelport_tools.document import METHODS

    made = [
        Endpoint(document, place, method.upper(), item, item[method])
        for method in METHODS
        if is_object(item.get(method))
    ]
    return {endpoint.where: endpoint for endpoint in made}


def _media(kind: str) -> str:
    """A media type without its parameters, in small letters."""
    return kind.partition(";")[0].strip().lower()


def _is_success(status: str, among: Document) -> bool:
    if status == "default":
        return not any(other[:1] in {"1", "2", "3"} for other in among)
    return status[:1] in {"1", "2", "3"}


def _counterpart(status: str, before: Document, after: Document) -> str:
    """The status of the new document that says what this one said: the same, its range, or the code out of a range."""
    if status in after:
        return status
    wide = f"{status[:1]}XX"
    if wide in after and wide not in before and status != "default":
        return wide
    return ""
