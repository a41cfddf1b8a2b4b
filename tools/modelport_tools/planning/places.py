"""Places in requests and answers that extensions and links name, checked against the types that are there."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Any

from modelport_tools.document import Document, is_object
from modelport_tools.errors import SpecError
from modelport_tools.pointers import step_text
from modelport_tools.runtime.expressions import parse_expression, pointer_steps

from .media import is_json

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .plan import EnumPlan, ModelPlan, OperationPlan, ParameterPlan

_LOCATIONS = ("query", "path", "header", "cookie")


class Annotations:
    """What there is below a type, by names on the wire.

    Args:
        models: Every class, with the names of other classes in its annotations.
        enums: Every enum.
    """

    def __init__(self, models: Iterable[ModelPlan], enums: Iterable[EnumPlan]) -> None:
        self._models = {model.name: model for model in models}
        self._enums = {enum.name: enum for enum in enums}
        self._modules = {name: model.module for name, model in self._models.items()}
        self._modules |= {name: enum.module for name, enum in self._enums.items()}

    def at(self, annotation: str, steps: tuple[str, ...]) -> str | None:
        """The annotation at a place below another; None if there is no such place."""
        for step in steps:
            found = list(dict.fromkeys(below for one in _members(annotation) for below in self._below(one, step)))
            if not found:
                return None
            annotation = "Any" if "Any" in found else " | ".join(found)
        return annotation

    def _below(self, member: str, step: str) -> list[str]:
        if member == "Any":
            return ["Any"]
        model = self._models.get(member)
        if model is not None:
            fields = [field.annotation for field in model.fields if field.wire == step]
            return fields or ([model.extra] if model.extra and not model.fields else [])
        kind, inner = _container(member)
        if kind == "list" and not re.fullmatch("0|[1-9][0-9]*", step):
            return []
        return _members(inner)

    def item(self, annotation: str) -> str | None:
        """The annotation of what is in a list; None if it is none."""
        members = _members(annotation)
        found = [inner for kind, inner in map(_container, members) if kind == "list"]
        return "Any" if "Any" in members else " | ".join(dict.fromkeys(found)) or None

    def lists(self, annotation: str) -> list[str]:
        """The names on the wire of the lists that are right below a type."""
        return [
            field.wire
            for member in _members(annotation)
            if member in self._models
            for field in self._models[member].fields
            if any(_container(one)[0] == "list" for one in _members(field.annotation))
        ]

    def values(self, annotation: str) -> set[str] | None:
        """The texts that a type allows; None if it sets no bounds."""
        known: set[str] = set()
        for member in _members(annotation):
            enum = self._enums.get(member)
            if enum is not None:
                known.update(str(value) for _, value in enum.members)
            elif member.startswith("Literal["):
                known.add(str(ast.literal_eval(member.removeprefix("Literal[").removesuffix("]"))))
            elif member == "bool":
                known.update(("true", "false"))
            elif member != "None":
                return None
        return known

    def imports(self, annotation: str) -> set[tuple[str, str]]:
        """The generated classes that an annotation names, with the module of each."""
        names = {node.id for node in ast.walk(ast.parse(annotation, mode="eval")) if isinstance(node, ast.Name)}
        return {(name, self._modules[name]) for name in names if name in self._modules}


def _members(annotation: str) -> list[str]:
    """The members of a union; of another type, itself."""
    return _flat(ast.parse(annotation, mode="eval").body) if annotation else []


def _flat(node: ast.expr) -> list[str]:
    if isinstance(node, ast.BinOp):
        return [*_flat(node.left), *_flat(node.right)]
    return [ast.unparse(node)]


def _container(member: str) -> tuple[str, str]:
    """Whether a type is a ``list`` or ``dict``, and the type of what is in it."""
    node = ast.parse(member, mode="eval").body
    if not isinstance(node, ast.Subscript) or not isinstance(node.value, ast.Name):
        return "", ""
    if node.value.id == "list":
        return "list", ast.unparse(node.slice)
    if node.value.id == "tuple":
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        return "list", " | ".join(dict.fromkeys(ast.unparse(part) for part in parts))
    if node.value.id == "dict" and isinstance(node.slice, ast.Tuple):
        return "dict", ast.unparse(node.slice.elts[1])
    return "", ""


def json_answer(operation: OperationPlan, status: str = "") -> str:
    """The annotation of the JSON that an operation answers with where it succeeds, or with one status."""
    statuses = {status} if status else {one for one, _ in operation.responses if one.startswith("2")} or {"default"}
    found = [kind for one, media in operation.responses if one in statuses for kind in _json_types(media)]
    return "Any" if "Any" in found else " | ".join(dict.fromkeys(found))


def _json_types(media: Iterable[tuple[str, str]]) -> list[str]:
    return [annotation for kind, annotation in media if is_json(kind)]


class Places:
    """What the keys of an extension, or the parameters of a link, name in one operation.

    Args:
        operation: The operation.
        types: Of the document.
        status: The answer that is meant; by default each that is a success.
    """

    def __init__(self, operation: OperationPlan, types: Annotations, status: str = "") -> None:
        self._operation = operation
        self._types = types
        self.answer = json_answer(operation, status)

    def in_answer(self, value: Any, pointer: str) -> str:
        """A place of the answer as a runtime expression: given as one, as a JSON pointer, or as a property's name.

        Raises:
            SpecError: If there is no such place.
        """
        if not isinstance(value, str) or not value:
            raise SpecError("must be a runtime expression, a JSON pointer or the name of a property", pointer=pointer)
        text = value if value.startswith("$") else f"$response.body#{as_pointer(value)}"
        try:
            expression = parse_expression(text)
            steps = pointer_steps(expression.name) if expression.part == "body" else ()
        except ValueError as error:
            raise SpecError(str(error), pointer=pointer) from None
        if text != "$statusCode" and (expression.message, expression.part) not in {
            ("response", "body"),
            ("response", "header"),
        }:
            raise SpecError(f"{value!r} is no place in the answer", pointer=pointer)
        if steps:
            self.annotation_in_answer(steps, value, pointer)
        return text

    def annotation_in_answer(self, steps: tuple[str, ...], value: object, pointer: str) -> str:
        """The annotation at a place of the answer's body.

        Raises:
            SpecError: If there is no such place.
        """
        if not self.answer:
            raise SpecError("the operation does not answer with JSON", pointer=pointer)
        found = self._types.at(self.answer, steps)
        if found is None:
            raise SpecError(f"the answer has no {value!r}", pointer=pointer)
        return found

    def in_body(self, steps: tuple[str, ...], value: object, pointer: str) -> str:
        """The annotation at a place of the request's body.

        Raises:
            SpecError: If there is no such place.
        """
        operation = self._operation
        if not operation.body or not is_json(operation.body[0]):
            raise SpecError("the operation takes no body of JSON", pointer=pointer)
        found = self._types.at(operation.body_annotation, steps)
        if found is None:
            raise SpecError(f"the request body has no {value!r}", pointer=pointer)
        return found

    def argument(self, value: Any, pointer: str) -> ParameterPlan:
        """A parameter of the operation, by its name on the wire, with or without its location before it.

        Raises:
            SpecError: If there is none, or several.
        """
        name = str(value).removeprefix("$request.")
        location, _, rest = name.partition(".")
        found = [one for one in self._operation.parameters if one.wire == name]
        if not found and location in _LOCATIONS:
            found = [one for one in self._operation.parameters if (one.location, one.wire) == (location, rest)]
        if not isinstance(value, str) or not found:
            raise SpecError(f"{self._name} has no parameter {value!r}", pointer=pointer)
        if len(found) > 1:
            raise SpecError(f"{self._name} has several parameters {value!r}: say query.{value} or so", pointer=pointer)
        return found[0]

    @property
    def _name(self) -> str:
        return self._operation.operation_id


def as_pointer(value: str) -> str:
    """A JSON pointer, or the name of a property as one."""
    return value if not value or value.startswith("/") else f"/{step_text(value)}"


def extension(operation: Document, key: str, allowed: Iterable[str], pointer: str) -> Document | None:
    """The value of an extension whose keys are known; None if it is absent or false.

    Raises:
        SpecError: If it is no object, or has other keys.
    """
    values = operation.get(key)
    if values is None or values is False:
        return None
    if not is_object(values):
        raise SpecError("must be an object, or false", pointer=pointer)
    names = sorted(allowed)
    for name in sorted(values):
        if name not in names:
            known = ", ".join(names)
            raise SpecError(f"{key} has no {name!r}; there are {known}", pointer=f"{pointer}/{step_text(name)}")
    return values
