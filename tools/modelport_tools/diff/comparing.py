"""Two documents in, a report out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelport_tools.document import Document, is_object, operations, resolve
from modelport_tools.load import load
from modelport_tools.normalise import normalise

from . import names, security
from .book import Book, Finding, Root
from .operations import Endpoint, Operations, called, calls
from .parameters import bare
from .report import Change, DiffReport
from .rules import label_of
from .schemas import Schemas
from .shapes import Shapes

if TYPE_CHECKING:
    from pathlib import Path


def diff_files(old: Path, new: Path) -> DiffReport:
    """Compare two files.

    Raises:
        SpecError: If one of them cannot be used; names the file.
    """
    return diff(load(old, strict=False), load(new, strict=False))


def diff(old: Document, new: Document) -> DiffReport:
    """Every change between two OpenAPI documents, and whom it breaks.

    Raises:
        SpecError: If one of them is not OpenAPI 3.0 or 3.1, or contradicts itself.
    """
    old, new = normalise(old), normalise(new)
    book = Book()
    schemas = Schemas(Shapes(old), Shapes(new), book)
    comparing = Operations(schemas, book)
    _document(book.root("", "", ""), old, new)
    before, after = _endpoints(old), _endpoints(new)
    for one, other in _matched(before, after):
        if one is not None and other is not None:
            comparing.compare(one, other)
        elif one is not None:
            _note(book, one, Finding("operation-removed", "", "", "the operation is gone", one.where))
        elif other is not None:
            _note(book, other, Finding("operation-added", "", "", "the operation is new", None, other.where))
    calls(comparing, _webhooks(old), _webhooks(new))
    _models(book.root("", "", "models"), schemas)
    return _report(book)


def _note(book: Book, endpoint: Endpoint, finding: Finding) -> None:
    book.root(endpoint.where, endpoint.id, "").page.findings.append(finding)


def _document(root: Root, old: Document, new: Document) -> None:
    security.servers(root, old.get("servers"), new.get("servers"))
    security.scheme_names(root, old, new)
    for key in ("info", "externalDocs", "tags"):
        if old.get(key) != new.get(key):
            root.page.findings.append(Finding("text-changed", "", "", f"the {key} of the document changed"))


def _endpoints(document: Document) -> dict[tuple[str, str], Endpoint]:
    """Every operation by method and by its path without the names in its braces."""
    return {
        (method, bare(path)): Endpoint(document, path, method.upper(), item, operation)
        for path, method, item, operation in operations(document)
    }


def _matched(
    old: dict[tuple[str, str], Endpoint], new: dict[tuple[str, str], Endpoint]
) -> list[tuple[Endpoint | None, Endpoint | None]]:
    """Operations of the same method and path, then of the same operationId, then those without counterpart."""
    pairs: list[tuple[Endpoint | None, Endpoint | None]] = [(old[key], new[key]) for key in old if key in new]
    come = {endpoint.id: endpoint for key, endpoint in new.items() if key not in old}
    for key, endpoint in old.items():
        if key not in new:
            pairs.append((endpoint, come.pop(endpoint.id, None)))
    return [*pairs, *((None, endpoint) for endpoint in come.values())]


def _webhooks(document: Document) -> dict[str, Endpoint]:
    entries = document.get("webhooks")
    found: dict[str, Endpoint] = {}
    for name, item in entries.items() if is_object(entries) else ():
        entry = resolve(document, item)
        found |= called(document, f"webhook {name}", entry if is_object(entry) else {})
    return found


def _models(root: Root, schemas: Schemas) -> None:
    """Note classes of component schemas that came and went."""
    before, after = _classes(schemas.old), _classes(schemas.new)
    for name in sorted(before - after - schemas.renamed.keys()):
        root.page.findings.append(Finding("model-removed", "", "", f"the model {name} is gone", name))
    for name in sorted(after - before - set(schemas.renamed.values())):
        root.page.findings.append(Finding("model-added", "", "", f"the model {name} is new", None, name))


def _classes(shapes: Shapes) -> set[str]:
    components = shapes.document.get("components")
    declared = components.get("schemas") if is_object(components) else None
    return {
        names.class_name(name)
        for name, schema in (declared.items() if is_object(declared) else ())
        if shapes.of(schema).makes_class
    }


def _report(book: Book) -> DiffReport:
    """The findings of the book, each at the first place that it is reached from."""
    first: dict[Finding, tuple[Root, str]] = {}
    reached: dict[Finding, dict[str, None]] = {}
    for root in book.roots:
        for path, finding in book.reached(root):
            first.setdefault(finding, (root, path))
            reached.setdefault(finding, {})[root.operation] = None
    changes = [_change(finding, *first[finding], tuple(reached[finding])) for finding in first]
    return DiffReport(tuple(sorted(changes, key=lambda change: change.label.rank)))


def _change(finding: Finding, root: Root, path: str, reached: tuple[str, ...]) -> Change:
    # The path of a parameter or header as a whole is empty; within it there is a root as there is in a body.
    path = f"${path}" if path and not path.startswith("$") else path
    at = f"at {path}" if path and path != "$" else ""
    return Change(
        kind=finding.kind,
        label=label_of(finding.kind, finding.direction),
        direction=finding.direction,
        operation=root.operation,
        operation_id=root.operation_id,
        place=" ".join(part for part in (root.place, at) if part),
        message=finding.message,
        old=finding.old,
        new=finding.new,
        also=tuple(operation for operation in reached if operation != root.operation),
    )
