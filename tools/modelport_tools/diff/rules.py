"""Which label each kind of change bears, on the side of the request and on that of the response."""

from __future__ import annotations

from dataclasses import dataclass

from .report import Label

REQUEST = "request"
RESPONSE = "response"

BREAKING, SOURCE, ADDITIVE, INFO = Label


@dataclass(frozen=True)
class Rule:
    """The labels of a kind of change.

    Attributes:
        request: Where the consumer sends it; also for what has no direction.
        response: Where the consumer receives it.
    """

    request: Label
    response: Label


def _both(label: Label) -> Rule:
    return Rule(label, label)


# What the server takes less of breaks who sends; what it sends more of breaks who receives.
_NARROWED = Rule(BREAKING, ADDITIVE)
_WIDENED = Rule(ADDITIVE, BREAKING)
_CHANGED = _both(BREAKING)

RULES: dict[str, Rule] = {
    # document
    "server-removed": _both(BREAKING),
    "server-added": _both(ADDITIVE),
    "server-order-changed": _both(SOURCE),
    "scheme-renamed": _both(SOURCE),
    "model-renamed": _both(SOURCE),
    "model-removed": _both(SOURCE),
    "model-added": _both(INFO),
    "text-changed": _both(INFO),
    # operation
    "operation-removed": _both(BREAKING),
    "operation-added": _both(ADDITIVE),
    "operation-moved": _both(BREAKING),
    "operation-renamed": _both(SOURCE),
    "operation-regrouped": _both(SOURCE),
    # The methods beside that of an operation: items of all pages, waits.
    "method-removed": _both(SOURCE),
    "method-added": _both(ADDITIVE),
    "method-changed": _both(SOURCE),
    "deprecated": _both(ADDITIVE),
    "undeprecated": _both(ADDITIVE),
    "credentials-narrowed": _both(BREAKING),
    "credentials-widened": _both(ADDITIVE),
    # parameter
    "parameter-removed": _both(BREAKING),
    "parameter-added-required": _both(BREAKING),
    "parameter-added-optional": _both(ADDITIVE),
    "parameter-required": _both(BREAKING),
    "parameter-optional": _both(ADDITIVE),
    "parameter-moved": _both(BREAKING),
    "parameter-renamed": _both(SOURCE),
    "parameter-style-changed": _both(BREAKING),
    "empty-value-refused": _both(BREAKING),
    "empty-value-allowed": _both(ADDITIVE),
    # body and response
    "body-removed": _both(BREAKING),
    "body-added-required": _both(BREAKING),
    "body-added-optional": _both(ADDITIVE),
    "body-required": _both(BREAKING),
    "body-optional": _both(ADDITIVE),
    "media-type-removed": _both(BREAKING),
    "media-type-added": _both(ADDITIVE),
    "encoding-changed": _both(BREAKING),
    "success-removed": _both(BREAKING),
    "success-added": _both(ADDITIVE),
    "error-removed": _both(ADDITIVE),
    "error-added": _both(ADDITIVE),
    "header-removed": _both(BREAKING),
    "header-added": _both(ADDITIVE),
    "header-required": _both(ADDITIVE),
    "header-optional": _both(BREAKING),
    # schema
    "type-narrowed": _NARROWED,
    "type-widened": _WIDENED,
    "type-changed": _CHANGED,
    "null-refused": _NARROWED,
    "null-allowed": _WIDENED,
    "enum-value-removed": _NARROWED,
    # Generated enums are open: a value that the document does not know is kept.
    "enum-value-added": _both(ADDITIVE),
    "enum-closed": _NARROWED,
    "enum-opened": _WIDENED,
    "format-narrowed": _NARROWED,
    "format-widened": _WIDENED,
    "format-changed": _CHANGED,
    "format-retyped": _both(SOURCE),
    "limit-narrowed": _NARROWED,
    "limit-widened": _WIDENED,
    "constraint-added": _NARROWED,
    "constraint-removed": _WIDENED,
    "constraint-changed": _CHANGED,
    "property-removed": _both(BREAKING),
    "property-added-required": Rule(BREAKING, ADDITIVE),
    "property-added-optional": _both(ADDITIVE),
    "property-required": _NARROWED,
    "property-optional": _WIDENED,
    "property-renamed": _both(SOURCE),
    "argument-added": _both(SOURCE),
    "argument-removed": _both(SOURCE),
    "property-withdrawn": _both(BREAKING),
    "property-opened": _both(ADDITIVE),
    "properties-closed": _NARROWED,
    "properties-opened": _both(ADDITIVE),
    "map-closed": _both(BREAKING),
    "union-member-removed": _NARROWED,
    "union-member-added": _WIDENED,
    "union-added": _NARROWED,
    "union-removed": _WIDENED,
    "discriminator-changed": _CHANGED,
    "discriminator-added": _both(ADDITIVE),
    "discriminator-removed": Rule(ADDITIVE, BREAKING),
    "discriminator-value-removed": _NARROWED,
    "discriminator-value-added": _WIDENED,
    "default-changed": Rule(BREAKING, ADDITIVE),
    "default-removed": Rule(BREAKING, ADDITIVE),
    "default-added": _both(ADDITIVE),
}


def label_of(kind: str, direction: str) -> Label:
    """The label of a change of this kind."""
    rule = RULES[kind]
    return rule.response if direction == RESPONSE else rule.request
