"""Classes that would hold nothing but free entries, written as the ``dict[str, ...]`` that they are."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .plan import EnumPlan, ModelPlan, OperationPlan

_TOKENS = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|\w+""")
"""Texts of literals, which are left alone, and words."""
_BRACKETS = {"[": 1, "]": -1}


class Maps:
    """The maps among the classes of a plan.

    Args:
        models: Every class, with the names of other classes in its annotations.
        enums: Every enum.
    """

    def __init__(self, models: Iterable[ModelPlan], enums: Iterable[EnumPlan]) -> None:
        self._models = {model.name: model for model in models}
        self._modules = {name: model.module for name, model in self._models.items()}
        self._modules.update({enum.name: enum.module for enum in enums})
        self._extras = {
            name: model.extra
            for name, model in self._models.items()
            # A member of a union with a discriminator is told by its class.
            if model.extra is not None and not model.fields and not model.tags
        }
        for name in sorted(self._extras):
            if self._is_circular(name, name, set()):
                del self._extras[name]

    def _is_circular(self, name: str, sought: str, seen: set[str]) -> bool:
        """Whether a map holds itself by way of maps only: its text would have no end."""
        for word in _words(self._extras[name]):
            if word == sought:
                return True
            if word in self._extras and word not in seen:
                seen.add(word)
                if self._is_circular(word, sought, seen):
                    return True
        return False

    def kept(self) -> list[ModelPlan]:
        """The classes that remain, with maps in their annotations."""
        return [self._model(model) for name, model in self._models.items() if name not in self._extras]

    def written(self, annotation: str) -> str:
        """An annotation with maps in the place of their classes."""
        text = _TOKENS.sub(lambda found: self._map(found[0]), annotation)
        return " | ".join(dict.fromkeys(_members(text)))

    def _map(self, word: str) -> str:
        extra = self._extras.get(word)
        return word if extra is None else f"dict[str, {self.written(extra)}]"

    def _model(self, model: ModelPlan) -> ModelPlan:
        fields = tuple(replace(field, annotation=self.written(field.annotation)) for field in model.fields)
        extra = None if model.extra is None else self.written(model.extra)
        texts = [*(field.annotation for field in fields), extra or ""]
        return replace(model, fields=fields, extra=extra, imports=self._imports(texts, model.name))

    def operation(self, operation: OperationPlan) -> OperationPlan:
        """An operation with maps in its annotations."""
        parameters = tuple(replace(one, annotation=self.written(one.annotation)) for one in operation.parameters)
        changed = replace(
            operation,
            parameters=parameters,
            body_annotation=self.written(operation.body_annotation),
            returns=self.written(operation.returns),
            responses=tuple(
                (status, tuple((kind, self.written(text)) for kind, text in media))
                for status, media in operation.responses
            ),
        )
        texts = [*(one.annotation for one in parameters), changed.body_annotation, changed.returns]
        return replace(changed, imports=self._imports(texts))

    def _imports(self, annotations: Iterable[str], own: str = "") -> tuple[tuple[str, str], ...]:
        words = {word for text in annotations for word in _words(text)}
        return tuple(sorted((word, self._modules[word]) for word in words if word in self._modules and word != own))


def _words(annotation: str) -> list[str]:
    return [token for token in _TOKENS.findall(annotation) if token[0] not in "'\""]


def _members(annotation: str) -> list[str]:
    """The members of a union."""
    members = [""]
    depth = 0
    for piece in re.findall(rf"{_TOKENS.pattern}| \| |.", annotation):
        depth += _BRACKETS.get(piece, 0)
        if piece == " | " and not depth:
            members.append("")
        else:
            members[-1] += piece
    return members
