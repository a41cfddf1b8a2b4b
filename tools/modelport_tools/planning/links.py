"""The links of a document: which operation leads to which, with what for arguments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from modelport_tools.document import Document, is_object, resolve
from modelport_tools.errors import SpecError
from modelport_tools.pointers import step_text
from modelport_tools.runtime.expressions import expressions_in, parse_expression, pointer_steps

from .places import Annotations, Places

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .plan import OperationPlan, ParameterPlan


@dataclass(frozen=True)
class LinkPlan:
    """A link that can be followed.

    Attributes:
        status: Of the answer that holds it.
        arguments: Each parameter of the target, its value, and where that stands in the document.
        is_to_work: Whether it may lead to work that was started; an extension can say that it does not.
    """

    name: str
    status: str
    target: OperationPlan
    arguments: tuple[tuple[ParameterPlan, Any, str], ...]
    is_to_work: bool


class Links:
    """The links of a document.

    Args:
        document: The canonical document.
        planned: Its operations, in its order.
        types: Its types.
    """

    def __init__(self, document: Document, planned: Iterable[OperationPlan], types: Annotations) -> None:
        self.document = document
        self.types = types
        self._by_place = {(one.path, one.method.lower()): one for one in planned}
        self._by_id = {one.operation_id: one for one in self._by_place.values()}

    def of(self, plan: OperationPlan, operation: Document) -> list[LinkPlan]:
        """The links of an operation's successes that a method can follow: to itself, or to one that tells of work.

        Of the others, such as those that lead to another server or to what is not there, no method would come.

        Raises:
            SpecError: If one names a parameter that there is not.
        """
        found: list[LinkPlan] = []
        for status, name, link, pointer in self._declared(plan, operation):
            target = self._target(link)
            if target is None or "server" in link or "requestBody" in link:
                continue
            if target.operation_id == plan.operation_id or target.polling is not None:
                arguments = tuple(self._arguments(target, link, pointer))
                found.append(LinkPlan(name, status, target, arguments, link.get("x-modelport-polling") is not False))
        return found

    def _declared(self, plan: OperationPlan, operation: Document) -> Iterator[tuple[str, str, Document, str]]:
        for status, value in sorted(operation.get("responses", {}).items()):
            response = resolve(self.document, value)
            links = response.get("links") if is_object(response) else None
            place = f"{pointer_of(plan)}/responses/{step_text(status)}/links"
            for name, entry in sorted(links.items()) if is_object(links) and status.startswith("2") else ():
                link = resolve(self.document, entry)
                if is_object(link):
                    yield status, name, link, f"{place}/{step_text(name)}"

    def _target(self, link: Document) -> OperationPlan | None:
        identity, reference = link.get("operationId"), link.get("operationRef")
        if isinstance(identity, str):
            return self._by_id.get(identity)
        if not isinstance(reference, str) or not reference.startswith("#/paths/"):
            return None  # it leads to another document, or to no operation
        path, _, method = reference.removeprefix("#/paths/").partition("/")
        return self._by_place.get((unquote(path).replace("~1", "/").replace("~0", "~"), method))

    def _arguments(
        self, target: OperationPlan, link: Document, pointer: str
    ) -> Iterator[tuple[ParameterPlan, Any, str]]:
        places = Places(target, self.types)
        given = link.get("parameters")
        for name, value in sorted(given.items()) if is_object(given) else ():
            place = f"{pointer}/parameters/{step_text(name)}"
            for text in expressions_in(value):
                try:
                    parse_expression(text)
                except ValueError as error:
                    raise SpecError(str(error), pointer=place) from None
            yield places.argument(name, place), value, place

    def check_value(self, plan: OperationPlan, status: str, value: Any, pointer: str) -> None:
        """Check that what the value of a link's parameter names is there.

        Raises:
            SpecError: If it is not.
        """
        places = Places(plan, self.types, status)
        for text in expressions_in(value):
            expression = parse_expression(text)
            steps = pointer_steps(expression.name) if expression.part == "body" else ()
            if expression.part == "body":
                if not steps:
                    continue  # the whole of it, whatever it is
                if expression.message == "response":
                    places.annotation_in_answer(steps, text, pointer)
                else:
                    places.in_body(steps, text, pointer)
            elif expression.message == "request":
                places.argument(f"{expression.part}.{expression.name}", pointer)
            elif expression.message and expression.part != "header":
                raise SpecError(f"{text!r} is no place in an answer", pointer=pointer)


def pointer_of(plan: OperationPlan) -> str:
    """Where an operation stands in the document."""
    return f"/paths/{step_text(plan.path)}/{plan.method.lower()}"
